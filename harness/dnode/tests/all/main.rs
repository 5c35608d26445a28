//! The tests of the public API, in one program, because each program takes time to link.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod backlog;
mod closing;
mod examples;
mod functions;
mod invalid;
mod support;
mod transports;
mod values;
