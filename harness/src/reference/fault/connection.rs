//! Faults of a function table that all connections of the process share.

use super::definition::{Fault, LEGAL, fault};
use crate::reference::conduct::{Conduct, Json, Reaction, culled, declared, id};
use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "runs-functions-of-other-connections",
        "methods/connections",
        LEGAL,
        "runs the functions of all connections, whichever connection calls them",
        || {
            Box::new(Shared::new(|own, called, _| {
                called.into_iter().filter(|id| !own.contains(id)).collect()
            }))
        },
    ),
    fault(
        "culls-for-other-connections",
        "methods/connections",
        LEGAL,
        "culls the functions of all connections, whichever connection culls them",
        || {
            Box::new(Shared::new(|own, _, culled| {
                culled.into_iter().filter(|id| !own.contains(id)).collect()
            }))
        },
    ),
];

/// The lines that wait for each connection, by its number.
static WAITING: LazyLock<Mutex<HashMap<u64, Vec<Vec<u8>>>>> = LazyLock::new(Mutex::default);

fn waiting() -> MutexGuard<'static, HashMap<u64, Vec<Vec<u8>>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ids of a line that concern other connections: from the ids of this connection, the id that
/// the line calls, and those that it culls.
type Foreign = fn(&HashSet<i64>, Option<i64>, Vec<i64>) -> Vec<i64>;

/// Passes lines on to all other connections if they name ids that this connection did not declare.
struct Shared {
    number: u64,
    own: HashSet<i64>,
    foreign: Foreign,
}

impl Shared {
    fn new(foreign: Foreign) -> Shared {
        let mut waiting = waiting();
        let number = waiting.keys().max().map_or(0, |last| last + 1);
        waiting.insert(number, Vec::new());
        Shared { number, own: HashSet::new(), foreign }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        waiting().remove(&self.number);
    }
}

impl Conduct for Shared {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let mut waiting = waiting();
        if let Ok(m) = serde_json::from_slice::<Json>(&line)
            && !(self.foreign)(&self.own, id(&m), culled(&m)).is_empty()
        {
            waiting.iter_mut().filter(|(number, _)| **number != self.number).for_each(|(_, lines)| {
                // A call from elsewhere has no callback, because only this connection could answer it.
                lines.push(
                    serde_json::json!({"method": m["method"], "arguments": m["arguments"]})
                        .to_string()
                        .into_bytes(),
                );
            });
        }
        let lines = waiting.get_mut(&self.number).map(std::mem::take).unwrap_or_default();
        lines.into_iter().chain([line]).map(Reaction::Pass).collect()
    }

    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        if let Ok(m) = serde_json::from_slice::<Json>(&line) {
            self.own.extend(declared(&m));
        }
        vec![line]
    }
}
