//! Reading the files of learned machines.

use dnode_spec::machine::{File, Machine, differences};

/// Reads an input as a file of a machine.
///
/// 1. Reading does not panic. A written file is read back unchanged.
/// 2. The minimal machine is not larger, and differs in nothing.
/// 3. The word of a difference leads to two different outputs.
///
/// # Panics
/// If one of these does not hold.
pub fn machine(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(file) = File::read(text) else { return };
    let written = file.to_json().unwrap_or_else(|error| panic!("the file cannot be written: {error}"));
    match File::read(&written) {
        Ok(again) => assert_eq!(again, file),
        Err(error) => panic!("the written file is rejected: {error}"),
    }
    let machine = &file.machine;
    let edges = (0..machine.len()).flat_map(|state| machine.edges(state));
    assert!(edges.into_iter().all(|edge| !edge.output.to_string().is_empty()), "an output has no words");
    let minimal = machine.minimal();
    assert!(minimal.len() <= machine.len());
    assert_eq!(differences(machine, &minimal), []);
    assert_eq!(minimal.access().len(), minimal.len());
    assert_eq!(minimal.characterising().len(), minimal.len());
    let later = (0..machine.inputs().len()).find_map(|input| machine.after(input));
    if let Some(later) = later {
        check_differences(machine, &later);
    }
}

fn check_differences(one: &Machine, two: &Machine) {
    for difference in differences(one, two) {
        let name = |&input: &usize| one.inputs()[input].clone();
        let names: Vec<String> = difference.word.iter().map(name).collect();
        let word: Vec<usize> =
            names.iter().filter_map(|name| two.inputs().iter().position(|other| other == name)).collect();
        assert_eq!(one.run(&difference.word).last(), Some(&difference.expected), "{names:?}");
        assert_eq!(two.run(&word).last(), Some(&difference.found), "{names:?}");
        assert_ne!(difference.expected, difference.found, "{names:?}");
    }
}
