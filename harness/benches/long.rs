//! Long transcripts: the time and memory of replays of up to a million messages on the reference
//! peer, as ratios to the shortest replay.
//!
//! `cargo bench -p dnode-conform --bench long`. Memory is the peak of the process, which includes
//! the reference peer.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use nix::sys::resource::{UsageWho, getrusage};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use table::{Goal, Table};

/// How many calls are pending at the same time.
const TOGETHER: u64 = 100;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut first: Option<(u64, Duration)> = None;
    let mut table = Table::new("long", ["messages", "time", "times for each", "peak memory"]);
    let mut longest = 0.0;
    // From short to long, because the operating system gives the maximum over all child processes.
    for messages in [10_000_u64, 100_000, 1_000_000] {
        let path = folder.path().join(format!("{messages}.jsonl"));
        write(&path, messages / 2);
        let begun = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_dnode-conform"))
            .arg("replay")
            .arg(&path)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        let time = begun.elapsed();
        assert!(status.success(), "the replay of {messages} messages failed");
        let (least, shortest) = *first.get_or_insert((messages, time));
        #[allow(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = (time.as_secs_f64() / messages as f64) / (shortest.as_secs_f64() / least as f64);
        let memory = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() / 1024;
        table.row([
            messages.to_string(),
            format!("{:.2} s", time.as_secs_f64()),
            format!("{ratio:.2}"),
            format!("{memory} MiB"),
        ]);
        longest = ratio;
    }
    let what = "A message of a replay of 10^6, in times one of 10^4";
    table.goal(what, &Goal::AtMost(1.0), longest);
    table.finish();
}

/// Writes a session of this number of calls, each with an answer.
fn write(path: &Path, calls: u64) {
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    let header = r#"{"dnode-transcript":1,"id":"long/calls","since":"0.1.0","clauses":["value/numbers"],"needs":["add"],"about":"Long."}"#;
    writeln!(out, "{header}").unwrap();
    for batch in 0..calls / TOGETHER {
        for n in 0..TOGETHER {
            writeln!(out, "{{\"call\":\"add\",\"arguments\":[{batch},{n},\"$cb{n}\"]}}").unwrap();
        }
        for n in 0..TOGETHER {
            writeln!(out, "{{\"expect\":{{\"method\":\"$cb{n}\",\"arguments\":[{}]}}}}", batch + n).unwrap();
        }
    }
}
