//! Conversations with a peer: the handshake, the known-good call, the preflight, and the replay of a transcript.

pub mod closing;
pub mod facts;
pub mod greet;
pub mod limits;
pub mod pace;
pub mod ping;
pub mod preflight;
pub mod replay;
pub mod service;
pub mod stranger;
