//! All connections of a capture.

use crate::event::{Close, Event, What};
use crate::flow::{Flow, Key, key};
use crate::frame::Segment;
use crate::limits;
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The connections, and their events that were not taken.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Only connections to this port count.
    port: Option<u16>,
    flows: HashMap<Key, Flow>,
    /// Their keys, the oldest first.
    order: VecDeque<Key>,
    /// The memory of the waiting pieces of all connections.
    held: usize,
    opened: usize,
    events: VecDeque<Event>,
    /// The ports of the servers, each with its number of connections.
    ports: BTreeMap<u16, usize>,
    /// Ports of other connections.
    other_ports: BTreeSet<u16>,
    refused: u64,
    after_close: AfterClose,
}

/// Segments with bytes after the end of their connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AfterClose {
    /// How many they are.
    pub segments: u64,
    /// The packet of the first one.
    pub first: Option<u64>,
}

impl Table {
    pub(crate) fn new(port: Option<u16>) -> Table {
        Table { port, ..Table::default() }
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn ports(&self) -> &BTreeMap<u16, usize> {
        &self.ports
    }

    pub(crate) fn other_ports(&self) -> &BTreeSet<u16> {
        &self.other_ports
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn after_close(&self) -> AfterClose {
        self.after_close
    }

    /// Takes a segment. Returns whether it belongs to a connection that counts.
    pub(crate) fn take(&mut self, segment: &Segment<'_>) -> bool {
        let ports = [segment.from.port(), segment.to.port()];
        if self.port.is_some_and(|port| !ports.contains(&port)) {
            if !segment.bytes.is_empty() {
                self.note_port(ports[0].min(ports[1]));
            }
            return false;
        }
        let key = key(segment);
        if !self.flows.contains_key(&key) {
            if segment.reset || !self.has_room() {
                self.refused += 1;
                return false;
            }
            self.flows.insert(key, Flow::new(key, self.port));
            self.order.push_back(key);
        }
        if self.flows.get_mut(&key).is_some_and(|flow| flow.is_over_before(segment)) {
            self.after_close.segments += 1;
            self.after_close.first.get_or_insert(segment.packet);
        }
        if !self.with(key, |flow, events| flow.take(segment, events)) {
            self.with(key, |flow, events| flow.close(Close::Replaced, events));
            self.flows.insert(key, Flow::new(key, self.port));
            self.with(key, |flow, events| flow.take(segment, events));
        }
        while self.held > limits::HELD_BY_ALL {
            let Some(largest) =
                self.order.iter().max_by_key(|key| self.flows.get(*key).map_or(0, Flow::held))
            else {
                break;
            };
            self.with(*largest, |flow, events| while flow.held() > 0 && flow.force(events) {});
        }
        true
    }

    /// Ends all connections, because the capture has ended.
    pub(crate) fn finish(&mut self) {
        while let Some(key) = self.order.pop_front() {
            self.with(key, |flow, events| flow.close(Close::CaptureEnded, events));
            self.flows.remove(&key);
        }
    }

    /// Lets a flow act, and takes its events.
    fn with<T: Default>(&mut self, key: Key, act: impl FnOnce(&mut Flow, &mut Vec<What>) -> T) -> T {
        let Some(flow) = self.flows.get_mut(&key) else { return T::default() };
        let (before, mut events) = (flow.held(), Vec::new());
        let result = act(flow, &mut events);
        let server = events.iter().find_map(|what| match what {
            What::Opened { server, .. } => Some(server.port()),
            _ => None,
        });
        let is_other = server.is_some_and(|server| self.port.is_some_and(|port| port != server));
        if is_other {
            flow.abandon();
            events.clear();
        }
        self.held = self.held - before + flow.held();
        match server {
            Some(server) if is_other => self.note_port(server),
            Some(server) => {
                self.opened += 1;
                flow.set_number(self.opened);
                let is_listed = self.ports.len() < limits::LISTED || self.ports.contains_key(&server);
                if is_listed {
                    *self.ports.entry(server).or_default() += 1;
                }
            }
            None => {}
        }
        let connection = self.flows.get(&key).map_or(0, Flow::number);
        self.events.extend(events.into_iter().map(|what| Event { connection, what }));
        result
    }

    fn note_port(&mut self, port: u16) {
        if self.other_ports.len() < limits::LISTED {
            self.other_ports.insert(port);
        }
    }

    /// Makes room for a connection. The oldest ones that are over, or carried no bytes, go first. The
    /// search goes on at the next call, so its cost does not grow with the connections.
    fn has_room(&mut self) -> bool {
        for _ in 0..limits::SEARCHED {
            if self.flows.len() < limits::CONNECTIONS {
                return true;
            }
            let Some(key) = self.order.pop_front() else { break };
            if self.flows.get(&key).is_some_and(|flow| !flow.is_idle()) {
                self.order.push_back(key);
            } else {
                self.flows.remove(&key);
            }
        }
        self.flows.len() < limits::CONNECTIONS
    }
}
