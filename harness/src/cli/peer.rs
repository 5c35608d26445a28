//! The arguments about the peer and its judgement.

use super::failure::Failure;
use super::output;
use super::reach::{DialArgs, ListenArgs};
use super::report::{ReportFile, TextArgs, report_file, stdout_is_taken};
use super::values::{GateLevel, duration, limit_or_none, version};
use crate::program::Host;
use crate::program::Target;
use clap::Args;
use dnode_spec::dialect::Dialect;
use semver::Version;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The arguments that `run`, `replay` and `minimize` share: the peer, and how to judge it.
#[derive(Debug, Clone, Args)]
pub(super) struct PeerArgs {
    /// Start the peer with this shell command
    ///
    /// It must listen on 127.0.0.1 at the port in {port} and in the environment variable PORT, for
    /// example --exec 'exec node server.js {port}'. --at names other places.
    #[arg(long, value_name = "CMD", help_heading = "Peer")]
    pub(super) exec: Option<String>,
    #[command(flatten)]
    dial: DialArgs,
    #[command(flatten)]
    pub(super) listen: ListenArgs,
    /// A call that a peer without the probe answers, for example 'add[1,2,"$cb"]'
    ///
    /// The form is METHOD[ARGUMENTS] with "$cb" as the callback.
    #[arg(long, value_name = "EXPR", help_heading = "Peer")]
    pub(super) ping: Option<String>,
    /// The dialect of the peer: that of dnode-protocol 0.2 or 0.1
    ///
    /// In 0.1, the owner of a function culls it, and errors call the method "error".
    #[arg(long, value_name = "VERSION", default_value_t, help_heading = "Peer", hide_short_help = true)]
    pub(super) dialect: Dialect,
    /// The weakest level that fails the run; crashes and hangs always fail it
    #[arg(long, value_enum, default_value = "robust", help_heading = "Gate")]
    pub(super) level: GateLevel,
    /// Do not fail the run on the known failures in this file
    ///
    /// `baseline create` writes it.
    #[arg(long, value_name = "FILE", help_heading = "Gate")]
    pub(super) baseline: Option<PathBuf>,
    /// Do not fail the run on cases that are newer than this version
    #[arg(long, value_name = "VERSION", value_parser = version, help_heading = "Gate", hide_short_help = true)]
    pub(super) catalogue: Option<Version>,
    /// Stop at the first case that fails the run
    #[arg(long, help_heading = "Gate")]
    pub(super) fail_fast: bool,
    /// How many cases run in parallel
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256), hide_short_help = true)]
    pub(super) jobs: u16,
    /// How long a case may take, for example 500ms or 5s
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = duration)]
    pub(super) deadline: Duration,
    /// End the run after this time, for example 1h; 0 for no limit
    ///
    /// It includes the start of the peer. No case begins after it. Those that did not run are
    /// inconclusive, and all reports are written.
    #[arg(long, value_name = "DUR", default_value = "10m", value_parser = limit_or_none, hide_short_help = true)]
    max_time: Duration,
    /// Write a report, for example --report json=run.json; can be repeated
    ///
    /// Formats: text, json (canonical), events (complete, for `report`), junit, tap, markdown,
    /// github (annotations) and html. The path - is standard output, and replaces the text report
    /// there (github is added to it).
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report_file, help_heading = "Reports")]
    pub(super) report: Vec<ReportFile>,
    #[command(flatten)]
    pub(super) text: TextArgs,
}

impl PeerArgs {
    /// How long the run may take; `None`: any time.
    pub(super) fn max_time(&self) -> Option<Duration> {
        (!self.max_time.is_zero()).then_some(self.max_time)
    }

    /// The target that the arguments name.
    pub(super) async fn target(&self, address: Option<&str>) -> Result<Target, Failure> {
        match self.host(address).await? {
            Some(host) => Ok(Target::Client(Arc::new(host))),
            None => self.dial.target(address, self.exec.as_deref(), self.dialect),
        }
    }

    /// The listener for a peer that is a client, if `--listen` is given. Prints its address, unless
    /// we start the client.
    pub(super) async fn host(&self, address: Option<&str>) -> Result<Option<Host>, Failure> {
        let host = self.listen.host(address, self.exec.as_deref()).await?;
        if let Some(host) = host.as_ref().filter(|host| !host.starts_clients()) {
            match stdout_is_taken(&self.report) {
                true => output::warn(format_args!("listening at {}", host.address())),
                false => output::say(format_args!("listening at {}", host.address()))?,
            }
        }
        Ok(host)
    }
}
