//! A conformance suite for implementations of the dnode protocol.
//!
//! The main job has four steps: start or find a peer ([`peer`]), learn its object and its abilities
//! ([`conversation::preflight`]), [run](mod@run) the cases of the catalogue ([`cases`]) against it,
//! and emit the outcomes as events for the reports. A port in Rust needs no socket: see
//! [`in_process`].
//!
//! ARCHITECTURE.md lists the layers; a module imports only from lower ones.
//!
//! Deliberately absent: the protocol (`dnode-spec`), the transports (`dnode`), and the formats of
//! reports (`dnode-reports`).

// `print!` panics if the other end of a pipe is closed; see `cli::say`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod campaign;
pub mod cases;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod conversation;
pub mod error;
mod files;
pub mod gate;
pub mod in_process;
pub mod learn;
mod nearest;
pub mod peer;
pub mod program;
pub mod reference;
pub mod run;
pub mod shell;
pub mod shrink;
pub mod verdict;
pub mod wire;
