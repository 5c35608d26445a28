//! The formats of machines: hostile text in any field, and the page in a browser.

use dnode_spec::machine::{Act, Answer, Mixed, Output, Then};
use pulldown_cmark::{Event as Part, Options as Extensions, Parser, Tag, TagEnd};

use super::*;
use crate::escape;
use crate::machine::sample::{breaks, changed, differing, faulty, learned, reference};
use crate::machine::{Input, Learned, MachineFormat, Verdict as Judgement};

/// Text that is syntax in at least one of the formats of machines.
const SYNTAX: &str = concat!(
    "\"];\n}\nend\nclick s0_0 \"https://evil.example\"\n%%{init: {}}%%\n]] --> s0_0 |x| `a` #lt; &lt; \\\"",
    "<br/><b>&#60;</b></text></svg></style><a href=\"https://evil.example\">\\N \\l\n```mermaid\n",
);

/// A machine with this text in every field that a peer, a file or a program can fill.
fn learned_with(text: &str) -> Learned {
    let acts = || {
        let call = Act::Calls { function: text.to_owned(), arguments: text.to_owned() };
        vec![
            call,
            Act::CallsUnknown(text.to_owned()),
            Act::Culls(text.to_owned()),
            Act::Breaks(text.to_owned()),
        ]
    };
    let machine = changed(&reference(), |_, input, edge| match input {
        "call-culled" | "send-cycle" | "cull-both" => edge.output = Output::new(acts(), Then::Open),
        "call-unknown-id" => edge.output = Output::new(acts(), Then::Open),
        "malformed" => edge.output = Output::new(acts(), Then::Died),
        _ => {}
    });
    let short = || text.chars().take(300).collect::<String>();
    let judge = |input: &str| match input {
        "call-culled" => match breaks(&short(), Level::Must) {
            Judgement::Breaks { clause, level, gates, .. } => Judgement::Breaks {
                clause,
                level,
                gates,
                step: short(),
                expected: text.to_owned(),
                actual: text.to_owned(),
            },
            other => other,
        },
        "malformed" => Judgement::Free { reason: text.to_owned() },
        _ => Judgement::Unclear { reason: text.to_owned() },
    };
    let mut learned = learned(machine, judge);
    learned.differences.iter_mut().for_each(|it| it.transcript = short());
    let answer = Answer { count: u64::MAX, output: Output::new(acts(), Then::Hung) };
    let mixed = Mixed { word: vec![text.to_owned(), "b".to_owned()], answers: vec![answer.clone(), answer] };
    let inputs = learned.inputs.iter().map(|input| Input { about: short(), ..input.clone() });
    Learned {
        peer: Some(text.to_owned()),
        inputs: inputs.collect(),
        left_out: vec![(text.to_owned(), text.to_owned())],
        mixed: vec![mixed],
        against: short(),
        cut: Some(text.to_owned()),
        ..learned
    }
}

pub(super) fn hostile_machine() -> Learned {
    learned_with(&format!("{}{}{SYNTAX}", sample::HOSTILE, hostile::MARKUP))
}

fn render(format: MachineFormat, learned: &Learned) -> String {
    format.render(learned, Options::default()).unwrap()
}

#[test]
fn no_format_has_hidden_characters() {
    for format in MachineFormat::ALL {
        let text = render(format, &hostile_machine());
        let hidden = text.chars().find(|c| *c != '\n' && escape::is_hidden(*c));
        assert_eq!(hidden, None, "{format}");
    }
}

#[test]
fn no_line_is_a_command_for_the_ci_job() {
    for format in MachineFormat::ALL {
        for line in render(format, &hostile_machine()).lines() {
            let in_line = line.contains("##[") && format != MachineFormat::Json;
            assert!(!line.trim_start().starts_with("::") && !in_line, "{format}: {line}");
        }
    }
}

#[test]
fn reports_of_huge_texts_are_small() {
    for text in ["\u{1b}".repeat(1 << 16), "<\n".repeat(1 << 15)] {
        let learned = learned_with(&text);
        // The file of the machine has everything that the peer sent.
        for format in MachineFormat::ALL.into_iter().filter(|it| *it != MachineFormat::Json) {
            let size = render(format, &learned).len();
            assert!(size < 1_000_000, "{format}: {size} bytes");
        }
    }
}

#[test]
fn markdown_has_no_markup_of_a_peer() {
    let text = render(MachineFormat::Markdown, &hostile_machine());
    let (mut block, mut diagrams, mut cells) = (false, 0, Vec::new());
    for part in Parser::new_ext(&text, Extensions::ENABLE_TABLES | Extensions::ENABLE_STRIKETHROUGH) {
        match part {
            Part::Html(html) | Part::InlineHtml(html) => {
                let own = [
                    "<details><summary>transcript</summary>",
                    "<details><summary>as text</summary>",
                    "</details>",
                ];
                assert!(own.contains(&html.trim()), "{html}");
            }
            Part::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                panic!("a link to {dest_url}")
            }
            Part::Start(Tag::CodeBlock(kind)) => {
                block = true;
                diagrams += usize::from(format!("{kind:?}").contains("mermaid"));
            }
            Part::End(TagEnd::CodeBlock) => block = false,
            Part::Text(text) => assert!(block || !text.contains("evil"), "{text}"),
            Part::Start(Tag::Table(columns)) => cells.push((columns.len(), 0)),
            Part::Start(Tag::TableCell) => cells.last_mut().unwrap().1 += 1,
            _ => {}
        }
    }
    assert_eq!(diagrams, 5, "one for each part");
    assert_eq!(cells.len(), 3);
    assert!(cells.iter().all(|(columns, cells)| cells % columns == 0 && cells > columns));
}

#[test]
fn mermaid_has_only_its_own_lines() {
    let is_id = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !word.is_empty();
    // Between quotes there is no syntax except entities and our own few elements.
    let is_label = |label: &str| {
        let text = ["<br/>", "<b>", "</b>", "<i>", "</i>"]
            .iter()
            .fold(label.to_owned(), |it, own| it.replace(own, ""));
        text.chars().all(|c| c.is_alphanumeric() || " -/,.:()!→…#;".contains(c))
    };
    for learned in [hostile_machine(), differing(), faulty()] {
        let text = render(MachineFormat::Mermaid, &learned);
        for line in text.lines().skip(2).map(str::trim) {
            let pieces: Vec<&str> = line.split('"').collect();
            let fits = match pieces.as_slice() {
                [one] => {
                    ["end", "direction TB"].contains(one)
                        || one.starts_with("linkStyle ")
                        || one.starts_with("classDef ")
                }
                [before, label, after] => {
                    let (from, to) =
                        (before.trim_end_matches(['[', '(', ']']), after.trim_start_matches([']', ')', '|']));
                    let from = from.strip_prefix("subgraph ").or(from.strip_suffix(" -->|")).unwrap_or(from);
                    let to = to.trim_start().trim_start_matches(":::");
                    is_id(from) && is_label(label) && (to.is_empty() || is_id(to))
                }
                _ => false,
            };
            assert!(fits, "{line}");
        }
    }
}

#[test]
fn dot_has_only_its_own_lines() {
    for learned in [hostile_machine(), differing(), faulty()] {
        let text = render(MachineFormat::Dot, &learned);
        for line in text.lines().filter(|line| line.contains("=<")) {
            // Without our own elements, a label has no character that could end it.
            let (_, rest) = line.split_once("=<").unwrap();
            let label = &rest[..rest.rfind('>').unwrap()];
            let mut pieces = label.split('<');
            let mut left = pieces.next().unwrap().to_owned();
            for piece in pieces {
                let (element, text) = piece.split_once('>').unwrap_or((piece, ""));
                let name = element.trim_start_matches('/').split([' ', '/']).next().unwrap();
                assert!(["b", "i", "br", "font"].contains(&name), "{element} in {line}");
                left.push_str(text);
            }
            assert!(!left.contains(['<', '>', '"']), "{line}");
        }
        assert_eq!(text.matches("subgraph cluster_").count(), 5);
        assert!(!text.contains("\nend") && text.ends_with("}\n}\n"));
    }
}

#[test]
fn svg_is_xml_without_scripts_or_links() {
    let files = Files::new("machine-svg");
    let machines = [("hostile", hostile_machine()), ("differing", differing()), ("faulty", faulty())];
    let written = machines.map(|(name, learned)| {
        let text = render(MachineFormat::Svg, &learned);
        assert!(!text.contains("<script") && !text.contains("<a ") && !text.contains("<img"));
        files.write(&format!("{name}.svg"), &text)
    });
    let arguments: Vec<&Path> = written.iter().map(PathBuf::as_path).collect();
    assert_eq!(node("xml.mjs", &arguments).matches(": well-formed").count(), written.len());
}

#[test]
fn html_has_one_script_and_no_markup_of_a_peer() {
    let text = render(MachineFormat::Html, &hostile_machine());
    assert_eq!(text.matches("<script").count(), 1);
    assert!(!text.contains("<img") && text.contains("&lt;img src=x onerror=alert(2)&gt;"));
}
