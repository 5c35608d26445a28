//! Whole runs in memory, for the formats that write only at the end.
//!
//! A case that passes is kept without its evidence except for its time: no report shows it, and it
//! would take most of the memory.

use std::io;

use crate::account::{Account, Exit};
use crate::event::{Ended, Event, Evidence, Outcome, Run, Verdict};

/// One run, from its first event to its last.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) run: Run,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) account: Account,
    pub(crate) ended: Ended,
}

impl Record {
    /// The name of the peer in a report, raw: its own name, else its address or command.
    pub(crate) fn name(&self) -> &str {
        self.run.peer.as_deref().unwrap_or(&self.run.target)
    }

    pub(crate) fn exit(&self) -> Exit {
        self.account.exit(&self.run, &self.ended)
    }

    pub(crate) fn sum(&self) -> String {
        self.account.sum(&self.run, &self.ended)
    }
}

/// Collects events into runs.
#[derive(Debug, Default)]
pub(crate) struct Records(Vec<Record>);

impl Records {
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.0.push(Record {
                run: run.clone(),
                outcomes: Vec::new(),
                account: Account::default(),
                ended: Ended::default(),
            }),
            Event::Judged(outcome) => {
                let record = self.0.last_mut().ok_or_else(crate::report::not_started)?;
                record.account.add(outcome);
                record.outcomes.push(match outcome.verdict {
                    Verdict::Pass => {
                        let evidence = Evidence { took: outcome.evidence.took, ..Evidence::default() };
                        Outcome { evidence, ..(**outcome).clone() }
                    }
                    _ => (**outcome).clone(),
                });
            }
            Event::Ended(ended) => {
                self.0.last_mut().ok_or_else(crate::report::not_started)?.ended = ended.clone();
            }
        }
        Ok(())
    }

    /// The runs, in order.
    pub(crate) fn all(&self) -> &[Record] {
        &self.0
    }
}
