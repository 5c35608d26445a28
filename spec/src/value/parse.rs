//! The parser: one pass over a line, without recursion.
//!
//! The nodes are the only stack. While an array or object is open, the `b` of its node holds the
//! index of the container around it. When it closes, `b` becomes the end of its subtree.

use super::{Expected, Kind, Node, ParseError, Value};

/// Parses one line.
pub(super) fn parse(line: &[u8]) -> Result<Value<'_>, ParseError> {
    if u32::try_from(line.len()).is_err() {
        let offset = u32::MAX as usize;
        return Err(ParseError { offset, expected: Expected::Shorter, found: line.get(offset).copied() });
    }
    let Err(error) = std::str::from_utf8(line) else { return Parser::new(line).run() };
    // A syntax error before the first invalid byte comes first.
    let offset = error.valid_up_to();
    match Parser::new(&line[..offset]).run() {
        Err(syntax) if syntax.offset < offset => Err(syntax),
        _ => Err(ParseError { offset, expected: Expected::Utf8, found: line.get(offset).copied() }),
    }
}

/// `Parser::open` outside all arrays and objects.
const OUTSIDE: u32 = u32::MAX;

/// The state of parsing a line of valid UTF-8 below 4 GiB. Each node needs at least one byte of the
/// line, so `u32` is large enough for all indexes.
struct Parser<'a> {
    line: &'a [u8],
    /// The next byte to read.
    at: usize,
    nodes: Vec<Node>,
    unescaped: Vec<u8>,
    /// The innermost array or object that is open.
    open: u32,
}

impl<'a> Parser<'a> {
    fn new(line: &'a [u8]) -> Parser<'a> {
        // Enough for most messages, so they need one allocation. A line of many megabytes is often a
        // single string.
        let nodes = Vec::with_capacity((line.len() / 8).min(1 << 17) + 16);
        Parser { line, at: 0, nodes, unescaped: Vec::new(), open: OUTSIDE }
    }

    fn run(mut self) -> Result<Value<'a>, ParseError> {
        loop {
            let opened = self.value()?;
            if !opened && !self.after_value()? {
                return Ok(Value { nodes: self.nodes, line: self.line.into(), unescaped: self.unescaped });
            }
        }
    }

    /// Reads a scalar, an empty container, or the beginning of a container up to its first value.
    /// Gives `true` for such a beginning: then another value must follow.
    fn value(&mut self) -> Result<bool, ParseError> {
        if let Some(..=b' ') = self.peek() {
            self.skip_space();
        }
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'[') => return Ok(self.array()),
            Some(b'{') => return self.object(),
            Some(b't') => self.literal("true", Kind::Boolean, 1)?,
            Some(b'f') => self.literal("false", Kind::Boolean, 0)?,
            Some(b'n') => self.literal("null", Kind::Null, 0)?,
            _ => return Err(self.error(self.expected_value())),
        }
        Ok(false)
    }

    /// Reads the text after a value: the ends of containers, then a comma (and a key) or the end of
    /// the line. Gives whether another value must follow.
    fn after_value(&mut self) -> Result<bool, ParseError> {
        loop {
            self.skip_space();
            let Some(open) = self.nodes.get_mut(self.open as usize) else {
                let is_end = self.at == self.line.len();
                return if is_end { Ok(false) } else { Err(self.error(Expected::EndOfLine)) };
            };
            open.a += 1;
            match (open.kind, self.line.get(self.at)) {
                (Kind::Object, Some(b',')) => {
                    self.at += 1;
                    self.key(Expected::Key)?;
                    return Ok(true);
                }
                (_, Some(b',')) => {
                    self.at += 1;
                    return Ok(true);
                }
                (Kind::Object, Some(b'}')) | (Kind::Array, Some(b']')) => self.close(),
                (Kind::Object, _) => return Err(self.error(Expected::CommaOrEndOfObject)),
                _ => return Err(self.error(Expected::CommaOrEndOfArray)),
            }
        }
    }

    fn array(&mut self) -> bool {
        self.begin(Kind::Array);
        if self.next_is(b']') {
            self.close();
            return false;
        }
        true
    }

    fn object(&mut self) -> Result<bool, ParseError> {
        self.begin(Kind::Object);
        if self.next_is(b'}') {
            self.close();
            return Ok(false);
        }
        self.key(Expected::KeyOrEnd)?;
        Ok(true)
    }

    /// Opens an array or object at its bracket.
    fn begin(&mut self, kind: Kind) {
        let outer = std::mem::replace(&mut self.open, index(self.nodes.len()));
        self.nodes.push(Node { kind, escaped: false, a: 0, b: outer });
        self.at += 1;
    }

    /// Closes the innermost open array or object at its bracket.
    fn close(&mut self) {
        self.at += 1;
        let end = index(self.nodes.len());
        self.open = std::mem::replace(&mut self.nodes[self.open as usize].b, end);
    }

    /// Reads a key and its colon.
    fn key(&mut self, expected: Expected) -> Result<(), ParseError> {
        if !self.next_is(b'"') {
            return Err(self.error(expected));
        }
        self.string()?;
        if !self.next_is(b':') {
            return Err(self.error(Expected::Colon));
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, word: &'static str, kind: Kind, a: u32) -> Result<(), ParseError> {
        for byte in word.bytes() {
            if !self.take(byte) {
                return Err(self.error(Expected::Literal(word)));
            }
        }
        self.nodes.push(Node { kind, escaped: false, a, b: 0 });
        Ok(())
    }

    fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let (a, b) = (index(start), index(self.at - start));
        self.nodes.push(Node { kind: Kind::Number, escaped: false, a, b });
        Ok(())
    }

    /// Reads one digit or more.
    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.error(Expected::Digit)) }
    }

    /// Reads a string at its opening quote.
    fn string(&mut self) -> Result<(), ParseError> {
        self.at += 1;
        let start = self.at;
        self.at += count_plain(&self.line[start..]);
        let (a, b) = match self.peek() {
            Some(b'"') => (index(start), index(self.at - start)),
            _ => return self.escaped_string(start),
        };
        self.at += 1;
        self.nodes.push(Node { kind: Kind::String, escaped: false, a, b });
        Ok(())
    }

    /// Continues a string that began at `start` and has an escape or an error here.
    fn escaped_string(&mut self, start: usize) -> Result<(), ParseError> {
        let a = self.unescaped.len();
        self.unescaped.extend_from_slice(&self.line[start..self.at]);
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.error(Expected::Character)),
            }
            let rest = &self.line[self.at..];
            let plain = count_plain(rest);
            self.unescaped.extend_from_slice(&rest[..plain]);
            self.at += plain;
        }
        self.at += 1;
        let (a, b) = (index(a), index(self.unescaped.len() - a));
        self.nodes.push(Node { kind: Kind::String, escaped: true, a, b });
        Ok(())
    }

    /// Reads an escape at its backslash.
    fn escape(&mut self) -> Result<(), ParseError> {
        self.at += 1;
        let byte = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0C,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error(Expected::Escape)),
        };
        self.at += 1;
        self.unescaped.push(byte);
        Ok(())
    }

    /// Reads a `\u` escape at its `u`, and the next one too if both are a surrogate pair.
    fn unicode_escape(&mut self) -> Result<(), ParseError> {
        self.at += 1;
        let mut code = self.unit()?;
        if (0xD800..0xDC00).contains(&code) && self.line[self.at..].starts_with(b"\\u") {
            let after_lead = self.at;
            self.at += 2;
            match self.unit()? {
                trail @ 0xDC00..0xE000 => code = 0x1_0000 + ((code - 0xD800) << 10) + (trail - 0xDC00),
                _ => self.at = after_lead,
            }
        }
        match char::from_u32(code) {
            Some(char) => self.unescaped.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            None => self.unescaped.extend_from_slice(&lone_surrogate(code)),
        }
        Ok(())
    }

    /// Reads four hexadecimal digits: a UTF-16 code unit.
    fn unit(&mut self) -> Result<u32, ParseError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = (unit << 4) | digit.ok_or_else(|| self.error(Expected::HexDigit))?;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Whether the next byte after white space is `byte`. It usually follows at once.
    fn next_is(&mut self, byte: u8) -> bool {
        if self.peek() == Some(byte) {
            return true;
        }
        self.skip_space();
        self.peek() == Some(byte)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// Skips the next byte if it is `byte`. Gives whether it was.
    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expected_value(&self) -> Expected {
        match self.nodes.get(self.open as usize) {
            Some(Node { kind: Kind::Array, a: 0, .. }) => Expected::ValueOrEnd,
            _ => Expected::Value,
        }
    }

    fn error(&self, expected: Expected) -> ParseError {
        ParseError { offset: self.at, expected, found: self.peek() }
    }
}

/// An index or length below 4 GiB.
fn index(n: usize) -> u32 {
    n as u32
}

/// A lone surrogate in WTF-8.
fn lone_surrogate(code: u32) -> [u8; 3] {
    [0xE0 | (code >> 12) as u8, 0x80 | ((code >> 6) & 0x3F) as u8, 0x80 | (code & 0x3F) as u8]
}

/// The number of bytes at the start of `bytes` that a string holds without escapes.
fn count_plain(bytes: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let mut plain = count_plain_words(&bytes[..bytes.len().min(BLOCK)]);
    if plain < BLOCK {
        return plain;
    }
    // Long strings rarely have escapes. A loop over whole blocks, without a branch for each word,
    // is vectorized.
    for block in bytes[BLOCK..].as_chunks::<BLOCK>().0 {
        if block.iter().fold(false, |any, &byte| any | is_stop(byte)) {
            break;
        }
        plain += BLOCK;
    }
    plain + count_plain_words(&bytes[plain..])
}

/// [`count_plain`], eight bytes at a time.
fn count_plain_words(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let stops = find_stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return n * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    bytes.len() - tail.len() + tail.iter().position(|&byte| is_stop(byte)).unwrap_or(tail.len())
}

/// Whether this is a quote, a backslash or a control character.
fn is_stop(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Marks the lowest of eight bytes that is a quote, a backslash or a control character: its highest
/// bit is set. Bits above that one are undefined.
fn find_stops(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    // If a byte is smaller than the subtrahend, the subtraction sets its highest bit. `& !word`
    // excludes bytes that had the bit before.
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    (controls | quotes | backslashes) & (ONES << 7)
}
