//! What the task of a connection and the functions that outlive a call share: the session, and what waits to be written.
//!
//! Two rules keep it simple. Nothing of the caller's runs, or is dropped, while the lock is held: a closure may call back into the connection.
//! And whoever waits for anything waits for [`Shared::changed`] and looks again.
//!
//! Memory is bounded by two kinds of waiting. *Answers*, which functions of this end say while they are called, stop the reading of more calls where they are too
//! many. What this end says by itself does not stop reading, or two ends that both talk would wait for each other for ever; it is refused instead.

use crate::outbox::Outbox;
use crate::{Error, Function, Value, function};
use dnode_spec::graph::{Graph, NodeId};
use dnode_spec::message::{Id, Method};
use dnode_spec::session::{self, CallError, Handle, Session};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// The shared state of one connection.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Functions of the peer's whose last clone was dropped; apart from the state, for that may happen while it is locked.
    dropped: Mutex<Vec<Id>>,
    changed: Notify,
    limit: usize,
    culls: bool,
}

struct State {
    session: Session,
    /// What the peer may call by id, and what it was given back of its own.
    declared: HashMap<session::Function, Function>,
    /// The functions of our object: their names stay when the peer culls their ids.
    offered: HashSet<session::Function>,
    held: HashMap<Id, Weak<function::Inner>>,
    remote: Option<Value>,
    outbox: Outbox,
    closing: bool,
    ended: Option<Error>,
}

/// What the peer did, for the task to act on without the lock.
pub(crate) enum Step {
    Call(Function, Value),
    Refused(Error),
    /// Something that takes no act; what was replaced or let go of is dropped with it.
    Done(
        #[expect(dead_code, reason = "it is there to be dropped")] Option<Value>,
        #[expect(dead_code, reason = "the same")] Vec<Function>,
    ),
    End(Option<Error>),
}

thread_local! {
    /// The connection whose call is being handled on this thread.
    static HANDLING: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

impl Shared {
    pub(crate) fn new(line: usize, limit: usize, culls: bool) -> Shared {
        let state = State {
            session: Session::new(line),
            declared: HashMap::new(),
            offered: HashSet::new(),
            held: HashMap::new(),
            remote: None,
            outbox: Outbox::default(),
            closing: false,
            ended: None,
        };
        Shared { state: Mutex::new(state), dropped: Mutex::default(), changed: Notify::new(), limit, culls }
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

    /// The functions of a graph as the session knows them, and the functions themselves.
    fn marked(
        self: &Arc<Self>,
        graph: Graph<Function>,
    ) -> (Graph<session::Function>, Vec<(session::Function, Function)>) {
        let mut functions = Vec::new();
        let graph = graph.map(|function| {
            let mark = function.mark(self);
            functions.push((mark, function));
            mark
        });
        (graph, functions)
    }

    /// Offers our object.
    pub(crate) fn start(self: &Arc<Self>, object: Value) {
        let (graph, object) = object.into_graph();
        let (graph, functions) = self.marked(graph);
        let mut state = self.state();
        state.session.start(graph, object);
        state.offered.extend(functions.iter().map(|(mark, _)| *mark));
        state.declared.extend(functions);
        state.collect(false);
    }

    /// Calls a function of the peer's.
    pub(crate) fn say(self: &Arc<Self>, id: Id, arguments: Value) -> Result<(), Error> {
        let (graph, list) = arguments.into_graph();
        // Dropped after the lock, where the call is not made.
        let (graph, mut functions) = self.marked(graph);
        let mut state = self.state();
        if let Some(why) = state.over() {
            return Err(why);
        }
        let answers = HANDLING.with(|handling| std::ptr::eq(handling.get(), &raw const **self));
        let waits = state.outbox.waits();
        if !answers && waits >= self.limit {
            return Err(Error::Behind(waits));
        }
        state.session.call(&Method::Id(id), &graph, list).map_err(fault)?;
        for (mark, function) in functions.drain(..) {
            state.declared.entry(mark).or_insert(function);
        }
        state.collect(answers);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Gives a function back.
    pub(crate) fn cull(&self, id: Id) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(why) = state.over() {
            return Err(why);
        }
        state.session.cull(id).map_err(fault)?;
        state.held.remove(&id);
        state.collect(false);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Forgets a function of ours.
    pub(crate) fn forget(&self, function: session::Function) {
        let mut state = self.state();
        state.session.forget(function);
        let forgotten = state.declared.remove(&function);
        drop(state);
        drop(forgotten);
    }

    /// The last clone of a function of the peer's is gone.
    pub(crate) fn dropped(&self, id: Id) {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.changed.notify_waiters();
    }

    /// Lets go of what was dropped, unless the peer has sent it again since. It never runs between a line and the event of that line, or a
    /// function could be forgotten that the line has just declared.
    fn sweep(&self, state: &mut State) {
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for id in dropped {
            if state.held.get(&id).is_none_or(|held| held.strong_count() > 0) {
                continue;
            }
            state.held.remove(&id);
            if self.culls {
                // It cannot be culled where the session is over: then there is nobody to tell.
                let _ = state.session.cull(id);
            } else {
                state.session.forget(session::Function::Theirs(id));
            }
        }
        state.collect(false);
    }

    /// Takes bytes of the peer's.
    pub(crate) fn feed(&self, bytes: &[u8]) {
        let mut state = self.state();
        self.sweep(&mut state);
        state.session.feed(bytes);
        // What the session passes on by itself is caused by what came.
        state.collect(true);
        drop(state);
        self.changed.notify_waiters();
    }

    /// The next thing that the peer did.
    pub(crate) fn step(self: &Arc<Self>) -> Option<Step> {
        let mut state = self.state();
        let event = state.session.poll_event()?;
        Some(match event {
            session::Event::Called(handle, graph, list) => {
                match state.declared.get(&session::Function::Own(handle)).cloned() {
                    Some(function) => Step::Call(function, self.value(&mut state, graph, list)),
                    None => Step::Done(None, Vec::new()),
                }
            }
            session::Event::Remote(graph, object) => {
                let remote = match object {
                    Some(object) => self.value(&mut state, graph, object),
                    None => Value::missing(),
                };
                let old = state.remote.replace(remote);
                drop(state);
                self.changed.notify_waiters();
                Step::Done(old, Vec::new())
            }
            session::Event::Culled(_, gone) => {
                let gone = gone.iter().filter(|mark| !state.offered.contains(mark)).copied();
                let gone: Vec<_> = gone.collect();
                Step::Done(None, gone.iter().filter_map(|mark| state.declared.remove(mark)).collect())
            }
            // Only dialect 0.1 has it.
            session::Event::Error(..) => Step::Done(None, Vec::new()),
            session::Event::Refused(problem) => Step::Refused(Error::Refused(problem)),
            session::Event::Ended(problem) => Step::End(problem.map(Error::Refused)),
        })
    }

    /// What came, with the functions that this end knows already where they are known.
    fn value(self: &Arc<Self>, state: &mut State, graph: Graph<session::Function>, node: NodeId) -> Value {
        let graph = graph.map(|mark| match mark {
            session::Function::Theirs(id) => {
                let known = state.held.get(&id).and_then(Weak::upgrade).map(Function);
                known.unwrap_or_else(|| {
                    let function = Function::theirs(Arc::clone(self), id);
                    state.held.insert(id, Arc::downgrade(&function.0));
                    function
                })
            }
            // A session gives functions of the other end only.
            session::Function::Own(Handle(_)) => Function::new(|_| ()),
        });
        Value::new(graph, node)
    }

    /// Runs a function that the peer calls; what it says are answers.
    pub(crate) fn handle<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        let before = HANDLING.replace(&raw const **self);
        let outcome = run();
        HANDLING.set(before);
        outcome
    }

    /// What is to be written next, all that was given before being written; none when all is written and the connection is to be closed.
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

    /// Waits until few answers wait: before more of the peer's calls are read.
    pub(crate) async fn answered(&self) {
        self.until(|state| (state.outbox.answers() < self.limit).then_some(())).await;
    }

    /// Waits until a call of this end's own would not be refused, or the connection is over.
    pub(crate) async fn room(&self) {
        self.until(|state| (state.ended.is_some() || state.outbox.waits() < self.limit).then_some(())).await;
    }

    /// The peer's object, the first time that it is there.
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

    /// Waits for the end of the connection.
    pub(crate) async fn over(&self) -> Error {
        self.until(|state| state.ended.clone()).await
    }

    /// Why the connection has ended.
    pub(crate) fn ended(&self) -> Option<Error> {
        self.state().ended.clone()
    }

    /// Nothing more is said after what waits; then the connection is closed.
    pub(crate) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_waiters();
    }

    /// The connection is over: nothing is called any more, by neither end, and all functions are let go of. The first reason stays.
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

impl State {
    /// Why nothing more can be said.
    fn over(&self) -> Option<Error> {
        self.ended.clone().or_else(|| self.closing.then_some(Error::Closed))
    }

    /// Takes what the session says.
    fn collect(&mut self, answers: bool) {
        while let Some(line) = self.session.poll_output() {
            self.outbox.push(line, answers);
        }
    }
}

/// Why a session makes no call.
fn fault(error: CallError) -> Error {
    match error {
        CallError::Ended => Error::Ended,
        CallError::NotCallable(id) => Error::Culled(id),
    }
}
