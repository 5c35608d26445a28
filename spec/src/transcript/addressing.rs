//! How the peer's methods are addressed, and what its object offers.

use super::names::{Called, Name, Names};
use crate::graph::Node;
use crate::monitor::Received;
use crate::text::TextBuf;

/// How calls are addressed to a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addressing {
    /// By the id, if the peer declared one; otherwise by name.
    #[default]
    ById,
    /// By name only.
    ByName,
}

/// The members of a peer's object in their order: the key, and whether it is a function.
pub type Members = Vec<(TextBuf, bool)>;

impl Names {
    /// The text of the field `method` that calls a member of the peer's object.
    #[must_use]
    pub fn method_of_member(&self, member: &TextBuf, by: Addressing) -> Vec<u8> {
        match self.member(member).filter(|_| by == Addressing::ById) {
            Some(id) => id.to_string().into_bytes(),
            None => name_text(member),
        }
    }

    /// The text of the field `method` of a call; `None` if the peer did not declare the function,
    /// or it was culled.
    #[must_use]
    pub fn method_of_call(&self, called: &Called, by: Addressing) -> Option<Vec<u8>> {
        match called {
            Called::Member(key) => Some(self.method_of_member(key, by)),
            Called::Function(name) => self.callable(name).map(|id| id.to_string().into_bytes()),
            Called::Verbatim(text) => Some(text.clone()),
        }
    }

    /// The same for a message whose method is sent as it is written. A number that no step binds
    /// stands for itself.
    #[must_use]
    pub fn method_of_send(&self, called: &Called, by: Addressing) -> Option<Vec<u8>> {
        match called {
            Called::Member(key) => Some(name_text(key)),
            Called::Function(Name::Theirs(id)) => {
                let id = self.callable(&Name::Theirs(*id)).unwrap_or(*id);
                Some(id.to_string().into_bytes())
            }
            called => self.method_of_call(called, by),
        }
    }

    /// Binds the functions of the peer's object in its message `methods`, and returns its members.
    pub fn bind_object(&mut self, received: &Received) -> Members {
        self.forget_members();
        let object = received.graph.items(received.root).first().map(|&id| received.graph.node(id));
        let Some(Node::Object(members)) = object else { return Vec::new() };
        let members = members.iter().map(|(key, &id)| {
            let function = received.graph.leaf(id);
            if let Some(&id) = function {
                self.bind_member(key.clone(), id);
            }
            (key.clone(), function.is_some())
        });
        members.collect()
    }
}

fn name_text(member: &TextBuf) -> Vec<u8> {
    let mut text = Vec::new();
    member.as_text().write_json(&mut text);
    text
}
