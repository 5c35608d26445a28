//! Reads the line log of a session, as a line proxy writes it, and sorts its rows.
//!
//! The first row names the two ends: `{"client": NAME, "server": NAME}`; `"server-breaks"` may list
//! clauses that the server broke. It may have other fields.
//! Then there is one row for each line, `{"ms": N, "from": "client" | "server", "line": TEXT}`, and
//! for each end of a stream, `{"ms": N, "from": …, "end": true}`, with `"rest": TEXT` for bytes
//! without a newline. `ms` counts milliseconds.
//!
//! A proxy may forward a line before it writes the row, so an answer may be a few milliseconds
//! before its question. The order of the rows of one end is exact. The order between the ends is
//! corrected if it is impossible.

use super::error::{Fault, TranscriptError};
use crate::message::Problem;
use crate::monitor::{End, Monitor};
use serde::Deserialize;
use std::collections::VecDeque;

/// The largest error of the clock between the two ends, in milliseconds.
const JITTER: u64 = 5;

/// The names of the two ends.
#[derive(Debug, Clone, Deserialize)]
pub struct Parties {
    /// The end that connected.
    pub client: String,
    /// The end that accepted.
    pub server: String,
    /// The clauses that the server broke and the monitor cannot judge.
    #[serde(default, rename = "server-breaks")]
    pub server_breaks: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Written {
    ms: u64,
    from: Option<Side>,
    line: Option<String>,
    #[serde(default)]
    end: bool,
    #[serde(default)]
    rest: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Client,
    Server,
}

/// An action of one end.
#[derive(Debug, Clone)]
pub enum Row {
    /// It sent this line.
    Line(String),
    /// It ended its stream, with these bytes after the last newline.
    End(String),
}

/// A row, its end, and the problems that the monitor finds in it. [`End::A`] is the client.
pub type Judged = (End, Row, Vec<Problem>);

/// Reads a line log. Gives the names of the ends, and the rows in their order.
///
/// # Errors
/// The first malformed row. The program that wrote the log is at fault.
pub fn read(text: &str) -> Result<(Parties, Vec<Judged>), TranscriptError> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let error = |at: usize, fault| TranscriptError { line: at + 1, fault };
    let (at, head) = lines.next().ok_or_else(|| error(0, Fault::EmptyLog))?;
    let parties: Parties =
        serde_json::from_str(head).map_err(|json| error(at, Fault::FirstRow(json.to_string())))?;
    let mut lanes: [VecDeque<(u64, Row)>; 2] = Default::default();
    for (at, line) in lines {
        let written: Written =
            serde_json::from_str(line).map_err(|json| error(at, Fault::Json(json.to_string())))?;
        let Some(from) = written.from else { continue };
        let row = match (written.line, written.end) {
            (Some(line), _) => Row::Line(line),
            (None, true) => Row::End(written.rest),
            (None, false) => continue,
        };
        lanes[from as usize].push_back((written.ms, row));
    }
    let mut monitor = Monitor::new();
    Ok((parties, std::iter::from_fn(|| next(&mut lanes, &mut monitor)).collect()))
}

/// Takes the next row, the earlier one first. If it calls an undeclared id, it waits for the rows
/// of the other end, within the error of the clock.
fn next(lanes: &mut [VecDeque<(u64, Row)>; 2], monitor: &mut Monitor) -> Option<Judged> {
    let ms = |lane: &VecDeque<(u64, Row)>| lane.front().map_or(u64::MAX, |(ms, _)| *ms);
    let first = usize::from(ms(&lanes[1]) < ms(&lanes[0]));
    let mut chosen = first;
    let other = ms(&lanes[1 - first]);
    if other != u64::MAX && other <= ms(&lanes[first]).saturating_add(JITTER) {
        let mut trial = monitor.clone();
        let early = judge(&mut trial, first, &lanes[first].front()?.1);
        if early.iter().any(|problem| ["callback/declared", "cull/declared"].contains(&problem.clause)) {
            chosen = 1 - first;
        }
    }
    let (_, row) = lanes[chosen].pop_front()?;
    let problems = judge(monitor, chosen, &row);
    Some((end(chosen), row, problems))
}

fn end(lane: usize) -> End {
    if lane == 0 { End::A } else { End::B }
}

fn judge(monitor: &mut Monitor, lane: usize, row: &Row) -> Vec<Problem> {
    match row {
        Row::Line(line) => monitor.line(end(lane), line.as_bytes()).problems,
        Row::End(rest) => monitor.end(end(lane), rest.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_sorted_after_its_question() {
        let log = r#"{"client":"a","server":"b","client_exit":0}
            {"ms":1,"from":"client","line":"{\"method\":\"methods\",\"arguments\":[{}]}"}
            {"ms":3,"from":"server","line":"{\"method\":7,\"arguments\":[]}"}
            {"ms":4,"from":"client","line":"{\"method\":\"x\",\"arguments\":[0],\"callbacks\":{\"7\":[\"0\"]}}"}
            {"ms":9,"from":"client","end":true,"rest":"{"}"#;
        let (parties, rows) = read(log).unwrap();
        assert_eq!((parties.client.as_str(), parties.server.as_str()), ("a", "b"));
        let ends: Vec<End> = rows.iter().map(|(end, ..)| *end).collect();
        assert_eq!(ends, [End::A, End::A, End::B, End::A]);
        let broken: Vec<&str> = rows.iter().flat_map(|(.., problems)| problems).map(|it| it.clause).collect();
        assert_eq!(broken, ["framing/newline"]);
    }

    #[test]
    fn malformed_row_is_an_error_with_its_line() {
        assert_eq!(read("").unwrap_err().line, 1);
        assert_eq!(read("{\"client\":\"a\",\"server\":\"b\"}\n\nnonsense").unwrap_err().line, 3);
    }
}
