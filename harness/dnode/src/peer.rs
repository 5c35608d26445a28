//! A peer: the object that this end offers, its limits, and the ways to serve and to connect.

use crate::connection::{Connection, Driver, OnError, Remote, panic_message};
use crate::error::Error;
use crate::object::Object;
use crate::rpc::Shared;
use crate::transport::{self, Address, Duplex, Listener};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};

/// How long new connections wait while too many files are open.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether too many files are open, in the process (`EMFILE`) or on the machine (`ENFILE`). The
/// listener still works: connections that end make room again. The numbers are the same on every
/// Unix.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

type MakeObject = Arc<dyn Fn(&Remote) -> Object + Send + Sync>;

/// This end of any number of connections, as a server or as a client: the object that it offers on
/// each, and its limits.
///
/// A clone is cheap. [`Peer::default`] offers an object without functions, which suits a client
/// that only calls.
#[derive(Clone)]
pub struct Peer {
    make_object: MakeObject,
    on_error: OnError,
    line_limit: usize,
    unsent_limit: usize,
    culls: bool,
}

impl Default for Peer {
    fn default() -> Peer {
        Peer::new(|_| Object::new())
    }
}

impl Peer {
    /// A peer that offers the object that `make_object` returns, which is called once for each
    /// connection.
    ///
    /// To call the other end, a function of the object keeps a clone of the [`Remote`]. The other
    /// end's object has not arrived yet while `make_object` runs.
    pub fn new(make_object: impl Fn(&Remote) -> Object + Send + Sync + 'static) -> Peer {
        Peer {
            make_object: Arc::new(make_object),
            on_error: Arc::new(|_| ()),
            line_limit: 64 << 20,
            unsent_limit: 16 << 20,
            culls: false,
        }
    }

    /// Sets the length in bytes of the longest line to accept; 64 MiB by default. A longer line
    /// ends the connection with [`Error::InvalidMessage`]. The protocol sets no limit.
    #[must_use]
    pub fn line_limit(self, bytes: usize) -> Peer {
        Peer { line_limit: bytes, ..self }
    }

    /// Sets how many bytes may wait to be written on a connection; 16 MiB by default.
    ///
    /// If that many bytes of answers wait, no more calls are read. If that many bytes wait in all,
    /// calls other than answers are refused with [`Error::Backlog`], and
    /// [`Function::ask`](crate::Function::ask) waits. The call that exceeds the limit is still
    /// accepted, so a message may have any size.
    #[must_use]
    pub fn unsent_limit(self, bytes: usize) -> Peer {
        Peer { unsent_limit: bytes.max(1), ..self }
    }

    /// Sets whether to send `cull` for each function of the other end that is dropped here, so that
    /// the other end may drop it too; off by default. npm dnode does this if its native module
    /// `weak` is installed.
    ///
    /// It is safe if the other end makes a new callback for each call, as
    /// [`Function::ask`](crate::Function::ask) does. If it passes one callback in two calls, the
    /// cull for the first call may arrive after it sent the second one, and it then ignores the
    /// second answer. To give back a single function, use
    /// [`Function::cull`](crate::Function::cull).
    #[must_use]
    pub fn culls(self, culls: bool) -> Peer {
        Peer { culls, ..self }
    }

    /// Sets a function that gets the errors that no caller gets: invalid messages, functions of
    /// this end that failed or panicked, and served connections that broke. It must not block.
    #[must_use]
    pub fn on_error(self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Peer {
        Peer { on_error: Arc::new(on_error), ..self }
    }

    /// Speaks dnode over a stream until the connection is over. `Ok` if either end closed it in
    /// order. If the future is dropped, the connection is closed at once.
    ///
    /// # Errors
    /// [`Error::Broken`], or [`Error::InvalidMessage`] for the line that ended the connection.
    pub async fn speak<S: Duplex>(&self, stream: S) -> Result<(), Error> {
        let (_, driver) = self.begin();
        driver.run(stream).await
    }

    /// Speaks dnode over a stream in a new task, and waits for the other end's object. It has no
    /// deadline: use `tokio::time::timeout`.
    ///
    /// # Errors
    /// Why the connection ended before.
    pub async fn open<S: Duplex + 'static>(&self, stream: S) -> Result<Connection, Error> {
        let (remote, driver) = self.begin();
        let connection = Connection::new(remote, tokio::spawn(driver.run(stream)));
        connection.ready().await?;
        Ok(connection)
    }

    /// Connects to an address, and waits for the other end's object. It has no deadline: use
    /// `tokio::time::timeout`.
    ///
    /// ```no_run
    /// use dnode::{Function, Peer, args};
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let connection = Peer::default().connect(&"127.0.0.1:5050".parse()?).await?;
    /// let product = connection.ask("mul", args![6, 7]).await?;
    /// println!("{}", product.at(0));
    /// // The server may call this function any number of times.
    /// connection.call("watch", args![Function::new(|args| println!("{args}"))])?;
    /// connection.close().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unreachable`], or why the connection ended before the object arrived.
    pub async fn connect(&self, address: &Address) -> Result<Connection, Error> {
        let stream = transport::Connection::open(address)
            .await
            .map_err(|error| Error::Unreachable { address: address.to_string(), source: Arc::new(error) })?;
        self.open(stream).await
    }

    /// Serves every connection that arrives, each in its own task. It returns only if the listener
    /// fails. While too many files are open, new connections wait. If the future is dropped, all
    /// connections are closed at once.
    ///
    /// ```no_run
    /// use dnode::{Object, Peer, args};
    /// use tokio::net::TcpListener;
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let peer = Peer::new(|_client| Object::new().method("echo", |args| args.at(1).call([args.at(0)])));
    /// peer.serve(TcpListener::bind("127.0.0.1:5050").await?).await?;
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The listener's error. Errors of a connection go to [`Peer::on_error`], and do not affect the
    /// others.
    pub async fn serve(&self, listener: impl Into<Listener>) -> io::Result<()> {
        let listener = listener.into();
        // Dropping it aborts its tasks.
        let mut served: JoinSet<Result<(), Error>> = JoinSet::new();
        loop {
            tokio::select! {
                Some(ended) = served.join_next() => self.report(ended),
                arrival = listener.accept() => match arrival {
                    Ok(arrival) => {
                        let peer = self.clone();
                        served.spawn(async move {
                            peer.speak(arrival.shake_hands().await.map_err(Error::broken)?).await
                        });
                    }
                    // The client disconnected before we accepted it. The listener still works.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) if is_full(&error) => {
                        self.report(Ok(Err(Error::broken(error))));
                        // The end of a connection frees a file. Nothing signals files that others close.
                        tokio::select! {
                            Some(ended) = served.join_next() => self.report(ended),
                            () = tokio::time::sleep(PAUSE) => {}
                        }
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Both handles of a new connection.
    fn begin(&self) -> (Remote, Driver) {
        let shared = Arc::new(Shared::new(self.line_limit, self.unsent_limit, self.culls));
        let remote = Remote::new(Arc::clone(&shared));
        // Made before the object, so that its drop ends the connection even if `make_object`
        // panics.
        let driver = Driver::new(Arc::clone(&shared), Arc::clone(&self.on_error));
        shared.start((self.make_object)(&remote).into());
        (remote, driver)
    }

    fn report(&self, ended: Result<Result<(), Error>, JoinError>) {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => (self.on_error)(&error),
            Err(ended) => {
                if let Ok(panic) = ended.try_into_panic() {
                    (self.on_error)(&Error::Panicked(panic_message(&*panic)));
                }
            }
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("line_limit", &self.line_limit)
            .field("unsent_limit", &self.unsent_limit)
            .field("culls", &self.culls)
            .finish_non_exhaustive()
    }
}
