//! What the program can do beside a run: compare two peers, run many implementations against each other, record, import.

pub mod compare;
pub mod import;
pub mod interop;
pub mod record;
