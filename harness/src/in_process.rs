//! Runs the suite against a peer in this process: for ports in Rust.

use crate::program::Target;
use crate::run::{Cases, Options, RunError};
use dnode::transport::{Address, Duplex};
use dnode_reports::event::Event;

/// A peer in this process, as a target for [`Options`]. The run calls `connect` once for each
/// connection, within its runtime. `connect` returns the suite's end of a stream whose other end
/// the peer serves. Reports show `name`.
pub fn target<S: Duplex + 'static>(name: &str, connect: impl Fn() -> S + Send + Sync + 'static) -> Target {
    Target::Address(Address::in_memory(name, connect), None)
}

/// Runs cases against a peer in this process, with the defaults of the command line. To change the
/// defaults, use [`target`] with [`run`](crate::run::run). Cases that need a reset are not
/// applicable, because a stream in memory has none.
///
/// A peer that blocks a thread needs a runtime with more than one thread; otherwise it delays the
/// suite too.
///
/// ```
/// use dnode_conform::{cases::catalogue, in_process, reference};
/// use dnode_reports::event::{Event, Verdict};
/// use dnode_spec::dialect::Dialect;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let connect = || {
///     let (ours, theirs) = tokio::io::duplex(64 * 1024);
///     // Put your peer here.
///     tokio::spawn(reference::speak(theirs, reference::plain()));
///     ours
/// };
/// let mut cases = catalogue(Dialect::default()).unwrap();
/// cases.retain(|case| case.id().starts_with("cull/"));
/// let mut failed = Vec::new();
/// in_process::run("my peer", connect, cases, &mut |event| {
///     if let Event::Judged(outcome) = event {
///         if !matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable) {
///             failed.push(outcome.id);
///         }
///     }
/// })
/// .await
/// .unwrap();
/// assert!(failed.is_empty(), "{failed:?}");
/// # });
/// ```
///
/// # Errors
/// [`RunError`] if nothing could be run.
pub async fn run<S: Duplex + 'static>(
    name: &str,
    connect: impl Fn() -> S + Send + Sync + 'static,
    cases: impl Into<Cases>,
    emit: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    crate::run::run(&Options::new(target(name, connect)), cases, emit).await
}
