//! Values, functions, and the state of a connection.

mod copies;
mod from;
mod function;
mod outbox;
mod shared;
mod types;
mod value;

pub use function::IntoResult;
pub(crate) use shared::{Shared, Step};
pub(crate) use types::Link;
pub use types::{Function, Value};
