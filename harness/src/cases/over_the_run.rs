//! The cases without a transcript: those of the monitor, of the peer's process and of the probe.

use dnode_spec::clause::{self, CLAUSES, Clause, Judge};
use dnode_spec::dialect::Dialect;

/// The id of the case for a clause that the monitor judges on every line.
#[must_use]
pub fn invariant_id(clause: &Clause) -> String {
    format!("always/{}", clause.id.replace('/', "-"))
}

/// The clauses that the monitor judges in this dialect.
pub fn invariants(dialect: Dialect) -> impl Iterator<Item = &'static Clause> {
    CLAUSES.iter().filter(move |clause| clause.judge == Judge::Monitor && clause.is_of(dialect))
}

/// The case of a process that ends between the cases, or while several run, so that no single case
/// caused it.
pub const LIFE: &str = "always/robust-survives";

/// The clause of [`LIFE`].
pub const LIFE_CLAUSE: &str = "robust/survives";

/// The sentence about [`LIFE`].
pub const LIFE_ABOUT: &str =
    "Over the whole run: the peer's process ends in no other moment than in a case that ends it by itself.";

/// The case about the probe itself.
pub const PROBE_COMPLETE: &str = "probe/complete";

/// A case without a transcript: all other cases show it.
#[derive(Debug, Clone)]
pub struct OverTheRun {
    /// Its permanent id.
    pub id: String,
    /// Its clause.
    pub clause: &'static Clause,
    /// One sentence about it.
    pub about: String,
    /// The version that added it.
    pub since: &'static str,
}

/// The cases without a transcript, in all dialects: those of the monitor, of the peer's process and
/// of the probe.
pub fn over_the_run() -> impl Iterator<Item = OverTheRun> {
    // A clause that the monitor judges only since a later version must get that version here.
    let since = "0.1.0";
    let on_every_line = move |clause: &'static Clause| OverTheRun {
        id: invariant_id(clause),
        clause,
        about: format!("On every line of the run: {}", clause.text),
        since,
    };
    let one = move |id: &str, clause: &'static Clause, about: &str| OverTheRun {
        id: id.to_owned(),
        clause,
        about: about.to_owned(),
        since,
    };
    let life = clause::find(LIFE_CLAUSE).map(|clause| one(LIFE, clause, LIFE_ABOUT));
    let probe = clause::find(PROBE_COMPLETE).map(|clause| one(PROBE_COMPLETE, clause, clause.text));
    let monitored = CLAUSES.iter().filter(|clause| clause.judge == Judge::Monitor);
    monitored.map(on_every_line).chain(life).chain(probe)
}
