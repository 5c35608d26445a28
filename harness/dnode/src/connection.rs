//! One connection: the task that moves its bytes and runs the functions that the peer calls, and
//! the handles to it.

use crate::error::Error;
use crate::rpc::{Function, Link, Shared, Step, Value};
use crate::transport::{DRAIN, Duplex, drain};
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

/// Gets the errors that concern no caller.
pub(crate) type OnError = Arc<dyn Fn(&Error) + Send + Sync>;

/// The other end of a connection. Clones are the same end, and do not keep the connection open.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    pub(crate) fn new(shared: Arc<Shared>) -> Remote {
        Remote { shared }
    }

    /// The peer's object. It is [missing](Value::is_missing) before the peer has sent it, and after
    /// the connection has ended. If the peer sends another object, that replaces the first one, as
    /// with npm dnode.
    #[must_use]
    pub fn object(&self) -> Value {
        self.shared.remote().unwrap_or_else(Value::missing)
    }

    /// Waits for the peer's object. It has no deadline: use `tokio::time::timeout`.
    ///
    /// # Errors
    /// Why the connection ended before.
    pub async fn ready(&self) -> Result<Value, Error> {
        self.shared.ready().await
    }

    /// The function of this name in the peer's object. Calls use the id that the peer declared for
    /// it ("methods", sentence 5).
    ///
    /// # Errors
    /// [`Error::NoMethod`], or why the connection has ended.
    pub fn method(&self, name: &str) -> Result<Function, Error> {
        match self.object().get(name).as_function() {
            Some(function) => Ok(function.clone()),
            None => Err(self.shared.ended().unwrap_or_else(|| Error::NoMethod(name.to_owned()))),
        }
    }

    /// Calls a function of the peer's object: see [`Function::call`].
    ///
    /// # Errors
    /// Those of [`Remote::method`] and [`Function::call`].
    pub fn call(&self, name: &str, arguments: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        self.method(name)?.call(arguments)
    }

    /// Calls a function of the peer's object with a callback as the last argument, and waits for
    /// the answer: see [`Function::ask`].
    ///
    /// # Errors
    /// Those of [`Remote::method`] and [`Function::ask`].
    pub async fn ask(&self, name: &str, arguments: impl IntoIterator<Item = Value>) -> Result<Value, Error> {
        let method = self.method(name)?;
        method.ask(arguments).await
    }

    /// Closes the connection when all calls are written. No more calls are accepted. The peer's
    /// answers are still received for one second.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Waits until the connection is over, and returns the reason. After an orderly end that is
    /// [`Error::PeerClosed`] or [`Error::Closed`].
    pub async fn ended(&self) -> Error {
        self.shared.wait_for_end().await
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.object())
    }
}

/// A connection that runs in its own task. It dereferences to its [`Remote`].
///
/// Dropping it closes the connection at once, and loses the calls that are not written yet.
/// [`Connection::close`] closes it in order.
#[derive(Debug)]
pub struct Connection {
    remote: Remote,
    task: JoinHandle<Result<(), Error>>,
}

impl Connection {
    pub(crate) fn new(remote: Remote, task: JoinHandle<Result<(), Error>>) -> Connection {
        Connection { remote, task }
    }

    /// Closes the connection as [`Remote::close`] does, and waits until it is over.
    ///
    /// # Errors
    /// [`Error::Broken`], [`Error::InvalidMessage`] or [`Error::Panicked`], if the connection did
    /// not end in order.
    pub async fn close(mut self) -> Result<(), Error> {
        self.remote.close();
        match (&mut self.task).await {
            Ok(ended) => ended,
            Err(panicked) => Err(Error::Panicked(panicked.to_string())),
        }
    }
}

impl Deref for Connection {
    type Target = Remote;

    fn deref(&self) -> &Remote {
        &self.remote
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Moves the bytes of one connection, and runs the functions that the peer calls.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    on_error: OnError,
}

/// How the input ended.
enum InputEnd {
    /// The peer closed its sending half.
    Closed,
    /// The peer sent a line that is not JSON.
    Invalid(Option<Error>),
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, on_error: OnError) -> Driver {
        Driver { shared, on_error }
    }

    /// Runs until the connection is over. `Ok` if either end closed it.
    pub(crate) async fn run<S: Duplex>(self, stream: S) -> Result<(), Error> {
        let result = self.drive(stream).await;
        if let Err(error) = &result {
            self.shared.end(error.clone());
        }
        result
    }

    async fn drive<S: Duplex>(&self, stream: S) -> Result<(), Error> {
        let (mut from, mut to) = tokio::io::split(stream);
        let end = {
            let (mut read, mut write) = (pin!(self.read(&mut from)), pin!(self.write(&mut to)));
            tokio::select! {
                end = &mut read => {
                    if let Ok(end) = &end {
                        self.shared.end(end.reason());
                        write.await?;
                    }
                    end
                }
                written = &mut write => {
                    written?;
                    // This end has closed. The peer may still answer earlier calls.
                    tokio::time::timeout(DRAIN, read).await.unwrap_or(Ok(InputEnd::Closed))
                }
            }
        }?;
        // `write` has closed the sending half.
        drain(from.unsplit(to)).await.map_err(Error::broken)?;
        match end {
            InputEnd::Closed | InputEnd::Invalid(None) => Ok(()),
            InputEnd::Invalid(Some(error)) => Err(error),
        }
    }

    /// Reads until the input ends. Reading pauses while too many answers wait to be written.
    async fn read<S: Duplex>(&self, from: &mut ReadHalf<S>) -> Result<InputEnd, Error> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut buffer).await.map_err(Error::broken)?;
            if count == 0 {
                return Ok(InputEnd::Closed);
            }
            // Line by line, so that the calls of a line are answered before a later invalid line
            // ends the session.
            for line in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
                self.shared.feed(line);
                while let Some(step) = self.shared.step() {
                    match step {
                        Step::End(why) => return Ok(InputEnd::Invalid(why)),
                        step => self.act(step),
                    }
                }
                self.shared.wait_for_room_for_answers().await;
            }
        }
    }

    fn act(&self, step: Step) {
        match step {
            Step::Call(function, arguments) => {
                let run = AssertUnwindSafe(|| function.apply(arguments));
                let result = self.shared.answering(|| catch_unwind(run));
                if function.is_once() {
                    self.shared.forget(self.shared.key(&function));
                }
                let result = result.unwrap_or_else(|panic| Err(Error::Panicked(panic_message(&*panic))));
                if let Err(error) = result {
                    (self.on_error)(&error);
                }
            }
            Step::Invalid(error) => (self.on_error)(&error),
            Step::Done | Step::End(_) => {}
        }
    }

    /// Writes lines until the connection closes and all is written, then closes the sending half.
    async fn write<S: Duplex>(&self, to: &mut WriteHalf<S>) -> Result<(), Error> {
        while let Some(bytes) = self.shared.output().await {
            to.write_all(&bytes).await.map_err(Error::broken)?;
            to.flush().await.map_err(Error::broken)?;
        }
        to.shutdown().await.map_err(Error::broken)
    }
}

/// Ends every wait and drops all functions, however the task ends.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(Error::Closed);
    }
}

impl InputEnd {
    fn reason(&self) -> Error {
        match self {
            InputEnd::Invalid(Some(error)) => error.clone(),
            InputEnd::Closed | InputEnd::Invalid(None) => Error::PeerClosed,
        }
    }
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
