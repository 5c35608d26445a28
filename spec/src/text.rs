//! Text of JSON strings: Unicode that may contain lone surrogates.
//!
//! A JSON string may contain `\ud800`, and JavaScript peers send such strings, so `str` is too
//! narrow for the wire. [`Text`] and [`TextBuf`] hold WTF-8 instead: UTF-8 in which a lone
//! surrogate has the three bytes that the scheme would give it. A text without lone surrogates is
//! plain UTF-8, and [`Text::to_str`] gives it without a copy.
//!
//! Rules: a surrogate pair is always stored as one character, so equal texts have equal bytes.
//! Parsing the output of [`Text::write_json`] gives the same text. Texts are ordered by their
//! bytes.
//!
//! Deliberately absent: making text from arbitrary bytes, and editing it. Text comes from a `str`
//! or from the parser.

use smallvec::SmallVec;
use std::borrow::{Borrow, Cow};
use std::fmt;

/// Borrowed text: a `&str` that may hold lone surrogates.
///
/// ```
/// use dnode_spec::text::Text;
///
/// let text = Text::from_str("methods");
/// assert!(text == "methods");
/// assert_eq!(text.to_str(), Some("methods"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a> {
    wtf8: &'a [u8],
}

impl<'a> Text<'a> {
    /// The text of a `str`.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "it borrows, which FromStr cannot")]
    pub fn from_str(text: &'a str) -> Text<'a> {
        Text { wtf8: text.as_bytes() }
    }

    /// The text with this WTF-8; only for bytes that the parser has made.
    pub(crate) fn from_wtf8(wtf8: &'a [u8]) -> Text<'a> {
        Text { wtf8 }
    }

    /// The text in WTF-8. Without lone surrogates, this is its UTF-8.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.wtf8
    }

    /// The text as a `str`; `None` if it has a lone surrogate.
    #[must_use]
    pub fn to_str(self) -> Option<&'a str> {
        std::str::from_utf8(self.wtf8).ok()
    }

    /// The text as a string for people, with U+FFFD for each lone surrogate.
    #[must_use]
    pub fn to_string_lossy(self) -> Cow<'a, str> {
        if let Some(text) = self.to_str() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(self.wtf8.len());
        let mut rest = self.wtf8;
        while let Some(at) = find_surrogate(rest) {
            out.push_str(std::str::from_utf8(&rest[..at]).unwrap_or_default());
            out.push(char::REPLACEMENT_CHARACTER);
            rest = &rest[at + 3..];
        }
        out.push_str(std::str::from_utf8(rest).unwrap_or_default());
        Cow::Owned(out)
    }

    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_owned(self) -> TextBuf {
        TextBuf { wtf8: SmallVec::from_slice(self.wtf8) }
    }

    /// Appends the text as a JSON string, quotes included.
    ///
    /// Quotes, backslashes and control characters are escaped, in the short form if JSON has one. A
    /// lone surrogate becomes `\udxxx`. All other characters, even U+2028, are written in UTF-8.
    pub fn write_json(self, out: &mut Vec<u8>) {
        // Room for the quotes, and for what follows a long text in its line. Growth would double it.
        if self.wtf8.len() > LONG {
            out.reserve(self.wtf8.len() + LONG);
        }
        out.push(b'"');
        let mut rest = self.wtf8;
        while let Some(at) = rest.iter().position(|&byte| SPECIAL[usize::from(byte)] != 0) {
            let (plain, tail) = rest.split_at(at);
            out.extend_from_slice(plain);
            let taken = write_special(tail, out);
            rest = &tail[taken..];
        }
        out.extend_from_slice(rest);
        out.push(b'"');
    }
}

/// A text of more bytes is long.
const LONG: usize = 64 << 10;

/// The byte that may begin a lone surrogate in WTF-8. If the second byte is below 0xA0, it is an
/// ordinary character.
const SURROGATE_LEAD: u8 = 0xED;

/// For each byte of WTF-8: 0 if a JSON string may hold it as it is, else the letter of its escape.
const SPECIAL: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = b'u';
        control += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0A] = b'n';
    table[0x0C] = b'f';
    table[0x0D] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[SURROGATE_LEAD as usize] = b'u';
    table
};

/// Writes the special byte or surrogate at the start of `tail`, and gives its length in bytes.
fn write_special(tail: &[u8], out: &mut Vec<u8>) -> usize {
    match *tail {
        [SURROGATE_LEAD, second, third, ..] if second >= 0xA0 => {
            write_unit(0xD000 | (u16::from(second & 0x3F) << 6) | u16::from(third & 0x3F), out);
            3
        }
        [SURROGATE_LEAD, ..] => {
            out.push(SURROGATE_LEAD);
            1
        }
        [byte, ..] => {
            match SPECIAL[usize::from(byte)] {
                b'u' => write_unit(u16::from(byte), out),
                letter => out.extend_from_slice(&[b'\\', letter]),
            }
            1
        }
        [] => 0,
    }
}

/// Writes one UTF-16 code unit as `\uxxxx`.
fn write_unit(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(b"0123456789abcdef"[usize::from((unit >> shift) & 0xF)]);
    }
}

/// The offset of the first lone surrogate.
fn find_surrogate(wtf8: &[u8]) -> Option<usize> {
    wtf8.windows(2).position(|pair| pair[0] == SURROGATE_LEAD && pair[1] >= 0xA0)
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Text<'a> {
        Text::from_str(text)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.wtf8 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Text<'_> {
    /// The text for people, as [`Text::to_string_lossy`] gives it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl fmt::Debug for Text<'_> {
    /// The text as a JSON string, which is different for different texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = Vec::with_capacity(self.wtf8.len() + 2);
        self.write_json(&mut json);
        f.write_str(std::str::from_utf8(&json).unwrap_or_default())
    }
}

/// Owned text: a `String` that may hold lone surrogates.
///
/// A map with such keys can be searched by bytes: `map.get(text.as_bytes())`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextBuf {
    wtf8: SmallVec<[u8; 16]>,
}

impl TextBuf {
    /// The text, borrowed.
    #[must_use]
    pub fn as_text(&self) -> Text<'_> {
        Text { wtf8: &self.wtf8 }
    }
}

impl From<&str> for TextBuf {
    fn from(text: &str) -> TextBuf {
        Text::from_str(text).to_owned()
    }
}

impl From<Text<'_>> for TextBuf {
    fn from(text: Text<'_>) -> TextBuf {
        text.to_owned()
    }
}

impl Borrow<[u8]> for TextBuf {
    fn borrow(&self) -> &[u8] {
        &self.wtf8
    }
}

impl PartialEq<str> for TextBuf {
    fn eq(&self, other: &str) -> bool {
        self.as_text() == *other
    }
}

impl PartialEq<&str> for TextBuf {
    fn eq(&self, other: &&str) -> bool {
        self.as_text() == **other
    }
}

impl fmt::Display for TextBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_text(), f)
    }
}

impl fmt::Debug for TextBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_text(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use proptest::prelude::*;

    /// The text of a JSON string.
    fn text(json: &str) -> TextBuf {
        Value::parse(json.as_bytes()).unwrap().root().as_text().unwrap().to_owned()
    }

    fn json(text: Text<'_>) -> String {
        let mut out = Vec::new();
        text.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_forbidden_characters_are_escaped() {
        let all = "\"\\/\n\t\r\u{8}\u{c}\0\u{1f}\u{7f}\u{2028}é\u{d7ff}\u{e000}😀";
        assert_eq!(
            json(Text::from_str(all)),
            "\"\\\"\\\\/\\n\\t\\r\\b\\f\\u0000\\u001f\u{7f}\u{2028}é\u{d7ff}\u{e000}😀\""
        );
    }

    #[test]
    fn lone_surrogate_is_kept_and_pair_is_one_character() {
        let lone = text(r#""a\uD800b\udfff""#);
        assert_eq!(lone.as_text().to_str(), None);
        assert_eq!(lone.as_text().as_bytes(), b"a\xED\xA0\x80b\xED\xBF\xBF");
        assert_eq!(lone.to_string(), "a\u{fffd}b\u{fffd}");
        assert_eq!(format!("{lone:?}"), r#""a\ud800b\udfff""#);
        assert_eq!(text(r#""\ud83d\ude00""#), TextBuf::from("😀"));
        assert_eq!(json(text(r#""\ude00\ud83d""#).as_text()), r#""\ude00\ud83d""#);
    }

    #[test]
    fn texts_compare_with_strings() {
        let (text, buffer) = (Text::from("a"), TextBuf::from(Text::from_str("a")));
        assert!(text == "a" && text == *"a" && text != "b" && text != *"b");
        assert!(buffer == "a" && buffer == *"a" && buffer != "b" && buffer != *"b");
        assert_eq!(format!("{text:>3}|{buffer:<3}"), "  a|a  ");
    }

    #[test]
    fn map_finds_key_by_bytes() {
        let map = std::collections::HashMap::from([(TextBuf::from("a"), 1)]);
        assert_eq!(map.get(Text::from_str("a").as_bytes()), Some(&1));
    }

    proptest! {
        #[test]
        fn code_units_survive_a_round_trip(units in prop::collection::vec(prop_oneof![
            0u16..0x80, 0xD7F0u16..0xE010, any::<u16>(),
        ], 0..12)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04X}")).collect();
            let read = text(&format!("\"{escaped}\""));
            prop_assert_eq!(text(&json(read.as_text())), read.clone());
            prop_assert_eq!(read.to_string(), String::from_utf16_lossy(&units));
            prop_assert_eq!(read.as_text().to_str().is_some(), String::from_utf16(&units).is_ok());
        }
    }
}
