//! The preflight on a paused clock: time passes only while all tasks wait.

use super::*;
use dnode::transport::Address;
use dnode_spec::path::PathForm;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const METHODS: &str = r#"{"method":"methods","arguments":[{"conformProbe":"[Function]"}],"callbacks":{"0":["0","conformProbe"]}}"#;
const PATIENCE: Duration = Duration::from_secs(2);

/// A peer that answers calls after this time, one after another, if it takes their form.
#[derive(Clone, Copy)]
struct Conduct {
    object: bool,
    answers: fn(&Value) -> bool,
    after: Duration,
    /// Whether it ends the connection when this call comes after so many answers.
    ends: fn(&Value, usize) -> bool,
    /// Whether the connection stays open, without answers, where it would end.
    hangs: bool,
}

type Heard = Arc<Mutex<Vec<Value>>>;

async fn serve(stream: DuplexStream, conduct: Conduct, heard: Heard) -> std::io::Result<()> {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    if conduct.object {
        to.write_all(format!("{METHODS}\n").as_bytes()).await?;
    }
    let mut answered = 0;
    while let Some(line) = lines.next_line().await? {
        let message: Value = serde_json::from_str(&line)?;
        heard.lock().unwrap().push(message.clone());
        let id = message["callbacks"].as_object().and_then(|callbacks| callbacks.keys().next()).cloned();
        if message["method"] == "methods" {
            continue;
        }
        if (conduct.ends)(&message, answered) {
            match conduct.hangs {
                true => std::future::pending::<()>().await,
                false => break,
            }
        }
        if !(conduct.answers)(&message) {
            continue;
        }
        answered += 1;
        tokio::time::sleep(conduct.after).await;
        let answer = json!({"method": id.unwrap().parse::<i64>().unwrap(), "arguments": ["a peer", []]});
        to.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}

/// The facts about this peer, the time that the preflight took, and the messages that the peer got.
async fn learned(conduct: Conduct) -> (Facts, Duration, Vec<Value>) {
    let heard = Heard::default();
    let peer = Arc::clone(&heard);
    let route = Route::on_paused_clock(Address::in_memory("peer", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve(theirs, conduct, Arc::clone(&peer)));
        ours
    }));
    let begun = route.clock().now();
    let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
    let heard = heard.lock().unwrap().clone();
    (facts, route.clock().now().since(begun), heard)
}

fn by_id(message: &Value) -> bool {
    message["method"].is_number()
}

fn has_integers(message: &Value) -> bool {
    message["callbacks"].as_object().is_some_and(|all| all.values().all(|path| path[0].is_number()))
}

const SILENT: Conduct =
    Conduct { object: false, answers: |_| false, after: Duration::ZERO, ends: |_, _| false, hangs: false };
const MUTE: Conduct = Conduct { object: true, ..SILENT };

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_costs_less_than_two_deadlines() {
    let (facts, time, heard) = learned(SILENT).await;
    assert!(facts.session.silent && facts.missing.contains("methods/sent"));
    assert!(time > PATIENCE && time < PATIENCE * 2, "{time:?}");
    assert_eq!(heard[1]["method"], "conformProbe", "it might answer calls by name");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_call_is_asked_in_each_form_within_two_deadlines() {
    let (facts, time, heard) = learned(MUTE).await;
    assert!(!facts.session.silent && facts.calls.ping.is_none());
    assert_eq!(facts.missing, BTreeSet::from(["methods/by-id", "methods/by-name"]));
    assert!(time < PATIENCE * 2, "{time:?}");
    let calls = heard.iter().filter(|message| message["method"] != "methods");
    let forms: BTreeSet<_> = calls.map(|call| (by_id(call), has_integers(call))).collect();
    assert_eq!(forms.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_gets_the_whole_deadline_for_its_first_answer() {
    let after = PATIENCE * 2 / 5;
    let (facts, ..) = learned(Conduct { answers: |_| true, after, ..MUTE }).await;
    assert_eq!((facts.calls.by, facts.path_form()), (Addressing::ById, PathForm::Strings));
    assert_eq!(facts.calls.round_trip, after);
    let (facts, ..) = learned(Conduct { answers: by_id, after: PATIENCE * 9 / 10, ..MUTE }).await;
    assert!(!facts.missing.contains("methods/by-id"), "{:?}", facts.missing);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_one_form_only_is_called_in_that_form() {
    let by_name = Conduct { answers: |message| !by_id(message), ..MUTE };
    let (facts, ..) = learned(by_name).await;
    assert_eq!((facts.calls.by, facts.path_form()), (Addressing::ByName, PathForm::Strings));
    assert_eq!(facts.missing, BTreeSet::from(["methods/by-id"]));
    let (facts, ..) = learned(Conduct { answers: has_integers, ..MUTE }).await;
    assert_eq!((facts.calls.by, facts.path_form()), (Addressing::ById, PathForm::Integers));
    assert_eq!(facts.missing, BTreeSet::from(["callback/path-forms"]));
    let (facts, time, _) = learned(Conduct { object: false, ..by_name }).await;
    assert!(facts.calls.ping.is_some() && facts.object.members.is_none() && !facts.session.silent);
    assert!(time < PATIENCE * 2, "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_nothing_after_a_call_by_name_is_called_by_id() {
    for hangs in [false, true] {
        let conduct = Conduct { answers: by_id, ends: |call, _| !by_id(call), hangs, ..MUTE };
        let (facts, ..) = learned(conduct).await;
        assert_eq!(facts.missing, BTreeSet::from(["methods/by-name"]), "hangs: {hangs}");
        assert!(facts.calls.ordered && !facts.calls.ended && facts.object.unanswered.is_empty());
        assert_eq!(facts.notes, ["the peer answers calls by id only"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ends_the_connection_after_its_first_answer_gets_a_note() {
    let note = "the peer ends the connection after its first answers: keep it open for more calls";
    let once = Conduct { answers: by_id, ends: |_, answered| answered > 0, ..MUTE };
    let (facts, ..) = learned(once).await;
    assert!(facts.calls.ended && facts.calls.ping.is_some());
    assert_eq!((facts.missing, facts.notes), (BTreeSet::from(["methods/by-id"]), vec![note.to_owned()]));
    let (facts, ..) = learned(Conduct { answers: |call| !by_id(call), ..once }).await;
    let both = BTreeSet::from(["methods/by-id", "methods/by-name"]);
    assert_eq!((facts.missing, facts.notes), (both, vec![note.to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_form_in_which_the_peer_was_not_called_is_not_missing() {
    let (facts, ..) = learned(Conduct { ends: |call, _| by_id(call), ..MUTE }).await;
    assert_eq!(facts.missing, BTreeSet::from(["methods/by-id"]), "it ended the connection before");
}

#[test]
fn an_id_that_is_called_as_a_name_is_no_call_of_the_peer() {
    let mut facts = Facts::of_unusable_peer(Unusable::Ended);
    ["65", "log"].iter().for_each(|name| facts.heard_unasked(&Method::named(name)));
    assert_eq!(facts.calls.unasked, BTreeSet::from(["log".to_owned()]));
}

#[test]
fn an_object_that_offers_names_of_the_language_gets_a_note() {
    let with = |name: &str, function| {
        let mut facts = Facts::of_unusable_peer(Unusable::Ended);
        facts.object.members = Some([(name.to_owned(), function)].into());
        internals(&facts)
    };
    assert!(with("__init__", true).is_some_and(|note| note.contains("\"__init__\"")));
    assert!(with("AUTOLOAD", true).is_some());
    assert_eq!(with("__init__", false), None, "only functions can be called");
    assert_eq!(with("echo", true), None);
}
