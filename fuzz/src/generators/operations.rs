//! Operations of two sessions, encoded as bytes.
//!
//! The encoding is stable, so a corpus keeps its meaning. An operation is a letter and three bytes
//! of operands; bytes missing at the end of the input are 0. A lower-case letter is an operation of
//! the first end, an upper-case letter of the second. Any other byte is skipped, so new letters can
//! be added later.
//!
//! | letter | operation | operands |
//! | --- | --- | --- |
//! | n | calls the method of the other end's object | -, functions, shape |
//! | i | calls an id that it has received | which, functions, shape |
//! | x | culls an id that it has received | which, -, - |
//! | p | an observer sees its next line | -, -, - |
//! | a | its next line arrives, or the rest of it | -, -, - |
//! | h | the first half of its next line arrives | -, -, - |
//!
//! *which* is an index into all ids that the end has ever received, modulo their number.
//! *functions*: the lowest two bits are the number of functions in the arguments; the next three
//! say for each whether it is the end's own (1) or one that it has received (0); the highest three
//! choose it. *shape* is the other part of the arguments ([`Shape`]).

/// An operation of one of two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Calls the method of the other end's object.
    CallMethod(Arguments),
    /// Calls an id that it has received.
    CallId(u8, Arguments),
    /// Culls an id that it has received.
    Cull(u8),
    /// An observer sees its next line.
    Pass,
    /// Its next line arrives, or the rest of it.
    Arrive,
    /// The first half of its next line arrives.
    Half,
}

/// The arguments of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arguments {
    functions: u8,
    /// The argument beside the functions.
    pub shape: Shape,
}

/// The argument beside the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `null`.
    Nothing,
    /// An array that contains itself.
    Cycle,
    /// An array that holds one object twice; the object holds a function.
    Shared,
    /// An array with a hole.
    Hole,
    /// Nested arrays.
    Deep,
    /// Strings that have a meaning in the protocol or need escapes.
    Words,
}

/// A function in the arguments, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The end's own.
    Own(u64),
    /// One that it has received.
    Received(u8),
}

impl Arguments {
    /// The functions in the arguments.
    pub fn functions(self) -> impl Iterator<Item = Which> {
        (0..self.functions & 3).map(move |n| {
            let number = (self.functions >> 5).wrapping_add(n);
            let own = self.functions >> (2 + n) & 1 == 1;
            if own { Which::Own(u64::from(number % 2)) } else { Which::Received(number) }
        })
    }
}

/// Decodes the operations, each with the number of its end: 0 or 1.
pub fn operations(data: &[u8]) -> impl Iterator<Item = (usize, Operation)> + '_ {
    let mut rest = data;
    std::iter::from_fn(move || {
        loop {
            let (&letter, after) = rest.split_first()?;
            let operand = |n: usize| after.get(n).copied().unwrap_or_default();
            let arguments = Arguments { functions: operand(1), shape: shape(operand(2)) };
            let operation = match letter.to_ascii_lowercase() {
                b'n' => Operation::CallMethod(arguments),
                b'i' => Operation::CallId(operand(0), arguments),
                b'x' => Operation::Cull(operand(0)),
                b'p' => Operation::Pass,
                b'a' => Operation::Arrive,
                b'h' => Operation::Half,
                _ => {
                    rest = after;
                    continue;
                }
            };
            rest = after.get(3..).unwrap_or_default();
            return Some((usize::from(letter.is_ascii_uppercase()), operation));
        }
    })
}

fn shape(byte: u8) -> Shape {
    match byte {
        1 => Shape::Cycle,
        2 => Shape::Shared,
        3 => Shape::Hole,
        4 => Shape::Deep,
        5 => Shape::Words,
        _ => Shape::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_bytes_as_documented() {
        let arguments = Arguments { functions: 0b001_00110, shape: Shape::Cycle };
        let read: Vec<_> = operations(b"-p000I\x07\x26\x01x\x05").collect();
        let expected = [(0, Operation::Pass), (1, Operation::CallId(7, arguments)), (0, Operation::Cull(5))];
        assert_eq!(read, expected);
        assert_eq!(arguments.functions().collect::<Vec<_>>(), [Which::Own(1), Which::Received(2)]);
        assert_eq!(operations(b"\n\0 zZ").count(), 0);
    }
}
