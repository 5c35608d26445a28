//! The run: cases side by side, then suspects and hostile cases by themselves, each with a verdict.
//!
//! If a case times out or loses its connection while other cases run, it runs again by itself, so
//! that a verdict is about one case. Outcomes are emitted in the order of the catalogue.

mod alone;
pub(crate) mod applicable;
mod batch;
mod beside;
mod groups;
mod lane;
mod meet;
mod options;
mod resting;
mod runner;
mod running;
pub mod server_seat;
mod sessions;
mod shard;
mod shrinking;
mod together;
mod unrun;

pub use options::{Cases, Options, RunError};
pub use running::{Running, SoFar};
pub use shard::Shard;
pub use unrun::GRACE;

use crate::cases::{Case, PROBE_COMPLETE, over_the_run};
use crate::gate::RunGate;
use dnode_reports::event::Event;
use runner::Runner;
use std::collections::BTreeSet;
use std::time::Instant;

/// Runs the cases against the target, and emits the events of the run.
///
/// # Errors
/// [`RunError`] if nothing could be run.
pub async fn run(
    options: &Options,
    cases: impl Into<Cases>,
    emit: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    let (cases, seeds) = match cases.into() {
        Cases::Listed(cases) => (cases, Vec::new()),
        Cases::Generated(seeds) => (Vec::new(), seeds),
    };
    let ids: BTreeSet<String> = cases.iter().map(|case| case.id().to_owned()).collect();
    let selected = |case: &Case| options.selection.takes(case.id());
    let cases: Vec<Case> = cases.into_iter().filter(selected).collect();
    let generated = !seeds.is_empty();
    if !generated {
        let others: Vec<String> = over_the_run().map(|case| case.id).collect();
        options.selection.check(ids.iter().chain(&others).map(String::as_str))?;
    }
    let runs_probe = !ids.is_empty() && options.selection.takes(PROBE_COMPLETE);
    if cases.is_empty() && !generated && !runs_probe {
        return Err(RunError::OnlyInvariants);
    }
    let (cases, seeds) = match options.shard {
        Some(shard) => (shard.of_cases(cases), shard.of_seeds(seeds)),
        None => (cases, seeds),
    };
    let until = options.max_time.and_then(|time| Instant::now().checked_add(time));
    let met = meet::meet(options, until).await?;
    let gate = RunGate::new(&options.gate, &cases, options.is_whole() && !generated);
    let mut emitted = gate.emitted();
    let emit: &mut (dyn FnMut(Event) + Send) = &mut |event| emit(emitted.event(event));
    Runner::new(options, &gate, met, cases, seeds, ids).run(until, emit).await;
    Ok(())
}
