//! After a loss, only the form of each line is judged.

use super::*;

#[test]
fn after_a_loss_each_line_is_judged_by_itself() {
    let mut monitor = after(&[METHODS_A, (B, CULL_0)]);
    monitor.lose();
    for line in [CALL_0, r#"{"method":7}"#, r#"{"method":"0"}"#, r#"{"method":"cull","arguments":[0,9]}"#] {
        assert_eq!(monitor.line(B, line.as_bytes()).problems, [], "{line}");
    }
    // A line cannot lift the loss: others were lost, too.
    assert_eq!(monitor.line(A, METHODS_A.1.as_bytes()).problems, []);
    assert_eq!(monitor.line(B, br#"{"method":7}"#).problems, []);
    for (line, clause) in [("x", "framing/json"), (r#"{"method":"a","links":{}}"#, "message/links")] {
        assert_eq!(clauses(&monitor.line(B, line.as_bytes()).problems), [clause]);
    }
}

proptest! {
    /// Of the lines of a session without problems, those between two places are lost.
    #[test]
    fn loss_accuses_no_end(operations in operations(), from in 0..20usize, lost in 1..20usize) {
        let (mut model, mut monitor, mut lines) = (Model::new([0, 0]), Monitor::new(), Vec::new());
        lines.extend(operations.iter().filter_map(|operation| model.run(operation)));
        lines.extend(model.settle());
        for (n, (end, line)) in lines.iter().enumerate() {
            if n == from {
                monitor.lose();
            }
            if n < from || n >= from + lost {
                assert_accepted(&mut monitor, *end, line)?;
            }
        }
    }
}
