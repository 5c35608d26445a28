//! What makes more of an input than it says: who answers it, and what its bytes stand for.

pub mod conversation;
pub mod events;
pub mod operations;
