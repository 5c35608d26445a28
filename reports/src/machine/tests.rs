mod layout;
mod snapshots;

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
    assert_eq!(
        (file.machine, file.mixed, file.left_out),
        (learned.machine.unwrap(), learned.mixed, learned.left_out)
    );
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
    assert_eq!(part::hidden(&learned, &parts), [9], "it needs inputs of two parts");
    for format in MachineFormat::ALL.into_iter().filter(|it| *it != MachineFormat::Json) {
        let text = render(format, &learned).replace("#126;", "~").replace("#63;", "?");
        for (index, it) in learned.differences.iter().enumerate() {
            let sign = format!("{}{}", Kind::of(&it.verdict).sign(), index + 1);
            assert!(text.contains(&sign), "{format}: {sign}");
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

#[test]
fn colours_add_nothing_to_the_text() {
    let options = Options { styles: true, width: 80, ..Options::default() };
    let colored = MachineFormat::Text.render(&faulty(), options).unwrap();
    assert!(colored.contains("\u{1b}[1m\u{1b}[31m"));
    let plain: String = colored
        .split('\u{1b}')
        .enumerate()
        .map(|(n, it)| if n == 0 { it } else { it.split_once('m').unwrap().1 })
        .collect();
    assert_eq!(plain, render(MachineFormat::Text, &faulty()));
}

#[test]
fn lines_are_not_wider_than_asked() {
    let text = render(MachineFormat::Text, &faulty());
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
}

#[test]
fn long_transcripts_are_left_out() {
    let mut learned = faulty();
    learned.differences.iter_mut().for_each(|it| it.transcript = "{}\n".repeat(3000));
    let text = render(MachineFormat::Markdown, &learned);
    assert_eq!(text.matches("<summary>transcript").count(), 3);
    assert_eq!(text.matches("The transcript is left out.").count(), learned.differences.len() - 3);
}

#[test]
fn large_part_is_not_drawn() {
    let mut learned = faulty();
    // A chain of states, so that the part `object` has more states than a picture shows.
    let inputs = learned.machine.as_ref().unwrap().inputs().to_vec();
    let row = |state: usize| {
        let edge = |input: usize| {
            let to = if input == 0 { state + 1 } else { state };
            let output = if state == 39 { calls("cb", "[1]") } else { Output::default() };
            Edge { output, to: Some(to.min(39)) }
        };
        (0..inputs.len()).map(edge).collect()
    };
    learned.machine = Some(Machine::new(inputs.clone(), (0..40).map(row).collect()).unwrap().minimal());
    assert_eq!(learned.machine.as_ref().unwrap().len(), 40);
    assert!(render(MachineFormat::Svg, &learned).contains("40 states and 39 arrows are too many"));
    assert!(render(MachineFormat::Markdown, &learned).contains("The part is too large for a diagram."));
}

/// Machines on the inputs of the alphabet, with few different outputs.
fn machines() -> impl Strategy<Value = Machine> {
    let inputs = equal().machine.unwrap().inputs().to_vec();
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
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_machine_can_be_drawn(machine in machines()) {
        let learned = learned(machine, |_| Verdict::Free { reason: "a".to_owned() });
        for format in MachineFormat::ALL {
            prop_assert_eq!(render(format, &learned), render(format, &learned));
        }
    }
}
