//! Functions of this end, which the peer may call, and functions of the peer, which this end may
//! call.

use super::types::{Body, Function, Inner, Link, OnceBody, Value};
use crate::error::Error;
use dnode_spec::message::Id;
use dnode_spec::session::{self, Handle};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The types that a function of this end may return: `()`, or a `Result<(), E>` whose error
/// converts into [`Error`], such as a text.
///
/// The peer sees neither: the protocol has no return values and no errors. An answer is a call of a
/// callback, and an error goes to [`Peer::on_error`](crate::Peer::on_error).
pub trait IntoResult {
    /// Converts the returned value.
    ///
    /// # Errors
    /// Why the function failed.
    fn into_result(self) -> Result<(), Error>;
}

impl IntoResult for () {
    fn into_result(self) -> Result<(), Error> {
        Ok(())
    }
}

impl<E: Into<Error>> IntoResult for Result<(), E> {
    fn into_result(self) -> Result<(), Error> {
        self.map_err(Into::into)
    }
}

impl Function {
    fn with(body: Body) -> Function {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        Function(Arc::new(Inner { serial: SERIAL.fetch_add(1, Ordering::Relaxed), body }))
    }

    /// A function of this end. It gets the array of its arguments.
    ///
    /// It lives until the peer culls it or the connection ends. Some peers never cull (npm dnode
    /// without its native module `weak`): they keep it until the end.
    ///
    /// A panic in it is caught: the connection goes on, and
    /// [`Peer::on_error`](crate::Peer::on_error) gets [`Error::Panicked`]. A program that is built
    /// with `panic = "abort"` ends.
    pub fn new<R: IntoResult>(body: impl Fn(Value) -> R + Send + Sync + 'static) -> Function {
        Function::with(Body::Own(Box::new(move |arguments| body(arguments).into_result())))
    }

    /// A function of this end for one call. Later calls do nothing, and this end forgets the
    /// function after the first one, even if the peer does not cull it.
    pub fn once<R: IntoResult>(body: impl FnOnce(Value) -> R + Send + 'static) -> Function {
        let body: OnceBody = Box::new(move |arguments| body(arguments).into_result());
        Function::with(Body::OwnOnce(Mutex::new(Some(body))))
    }

    /// A function of the peer.
    pub(super) fn remote(link: Arc<dyn Link>, id: Id) -> Function {
        Function::with(Body::Remote(link, id))
    }

    /// Calls the function. Of a peer's function, this queues one message: an answer arrives as a
    /// call of a function in the arguments. A function of this end runs before `call` returns.
    ///
    /// # Errors
    /// - [`Error::PeerClosed`], [`Error::Closed`], [`Error::Broken`] or [`Error::InvalidMessage`],
    ///   if the connection has ended.
    /// - [`Error::Culled`], if the function was given back.
    /// - [`Error::Backlog`], if too many bytes wait to be written. A function of this end that the
    ///   same peer is calling does not get this error, because reading waits for its answers
    ///   instead.
    /// - the function's own error, if it is a function of this end.
    pub fn call(&self, arguments: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        self.apply(Value::array(arguments))
    }

    /// Calls the function with a callback as the last argument, and waits for the first call of
    /// that callback. Returns the array of the callback's arguments.
    ///
    /// If too many bytes wait to be written, it waits instead of failing. It has no deadline: use
    /// `tokio::time::timeout`. If the future is dropped, a later answer does nothing.
    ///
    /// # Errors
    /// Those of [`Function::call`], also if the connection ends before the answer; and
    /// [`Error::NoAnswer`], if the peer culls the callback without calling it.
    pub async fn ask(&self, arguments: impl IntoIterator<Item = Value>) -> Result<Value, Error> {
        let (send, receive) = oneshot::channel();
        let callback = Function::once(move |answer| {
            // The caller may have dropped the future.
            let _ = send.send(answer);
        });
        let link = self.remote_id().map(|(link, _)| link);
        let arguments = Value::array(arguments.into_iter().chain([Value::from(&callback)]));
        if let Some(link) = link {
            link.wait_for_room().await;
        }
        let _guard = ForgetOnDrop(link, callback.handle());
        // Now only the connection holds the callback. If it drops it, the channel closes and the
        // wait ends.
        drop(callback);
        self.apply(arguments)?;
        let why = || link.and_then(|link| link.ended()).unwrap_or(Error::NoAnswer);
        receive.await.map_err(|_| why())
    }

    /// Gives a function of the peer back with the message `cull`, so that the peer may drop it. No
    /// clone can call it any more, unless the peer sends it again. The protocol document does not
    /// mention `cull`; npm dnode 1.0 and later send it.
    ///
    /// A function of this end stays as it is, because only the peer can give it back.
    ///
    /// # Errors
    /// Why the connection has ended, or [`Error::Culled`] if the function was given back before.
    pub fn cull(&self) -> Result<(), Error> {
        match &self.0.body {
            Body::Remote(link, id) => link.cull(*id),
            _ => Ok(()),
        }
    }

    /// Runs the closure, or sends the message.
    pub(crate) fn apply(&self, arguments: Value) -> Result<(), Error> {
        match &self.0.body {
            Body::Own(body) => body(arguments),
            Body::OwnOnce(body) => {
                let body = body.lock().unwrap_or_else(PoisonError::into_inner).take();
                body.map_or(Ok(()), |body| body(arguments))
            }
            Body::Remote(link, id) => Arc::clone(link).call(*id, arguments),
        }
    }

    /// The id and the connection of a peer's function.
    pub(super) fn remote_id(&self) -> Option<(&Arc<dyn Link>, Id)> {
        match &self.0.body {
            Body::Remote(link, id) => Some((link, *id)),
            Body::Own(_) | Body::OwnOnce(_) => None,
        }
    }

    /// The name of a function of this end in sessions.
    pub(super) fn handle(&self) -> Handle {
        Handle(self.0.serial)
    }

    /// Whether it is a function for one call.
    pub(crate) fn is_once(&self) -> bool {
        matches!(self.0.body, Body::OwnOnce(_))
    }
}

/// Forgets the callback of [`Function::ask`], also if the future is dropped.
struct ForgetOnDrop<'s>(Option<&'s Arc<dyn Link>>, Handle);

impl Drop for ForgetOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(link) = self.0 {
            link.forget(session::Function::Own(self.1));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Body::Remote(link, id) = &self.body {
            link.dropped(*id);
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
            Body::Remote(_, id) => write!(f, "function {id} of the peer"),
            _ => f.write_str("own function"),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
