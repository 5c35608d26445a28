//! Errors of the parser: the offset, the byte, and the expected content.

use std::fmt;

/// The first byte at which a line can no longer become JSON. The sender of the line is at fault.
///
/// ```
/// use dnode_spec::value::Value;
///
/// let error = Value::parse(b"[1, 2 x]").unwrap_err();
/// assert_eq!(error.to_string(), r#"at byte 6: expected a comma or "]", found "x""#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParseError {
    /// The offset of the byte in the line.
    pub offset: usize,
    /// The expected content at that offset.
    pub expected: Expected,
    /// The byte; `None` at the end of the line.
    pub found: Option<u8>,
}

impl ParseError {
    /// Whether the line is invalid UTF-8 at this byte.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.expected == Expected::Utf8
    }
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: expected {}, found ", self.offset, self.expected)?;
        match self.found {
            None => f.write_str("the end of the line"),
            Some(b'"') => f.write_str("a quote"),
            Some(byte @ b' '..=b'~') => write!(f, "\"{}\"", char::from(byte)),
            Some(byte) => write!(f, "0x{byte:02X}"),
        }
    }
}

/// The expected content in the place of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Any value.
    Value,
    /// The first item of an array, or its end.
    ValueOrEnd,
    /// The next byte of `null`, `true` or `false`.
    Literal(&'static str),
    /// A digit of a number.
    Digit,
    /// A character of a string that needs no escape, or the closing quote.
    Character,
    /// A character that may follow a backslash.
    Escape,
    /// One of the four digits after `\u`.
    HexDigit,
    /// The key of the next member.
    Key,
    /// The key of the first member, or the end of the object.
    KeyOrEnd,
    /// The colon after a key.
    Colon,
    /// A comma, or the end of the array.
    CommaOrEndOfArray,
    /// A comma, or the end of the object.
    CommaOrEndOfObject,
    /// Only white space: the value is complete.
    EndOfLine,
    /// Valid UTF-8.
    Utf8,
    /// A line below 4 GiB.
    Shorter,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Value => "a value",
            Expected::ValueOrEnd => "a value or \"]\"",
            Expected::Literal(word) => return write!(f, "\"{word}\""),
            Expected::Digit => "a digit",
            Expected::Character => "a character or the closing quote",
            Expected::Escape => "one of \"\\/bfnrtu after a backslash",
            Expected::HexDigit => "a hexadecimal digit",
            Expected::Key => "a key",
            Expected::KeyOrEnd => "a key or \"}\"",
            Expected::Colon => "a colon",
            Expected::CommaOrEndOfArray => "a comma or \"]\"",
            Expected::CommaOrEndOfObject => "a comma or \"}\"",
            Expected::EndOfLine => "the end of the line",
            Expected::Utf8 => "UTF-8",
            Expected::Shorter => "a line below 4 GiB",
        })
    }
}
