//! Turn the bytes of an input into what an oracle needs: a conversation, events, operations or
//! messages.

pub mod conversation;
pub mod events;
pub mod machines;
pub mod operations;
pub mod sent;
