//! A conformance suite for implementations of the dnode protocol.
//!
//! The main job: start or find a peer ([`peer`]), learn what it offers ([`conversation::preflight`]), [run](mod@run) the cases of the catalogue
//! ([`cases`]) against it, and emit the outcomes as events for the reports. A port in Rust needs no socket: see [`in_process`].
//!
//! A module imports only from the modules above it in this list.
//!
//! Deliberately absent: the protocol itself, which is `dnode-spec`; the bytes, which are `dnode`; and how reports look, which is
//! `dnode-reports`.

// They panic if the other end of a pipe is closed; see `cli::say`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod error;
pub mod shell;
// From the bottom up.
pub mod campaign;
pub mod cases;
pub mod cli;
pub mod commands;
pub mod conversation;
pub mod gate;
pub mod in_process;
pub mod peer;
pub mod program;
pub mod reference;
pub mod run;
pub mod shrink;
pub mod verdict;
pub mod wire;
