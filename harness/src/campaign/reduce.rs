//! Shrinking of inputs: lists smaller candidates, from the largest step to the smallest.
//!
//! The shrinker of transcripts (`crate::shrink`) removes steps and values. An input is bytes, so
//! this removes lines, JSON values and bytes.

use super::input::{End, Input, Line};
use serde_json::Value as Json;

/// How many places of one line are tried.
const PLACES: usize = 120;

/// A smaller input.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub input: Input,
    /// The change of a value, to recognize it in a candidate of a smaller input; `None` for a change
    /// of lines or bytes.
    pub change: Option<Change>,
}

/// A change of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Change {
    line: usize,
    what: What,
    place: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    /// Only this field is left, with so many others that a call needs.
    Only(usize),
    /// The value is left out.
    Without,
    /// The value becomes small.
    Small,
}

/// A shorter line, and the change of a value that makes it shorter.
type Shorter = (Vec<u8>, Option<(What, Vec<Step>)>);

/// Smaller inputs, the largest step first.
#[must_use]
pub(super) fn smaller(input: &Input) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    let mut push = |lines: Vec<Line>, end: End, change: Option<Change>| {
        let candidate = Input { lines, end };
        if candidate != *input && !out.iter().any(|known| known.input == candidate) {
            out.push(Candidate { input: candidate, change });
        }
    };
    let count = input.lines.len();
    // Mostly, one line is enough.
    if count > 1 {
        input.lines.iter().rev().for_each(|line| push(vec![line.clone()], input.end, None));
        push(input.lines[count / 2..].to_vec(), input.end, None);
        push(input.lines[..count / 2].to_vec(), input.end, None);
        for at in (0..count).rev() {
            let mut lines = input.lines.clone();
            lines.remove(at);
            push(lines, input.end, None);
        }
    }
    push(input.lines.clone(), End::Asked, None);
    let whole = input.lines.iter().map(|line| Line { bytes: line.bytes.clone(), cuts: Vec::new() });
    push(whole.collect(), input.end, None);
    for (at, line) in input.lines.iter().enumerate() {
        for (bytes, change) in smaller_lines(&line.bytes) {
            let mut lines = input.lines.clone();
            lines[at] = Line { bytes, cuts: line.cuts.clone() };
            push(lines, input.end, change.map(|(what, place)| Change { line: at, what, place }));
        }
    }
    out
}

/// Shorter lines. For JSON: without one value, or with null or a small value in its place. For
/// other bytes: without a piece.
fn smaller_lines(bytes: &[u8]) -> Vec<Shorter> {
    let Ok(json) = serde_json::from_slice::<Json>(bytes) else {
        return without_pieces(bytes).into_iter().map(|bytes| (bytes, None)).collect();
    };
    let mut places = Vec::new();
    collect(&json, &mut Vec::new(), &mut places);
    places.truncate(PLACES);
    let mut out: Vec<Shorter> = Vec::new();
    if let Json::Object(fields) = &json {
        // Mostly, one field is enough, with or without the method.
        for key in fields.keys() {
            let kept = |with: &[&str]| {
                let kept = fields.iter().filter(|(name, _)| *name == key || with.contains(&name.as_str()));
                Json::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
                    .to_string()
                    .into_bytes()
            };
            for (at, with) in [&[][..], &["method"], &["method", "arguments"]].into_iter().enumerate() {
                out.push((kept(with), Some((What::Only(at), vec![Step::Key(key.clone())]))));
            }
        }
        out.retain(|(text, _)| text.len() < bytes.len());
        out.sort_by_key(|(text, _)| text.len());
    }
    let changes =
        [(without as fn(&mut Json, &[Step]) -> bool, What::Without), (with_small_value, What::Small)];
    for (change, what) in changes {
        for place in &places {
            let mut shorter = json.clone();
            if change(&mut shorter, place) {
                let text = shorter.to_string().into_bytes();
                // The line may become longer, because serde_json writes it in its own way.
                if text.len() < bytes.len() {
                    out.push((text, Some((what, place.clone()))));
                }
            }
        }
    }
    out
}

fn without_pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut size = bytes.len().div_ceil(2);
    while size > 0 && out.len() < PLACES {
        for start in (0..bytes.len()).step_by(size) {
            let end = (start + size).min(bytes.len());
            out.push([&bytes[..start], &bytes[end..]].concat());
        }
        size /= 2;
    }
    out.truncate(PLACES);
    out
}

/// One step of the path to a place in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Key(String),
    Index(usize),
}

/// The paths to all places, the shortest first. serde_json reads at most 128 levels.
fn collect(json: &Json, path: &mut Vec<Step>, places: &mut Vec<Vec<Step>>) {
    let steps: Vec<(Step, &Json)> = match json {
        Json::Array(items) => items.iter().enumerate().map(|(at, item)| (Step::Index(at), item)).collect(),
        Json::Object(members) => members.iter().map(|(key, item)| (Step::Key(key.clone()), item)).collect(),
        _ => return,
    };
    for (step, _) in &steps {
        places.push(path.iter().chain([step]).cloned().collect());
    }
    for (step, item) in steps {
        path.push(step);
        collect(item, path, places);
        path.pop();
    }
}

fn parent<'j>(json: &'j mut Json, path: &[Step]) -> Option<&'j mut Json> {
    path.iter().try_fold(json, |json, step| match step {
        Step::Key(key) => json.get_mut(key),
        Step::Index(at) => json.get_mut(*at),
    })
}

fn without(json: &mut Json, place: &[Step]) -> bool {
    let Some((last, path)) = place.split_last() else { return false };
    match (parent(json, path), last) {
        (Some(Json::Array(items)), Step::Index(at)) if *at < items.len() => {
            items.remove(*at);
            true
        }
        (Some(Json::Object(members)), Step::Key(key)) => members.shift_remove(key).is_some(),
        _ => false,
    }
}

fn with_small_value(json: &mut Json, place: &[Step]) -> bool {
    let Some(value) = parent(json, place) else { return false };
    let small = match value {
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Array(_) => Json::Array(Vec::new()),
        Json::Object(members) if members.is_empty() => Json::Null,
        Json::Object(_) => Json::Object(serde_json::Map::new()),
        Json::String(text) if text.len() > 1 => Json::String("x".to_owned()),
        _ => return false,
    };
    *value = small;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_finds_the_smallest_input() {
        let line = |text: &str| Line { bytes: text.as_bytes().to_vec(), cuts: vec![1] };
        let mut input = Input {
            lines: vec![
                line("{\"method\":\"a\"}"),
                line("{\"method\":1,\"links\":[3,{\"to\":7,\"x\":[1]}],\"callbacks\":{}}"),
                line("zz"),
            ],
            end: End::HalfClosed,
        };
        let shows = |input: &Input| {
            let has = |line: &Line| String::from_utf8_lossy(&line.bytes).contains("\"to\":7");
            input.lines.iter().any(has)
        };
        while let Some(smaller) = smaller(&input).into_iter().find(|it| shows(&it.input)) {
            input = smaller.input;
        }
        assert_eq!(input.lines.len(), 1);
        assert_eq!(String::from_utf8_lossy(&input.lines[0].bytes), "{\"links\":[{\"to\":7}]}");
        assert_eq!((input.end, input.lines[0].cuts.len()), (End::Asked, 0));
    }
}
