//! Operations of two sessions, as bytes.
//!
//! The encoding is stable: a corpus means the same for ever. An operation is a letter and three bytes of operands; where the input
//! ends the missing ones are 0. A small letter is an operation of the first end, a capital of the second; any other byte is
//! skipped, so new letters may come.
//!
//! | letter | operation | operands |
//! | --- | --- | --- |
//! | n | calls the method of the other end's object | -, functions, shape |
//! | i | calls an id that it has got | which, functions, shape |
//! | x | gives an id back that it has got | which, -, - |
//! | p | an observer sees its next line | -, -, - |
//! | a | its next line arrives, or the rest of it | -, -, - |
//! | h | the first half of its next line arrives | -, -, - |
//!
//! *which* counts through the ids that the end has ever got. *functions*: the lowest two bits say how many are given in the
//! arguments; the next three whether each is the end's own (1) or one that it has got; the highest three which. *shape* is what else
//! stands in the arguments ([`Shape`]).

/// An operation of one of two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Calls the method of the other end's object.
    CallMethod(Given),
    /// Calls an id that it has got.
    CallId(u8, Given),
    /// Gives an id back that it has got.
    Cull(u8),
    /// An observer sees its next line.
    Pass,
    /// Its next line arrives, or the rest of it.
    Arrive,
    /// The first half of its next line arrives.
    Half,
}

/// What is given in arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    functions: u8,
    /// What stands beside the functions.
    pub shape: Shape,
}

/// What stands in arguments beside functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `null`.
    Nothing,
    /// An array that contains itself.
    Cycle,
    /// An array with one object twice, which holds a function.
    Shared,
    /// An array with a hole.
    Hole,
    /// Arrays in arrays.
    Deep,
    /// Texts that mean something elsewhere.
    Words,
}

/// A function that is given: one of the end's own, or one that it has got, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The end's own.
    Own(u64),
    /// One that it has got.
    Got(u8),
}

impl Given {
    /// The functions.
    pub fn functions(self) -> impl Iterator<Item = Which> {
        (0..self.functions & 3).map(move |n| {
            let number = (self.functions >> 5).wrapping_add(n);
            let own = self.functions >> (2 + n) & 1 == 1;
            if own { Which::Own(u64::from(number % 2)) } else { Which::Got(number) }
        })
    }
}

/// The operations that these bytes stand for, each with the number of its end.
pub fn operations(data: &[u8]) -> impl Iterator<Item = (usize, Operation)> + '_ {
    let mut rest = data;
    std::iter::from_fn(move || {
        loop {
            let (&letter, after) = rest.split_first()?;
            let operand = |n: usize| after.get(n).copied().unwrap_or_default();
            let given = Given { functions: operand(1), shape: shape(operand(2)) };
            let operation = match letter.to_ascii_lowercase() {
                b'n' => Operation::CallMethod(given),
                b'i' => Operation::CallId(operand(0), given),
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
    fn bytes_mean_what_the_table_says() {
        let given = Given { functions: 0b001_00110, shape: Shape::Cycle };
        let read: Vec<_> = operations(b"-p000I\x07\x26\x01x\x05").collect();
        let expected = [(0, Operation::Pass), (1, Operation::CallId(7, given)), (0, Operation::Cull(5))];
        assert_eq!(read, expected);
        assert_eq!(given.functions().collect::<Vec<_>>(), [Which::Own(1), Which::Got(2)]);
        assert_eq!(operations(b"\n\0 zZ").count(), 0);
    }
}
