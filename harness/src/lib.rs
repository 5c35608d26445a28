//! A conformance suite for implementations of the dnode protocol.
//!
//! The main job: start or find a peer ([`peer`]), learn what it offers ([`preflight`]), run the cases of the catalogue against
//! it ([`cases`], [`replay`], [`run`]), and tell what came out as events to the reports.
//!
//! Deliberately absent: the protocol itself, which is `dnode-spec`, and how reports look, which is `dnode-reports`.

// They panic where nobody reads any more; see `cli::say`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod baseline;
pub mod campaign;
pub mod cases;
pub mod cli;
pub mod compare;
pub mod gate;
pub mod host;
pub mod import;
pub mod interop;
pub mod matrix;
pub mod peer;
pub mod ping;
pub mod preflight;
pub mod process;
pub mod record;
pub mod replay;
pub mod rpc;
pub mod run;
pub mod serve;
pub mod shrink;
pub mod snapshot;
pub mod target;
pub mod transport;
pub mod wire;
