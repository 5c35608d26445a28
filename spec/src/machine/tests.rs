use super::{Act, Difference, Edge, File, FileError, Machine, MachineError, Output, Then, differences};
use insta::assert_snapshot;

fn output(word: &str) -> Output {
    Output::new(vec![Act::CallsUnknown(word.to_owned())], Then::Open)
}

fn edge(word: &str, to: usize) -> Edge {
    Edge { output: output(word), to: Some(to) }
}

fn end() -> Edge {
    Edge { output: Output::new(Vec::new(), Then::Closed), to: None }
}

fn machine(edges: Vec<Vec<Edge>>) -> Machine {
    Machine::new(vec!["go".to_owned(), "stop".to_owned()], edges).unwrap()
}

/// Two turns of `go` answer differently; states 0 and 2 are the same.
fn flip() -> Machine {
    machine(vec![vec![edge("tick", 1), end()], vec![edge("tock", 2), end()], vec![edge("tick", 1), end()]])
}

#[test]
fn minimal_machine_has_no_equal_states() {
    let minimal = flip().minimal();
    assert_eq!(minimal.len(), 2);
    assert_eq!(minimal, minimal.minimal());
    assert_eq!(minimal.access(), [vec![], vec![0]]);
    assert_eq!(minimal.run(&[0, 0, 1, 0]).count(), 3, "no output follows the end of the connection");
}

#[test]
fn restricted_machine_has_only_what_its_inputs_reach() {
    let stops = flip().restricted(|input| input == "stop");
    assert_eq!((stops.len(), stops.inputs().len()), (1, 1));
    let later = flip().after(0).unwrap();
    assert_eq!(*later.edge(0, 0), edge("tock", 1));
    assert_eq!(flip().after(1), None);
}

#[test]
fn differences_are_shortest_and_name_what_each_machine_does() {
    let other = machine(vec![vec![edge("tick", 1), end()], vec![edge("tick", 0), edge("on", 1)]]);
    let found = differences(&flip().minimal(), &other);
    let words: Vec<_> = found.iter().map(|found| (found.word.clone(), found.follows)).collect();
    assert_eq!(words, [(vec![0, 0], false), (vec![0, 1], false)]);
    let Difference { expected, found, places, .. } = &found[0];
    assert_eq!((expected.to_string(), found.to_string()), ("calls \"tock\"".into(), "calls \"tick\"".into()));
    assert_eq!(*places, [(1, 1)]);
    assert_eq!(differences(&flip(), &flip().minimal()), []);
}

#[test]
fn difference_behind_a_difference_follows_it() {
    let one = machine(vec![vec![edge("a", 1), end()], vec![edge("b", 1), end()]]);
    let other = machine(vec![vec![edge("x", 1), end()], vec![edge("y", 1), end()]]);
    let found = differences(&one, &other);
    let words: Vec<_> = found.iter().map(|found| (found.word.clone(), found.follows)).collect();
    assert_eq!(words, [(vec![0], false), (vec![0, 0], true)]);
}

#[test]
fn file_reads_back_and_is_one_line_for_each_edge() {
    let file = File {
        peer: Some("port 1".to_owned()),
        left_out: vec![("cull".to_owned(), "it lacks it".to_owned())],
        machine: flip().minimal(),
        mixed: Vec::new(),
    };
    let text = file.to_json().unwrap();
    assert_eq!(File::read(&text).unwrap(), file);
    assert_snapshot!(text, @r#"
    {
      "dnode-machine": 1,
      "peer": "port 1",
      "inputs": ["go","stop"],
      "left-out": {
        "cull": "it lacks it"
      },
      "states": [
        {
          "reached": [],
          "on": {
            "go": {"acts":[{"calls-unknown":"tick"}],"to":1},
            "stop": {"then":"closed"}
          }
        },
        {
          "reached": ["go"],
          "on": {
            "go": {"acts":[{"calls-unknown":"tock"}],"to":0},
            "stop": {"then":"closed"}
          }
        }
      ]
    }
    "#);
}

#[test]
fn damaged_files_are_errors() {
    let text = |edit: (&str, &str)| {
        let file = File { peer: None, left_out: Vec::new(), machine: flip().minimal(), mixed: Vec::new() };
        file.to_json().unwrap().replace(edit.0, edit.1)
    };
    let error = |edit| File::read(&text(edit)).unwrap_err();
    assert!(matches!(
        error(("\"dnode-machine\": 1", "\"dnode-machine\": 2")),
        FileError::Version { found: 2 }
    ));
    assert!(matches!(error(("\"to\":1", "\"to\":7")), FileError::Machine(MachineError::Target(0, _, 7))));
    assert!(matches!(error(("\"on\"", "\"in\"")), FileError::Form(_)));
    assert!(matches!(error(("\"stop\": ", "\"halt\": ")), FileError::Missing(0, _)));
}
