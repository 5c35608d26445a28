mod graphs;
mod layout;
mod markdown;
mod svg;
mod text;

use dnode_spec::machine::{Edge, File, Machine, Output, Then};
use proptest::prelude::*;

use super::part::{self, Kind};
use super::sample::{calls, differing, equal, faulty, learned};
use super::{Learned, MachineFormat, Verdict};
use crate::text::Options;

fn render(format: MachineFormat, learned: &Learned) -> String {
    format.render(learned, Options { width: 80, ..Options::default() }).unwrap()
}

#[test]
fn formats_have_words_and_an_error_lists_them() {
    for format in MachineFormat::ALL {
        assert_eq!(format.word().parse(), Ok(format));
    }
    let error = "png".parse::<MachineFormat>().unwrap_err().to_string();
    assert_eq!(
        error,
        "\"png\" is not a format of machines; expected one of: text, json, markdown, dot, mermaid, svg, html"
    );
}

#[test]
fn json_is_a_machine_file() {
    let learned = differing();
    let file = File::read(&render(MachineFormat::Json, &learned)).unwrap();
    assert_eq!((file.machine, file.mixed, file.left_out), (learned.machine, learned.mixed, learned.left_out));
    let text = render(MachineFormat::Json, &equal());
    assert_eq!(text, dnode_fixtures::REFERENCE_MACHINE.replace("\"reference\"", "\"dnode 1.2.2\""));
}

#[test]
fn only_text_and_html_have_the_time() {
    for format in MachineFormat::ALL {
        let has_time = render(format, &differing()).contains("12.3 s");
        assert_eq!(has_time, matches!(format, MachineFormat::Text | MachineFormat::Html), "{format}");
    }
}

#[test]
fn every_difference_is_in_each_format_for_people() {
    let learned = faulty();
    let parts = part::parts(&learned);
    assert_eq!(part::hidden(&learned, &parts), [10], "it needs inputs of two parts");
    for format in MachineFormat::ALL.into_iter().filter(|it| *it != MachineFormat::Json) {
        let text = render(format, &learned).replace("#126;", "~").replace("#63;", "?");
        for (index, it) in learned.differences.iter().enumerate() {
            let sign = format!("{}{}", Kind::of(&it.verdict).sign(), index + 1);
            // Mermaid has only pictures.
            let shown = text.contains(&sign) || format == MachineFormat::Mermaid && index == 9;
            assert!(shown, "{format}: {sign}");
        }
    }
}

#[test]
fn state_that_stands_for_two_says_when_an_answer_is_wrong() {
    let learned = faulty();
    let parts = part::parts(&learned);
    let notes: Vec<String> = parts[0].lines().flat_map(|it| &it.marks).map(|mark| mark.text()).collect();
    assert_eq!(notes, ["?15 after second-object: expected cb(), hello2(1) (unclear)"]);
}

#[test]
fn difference_that_is_not_in_the_list_is_unclear_and_has_no_number() {
    let mut learned = differing();
    learned.differences.clear();
    let parts = part::parts(&learned);
    let marks: Vec<String> = parts[1].lines().flat_map(|it| &it.marks).map(|mark| mark.text()).collect();
    assert_eq!(marks, ["? expected cb({\"self\":↑ arguments[0]}) (unclear)"]);
}

#[test]
fn links_of_the_page_lead_to_places_on_it() {
    for learned in [equal(), differing(), faulty()] {
        let page = render(MachineFormat::Html, &learned);
        let links: Vec<&str> = page.split("href=\"#").skip(1).filter_map(|it| it.split('"').next()).collect();
        assert!(links.len() > 5);
        for link in links {
            assert_eq!(page.matches(&format!(" id=\"{link}\"")).count(), 1, "{link}");
        }
        let transcripts = learned.differences.iter().map(|it| it.transcript.replace('"', "&quot;"));
        transcripts.for_each(|transcript| assert!(page.contains(&transcript), "{transcript}"));
    }
}

/// Machines on the inputs of the alphabet, with few different outputs.
fn machines() -> impl Strategy<Value = Machine> {
    let inputs = equal().machine.inputs().to_vec();
    let edge = |states: usize| {
        (0..8_usize, 0..states).prop_map(move |(output, to)| match output {
            0 => Edge { output: Output::new(Vec::new(), Then::Died), to: None },
            1 => Edge { output: Output::new(Vec::new(), Then::Closed), to: None },
            2 | 3 => Edge { output: calls("cb", "[1]"), to: Some(to) },
            _ => Edge { output: Output::default(), to: Some(to) },
        })
    };
    (1..12_usize).prop_flat_map(move |states| {
        let inputs = inputs.clone();
        let row = prop::collection::vec(edge(states), inputs.len());
        prop::collection::vec(row, states)
            .prop_map(move |edges| Machine::new(inputs.clone(), edges).unwrap().minimal())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_machine_can_be_drawn(machine in machines()) {
        let learned = learned(machine, |_| Verdict::Free { reason: "a".to_owned() });
        for format in MachineFormat::ALL {
            prop_assert_eq!(render(format, &learned), render(format, &learned));
        }
    }
}

#[test]
#[ignore = "writes samples to look at, to the folder LOOK"]
fn look() {
    let folder = std::env::var("LOOK").unwrap();
    for (name, learned) in [("equal", equal()), ("differing", differing()), ("faulty", faulty())] {
        for format in MachineFormat::ALL {
            std::fs::write(format!("{folder}/{name}.{format}"), render(format, &learned)).unwrap();
        }
    }
}
