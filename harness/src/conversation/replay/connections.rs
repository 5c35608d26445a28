//! Transcripts with several connections: a step may name the connection that it is about.

use super::judged::Cause;
use super::session::Session;
use super::{Replay, Stop};
use crate::wire::Wire;
use dnode_reports::event::{Act, Kind};

impl Replay<'_, '_, '_> {
    /// Continues on this connection, and opens it if it is new. All mandatory expectations so far
    /// are met first.
    pub(super) async fn switch(&mut self, to: Option<&str>) -> Result<(), Stop> {
        if self.session.connection.as_deref() == to {
            return Ok(());
        }
        self.settle().await?;
        let known = self.session.beside.iter().position(|other| other.connection.as_deref() == to);
        let at = match known {
            Some(at) => at,
            None => self.open(to).await?,
        };
        let mut beside = std::mem::take(&mut self.session.beside);
        std::mem::swap(&mut *self.session, &mut beside[at]);
        let before = beside[at].connection.clone();
        self.session.beside = beside;
        let pending = self.pending_beside.remove(&self.session.connection).unwrap_or_default();
        self.pending_beside.insert(before, std::mem::replace(&mut self.pending, pending));
        if known.is_none() && !self.transcript.header.manual_handshake {
            self.shake_hands().await?;
        }
        Ok(())
    }

    /// Opens another connection. Returns its place among those beside the current one.
    async fn open(&mut self, name: Option<&str>) -> Result<usize, Stop> {
        let route = self.session.route.filter(|route| route.host().is_none());
        let Some(route) = route else { return Err(Self::no_second_connection()) };
        self.session.wire.note(Act::OpensAnother);
        match Wire::open(route, &self.session.facts.terms, self.session.deadline).await {
            Ok(wire) => {
                let (facts, patience) = (self.session.facts, self.session.patience);
                let mut session = Session::new(self.transcript, Some(route), facts, wire, patience);
                session.connection = name.map(str::to_owned);
                self.session.beside.push(session);
                Ok(self.session.beside.len() - 1)
            }
            Err(error) => {
                let actual = error.kind().to_string();
                Err(self.diverged(Kind::NotServed, "another connection", &actual, Cause::Life))
            }
        }
    }

    /// The names of all open connections.
    pub(super) fn connections(&self) -> Vec<Option<String>> {
        let others = self.session.beside.iter().map(|other| other.connection.clone());
        std::iter::once(self.session.connection.clone()).chain(others).collect()
    }
}
