//! Makes hostile text visible.
//!
//! Reports show text of the peer, and a peer may send anything: sequences that move the cursor,
//! change colours, ring the bell, change a title, or reverse and hide characters. This module
//! replaces each such character by a visible escape: `\x1b` for ASCII control characters and for
//! bytes that are not UTF-8, `\u{202e}` for all others. JSON has no such escapes, so JSON text
//! stays readable; its own backslashes are kept.
//!
//! Deliberately absent: layout. A newline is a control character too. Split a text into lines
//! before you escape it.

mod ci;

use std::borrow::Cow;
use std::fmt::Write;

#[cfg(test)]
pub(crate) use ci::COMMANDS;
use ci::completes_command;
pub use ci::no_command;

/// Whether the character moves the cursor, hides or reorders text, or is invisible: control, bidi
/// and zero-width characters, line and paragraph separators, tags, all default-ignorable characters
/// of Unicode, and the two noncharacters that XML forbids.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Replaces each hidden character, and each byte that is not UTF-8, by a visible escape.
///
/// ```
/// use dnode_reports::escape::terminal;
/// assert_eq!(terminal("red: \u{1b}[31m"), r"red: \x1b[31m");
/// assert_eq!(terminal(b"a\xffb\n"), r"a\xffb\x0a");
/// ```
#[must_use]
pub fn terminal(text: impl AsRef<[u8]>) -> String {
    terminal_cut(text, usize::MAX, 0)
}

/// Like [`terminal`], but cut after at most `limit` characters, like [`cut`]. The note at the end
/// counts bytes of the original text, plus the `missing` bytes that were cut off before.
#[must_use]
pub fn terminal_cut(text: impl AsRef<[u8]>, limit: usize, missing: usize) -> String {
    let bytes = text.as_ref();
    let mut out = String::new();
    let (mut width, mut taken) = (0, 0);
    for piece in pieces(bytes) {
        let before = out.len();
        piece.push_to(&mut out);
        width += out.get(before..).map_or(0, |shown| shown.chars().count());
        if width > limit {
            out.truncate(before);
            break;
        }
        taken += piece.len();
    }
    push_rest(&mut out, (bytes.len() - taken).saturating_add(missing));
    out
}

/// Replaces the hidden characters of a JSON text, and the commands for CI services in it, by JSON
/// escapes. Outside its strings a JSON text has neither, except newlines, and its strings have no
/// newlines; so each character can be replaced in place.
#[must_use]
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_hidden(c) && !completes_command(&out, c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// Cuts the text after `limit` characters and notes how many bytes are missing.
///
/// ```
/// assert_eq!(dnode_reports::escape::cut("héllo", 2), "hé… (3 bytes more)");
/// ```
#[must_use]
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    let Some((head, tail)) =
        text.char_indices().nth(limit).and_then(|(position, _)| text.split_at_checked(position))
    else {
        return Cow::Borrowed(text);
    };
    let mut out = head.to_owned();
    push_rest(&mut out, tail.len());
    Cow::Owned(out)
}

fn push_rest(out: &mut String, bytes: usize) {
    // Writing to a string cannot fail.
    let _ = match bytes {
        0 => Ok(()),
        1 => write!(out, "… (1 byte more)"),
        _ => write!(out, "… ({bytes} bytes more)"),
    };
}

/// A character, or a byte that is not UTF-8.
enum Piece {
    Char(char),
    Byte(u8),
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().iter().copied().map(Piece::Byte);
        chunk.valid().chars().map(Piece::Char).chain(invalid)
    })
}

impl Piece {
    /// How many bytes of the original it takes.
    fn len(&self) -> usize {
        match self {
            Piece::Char(c) => c.len_utf8(),
            Piece::Byte(_) => 1,
        }
    }

    fn push_to(&self, out: &mut String) {
        let _ = match self {
            Piece::Byte(byte) => write!(out, "\\x{byte:02x}"),
            Piece::Char(c) if completes_command(out, *c) => write!(out, "\\x{:02x}", u32::from(*c)),
            Piece::Char(c) if !is_hidden(*c) => out.write_char(*c),
            Piece::Char(c) if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(*c)),
            Piece::Char(c) => write!(out, "\\u{{{:x}}}", u32::from(*c)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_samples_become_visible() {
        for (hostile, shown) in [
            ("\u{1b}[2J\u{1b}]0;title\u{7}", r"\x1b[2J\x1b]0;title\x07"),
            ("a\rb\nc\td\u{8}\u{7f}\0", r"a\x0db\x0ac\x09d\x08\x7f\x00"),
            ("\u{9b}31m\u{85}", r"\u{9b}31m\u{85}"),
            ("user\u{202e}nimda\u{2066}x\u{2069}", r"user\u{202e}nimda\u{2066}x\u{2069}"),
            (
                "\u{200e}\u{200f}\u{61c}\u{200b}\u{200d}\u{feff}",
                r"\u{200e}\u{200f}\u{61c}\u{200b}\u{200d}\u{feff}",
            ),
            ("a\u{2028}b\u{2029}c", r"a\u{2028}b\u{2029}c"),
            ("\u{e0001}\u{e0041}\u{e007f}", r"\u{e0001}\u{e0041}\u{e007f}"),
            ("plain, ünïcödé, 日本語, 🎈", "plain, ünïcödé, 日本語, 🎈"),
            ("##[error] #[x]", r"##\x5berror] #[x]"),
            ("##vso[x] ##teamcity[y] # v[z]", r"##vso\x5bx] ##teamcity\x5by] # v[z]"),
            ("##VSO[x travis_fold:y section_starts:", r"##VSO\x5bx travis_fold\x3ay section_starts:"),
            (r#"{"a":"\n\u001b\\"}"#, r#"{"a":"\n\u001b\\"}"#),
        ] {
            assert_eq!(terminal(hostile), shown);
        }
    }

    #[test]
    fn invalid_bytes_become_visible() {
        assert_eq!(terminal(b"\x80ok\xff\xfe"), r"\x80ok\xff\xfe");
        assert_eq!(terminal(b"lone surrogate \xed\xa0\x80"), r"lone surrogate \xed\xa0\x80");
        assert_eq!(terminal(b"half a character \xe2\x82"), r"half a character \xe2\x82");
    }

    #[test]
    fn cut_counts_the_missing_bytes() {
        assert_eq!(cut("four", 4), "four");
        assert_eq!(cut("fours", 4), "four… (1 byte more)");
        assert_eq!(cut("", 0), "");
        assert_eq!(terminal_cut("ab\u{1b}cd", 5, 0), "ab… (3 bytes more)");
        assert_eq!(terminal_cut("ab\u{1b}cd", 6, 10), r"ab\x1b… (12 bytes more)");
        assert_eq!(terminal_cut(b"\xff\xff", 4, 0), r"\xff… (1 byte more)");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = r###"{"##vso[a":["##[b","section_end:1:c\r",[1]]}"###;
        let shown = json(text);
        assert_eq!(shown, r###"{"##vso\u005ba":["##\u005bb","section_end\u003a1:c\r",[1]]}"###);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(text));
    }

    proptest! {
        #[test]
        fn bytes_have_no_hidden_characters_left(bytes: Vec<u8>) {
            prop_assert!(!terminal(bytes).contains(is_hidden));
        }

        #[test]
        fn text_has_no_hidden_characters_left(text: Vec<char>) {
            let text: String = text.into_iter().collect();
            prop_assert!(!terminal(text).contains(is_hidden));
        }

        #[test]
        fn hidden_characters_are_all_replaced(
            text in "[\u{0}-\u{9f}\u{ad}\u{61c}\u{200b}-\u{206f}\u{feff}\u{e0000}-\u{e007f}]{0,40}",
            limit in 0usize..60,
        ) {
            prop_assert!(!terminal_cut(text, limit, 0).contains(is_hidden));
        }

        #[test]
        fn cut_text_keeps_its_head(text: String, limit in 0usize..40) {
            let shown = cut(&text, limit);
            let head: String = text.chars().take(limit).collect();
            prop_assert!(shown.starts_with(&head));
            prop_assert_eq!(shown.len() == text.len() && shown == text, text.chars().count() <= limit);
        }
    }
}
