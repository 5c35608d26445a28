//! One end of connections: its object, its limits, and the ways to serve and to connect.

use crate::connection::{Connection, Driver, Remote, words};
use crate::shared::Shared;
use crate::transport::{self, Address, Duplex, Listener};
use crate::{Error, Object};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};

type Make = Arc<dyn Fn(&Remote) -> Object + Send + Sync>;
pub(crate) type Watch = Arc<dyn Fn(&Error) + Send + Sync>;

/// This end of connections: what it offers on each, and its limits.
#[derive(Clone)]
pub struct Peer {
    make: Make,
    watch: Watch,
    line: usize,
    unsent: usize,
    culls: bool,
}

/// Offers an object without members, as a client does that is only to call.
impl Default for Peer {
    fn default() -> Peer {
        Peer::new(|_| Object::new())
    }
}

impl Peer {
    /// An end that offers on each connection the object that `make` gives for it. A function of the object that calls the peer's object keeps a clone of the
    /// [`Remote`]; the peer's object is not there yet while `make` runs.
    pub fn new(make: impl Fn(&Remote) -> Object + Send + Sync + 'static) -> Peer {
        Peer { make: Arc::new(make), watch: Arc::new(|_| ()), line: 64 << 20, unsent: 16 << 20, culls: false }
    }

    /// The longest line that is taken, in bytes; 64 MiB where nothing is said. A longer one ends the connection.
    #[must_use]
    pub fn line_limit(self, bytes: usize) -> Peer {
        Peer { line: bytes, ..self }
    }

    /// How many bytes may wait to be written before reading waits, where they are answers, or calls are refused ([`Error::Behind`]), where they are not; 16 MiB where
    /// nothing is said. The message that goes beyond it is still taken, so that any message can be sent.
    #[must_use]
    pub fn unsent_limit(self, bytes: usize) -> Peer {
        Peer { unsent: bytes.max(1), ..self }
    }

    /// Tells the peer of each of its functions that is dropped here (`cull`, as dnode 0.2 does), so that it may drop it too.
    ///
    /// It does not where nothing is said, for a peer that passes one function in two calls at once loses the answer to the second where the cull crosses it: safe where callbacks are made for one
    /// call each, as [`Function::ask`] does. A single function is given back by [`Function::cull`].
    #[must_use]
    pub fn culls(self, culls: bool) -> Peer {
        Peer { culls, ..self }
    }

    /// Tells `watch` of what concerns no caller: messages of the peer that cannot be acted on, functions of this end that failed or panicked, and how served connections broke.
    /// It must not block.
    #[must_use]
    pub fn on_error(self, watch: impl Fn(&Error) + Send + Sync + 'static) -> Peer {
        Peer { watch: Arc::new(watch), ..self }
    }

    /// Speaks over a stream until the connection is over. `Ok` where either end has closed it. Where the future is dropped, the connection is closed at once.
    ///
    /// # Errors
    /// What the stream says, or the line of the peer that ended the connection.
    pub async fn speak<S: Duplex>(&self, stream: S) -> Result<(), Error> {
        self.begin().1.run(stream).await
    }

    /// Speaks over a stream in a task of its own, and waits for the peer's object.
    ///
    /// # Errors
    /// Why the connection ended before that came.
    pub async fn open<S: Duplex + 'static>(&self, stream: S) -> Result<Connection, Error> {
        let (remote, driver) = self.begin();
        let connection = Connection::new(remote, tokio::spawn(driver.run(stream)));
        connection.ready().await?;
        Ok(connection)
    }

    /// Connects to a peer, and waits for its object.
    ///
    /// ```no_run
    /// use dnode::{Function, Peer, args};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let connection = Peer::default().connect(&"127.0.0.1:5050".parse()?).await?;
    /// let sum = connection.ask("add", args![1, 2]).await?;
    /// println!("{}", sum.at(0));
    /// // A function that the peer may call any number of times.
    /// connection.call("callTwice", args![Function::new(|args| println!("{args}"))])?;
    /// connection.close().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Unreachable`], or why the connection ended before the object came.
    pub async fn connect(&self, address: &Address) -> Result<Connection, Error> {
        let opened = transport::Connection::open(address).await;
        let connection = opened.map_err(|error| Error::Unreachable(address.to_string(), Arc::new(error)))?;
        self.open(connection).await
    }

    /// Serves every connection that comes, until the listener fails. Where the future is dropped, all connections are closed at once.
    ///
    /// ```no_run
    /// use dnode::{Object, Peer, args};
    /// use tokio::net::TcpListener;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let peer = Peer::new(|client| {
    ///     let client = client.clone();
    ///     Object::new()
    ///         .method("echo", |args| args.at(1).call([args.at(0)]))
    ///         // Calls `name` of the client's object, and passes its answer on: it waits, so it is spawned.
    ///         .method("greet", move |args| {
    ///             let client = client.clone();
    ///             tokio::spawn(async move {
    ///                 let name = client.ask("name", args![]).await?;
    ///                 args.at(0).call(args![format!("Hello, {}", name.at(0).as_str().unwrap_or("you"))])
    ///             });
    ///         })
    /// });
    /// peer.serve(TcpListener::bind("127.0.0.1:5050").await?).await
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// What the listener says. What goes wrong on a connection concerns no other one; [`Peer::on_error`] hears of it.
    pub async fn serve(&self, listener: impl Into<Listener>) -> io::Result<()> {
        let listener = listener.into();
        // Dropped with this future, it ends its tasks.
        let mut served: JoinSet<Result<(), Error>> = JoinSet::new();
        loop {
            tokio::select! {
                Some(ended) = served.join_next() => self.report(ended),
                arrival = listener.accept() => match arrival {
                    Ok(arrival) => {
                        let peer = self.clone();
                        served.spawn(async move { peer.speak(arrival.shake_hands().await?).await });
                    }
                    // A connection that was gone before it was accepted is no fault of the listener's.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Both sides of a new connection.
    fn begin(&self) -> (Remote, Driver) {
        let shared = Arc::new(Shared::new(self.line, self.unsent, self.culls));
        let remote = Remote::new(Arc::clone(&shared));
        // From here on the driver lets go of everything, whatever happens.
        let driver = Driver::new(Arc::clone(&shared), Arc::clone(&self.watch));
        shared.start((self.make)(&remote).into());
        (remote, driver)
    }

    fn report(&self, ended: Result<Result<(), Error>, JoinError>) {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => (self.watch)(&error),
            Err(ended) => {
                if let Ok(panic) = ended.try_into_panic() {
                    (self.watch)(&Error::Panicked(words(&*panic)));
                }
            }
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("line_limit", &self.line)
            .field("unsent_limit", &self.unsent)
            .field("culls", &self.culls)
            .finish_non_exhaustive()
    }
}
