//! The work of the commands beside `run`: compare two peers, run implementations against each
//! other, record and import.

pub mod compare;
pub mod import;
pub mod interop;
pub mod record;
pub mod recording;
