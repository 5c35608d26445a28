//! The events of a recording.

use dnode_spec::message::Problem;
use dnode_spec::monitor::End;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An event of a recording.
#[derive(Debug, Clone)]
pub enum Notice {
    /// An end broke a clause for the first time on this connection.
    Finding {
        /// The number of the connection, from 1.
        connection: usize,
        /// [`End::A`] is the client.
        end: End,
        /// The broken clause, and how it was broken.
        problem: Problem,
    },
    /// A connection ended.
    Closed {
        /// The number of the connection.
        connection: usize,
        /// The numbers of lines that the client and the server sent.
        lines: [u64; 2],
        /// How many times each end broke each clause.
        broken: BTreeMap<(usize, &'static str), u64>,
        /// The transcript.
        file: Option<PathBuf>,
    },
    /// Something that the user should know.
    Warning(String),
}
