//! Events for the tests of several formats.

use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;

use crate::event::{
    Act, Death, Divergence, Ended, Event, Evidence, Kind, Origin, Outcome, Role, Run, Status, Verdict, Wire,
};
use crate::fingerprint::fingerprint;

/// A text that abuses a terminal in every known way.
pub(crate) const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{202e}evil\u{202c}\u{200b}\u{9b}31m\u{e0041}\u{2028}";

pub(crate) const FINE: Ended =
    Ended { interrupted: false, answered: true, stale: Vec::new(), life: Vec::new(), unwritten: 0 };

pub(crate) fn run(planned: usize) -> Run {
    Run {
        suite: "0.1.0".to_owned(),
        peer: Some("dnode 1.2.2".to_owned()),
        role: Role::Server,
        dialect: Dialect::V0_2,
        interop: false,
        target: "node fixtures/peers/dnode/peer.js".to_owned(),
        planned,
        notes: vec![],
        gate: Level::Robust,
        time: None,
    }
}

/// A case without any evidence.
pub(crate) fn outcome(id: &str, verdict: Verdict) -> Outcome {
    Outcome {
        id: id.to_owned(),
        about: "The arguments come back as they were sent.".to_owned(),
        level: Level::Must,
        clauses: vec!["message/argument-order".to_owned()],
        verdict,
        reason: None,
        rests_on: None,
        divergence: None,
        excuse: None,
        evidence: Evidence::default(),
    }
}

pub(crate) fn because(id: &str, verdict: Verdict, reason: &str) -> Outcome {
    Outcome { reason: Some(reason.to_owned()), ..outcome(id, verdict) }
}

pub(crate) fn sent(text: &str) -> Wire {
    Wire::Bytes { from: Origin::Suite, bytes: text.as_bytes().to_vec(), cut: 0, step: String::new() }
}

/// A peer that sent this line instead of the answer to the known-good call.
pub(crate) fn answered_otherwise(line: &str) -> Outcome {
    let mut outcome = Outcome { verdict: Verdict::Hang, ..failing("robust/not-json") };
    if let Some(divergence) = &mut outcome.divergence {
        divergence.kind = Kind::Deaf;
        divergence.actual = "no answer to the known-good call, and the connection stayed open".to_owned();
        outcome.evidence.wire = vec![at(&divergence.step, sent("{}\n")), came(line)];
    }
    outcome
}

pub(crate) fn came(bytes: impl AsRef<[u8]>) -> Wire {
    Wire::Bytes { from: Origin::Peer, bytes: bytes.as_ref().to_vec(), cut: 0, step: String::new() }
}

/// The entry, sent or expected by this step.
pub(crate) fn at(label: &str, mut entry: Wire) -> Wire {
    if let Wire::Bytes { step, .. } = &mut entry {
        label.clone_into(step);
    }
    entry
}

pub(crate) fn peer_does(what: Act) -> Wire {
    Wire::Event { from: Origin::Peer, what }
}

/// A case that failed, with full evidence.
pub(crate) fn failing(id: &str) -> Outcome {
    let clause = "message/argument-order";
    Outcome {
        divergence: Some(Divergence {
            step: "step 2".to_owned(),
            clause: clause.to_owned(),
            kind: Kind::Differs,
            path: "arguments[0]".to_owned(),
            expected: "3".to_owned(),
            actual: "\"12\"".to_owned(),
            fingerprint: fingerprint(id, clause, "step 2", Kind::Differs, "arguments[0]", "string"),
        }),
        evidence: Evidence {
            wire: vec![
                sent("{\"method\":\"methods\",\"arguments\":[{}],\"callbacks\":{},\"links\":[]}\n"),
                came("{\"method\":\"methods\",\"arguments\":[{\"add\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"add\"]},\"links\":[]}\n"),
                at("step 1", sent("{\"method\":\"add\",\"arguments\":[1,2,\"[Function]\"],\"callbacks\":{\"0\":[\"2\"]},\"links\":[]}\n")),
                at("step 2", came("{\"method\":0,\"arguments\":[\"12\"],\"callbacks\":{},\"links\":[]}\n")),
            ],
            transcript: "{\"send\":{\"method\":\"add\",\"arguments\":[1,2,{\"$fn\":\"cb\"}]}}\n{\"expect\":{\"method\":{\"$fn\":\"cb\"},\"arguments\":[3]}}\n".to_owned(),
            names: "$cb is id 2".to_owned(),
            repeat: format!("dnode-conform --case {id} -- node fixtures/peers/dnode/peer.js"),
            called: None,
            cycles: None,
            death: None,
            activity: None,
            stderr: None,
            took: None,
        },
        ..outcome(id, Verdict::Fail)
    }
}

/// A case that crashed the peer, with hostile text on standard error.
pub(crate) fn crashing(id: &str) -> Outcome {
    let mut outcome = Outcome { verdict: Verdict::Crash, ..failing(id) };
    outcome.divergence = outcome.divergence.map(|divergence| Divergence {
        kind: Kind::Died,
        path: String::new(),
        expected: "an answer, or the end of the connection".to_owned(),
        actual: "the process ended with exit status 1".to_owned(),
        ..divergence
    });
    outcome.evidence.wire.truncate(3);
    outcome.evidence.wire.push(peer_does(Act::Closes));
    outcome.evidence.death = Some(Death {
        status: Status::Exit(1),
        stderr: format!("TypeError: x is not a function\r\n\tat {HOSTILE}\n\n\u{1b}[31mfatal\u{1b}[0m\n"),
    });
    outcome
}

/// A case that crashed the peer at this line of its code, and broke this clause.
pub(crate) fn crashing_at(id: &str, clause: &str, line: usize) -> Outcome {
    let mut outcome = crashing(id);
    outcome.divergence = outcome.divergence.map(|it| Divergence { clause: clause.to_owned(), ..it });
    let stderr = format!("TypeError: no\n    at f (/srv/peer.js:{line}:1)\n");
    outcome.evidence.death = outcome.evidence.death.map(|death| Death { stderr, ..death });
    outcome
}

/// The events of a run of these cases.
pub(crate) fn events(run: Run, cases: &[Outcome], ended: Ended) -> Vec<Event> {
    let judged = cases.iter().map(|outcome| Event::Judged(Box::new(outcome.clone())));
    std::iter::once(Event::Started(run)).chain(judged).chain([Event::Ended(ended)]).collect()
}
