//! Values, functions, and the state of a connection.
//!
//! `value`, `function` and `shared` import each other, because they are one recursive type: a value
//! holds functions, a function takes values, a function of the peer holds the state of its
//! connection, and that state holds functions and values. The other files of this folder are below
//! these three, and the rest of the crate is above.

mod copies;
mod from;
mod function;
mod outbox;
mod shared;
mod value;

pub use function::{Function, IntoResult};
pub(crate) use shared::{Shared, Step};
pub use value::Value;
