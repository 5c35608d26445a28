//! Folds frames that repeat, and unfolds them.

use super::languages::MESSAGE;

/// The most lines that repeat together.
const PERIOD: usize = 12;
/// The fewest repetitions that are folded.
const FEWEST: usize = 3;
/// The start of the line that stands for repetitions.
const MARK: &str = "… the last ";

/// Folds lines that repeat, one by one or as a group, as in the trace of a stack overflow.
///
/// ```
/// let folded = dnode_reports::trace::fold("overflow\n at f\n at g\n at f\n at g\n at f\n at g\n at main");
/// assert_eq!(folded, "overflow\n at f\n at g\n… the last 2 lines repeat 2 more times\n at main");
/// ```
#[must_use]
pub fn fold(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().collect();
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((period, times)) = repetition(&lines[at..]) else {
            out.push(lines[at].to_owned());
            at += 1;
            continue;
        };
        out.extend(lines[at..at + period].iter().map(|line| (*line).to_owned()));
        let last = if period == 1 { "line repeats".to_owned() } else { format!("{period} lines repeat") };
        out.push(format!("{MARK}{last} {} more times", times - 1));
        at += period * times;
    }
    out.join("\n")
}

/// Repeats folded lines, for readers that look for frames that recur or at the lines before a frame.
/// A line adds about [`MESSAGE`] lines at most, even if the peer wrote it: no reader looks further
/// back.
pub(super) fn unfold<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for line in lines {
        match repeated(line) {
            Some((period, times)) if period <= PERIOD.min(out.len()) => {
                let last = out[out.len() - period..].to_vec();
                (0..times.min(MESSAGE.div_ceil(period))).for_each(|_| out.extend(&last));
            }
            _ => out.push(line),
        }
    }
    out
}

/// How many lines the line stands for, and how often they repeat.
fn repeated(line: &str) -> Option<(usize, usize)> {
    let (count, rest) = line.strip_prefix(MARK)?.split_once(' ')?;
    let (period, rest) = match count {
        "line" => (1, rest.strip_prefix("repeats ")?),
        count => (count.parse().ok().filter(|count| *count > 0)?, rest.strip_prefix("lines repeat ")?),
    };
    Some((period, rest.strip_suffix(" more times")?.parse().ok()?))
}

/// How many lines the start of these lines repeats, and how often.
fn repetition(lines: &[&str]) -> Option<(usize, usize)> {
    let has_text = |period: usize| lines[..period].iter().any(|line| !line.trim().is_empty());
    (1..=PERIOD.min(lines.len() / FEWEST)).find_map(|period| {
        let first = &lines[..period];
        let times = lines.chunks_exact(period).take_while(|next| *next == first).count();
        (times >= FEWEST && has_text(period)).then_some((period, times))
    })
}
