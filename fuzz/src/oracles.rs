//! The oracles, one for each fuzz target. Each takes an input and panics where a property is broken.

mod decode;

pub use decode::decode;
