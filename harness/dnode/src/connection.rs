//! One connection: the task that moves its bytes and runs what the peer calls, and what the caller has of it.

use crate::peer::Watch;
use crate::shared::{Shared, Step};
use crate::transport::{DRAIN, Duplex, drain};
use crate::{Error, Function, Value};
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

/// The other end of a connection. Its clones are the same end; having one does not keep the connection open.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    pub(crate) fn new(shared: Arc<Shared>) -> Remote {
        Remote { shared }
    }

    /// Its object, the one that it sent last; missing before it has sent one and when the connection is over.
    #[must_use]
    pub fn object(&self) -> Value {
        self.shared.remote().unwrap_or_else(Value::missing)
    }

    /// Waits until it has sent its object.
    ///
    /// # Errors
    /// Why the connection ended before.
    pub async fn ready(&self) -> Result<Value, Error> {
        self.shared.ready().await
    }

    /// The function of this name in its object.
    ///
    /// # Errors
    /// Why the connection has ended, or [`Error::NoMethod`].
    pub fn method(&self, name: &str) -> Result<Function, Error> {
        match self.object().get(name).function() {
            Some(function) => Ok(function.clone()),
            None => Err(self.shared.ended().unwrap_or_else(|| Error::NoMethod(name.to_owned()))),
        }
    }

    /// Calls a function of its object: by the id that it declared, as all known ports take it. See [`Function::call`].
    ///
    /// # Errors
    /// Those of [`Remote::method`] and [`Function::call`].
    pub fn call(&self, name: &str, arguments: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        self.method(name)?.call(arguments)
    }

    /// The same with a callback as the last argument, and waits for the first call of that. See [`Function::ask`].
    ///
    /// # Errors
    /// Those of [`Remote::method`] and [`Function::ask`].
    pub async fn ask(&self, name: &str, arguments: impl IntoIterator<Item = Value>) -> Result<Value, Error> {
        let method = self.method(name)?;
        method.ask(arguments).await
    }

    /// Closes the connection once all that was said is written. What the peer answers within a second still comes.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Waits until the connection is over, and says why.
    pub async fn ended(&self) -> Error {
        self.shared.over().await
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.object())
    }
}

/// A connection whose task runs by itself. It [is](Deref) the remote end too. Where it is dropped the connection is closed at once, and
/// what waits to be written is lost: [`Connection::close`] closes in order.
#[derive(Debug)]
pub struct Connection {
    remote: Remote,
    task: JoinHandle<Result<(), Error>>,
}

impl Connection {
    pub(crate) fn new(remote: Remote, task: JoinHandle<Result<(), Error>>) -> Connection {
        Connection { remote, task }
    }

    /// Closes the connection once all that was said is written, and waits until it is over.
    ///
    /// # Errors
    /// What the stream says, or what the peer did that ended it.
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

/// What moves the bytes of one connection.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    watch: Watch,
}

/// How the reading came to its end.
enum Heard {
    /// The peer has closed its half.
    All,
    /// A line after which nothing is understood.
    Nonsense(Option<Error>),
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, watch: Watch) -> Driver {
        Driver { shared, watch }
    }

    /// Moves bytes until the connection is over. `Ok` where either end has closed it.
    pub(crate) async fn run<S: Duplex>(self, stream: S) -> Result<(), Error> {
        let outcome = self.drive(stream).await;
        if let Err(error) = &outcome {
            self.shared.end(error.clone());
        }
        outcome
    }

    async fn drive<S: Duplex>(&self, stream: S) -> Result<(), Error> {
        let (mut from, mut to) = tokio::io::split(stream);
        let heard = {
            let (mut read, mut write) = (pin!(self.read(&mut from)), pin!(self.write(&mut to)));
            tokio::select! {
                heard = &mut read => {
                    if let Ok(heard) = &heard {
                        self.shared.end(heard.why());
                        write.await?;
                    }
                    heard
                }
                written = &mut write => {
                    written?;
                    // This end has closed: what was asked before may still be answered.
                    tokio::time::timeout(DRAIN, read).await.unwrap_or(Ok(Heard::All))
                }
            }
        }?;
        // Our half was closed when all was written.
        drain(from.unsplit(to)).await?;
        match heard {
            Heard::All | Heard::Nonsense(None) => Ok(()),
            Heard::Nonsense(Some(error)) => Err(error),
        }
    }

    /// Hears the peer until it is silent. Reading waits while too many answers wait to be written.
    async fn read<S: Duplex>(&self, from: &mut ReadHalf<S>) -> Result<Heard, Error> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return Ok(Heard::All);
            }
            // Line by line: what a line caused is said before the next one can end the session.
            for line in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
                self.shared.feed(line);
                while let Some(step) = self.shared.step() {
                    match step {
                        Step::End(why) => return Ok(Heard::Nonsense(why)),
                        step => self.act(step),
                    }
                }
                self.shared.answered().await;
            }
        }
    }

    fn act(&self, step: Step) {
        match step {
            Step::Call(function, arguments) => {
                let run = AssertUnwindSafe(|| function.apply(arguments));
                let outcome = self.shared.handle(|| catch_unwind(run));
                if function.is_once() {
                    self.shared.forget(function.mark(&self.shared));
                }
                let outcome = outcome.unwrap_or_else(|panic| Err(Error::Panicked(words(&*panic))));
                if let Err(error) = outcome {
                    (self.watch)(&error);
                }
            }
            Step::Refused(error) => (self.watch)(&error),
            Step::Done(..) | Step::End(_) => {}
        }
    }

    /// Writes what is said, until all is said and the connection is to be closed.
    async fn write<S: Duplex>(&self, to: &mut WriteHalf<S>) -> Result<(), Error> {
        while let Some(bytes) = self.shared.output().await {
            to.write_all(&bytes).await?;
            to.flush().await?;
        }
        to.shutdown().await?;
        Ok(())
    }
}

/// However the task ends, whoever waits for an answer hears of it.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(Error::Closed);
    }
}

impl Heard {
    fn why(&self) -> Error {
        match self {
            Heard::Nonsense(Some(error)) => error.clone(),
            Heard::All | Heard::Nonsense(None) => Error::Ended,
        }
    }
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".to_owned())
}
