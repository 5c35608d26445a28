//! A slot for one peer. It starts the peer on demand, and starts it again after it was ended.

use super::{Peer, StartError};
use crate::program::{Route, Target};

/// A slot for one peer at a time.
#[derive(Debug)]
pub struct Slot {
    target: Target,
    peer: Option<Peer>,
}

impl Slot {
    /// An empty slot for peers of this target.
    #[must_use]
    pub fn new(target: &Target) -> Slot {
        Slot { target: target.clone(), peer: None }
    }

    /// The peer. Starts one if none runs.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn ready(&mut self) -> Result<&mut Peer, StartError> {
        let peer = match self.peer.take() {
            Some(peer) => peer,
            None => Peer::start(&self.target).await?,
        };
        Ok(self.peer.insert(peer))
    }

    /// The peer, if one runs.
    pub fn peer(&mut self) -> Option<&mut Peer> {
        self.peer.as_mut()
    }

    /// Whether a peer runs that we can start again.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.peer.as_ref().is_some_and(Peer::is_ours)
    }

    /// Whether no peer runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peer.is_none()
    }

    /// The route of the peer, if one runs.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.peer.as_ref().map(|peer| peer.route().clone())
    }

    /// Ends the peer if we started it, so that the next one is fresh.
    pub async fn discard(&mut self) {
        self.peer = match self.peer.take() {
            Some(peer) if peer.is_ours() => peer.end().await,
            peer => peer,
        };
    }

    /// Ends the peer if we started it, and closes the slot.
    pub async fn stop(self) {
        if let Some(peer) = self.peer {
            peer.stop().await;
        }
    }
}

impl From<Peer> for Slot {
    fn from(peer: Peer) -> Slot {
        Slot { target: peer.target.clone(), peer: Some(peer) }
    }
}
