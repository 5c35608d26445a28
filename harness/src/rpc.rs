//! A plain dnode peer: servers and clients in a few lines, on the reference session.
//!
//! ```
//! use dnode_conform::rpc::{Object, Peer, args};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let server = Peer::new(|_client| {
//!     Object::new()
//!         .method("echo", |args| args.at(1).call([args.at(0)]))
//!         .method("add", |args| {
//!             let sum = args.at(0).as_f64().unwrap_or(f64::NAN) + args.at(1).as_f64().unwrap_or(f64::NAN);
//!             args.at(2).call(args![sum])
//!         })
//! });
//! let (ours, theirs) = tokio::io::duplex(64 * 1024);
//! tokio::spawn(async move { server.speak(theirs).await });
//!
//! let connection = Peer::default().open(ours).await?;
//! assert_eq!(connection.ask("add", args![1, 2]).await?.at(0).as_f64(), Some(3.0));
//! connection.close().await?;
//! # Ok::<(), dnode_conform::rpc::Error>(())
//! # }).unwrap();
//! ```
//!
//! Over sockets, a server and a client are [`Peer::serve`] and [`Peer::connect`]. A whole program to read and to copy is `harness/examples/peer.rs`.
//!
//! The contract:
//! - Both ends are equal: each offers an [`Object`], and each may call what the other offers or passes as an argument. A [`Value`] is JSON with [`Function`]s in it, and may
//!   contain itself.
//! - A call is a message and nothing comes back. An answer is a call of a callback: [`Function::ask`] passes one and waits for it.
//! - What the peer calls runs in the task of its connection, one call after another. It must not block, nor wait for the peer: that is spawned. What it says is
//!   written in its order.
//! - A message that cannot be acted on, and a function of this end that fails or panics, change nothing for the connection; [`Peer::on_error`] hears of them. A line that is
//!   no JSON ends the connection, as with the reference implementation.
//! - Memory is bounded whatever a peer does: by [`Peer::line_limit`], by [`Peer::unsent_limit`], and by what this end's functions keep. A peer that sends and never reads stops being read.
//!   Two ends that each wait for the other to read that many answers wait for ever; such a limit is large.
//! - When a connection ends, every wait ends with the reason, all functions that it held are dropped, and no task is left.
//!
//! Deliberately absent: reconnecting, and deadlines; `tokio::time::timeout` around any future here is safe, for none loses anything when it is dropped. Calling a method by its
//! name where the peer has not declared it: no known port needs that.

mod connection;
mod error;
mod function;
mod outbox;
mod shared;
mod value;

#[doc(inline)]
pub use crate::__rpc_args as args;
pub use connection::{Connection, Remote};
pub use error::Error;
pub use function::{Function, Outcome};
pub use value::Value;

use crate::transport::{self, Address, Duplex, Listener};
use connection::{Driver, words};
use shared::Shared;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};

/// Arguments: an array of [`Value`]s, made of anything that a value is made [`From`].
///
/// ```
/// use dnode_conform::rpc::{Function, args};
///
/// let arguments = args![1, "two", Function::new(|args| println!("{args}"))];
/// assert_eq!(arguments[1].as_str(), Some("two"));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __rpc_args {
    () => { [] as [$crate::rpc::Value; 0] };
    ($($value:expr),+ $(,)?) => { [$($crate::rpc::Value::from($value)),+] };
}

/// What an end offers: its members in their order, functions and values.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Object {
    /// An object without members.
    #[must_use]
    pub fn new() -> Object {
        Object::default()
    }

    /// With a function of this name. It gets the array of its arguments; see [`Function::new`].
    #[must_use]
    pub fn method<O: Outcome>(self, name: &str, body: impl Fn(Value) -> O + Send + Sync + 'static) -> Object {
        self.with(name, Function::new(body))
    }

    /// With a member of this name that is any value, with functions in it too.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Object {
        self.members.push((name.to_owned(), value.into()));
        self
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::object(object.members)
    }
}

type Make = Arc<dyn Fn(&Remote) -> Object + Send + Sync>;
type Watch = Arc<dyn Fn(&Error) + Send + Sync>;

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
    /// use dnode_conform::rpc::{Function, Peer, args};
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
        self.open(connection.into_stream()).await
    }

    /// Serves every connection that comes, until the listener fails. Where the future is dropped, all connections are closed at once.
    ///
    /// ```no_run
    /// use dnode_conform::rpc::{Object, Peer, args};
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
