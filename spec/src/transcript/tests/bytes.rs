//! Expressions for bytes, and cutting bytes into segments.

use super::*;
use proptest::prelude::*;

fn expand(json: &str) -> String {
    let bytes = Bytes::read(json).unwrap().expand(&mut |_| Some(b"-7".to_vec())).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn each_form_expands_to_its_bytes() {
    for (json, bytes) in [
        (r#""""#, ""),
        (r#""a\nß\u0000""#, "a\nß\0"),
        (r#"{"base64":"aGVsbG8="}"#, "hello"),
        (r#"{"repeat":"ab","times":3}"#, "ababab"),
        (r#"{"repeat":"ab","times":0}"#, ""),
        (r#"{"nest":["[","x","]"],"times":2}"#, "[[x]]"),
        (r#"{"nest":["(","x",""],"times":0}"#, "x"),
        (r#"{"id":"$f"}"#, "-7"),
        (r#"{"id":"$f","plus":10}"#, "3"),
        (r#"{"id":"$f","negated":true}"#, "7"),
        (r#"{"id":"$f","half":true}"#, "-7.5"),
        (r#"["a",["b",{"repeat":{"repeat":"c","times":2},"times":2}],[],"d"]"#, "abccccd"),
        (r#"{"repeat":["\"",{"id":"echo"},"\","],"times":2}"#, "\"-7\",\"-7\","),
    ] {
        assert_eq!(expand(json), bytes, "{json}");
    }
    let bytes = Bytes::read(r#"{"base64":"//4A"}"#).unwrap().expand(&mut |_| None).unwrap();
    assert_eq!(bytes, [0xff, 0xfe, 0]);
}

#[test]
fn malformed_expression_is_rejected() {
    let error = |json: &str| Bytes::read(json).expect_err(json);
    for json in [
        "7",
        "null",
        "{}",
        r#"{"repeat":"a"}"#,
        r#"{"repeat":"a","times":-1}"#,
        r#"{"repeat":"a","times":1.5}"#,
        r#"{"repeat":"a","times":1,"x":1}"#,
        r#"{"nest":["a","b"],"times":1}"#,
        r#"{"id":0}"#,
        r#"{"id":"$f","plus":1.5}"#,
        r#"{"id":"$f","negated":false}"#,
        r#"{"id":"$f","half":1}"#,
        r#"{"id":"$f","half":true,"negated":true}"#,
        r#"{"base64":"aGVs","repeat":"a","times":1}"#,
        r#"["a",7]"#,
    ] {
        assert_eq!(error(json), error("7"), "{json}");
    }
    insta::assert_snapshot!(error("7"), @r#"not an expression for bytes: text, {"base64"}, {"repeat","times"}, {"nest","times"}, {"id"} or a list"#);
    insta::assert_snapshot!(error(r#"{"base64":"a?"}"#), @"base64: Invalid symbol 63, offset 1.");
}

#[test]
fn too_long_expression_is_rejected_without_expanding_it() {
    let at_limit = format!("{{\"repeat\":\"12345678\",\"times\":{}}}", MAX_BYTES / 8);
    assert!(Bytes::read(&at_limit).is_ok());
    let huge = usize::MAX;
    for json in [
        format!("[{at_limit},\"x\"]"),
        format!("{{\"repeat\":\"ab\",\"times\":{huge}}}"),
        format!("{{\"nest\":[\"[\",\"\",\"]\"],\"times\":{huge}}}"),
        format!("{{\"repeat\":{{\"repeat\":\"a\",\"times\":{}}},\"times\":{huge}}}", MAX_BYTES),
        format!("{{\"repeat\":{{\"id\":\"$f\"}},\"times\":{}}}", MAX_BYTES / 20 + 1),
    ] {
        let error = Bytes::read(&json).unwrap_err();
        assert_eq!(error.to_string(), "the expression stands for more than 67108864 bytes", "{json}");
    }
    // Repeating an empty text takes no time, however often.
    assert_eq!(expand(&format!("{{\"repeat\":\"\",\"times\":{huge}}}")), "");
    assert_eq!(expand(&format!("{{\"nest\":[\"\",\"x\",\"\"],\"times\":{huge}}}")), "x");
}

#[test]
fn unknown_id_is_reported() {
    let bytes = Bytes::read(r#"["a",{"repeat":{"id":"$f"},"times":2}]"#).unwrap();
    assert_eq!(bytes.expand(&mut |_| None).unwrap_err().to_string(), "$f");
    assert_eq!(bytes.names(), [&Name::Word("f".to_owned())]);
    let asked = |json: &str| Bytes::read(json).unwrap().expand(&mut |_| None).unwrap_err();
    assert_eq!(asked(r#"{"id":"echo"}"#), Blank::Id(Called::Member("echo".into())));
    assert_eq!(asked(r#"{"id":"$$x"}"#), Blank::Id(Called::Member("$x".into())));
}

#[test]
fn parts_of_the_known_good_call_are_filled_in() {
    let json = r#"[{"ping":"method"},{"ping":"id","plus":2},{"ping":"path","negated":true}]"#;
    let bytes = Bytes::read(json).unwrap();
    assert_eq!(bytes.to_json().to_string(), json);
    assert_eq!(expand(json), "-7-57");
    assert!(bytes.names().is_empty());
    let error = bytes.expand(&mut |_| None).unwrap_err();
    assert_eq!(error.to_string(), "the method of the known-good call");
    assert!(Bytes::read(r#"{"ping":"callback"}"#).is_err());
}

#[test]
fn a_number_that_is_too_large_for_a_fraction_has_no_half() {
    let half = Bytes::read(r#"{"id":"$f","half":true}"#).unwrap();
    let of = |id: i64| half.expand(&mut |_| Some(id.to_string().into_bytes())).ok();
    assert_eq!(of((1 << 52) - 1).unwrap(), b"4503599627370495.5");
    assert_eq!((of(1 << 52), of(-(1 << 52)), of(i64::MIN)), (None, None, None));
}

#[test]
fn bytes_are_cut_at_the_offsets() {
    let at = |offsets: &[usize]| Split::At(offsets.to_vec());
    assert_eq!(Split::Whole.segments(b"abc"), [b"abc"]);
    assert_eq!(Split::Each.segments(b"abc"), [b"a", b"b", b"c"]);
    assert_eq!(at(&[1]).segments(b"abc"), [&b"a"[..], b"bc"]);
    assert_eq!(at(&[2, 0, 1, 2, 3, 99]).segments(b"abc"), [b"a", b"b", b"c"]);
    for split in [Split::Whole, Split::Each, at(&[0, 1])] {
        assert!(split.segments(b"").is_empty(), "{split:?}");
    }
}

proptest! {
    #[test]
    fn segments_together_are_the_bytes(bytes: Vec<u8>, offsets in prop::collection::vec(0usize..120, 0..8)) {
        let at = Split::At(offsets.clone());
        for split in [Split::Whole, Split::Each, at.clone()] {
            prop_assert!(split.segments(&bytes).iter().all(|segment| !segment.is_empty()));
            prop_assert_eq!(split.segments(&bytes).concat(), bytes.clone());
        }
        let mut start = 0;
        for segment in at.segments(&bytes) {
            start += segment.len();
            prop_assert!(start == bytes.len() || offsets.contains(&start));
        }
    }
}
