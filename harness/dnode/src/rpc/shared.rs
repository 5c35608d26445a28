//! The state of a connection. The connection's task shares it with the functions of the peer.
//!
//! Two rules keep it simple:
//! - No code of the caller runs while the lock is held, and no value of the caller is dropped: a
//!   closure may call back into the connection.
//! - Every wait waits for [`Shared::changed`], and then looks at the state again.
//!
//! Two kinds of waiting bound the memory. *Answers* are the calls that functions of this end make
//! while the peer calls them: if too many bytes of answers are unsent, the task stops reading.
//! Other calls do not stop the reading, because two ends that both call would then wait for each
//! other forever. They are refused instead.

use super::outbox::Outbox;
use super::types::{Function, Inner, Link, Value};
use crate::error::Error;
use dnode_spec::graph::{Graph, NodeId};
use dnode_spec::message::{Id, Method};
use dnode_spec::session::{self, Handle, Session};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// The shared state of a connection.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Functions of the peer whose last clone was dropped. They have a lock of their own, because
    /// that may happen while `state` is locked.
    dropped: Mutex<Vec<Id>>,
    changed: Notify,
    unsent_limit: usize,
    culls: bool,
}

struct State {
    session: Session,
    /// The functions that the peer may call: ours, and its own that were passed back to it.
    declared: HashMap<session::Function, Function>,
    /// The functions of our object. They stay if the peer culls their ids, because it can still
    /// call them by name.
    offered: HashSet<session::Function>,
    /// The functions of the peer that this end holds.
    held: HashMap<Id, Weak<Inner>>,
    /// The peer's object.
    remote: Option<Value>,
    outbox: Outbox,
    closing: bool,
    ended: Option<Error>,
}

/// An action of the peer. The connection's task handles it without the lock.
pub(crate) enum Step {
    Call(Function, Value),
    Invalid(Error),
    /// There is nothing to do.
    Done,
    End(Option<Error>),
}

thread_local! {
    /// The connection whose peer is calling a function on this thread.
    static ANSWERING: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

impl Shared {
    pub(crate) fn new(line_limit: usize, unsent_limit: usize, culls: bool) -> Shared {
        let state = State {
            session: Session::new(line_limit),
            declared: HashMap::new(),
            offered: HashSet::new(),
            held: HashMap::new(),
            remote: None,
            outbox: Outbox::default(),
            closing: false,
            ended: None,
        };
        Shared {
            state: Mutex::new(state),
            dropped: Mutex::default(),
            changed: Notify::new(),
            unsent_limit,
            culls,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something.
    async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.state()) {
                return found;
            }
            changed.await;
        }
    }

    /// The name of a function in the session of this connection. A function of another connection's
    /// peer is one of ours here.
    pub(crate) fn key(&self, function: &Function) -> session::Function {
        match function.remote_id() {
            Some((link, id)) if std::ptr::addr_eq(Arc::as_ptr(link), self) => session::Function::Theirs(id),
            _ => session::Function::Own(function.handle()),
        }
    }

    /// Replaces the functions of a graph by their keys in the session, and returns both.
    fn keyed(
        self: &Arc<Self>,
        graph: Graph<Function>,
    ) -> (Graph<session::Function>, Vec<(session::Function, Function)>) {
        let mut functions = Vec::new();
        let graph = graph.map(|function| {
            let key = self.key(&function);
            functions.push((key, function));
            key
        });
        (graph, functions)
    }

    /// Offers our object.
    pub(crate) fn start(self: &Arc<Self>, object: Value) {
        let (graph, object) = object.into_graph();
        let (graph, functions) = self.keyed(graph);
        let mut state = self.state();
        state.session.start(graph, object);
        state.offered.extend(functions.iter().map(|(key, _)| *key));
        state.declared.extend(functions);
        state.collect_output(false);
    }

    /// Forgets the functions of the peer that were dropped, except those that the peer has sent
    /// again since.
    ///
    /// It must not run between a line and that line's event, or it could forget a function that the
    /// line has just declared.
    fn sweep(&self, state: &mut State) {
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for id in dropped {
            if state.held.get(&id).is_none_or(|held| held.strong_count() > 0) {
                continue;
            }
            state.held.remove(&id);
            if self.culls {
                // It fails only if the session is over.
                let _ = state.session.cull(id);
            } else {
                state.session.forget(session::Function::Theirs(id));
            }
        }
        state.collect_output(false);
    }

    /// Takes bytes from the peer.
    pub(crate) fn feed(&self, bytes: &[u8]) {
        let mut state = self.state();
        self.sweep(&mut state);
        state.session.feed(bytes);
        // The session passes calls of the peer's own functions back to it. They are answers.
        state.collect_output(true);
        drop(state);
        self.changed.notify_waiters();
    }

    /// The next action of the peer.
    pub(crate) fn step(self: &Arc<Self>) -> Option<Step> {
        // Declared before the lock, so dropped after it.
        let (mut old_objects, mut culled) = (Vec::new(), Vec::new());
        let mut state = self.state();
        let event = state.session.poll_event()?;
        Some(match event {
            session::Event::Called(handle, graph, list) => {
                match state.declared.get(&session::Function::Own(handle)).cloned() {
                    Some(function) => Step::Call(function, self.value(&mut state, graph, list)),
                    None => Step::Done,
                }
            }
            session::Event::Remote(graph, object) => {
                let remote = match object {
                    Some(object) => self.value(&mut state, graph, object),
                    None => Value::missing(),
                };
                old_objects.extend(state.remote.replace(remote));
                drop(state);
                self.changed.notify_waiters();
                Step::Done
            }
            session::Event::Culled(_, gone) => {
                let State { declared, offered, .. } = &mut *state;
                let gone = gone.iter().filter(|key| !offered.contains(key));
                culled.extend(gone.filter_map(|key| declared.remove(key)));
                Step::Done
            }
            // Only dialect 0.1 has it.
            session::Event::Error(..) => Step::Done,
            session::Event::Refused(problem) => Step::Invalid(Error::invalid_message(problem)),
            session::Event::Ended(problem) => Step::End(problem.map(Error::invalid_message)),
        })
    }

    /// Makes a value of received arguments. A function that this end already holds stays the same
    /// function.
    fn value(self: &Arc<Self>, state: &mut State, graph: Graph<session::Function>, node: NodeId) -> Value {
        let graph = graph.map(|key| match key {
            session::Function::Theirs(id) => {
                let held = state.held.get(&id).and_then(Weak::upgrade).map(Function);
                held.unwrap_or_else(|| {
                    let function = Function::remote(self.clone(), id);
                    state.held.insert(id, Arc::downgrade(&function.0));
                    function
                })
            }
            // Events of a session have only functions of the other end.
            session::Function::Own(Handle(_)) => Function::new(|_| ()),
        });
        Value::new(graph, node)
    }

    /// Runs a function that the peer calls. The calls that it makes of the same peer are answers.
    pub(crate) fn answering<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        let before = ANSWERING.replace(&raw const **self);
        let result = run();
        ANSWERING.set(before);
        result
    }

    /// Waits for the next bytes to write; the bytes before them are written. `None` if all is
    /// written and the connection is closing.
    pub(crate) async fn output(&self) -> Option<Vec<u8>> {
        {
            let mut state = self.state();
            state.outbox.written();
        }
        self.changed.notify_waiters();
        self.until(|state| {
            self.sweep(state);
            match state.outbox.take() {
                Some(bytes) => Some(Some(bytes)),
                None => state.closing.then_some(None),
            }
        })
        .await
    }

    /// Waits until there is room for more answers.
    pub(crate) async fn wait_for_room_for_answers(&self) {
        self.until(|state| (state.outbox.unsent_answers() < self.unsent_limit).then_some(())).await;
    }

    /// Waits for the peer's object.
    pub(crate) async fn ready(&self) -> Result<Value, Error> {
        self.until(|state| match &state.remote {
            Some(remote) => Some(Ok(remote.clone())),
            None => state.ended.clone().map(Err),
        })
        .await
    }

    /// The peer's object.
    pub(crate) fn remote(&self) -> Option<Value> {
        self.state().remote.clone()
    }

    /// Waits for the end of the connection, and returns the reason.
    pub(crate) async fn wait_for_end(&self) -> Error {
        self.until(|state| state.ended.clone()).await
    }

    /// Closes the connection when all is written. No more calls are accepted.
    pub(crate) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_waiters();
    }

    /// Ends the connection: neither end calls anything any more, and all functions are dropped. The
    /// first reason stays.
    pub(crate) fn end(&self, why: Error) {
        let mut state = self.state();
        state.session.end();
        state.closing = true;
        state.ended.get_or_insert(why);
        let declared = std::mem::take(&mut state.declared);
        let remote = state.remote.take();
        state.held.clear();
        drop(state);
        drop((declared, remote));
        self.changed.notify_waiters();
    }
}

impl Link for Shared {
    fn call(self: Arc<Self>, id: Id, arguments: Value) -> Result<(), Error> {
        let (graph, list) = arguments.into_graph();
        // Declared before the lock, so dropped after it.
        let (graph, mut functions) = self.keyed(graph);
        let mut state = self.state();
        state.check_open()?;
        let is_answer = ANSWERING.with(|answering| std::ptr::eq(answering.get(), Arc::as_ptr(&self)));
        let unsent = state.outbox.unsent();
        if !is_answer && unsent >= self.unsent_limit {
            return Err(Error::Backlog(unsent));
        }
        state.session.call(&Method::Id(id), &graph, list).map_err(Error::refused_call)?;
        for (key, function) in functions.drain(..) {
            state.declared.entry(key).or_insert(function);
        }
        state.collect_output(is_answer);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn cull(&self, id: Id) -> Result<(), Error> {
        let mut state = self.state();
        state.check_open()?;
        state.session.cull(id).map_err(Error::refused_call)?;
        state.held.remove(&id);
        state.collect_output(false);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn dropped(&self, id: Id) {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.changed.notify_waiters();
    }

    fn forget(&self, function: session::Function) {
        let mut state = self.state();
        state.session.forget(function);
        let forgotten = state.declared.remove(&function);
        drop(state);
        drop(forgotten);
    }

    fn ended(&self) -> Option<Error> {
        self.state().ended.clone()
    }

    fn wait_for_room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.until(|state| {
            (state.ended.is_some() || state.outbox.unsent() < self.unsent_limit).then_some(())
        }))
    }
}

impl State {
    /// Fails if no more calls are accepted.
    fn check_open(&self) -> Result<(), Error> {
        match &self.ended {
            Some(why) => Err(why.clone()),
            None if self.closing => Err(Error::Closed),
            None => Ok(()),
        }
    }

    /// Moves the session's output to the outbox.
    fn collect_output(&mut self, is_answer: bool) {
        while let Some(line) = self.session.poll_output() {
            self.outbox.push(line, is_answer);
        }
    }
}
