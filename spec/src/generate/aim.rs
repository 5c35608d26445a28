//! Sessions that aim at one transition of the table of [`crate::state`], for campaigns.
//!
//! The peer owns the id, because it culls none of ours on request. The shortest way through the
//! table leads to the transition, and each event on it has its messages. Only the monitor judges
//! these sessions, and the peer must survive them.

use crate::state::{Event, State, TABLE};
use crate::transcript::write::{VERSION, text};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, VecDeque};

/// A session that leads to the transition in this row of [`TABLE`].
///
/// ```
/// use dnode_spec::generate::aim;
/// use dnode_spec::state::{Event, State, TABLE};
///
/// let row = |state, event| TABLE.iter().position(|row| (row.0, row.1) == (state, event)).unwrap();
/// assert!(aim(row(State::Gone, Event::Culled)).unwrap().contains("\"cull\""));
/// assert!(aim(row(State::Gone, Event::Declared)).is_err());
/// ```
///
/// # Errors
/// Why we cannot lead a peer there.
pub fn aim(row: usize) -> Result<String, &'static str> {
    let (from, event, ..) = TABLE.get(row).ok_or("there is no such transition")?;
    if (*from, *event) == (State::Gone, Event::Declared) {
        return Err("only a peer that uses the ids of culled functions again does this");
    }
    let mut events = way(*from).ok_or("no event leads there")?;
    events.push(*event);
    let mut steps = Vec::new();
    for (at, event) in events.iter().enumerate() {
        messages(*event, events.get(at + 1), at, &mut steps);
    }
    steps.push(json!({ "survive": true, "clause": "robust/not-deaf" }));
    let header = json!({ "dnode-transcript": VERSION, "id": format!("aim/{row}"), "since": env!("CARGO_PKG_VERSION"),
        "dialect": "0.2", "clauses": ["robust/survives"], "requires": ["callback/returned"], "needs": ["echo", "add"],
        "hostile": true, "about": format!("A session that leads to a transition: an id is {from:?} when the event is {event:?}.") });
    Ok(text(&header, steps))
}

/// The shortest way from an unknown id to this state.
fn way(to: State) -> Option<Vec<Event>> {
    let mut ways = BTreeMap::from([(State::Unknown as u8, Vec::new())]);
    let mut next = VecDeque::from([State::Unknown]);
    while let Some(state) = next.pop_front() {
        let way = ways.get(&(state as u8)).cloned().unwrap_or_default();
        for (_, event, after, _) in TABLE.iter().filter(|(before, ..)| *before == state) {
            ways.entry(*after as u8).or_insert_with(|| {
                next.push_back(*after);
                [way.as_slice(), &[*event]].concat()
            });
        }
    }
    ways.remove(&(to as u8))
}

/// The messages of an event. A peer declares an id again while it is being culled only if it
/// answered before it read the cull, so that the call comes before the cull.
fn messages(event: Event, next: Option<&Event>, at: usize, steps: &mut Vec<Json>) {
    let returned = json!("callback/returned");
    let ask = |name: &str| json!({ "call": "echo", "arguments": ["$f", name], "clause": returned });
    match event {
        Event::Declared if at == 0 => steps.extend([
            ask("$got"),
            json!({ "expect": { "method": "$got", "arguments": ["$id"] }, "clause": returned }),
        ]),
        // The question for it stands before the cull, or is asked now.
        Event::Declared => {
            if !steps.iter().any(|step| step["arguments"][1] == "$more") {
                steps.push(ask("$more"));
            }
            let again = json!({ "method": "$more", "arguments": ["$again"] });
            steps.push(json!({ "expect": again, "clause": returned }));
        }
        Event::Called if at == 0 => steps.push(json!({ "line": "{\"method\":900001,\"arguments\":[]}" })),
        Event::Called => {
            steps.push(json!({ "line": ["{\"method\":", { "id": "$id" }, ",\"arguments\":[1]}"] }))
        }
        Event::Culled if at == 0 => {
            steps.push(json!({ "line": "{\"method\":\"cull\",\"arguments\":[900001]}" }));
        }
        Event::Culled => {
            if next == Some(&Event::Declared) {
                steps.push(ask("$more"));
            }
            steps.push(cull());
        }
        Event::Answered => steps.extend([
            json!({ "call": "add", "arguments": [1, 2, "$sum"] }),
            json!({ "expect": { "method": "$sum", "arguments": [3] } }),
        ]),
        Event::CulledByEither => {
            let mine =
                json!({ "call": "echo", "arguments": ["$mine", "$echoed"], "ids": { "$mine": "$id" } });
            steps.extend([mine, cull()]);
        }
    }
}

fn cull() -> Json {
    json!({ "send": { "method": "cull", "arguments": ["$id"], "callbacks": {}, "links": [] } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::Transcript;

    #[test]
    fn every_transition_has_a_session_or_a_reason() {
        let reasons: Vec<usize> = (0..TABLE.len()).filter(|row| aim(*row).is_err()).collect();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        for session in (0..TABLE.len()).filter_map(|row| aim(row).ok()) {
            assert!(Transcript::read(&session).is_ok(), "{session}\n{:?}", Transcript::read(&session));
        }
    }
}
