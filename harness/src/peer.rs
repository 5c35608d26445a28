//! The peer under test: start it or find it at its address, and check its health.

mod error;
mod port;
mod slot;
mod start;

pub use error::StartError;
pub use slot::Slot;

use crate::conversation::facts::Facts;
use crate::conversation::ping::Silence;
use crate::conversation::replay::judged::Replayed;
use crate::conversation::service::serves;
use crate::program::{ENDING, Host, Process, Route, Stdio, Target};
use dnode_reports::event::{Activity, Death, TimeBase};
use port::Port;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A running peer.
#[derive(Debug)]
pub struct Peer {
    target: Target,
    route: Route,
    running: Running,
    /// The port of its program and the folder of its socket, kept as long as the program runs.
    _place: Option<(Port, Option<TempDir>)>,
}

#[derive(Debug)]
enum Running {
    Elsewhere,
    Process(Box<Process>),
    Stdio(Arc<Stdio>),
    Reference(JoinHandle<io::Result<()>>),
    Client(Arc<Host>),
}

/// The health of a peer after a case.
#[derive(Debug)]
pub enum Health {
    /// It serves a new connection.
    Serves,
    /// Its process ended.
    Died(Death),
    /// It no longer accepts connections. We cannot see its process.
    Refuses,
    /// It accepts a new connection but does not serve it. The activity is that of a peer that sent
    /// nothing.
    Deaf(Option<Activity>),
    /// The machine was too busy to find out.
    Unknown,
}

impl Health {
    /// Whether it serves a new connection, or may do so.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Health::Serves | Health::Unknown)
    }

    /// Whether its process ended, or it no longer accepts connections.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Health::Died(_) | Health::Refuses)
    }
}

impl Peer {
    /// Starts the peer, or connects to a running one.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(target: &Target) -> Result<Peer, StartError> {
        start::start(target).await
    }

    fn new(target: &Target, route: Route, running: Running) -> Peer {
        Peer { target: target.clone(), route, running, _place: None }
    }

    /// How to get a connection to it.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// The process group of its program, if we started one.
    #[must_use]
    pub fn group(&self) -> Option<i32> {
        match &self.running {
            Running::Process(process) => Some(process.group()),
            Running::Elsewhere | Running::Reference(_) | Running::Stdio(_) | Running::Client(_) => None,
        }
    }

    /// A note for the reader of the verdicts about how its program ends.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match &self.running {
            Running::Stdio(stdio) => stdio.note(),
            _ => None,
        }
    }

    /// Whether we can start it again.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match &self.running {
            Running::Elsewhere => false,
            Running::Client(host) => host.starts_clients(),
            Running::Process(_) | Running::Stdio(_) | Running::Reference(_) => true,
        }
    }

    /// Ends its program. Returns the peer if it is a client, because we start a client again when
    /// we wait for its next connection.
    async fn end(self) -> Option<Peer> {
        if let Running::Client(host) = &self.running {
            host.stop().await;
            return Some(self);
        }
        self.stop().await;
        None
    }

    /// Ends it if we started it.
    pub async fn stop(self) {
        match self.running {
            Running::Elsewhere => {}
            Running::Process(process) => process.stop().await,
            Running::Stdio(stdio) => stdio.stop().await,
            Running::Reference(serving) => serving.abort(),
            Running::Client(host) => {
                host.stop().await;
                host.leave();
            }
        }
    }

    /// How the process ended, if we started it and it ends within this time.
    pub async fn death(&mut self, wait: Duration) -> Option<Death> {
        match &mut self.running {
            Running::Process(process) => {
                let status = process.wait(wait).await?;
                Some(process.death(status).await)
            }
            Running::Stdio(stdio) => stdio.death(wait).await,
            Running::Client(host) => host.death(wait).await,
            Running::Elsewhere | Running::Reference(_) => None,
        }
    }

    /// Forgets the standard error of its process. Call it when the peer has shown that it still works.
    pub fn forget_stderr(&mut self) {
        if let Running::Process(process) = &mut self.running {
            process.forget_stderr();
        }
    }

    /// The health after a case.
    pub async fn health_after(&mut self, replayed: &Replayed, facts: &Facts, patience: Duration) -> Health {
        // A peer that was silent for a whole deadline of its own time has failed the case, so the
        // check only decides between a failure and a hang. A short deadline is enough for that: the
        // machine takes none of it, and a peer that serves needs two or three round trips. It must
        // not expire for a legal peer with one thread that still works on a long message of the
        // case, so it grows with that message. In wall time a short deadline would be a guess, and
        // a peer that was late, not silent, may be late again.
        let own_time = self.route.clock().base() == TimeBase::OwnTime;
        let is_short = own_time && replayed.is_silent();
        let deadline = if is_short { facts.short(patience) } else { patience };
        let deadline = deadline + replayed.extended;
        if is_short && replayed.unserved.is_some_and(|waited| waited >= deadline) {
            return match self.death(Duration::ZERO).await {
                Some(death) => Health::Died(death),
                None => Health::Deaf(None),
            };
        }
        self.health(facts, deadline).await
    }

    /// Whether a new connection is served: the handshake, and the known-good call if there is one.
    pub async fn health(&mut self, facts: &Facts, patience: Duration) -> Health {
        if let Some(death) = self.death(Duration::ZERO).await {
            return Health::Died(death);
        }
        let clock = self.route.clock();
        let asked = clock.read();
        let deadline = clock.now() + patience;
        let Err(silence) = serves(&self.route, facts, deadline).await else {
            return Health::Serves;
        };
        let activity = clock.activity_since(asked);
        let overloaded = clock.now() < deadline;
        // The connections of a crashing process close before we can see its end.
        let dying = match silence {
            // It has closed its port, too. On a busy machine its end takes long.
            Silence::Refused => ENDING * 6,
            Silence::Closed => ENDING,
            Silence::Late | Silence::Flood => Duration::ZERO,
        };
        match (self.death(dying).await, silence) {
            (Some(death), _) => Health::Died(death),
            (None, Silence::Refused) => Health::Refuses,
            (None, Silence::Late) if overloaded => Health::Unknown,
            (None, Silence::Late) => Health::Deaf(activity),
            (None, Silence::Closed | Silence::Flood) => Health::Deaf(None),
        }
    }
}

#[cfg(test)]
mod tests;
