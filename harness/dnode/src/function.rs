//! Functions: those of this end, which a peer may call, and those of a peer, which this end may call.

use crate::shared::Shared;
use crate::{Error, Value};
use dnode_spec::message::Id;
use dnode_spec::session::{self, Handle};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// A function of either end. Its clones are the same function; two are equal where they are the same.
///
/// One of this end is a closure. It runs in the task of the connection that calls it, one call after another in the order in which they came, so
/// it must not block; what takes time is spawned, with the callback moved there. It may be used on several connections at once.
///
/// One of a peer's may be kept, called any number of times, and passed on, to another peer too: then calls of it go through here. When the last
/// clone is dropped this end forgets it, and says so to the peer where [`Peer::culls`](crate::Peer::culls) is set.
#[derive(Clone)]
pub struct Function(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    /// Tells all functions of the process apart, and so names this one to a session.
    serial: u64,
    body: Body,
}

enum Body {
    Many(Box<dyn Fn(Value) -> Result<(), Error> + Send + Sync>),
    Once(Mutex<Option<Answer>>),
    Theirs(Arc<Shared>, Id),
}

type Answer = Box<dyn FnOnce(Value) -> Result<(), Error> + Send>;

/// What a function of this end gives: nothing, or why it failed. The peer hears of neither, for the protocol has no errors and an answer is a
/// call of a callback; [`Peer::on_error`](crate::Peer::on_error) does.
pub trait Outcome {
    /// The outcome as a result.
    ///
    /// # Errors
    /// Why the function failed.
    fn result(self) -> Result<(), Error>;
}

impl Outcome for () {
    fn result(self) -> Result<(), Error> {
        Ok(())
    }
}

impl<E: Into<Error>> Outcome for Result<(), E> {
    fn result(self) -> Result<(), Error> {
        self.map_err(Into::into)
    }
}

impl Function {
    fn with(body: Body) -> Function {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        Function(Arc::new(Inner { serial: SERIAL.fetch_add(1, Ordering::Relaxed), body }))
    }

    /// A function of this end. It gets the array of its arguments, and lives until the peer culls it or the connection ends; a peer that never culls
    /// (npm dnode without its native module) keeps it until the end.
    ///
    /// A panic in it is caught: the call counts as made, nothing goes to the peer, the connection goes on, and
    /// [`Peer::on_error`](crate::Peer::on_error) is told. (In a program that is built to abort on a panic, the process ends.)
    pub fn new<O: Outcome>(body: impl Fn(Value) -> O + Send + Sync + 'static) -> Function {
        Function::with(Body::Many(Box::new(move |arguments| body(arguments).result())))
    }

    /// As [`Function::new`], for one call: later ones do nothing, and after the first this end forgets the function whether the peer culls or not.
    pub fn once<O: Outcome>(body: impl FnOnce(Value) -> O + Send + 'static) -> Function {
        let body: Answer = Box::new(move |arguments| body(arguments).result());
        Function::with(Body::Once(Mutex::new(Some(body))))
    }

    /// A function of the peer's.
    pub(crate) fn theirs(shared: Arc<Shared>, id: Id) -> Function {
        Function::with(Body::Theirs(shared, id))
    }

    /// Calls it. One of the peer's is sent a message, and that is all: what it answers is a call of a function in the arguments. One of this end runs here and now.
    ///
    /// # Errors
    /// [`Error::Ended`] and its like where the connection is over, [`Error::Culled`] where it was given back, [`Error::Behind`] where too much waits to be
    /// written, except in a function that the same peer has called: the answers to what a peer said are not refused, and reading waits for them instead.
    pub fn call(&self, arguments: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        self.apply(Value::array(arguments))
    }

    /// Calls it with one more argument, a callback, and waits for the first call of that: gives the array of the callback's arguments. It waits with
    /// sending while too much waits to be written. Where the future is dropped, an answer that comes later does nothing.
    ///
    /// # Errors
    /// Those of [`Function::call`]; why the connection ended, where it ends first; [`Error::NoAnswer`] where the peer culls the callback.
    pub async fn ask(&self, arguments: impl IntoIterator<Item = Value>) -> Result<Value, Error> {
        let (send, receive) = oneshot::channel();
        let callback = Function::once(move |answer| {
            // Nobody waits any more: that is allowed.
            let _ = send.send(answer);
        });
        let shared = match &self.0.body {
            Body::Theirs(shared, _) => Some(shared),
            _ => None,
        };
        let arguments = Value::array(arguments.into_iter().chain([Value::from(&callback)]));
        if let Some(shared) = shared {
            shared.room().await;
        }
        let _forgets = Forgets(shared, Handle(callback.0.serial));
        // From here on only the connection keeps it: when that lets go of it, the wait is over.
        drop(callback);
        self.apply(arguments)?;
        let why = || shared.and_then(|shared| shared.ended()).unwrap_or(Error::NoAnswer);
        receive.await.map_err(|_| why())
    }

    /// Gives a function of the peer's back: the peer may drop it, and this end does not call it again, by any clone, unless the peer sends it anew. One of this end stays as
    /// it is, for it is the peer who gives that back.
    ///
    /// # Errors
    /// Why the connection has ended, or [`Error::Culled`] where it was given back before.
    pub fn cull(&self) -> Result<(), Error> {
        match &self.0.body {
            Body::Theirs(shared, id) => shared.cull(*id),
            _ => Ok(()),
        }
    }

    /// Runs it, or sends the message.
    pub(crate) fn apply(&self, arguments: Value) -> Result<(), Error> {
        match &self.0.body {
            Body::Many(body) => body(arguments),
            Body::Once(body) => {
                let body = body.lock().unwrap_or_else(PoisonError::into_inner).take();
                body.map_or(Ok(()), |body| body(arguments))
            }
            Body::Theirs(shared, id) => shared.say(*id, arguments),
        }
    }

    /// What it is to the session of this connection: a function of another one's peer is one of ours there.
    pub(crate) fn mark(&self, on: &Arc<Shared>) -> session::Function {
        match &self.0.body {
            Body::Theirs(shared, id) if Arc::ptr_eq(shared, on) => session::Function::Theirs(*id),
            _ => session::Function::Own(Handle(self.0.serial)),
        }
    }

    /// Whether it is for one call.
    pub(crate) fn is_once(&self) -> bool {
        matches!(self.0.body, Body::Once(_))
    }
}

/// Forgets the callback of a question, however the question ends.
struct Forgets<'s>(Option<&'s Arc<Shared>>, Handle);

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.forget(session::Function::Own(self.1));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Body::Theirs(shared, id) = &self.body {
            shared.dropped(*id);
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.0.serial == other.0.serial
    }
}

impl Eq for Function {}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.body {
            Body::Theirs(_, id) => write!(f, "function {id} of the peer"),
            _ => f.write_str("own function"),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
