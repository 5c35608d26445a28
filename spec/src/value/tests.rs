//! Valid and malformed lines. serde_json is a one-way oracle: the parser accepts everything that it
//! accepts.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn parse(line: &str) -> Value<'_> {
    Value::parse(line.as_bytes()).unwrap()
}

fn written(value: &Value<'_>) -> String {
    String::from_utf8(value.root().to_json()).unwrap()
}

#[test]
fn reads_every_kind() {
    let value = parse(" {\"a\":[null,true,false,1.50,\"x\"],\"b\":{},\"a\":[], \"\":[[]] }\r");
    let root = value.root();
    assert_eq!((root.kind(), root.len(), value.len_nodes()), (Kind::Object, 4, 15));
    let keys: Vec<_> = root.members().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["a", "b", "a", ""]);
    assert!(root.get("a").unwrap().is_empty(), "the last duplicate counts");
    assert_eq!(root.get("c").map(Ref::kind), None);

    let (_, items) = root.members().next().unwrap();
    let kinds: Vec<_> = items.items().map(|item| item.kind().word()).collect();
    assert_eq!(kinds, ["null", "boolean", "boolean", "number", "string"]);
    assert!(items.item(0).unwrap().is_null());
    assert_eq!(items.item(1).unwrap().as_bool(), Some(true));
    assert_eq!(items.item(3).unwrap().as_number().unwrap().text(), "1.50");
    assert!(items.item(4).unwrap().as_text().unwrap() == "x");
    assert!(items.item(5).is_none() && !items.is_empty());
    assert_eq!((items.items().len(), root.members().len()), (5, 4));
    assert_eq!(
        format!("{:>7} {items:?} {:?}", items.kind(), parse("[1]")),
        r#"  array [null,true,false,1.50,"x"] [1]"#
    );
    assert_eq!(written(&value), r#"{"a":[null,true,false,1.50,"x"],"b":{},"a":[],"":[[]]}"#);
}

#[test]
fn reads_nothing_from_the_wrong_kind() {
    let value = parse(r#"["x",{"k":[]},3]"#);
    let [text, object, number] = [0, 1, 2].map(|n| value.root().item(n).unwrap());
    assert_eq!((text.len(), text.items().count(), text.members().count()), (0, 0, 0));
    assert!(text.as_number().is_none() && text.as_bool().is_none() && !text.is_null());
    assert!(object.items().next().is_none() && object.item(0).is_none() && object.as_text().is_none());
    assert!(value.root().members().next().is_none() && value.root().get("0").is_none());
    assert!(number.as_text().is_none() && number.get("k").is_none());
    assert_eq!(object.to_json(), br#"{"k":[]}"#);
}

/// The errors of lines, which are separated by bars.
fn errors(lines: &[u8]) -> String {
    let mut all = String::new();
    for line in lines.split(|&byte| byte == b'|') {
        let error = Value::parse(line).unwrap_err();
        assert_eq!(error.is_utf8(), error.to_string().contains("UTF-8"));
        let shown = format!("`{}`", line.escape_ascii().to_string().replace("\\\"", "\""));
        all += &format!("{shown:<17} {error}\n");
    }
    all
}

#[test]
fn errors_of_structure() {
    let lines = br#"[|[,|[1,]|[1 2|[1}|{|{1|{"a"|{"a" 1|{"a":|{"a":}|{"a":1,}|{"a":1]|1 x|]|[]]|[1] /**/"#;
    insta::assert_snapshot!(errors(lines), @r#"
    `[`               at byte 1: expected a value or "]", found the end of the line
    `[,`              at byte 1: expected a value or "]", found ","
    `[1,]`            at byte 3: expected a value, found "]"
    `[1 2`            at byte 3: expected a comma or "]", found "2"
    `[1}`             at byte 2: expected a comma or "]", found "}"
    `{`               at byte 1: expected a key or "}", found the end of the line
    `{1`              at byte 1: expected a key or "}", found "1"
    `{"a"`            at byte 4: expected a colon, found the end of the line
    `{"a" 1`          at byte 5: expected a colon, found "1"
    `{"a":`           at byte 5: expected a value, found the end of the line
    `{"a":}`          at byte 5: expected a value, found "}"
    `{"a":1,}`        at byte 7: expected a key, found "}"
    `{"a":1]`         at byte 6: expected a comma or "}", found "]"
    `1 x`             at byte 2: expected the end of the line, found "x"
    `]`               at byte 0: expected a value, found "]"
    `[]]`             at byte 2: expected the end of the line, found "]"
    `[1] /**/`        at byte 4: expected the end of the line, found "/"
    "#);
}

#[test]
fn errors_of_scalars() {
    let lines = b"| \x0D|nul|nulL|truE|'a'|NaN|01|-|-a|+1|.5|1.|1.e1|1e|1e+|0x1";
    insta::assert_snapshot!(errors(lines), @r#"
    ``                at byte 0: expected a value, found the end of the line
    ` \r`             at byte 2: expected a value, found the end of the line
    `nul`             at byte 3: expected "null", found the end of the line
    `nulL`            at byte 3: expected "null", found "L"
    `truE`            at byte 3: expected "true", found "E"
    `\'a\'`           at byte 0: expected a value, found "'"
    `NaN`             at byte 0: expected a value, found "N"
    `01`              at byte 1: expected the end of the line, found "1"
    `-`               at byte 1: expected a digit, found the end of the line
    `-a`              at byte 1: expected a digit, found "a"
    `+1`              at byte 0: expected a value, found "+"
    `.5`              at byte 0: expected a value, found "."
    `1.`              at byte 2: expected a digit, found the end of the line
    `1.e1`            at byte 2: expected a digit, found "e"
    `1e`              at byte 2: expected a digit, found the end of the line
    `1e+`             at byte 3: expected a digit, found the end of the line
    `0x1`             at byte 1: expected the end of the line, found "x"
    "#);
}

#[test]
fn errors_of_strings_and_bytes() {
    let lines =
        b"\"|\"a\x09b\"|\"\\|\"\\a\"|\"\\u12\"|\"\\u12G4\"|\"\\ud800\\u\"|\"\\ud800\\x\"|1\x0B|1\x00|\
        \xEF\xBB\xBF1|\"\xFF\"|[\xFF|\"\xC0\x80\"|\"\xED\xA0\x80\"|\"\xF0\x9F\x98|[1} \xFF";
    insta::assert_snapshot!(errors(lines), @r#"
    `"`               at byte 1: expected a character or the closing quote, found the end of the line
    `"a\tb"`          at byte 2: expected a character or the closing quote, found 0x09
    `"\\`             at byte 2: expected one of "\/bfnrtu after a backslash, found the end of the line
    `"\\a"`           at byte 2: expected one of "\/bfnrtu after a backslash, found "a"
    `"\\u12"`         at byte 5: expected a hexadecimal digit, found a quote
    `"\\u12G4"`       at byte 5: expected a hexadecimal digit, found "G"
    `"\\ud800\\u"`    at byte 9: expected a hexadecimal digit, found a quote
    `"\\ud800\\x"`    at byte 8: expected one of "\/bfnrtu after a backslash, found "x"
    `1\x0b`           at byte 1: expected the end of the line, found 0x0B
    `1\x00`           at byte 1: expected the end of the line, found 0x00
    `\xef\xbb\xbf1`   at byte 0: expected a value, found 0xEF
    `"\xff"`          at byte 1: expected UTF-8, found 0xFF
    `[\xff`           at byte 1: expected UTF-8, found 0xFF
    `"\xc0\x80"`      at byte 1: expected UTF-8, found 0xC0
    `"\xed\xa0\x80"`  at byte 1: expected UTF-8, found 0xED
    `"\xf0\x9f\x98`   at byte 1: expected UTF-8, found 0xF0
    `[1} \xff`        at byte 2: expected a comma or "]", found "}"
    "#);
}

/// Short strings are read by words, long ones by blocks.
#[test]
fn each_byte_of_long_string_is_checked() {
    for byte in 0..0x80 {
        for place in 0..160 {
            let mut line = format!("\"{}\"", "x".repeat(200)).into_bytes();
            line[1 + place] = byte;
            let expected = match byte {
                0..0x20 => Some((1 + place, Expected::Character)),
                b'"' => Some((2 + place, Expected::EndOfLine)),
                b'\\' => Some((2 + place, Expected::Escape)),
                _ => None,
            };
            let error = Value::parse(&line).err().map(|error| (error.offset, error.expected));
            assert_eq!(error, expected, "{byte:#x} at {place}");
        }
    }
}

#[test]
fn line_of_four_gibibytes_is_rejected() {
    if let Some(length) = (u32::MAX as usize).checked_add(1).filter(|_| cfg!(target_os = "linux")) {
        // The kernel allocates these zeros when they are read, and this test does not read them.
        let error = Value::parse(&vec![0; length]).unwrap_err();
        insta::assert_snapshot!(error, @"at byte 4294967295: expected a line below 4 GiB, found 0x00");
    }
}

#[test]
fn depth_is_limited_by_memory_only() {
    const DEPTH: usize = 1_000_000;
    for (open, inner, close) in [("[", "", "]"), ("{\"a\":", "0", "}"), ("[[],{\"k\":", "1", "},2]")] {
        let line = open.repeat(DEPTH) + inner + &close.repeat(DEPTH);
        let value = parse(&line);
        assert!(value.clone() == value);
        assert!(written(&value) == line);
        let unclosed = Value::parse(&line.as_bytes()[..line.len() - 1]).unwrap_err();
        assert_eq!((unclosed.offset, unclosed.found), (line.len() - 1, None));
    }
}

/// Whether `ours` is what serde_json has read.
fn same(ours: Ref<'_>, theirs: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match theirs {
        Null => ours.is_null(),
        Bool(flag) => ours.as_bool() == Some(*flag),
        String(text) => ours.as_text().is_some_and(|ours| ours == text.as_str()),
        Number(number) => {
            ours.as_number().zip(number.as_f64()).is_some_and(|(ours, n)| close(ours.to_f64(), n))
        }
        Array(items) => {
            ours.kind() == Kind::Array
                && ours.len() == items.len()
                && ours.items().zip(items).all(|(ours, theirs)| same(ours, theirs))
        }
        Object(members) => {
            let last: HashMap<_, _> = ours.members().collect();
            let known = |key: Text<'_>| key.to_str().and_then(|key| members.get(key));
            ours.kind() == Kind::Object
                && last.len() == members.len()
                && last.into_iter().all(|(key, ours)| known(key).is_some_and(|theirs| same(ours, theirs)))
        }
    }
}

/// Whether two doubles are equal up to the rounding of serde_json, which is not exact without
/// `float_roundtrip`.
fn close(ours: f64, theirs: f64) -> bool {
    ours == theirs
        || ours.is_sign_negative() == theirs.is_sign_negative()
            && ours.to_bits().abs_diff(theirs.to_bits()) <= 4
}

/// The oracle: if serde_json accepts a line, the parser accepts it with the same value.
fn agrees_with_serde_json(line: &[u8]) -> Result<(), TestCaseError> {
    match (Value::parse(line), serde_json::from_slice::<serde_json::Value>(line)) {
        (Ok(ours), Ok(theirs)) => prop_assert!(same(ours.root(), &theirs), "{ours:?} is not {theirs}"),
        (Err(error), Ok(theirs)) => prop_assert!(false, "{theirs} is refused: {error}"),
        _ => {}
    }
    Ok(())
}

#[test]
fn numbers_beyond_the_range_of_doubles_are_accepted() {
    assert!(serde_json::from_str::<serde_json::Value>("1e400").is_err());
    assert_eq!(written(&parse("1e400")), "1e400");
}

#[test]
fn lone_surrogates_are_accepted() {
    for line in [r#""\ud800""#, r#""\udc00\ud800x""#, r#"{"\udfff":1}"#, r#""\ud800A""#] {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_err());
        assert_eq!(written(&parse(line)), line);
    }
}

#[test]
fn any_depth_is_accepted() {
    let line = "[".repeat(128) + &"]".repeat(128);
    assert!(serde_json::from_str::<serde_json::Value>(&line).is_err());
    assert_eq!(written(&parse(&line)), line);
}

#[test]
fn serde_json_reserves_one_key() {
    let line = r#"{"$serde_json::private::RawValue":"1"}"#;
    assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap(), 1, "its feature raw_value is on");
    assert_eq!(written(&parse(line)), line);
}

/// White space between the parts of a line.
fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\t \r\n")]
}

/// JSON strings with every kind of escape.
fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z /\u{7f}é\u{2028}\u{d7ff}\u{e000}😀]{0,12}",
        1 => r#"\\["\\/bfnrt]"#,
        1 => r"\\u[0-9a-fA-F]{4}",
        1 => r"\\u[dD][89a-fA-F][0-9a-f]{2}",
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

/// Lines of JSON.
fn line() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        string(),
    ];
    let spaced =
        |text: String| (space(), space()).prop_map(move |(before, after)| format!("{before}{text}{after}"));
    scalar.prop_flat_map(spaced).prop_recursive(5, 40, 6, move |inner| {
        let key =
            prop_oneof![Just("\"a\"".to_owned()), Just("\"b\"".to_owned()), string()].prop_flat_map(spaced);
        let member = (key, inner.clone()).prop_map(|(key, value)| format!("{key}:{value}"));
        let array = prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(",")));
        let object =
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
        prop_oneof![array, object].prop_flat_map(spaced)
    })
}

/// Lines with a few bytes replaced. They may not be JSON any more.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![prop::sample::select(b"\"\\{}[]:,0-.eE\x1F \xFF".to_vec()), any::<u8>()];
    let change = (any::<prop::sample::Index>(), 0usize..3, prop::collection::vec(byte, 0..3));
    (line(), prop::collection::vec(change, 0..3)).prop_map(|(line, changes)| {
        let mut line = line.into_bytes();
        for (at, removed, added) in changes {
            let at = at.index(line.len() + 1);
            let end = (at + removed).min(line.len());
            line.splice(at..end, added);
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn written_text_is_read_back(line in line()) {
        let value = parse(&line);
        let written = written(&value);
        prop_assert_eq!(&parse(&written), &value);
        prop_assert_eq!(&value.clone().into_owned(), &value);
        prop_assert!(value.len_nodes() <= line.len());
        agrees_with_serde_json(line.as_bytes())?;
    }

    #[test]
    fn everything_that_serde_json_accepts_is_accepted(line in damaged()) {
        agrees_with_serde_json(&line)?;
    }

    #[test]
    fn error_is_at_the_first_wrong_byte(line in damaged()) {
        if let Err(error) = Value::parse(&line) {
            prop_assert_eq!(error.found, line.get(error.offset).copied());
            if let Err(before) = Value::parse(&line[..error.offset]) {
                prop_assert_eq!((before.offset, before.found), (error.offset, None));
            }
        }
    }

    #[test]
    fn items_are_found_by_index(line in line()) {
        let value = parse(&line);
        for (n, item) in value.root().items().enumerate() {
            prop_assert_eq!(value.root().item(n).map(Ref::to_json), Some(item.to_json()));
        }
    }
}
