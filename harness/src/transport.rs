//! Ways to reach a peer: one file each.
//!
//! A [`Connection`] moves bytes and knows nothing of lines or messages.

mod tcp;

pub use tcp::Connection;
