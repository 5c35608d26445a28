//! A plain dnode peer: servers and clients in a few lines, on the reference session.
//!
//! ```
//! use dnode::{Object, Peer, args};
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
//! # Ok::<(), dnode::Error>(())
//! # }).unwrap();
//! ```
//!
//! Over sockets, a server and a client are [`Peer::serve`] and [`Peer::connect`]. A whole program to read and to copy is `examples/probe.rs`.
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
mod object;
mod outbox;
mod peer;
mod shared;
pub mod transport;
mod value;

pub use connection::{Connection, Remote};
pub use error::Error;
pub use function::{Function, Outcome};
pub use object::Object;
pub use peer::Peer;
pub use value::Value;

/// Arguments: an array of [`Value`]s, made of anything that a value is made [`From`].
///
/// ```
/// use dnode::{Function, args};
///
/// let arguments = args![1, "two", Function::new(|args| println!("{args}"))];
/// assert_eq!(arguments[1].as_str(), Some("two"));
/// ```
#[macro_export]
macro_rules! args {
    () => { [] as [$crate::Value; 0] };
    ($($value:expr),+ $(,)?) => { [$($crate::Value::from($value)),+] };
}
