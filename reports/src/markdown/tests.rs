use super::*;
use crate::event::Evidence;
use crate::sample::{self, FINE};

fn report(runs: &[&[Outcome]]) -> String {
    let mut out = Vec::new();
    let mut markdown = Markdown::new(&mut out);
    for cases in runs {
        for event in sample::events(sample::run(cases.len()), cases, FINE) {
            markdown.event(&event).unwrap();
        }
    }
    markdown.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_general_hint_is_written_once() {
    let crash = sample::crashing_at;
    let hints = |clause: &str| {
        let text = report(&[&[crash("robust/a", clause, 1), crash("robust/b", clause, 2)]]);
        text.matches(&format!("\n   {}\n", clause::find(clause).unwrap().hint)).count()
    };
    assert_eq!((hints("robust/survives"), hints("robust/arguments-only")), (1, 2));
}

#[test]
fn one_run_has_folded_findings_and_then_the_matrix() {
    let bare = Outcome { evidence: Evidence::default(), ..sample::failing("message/order") };
    insta::assert_snapshot!(report(&[&[sample::outcome("a/case", Verdict::Pass), bare]]), @r#"
    # dnode-conform

    ## `dnode 1.2.2`

    **exit 1: 1 gating failure**

    2 planned: 1 pass, 1 fail

    Suite `0.1.0`, target `node fixtures/peers/dnode/peer.js`; gate: robust and stricter

    ### Causes: `dnode 1.2.2`

    1. `message/argument-order: The arguments reach the function in their order and number` (must)
       `message/order`
       Pass all arguments to the function, in their order, without extra ones.

    ### Findings: `dnode 1.2.2`

    - **FAIL** `message/order`
      `step 2 at arguments[0]: expected 3, got "12"`
      Clause [`message/argument-order`](https://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order) (must): The arguments reach the function in their order and number.
      <details><summary>evidence</summary>

      ```text
      FAIL  message/order
        The arguments come back as they were sent.

        peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
        clause      message/argument-order (must)
                    The arguments reach the function in their order and number.
                    source: protocol document, "data fields", sentence 4
        step        step 2
        where       arguments[0]
        expected    3
        got         "12"
        difference  violation: differs
                    fingerprint: 1:bf36ebf234f3
        hint        Pass all arguments to the function, in their order, without extra ones.
      ```

      </details>


    <details><summary>All cases</summary>

    | case | level | verdict |
    |---|---|---|
    | **[`message/argument-order`](https://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order)** | must | |
    | `a/case` | must | pass |
    | `message/order` | must | FAIL |

    </details>
    "#);
}

#[test]
fn one_column_per_run() {
    let one = [sample::outcome("a/case", Verdict::Pass), sample::outcome("b/case", Verdict::Pass)];
    let other = [sample::outcome("a/case", Verdict::Crash)];
    let text = report(&[&one, &other]);
    let link = clause::find("message/argument-order").unwrap().link();
    let clause = format!("| **[`message/argument-order`]({link})** | must | | |");
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(
        table,
        [
            "| case | level | `dnode 1.2.2` | `dnode 1.2.2` |",
            "|---|---|---|---|",
            clause.as_str(),
            "| `a/case` | must | pass | CRASH |",
            "| `b/case` | must | pass |  |",
        ]
    );
}

#[test]
fn report_fits_a_step_summary() {
    let cases: Vec<Outcome> = (0..2000).map(|number| sample::failing(&format!("a/case-{number}"))).collect();
    let text = report(&[&cases]);
    assert!(text.len() < 1_000_000, "{} bytes", text.len());
    assert!(text.contains("- **FAIL** `a/case-1999`\n"));
}

#[test]
fn span_may_contain_backticks() {
    for (text, expected) in [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("", ""), (" a", "`  a `")] {
        assert_eq!(span(text), expected);
    }
    assert_eq!(cell("a|b\\|"), r"`a\x7cb\\x7c`");
}
