//! dnode for Rust: servers and clients that call each other's functions, and pass functions as
//! arguments.
//!
//! It speaks the protocol of [dnode](https://www.npmjs.com/package/dnode) 1.x: newline-terminated
//! JSON messages, with functions passed as numbered callbacks.
//!
//! ```
//! use dnode::{Object, Peer, args};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let server = Peer::new(|_client| {
//!     Object::new().method("mul", |args| {
//!         let factor = |index| args.at(index).as_f64().ok_or("mul takes two numbers and a callback");
//!         args.at(2).call(args![factor(0)? * factor(1)?])
//!     })
//! });
//! let (ours, theirs) = tokio::io::duplex(64 * 1024);
//! tokio::spawn(async move { server.speak(theirs).await });
//!
//! let connection = Peer::default().open(ours).await?;
//! assert_eq!(connection.ask("mul", args![6, 7]).await?.at(0).as_f64(), Some(42.0));
//! connection.close().await?;
//! # Ok::<(), dnode::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Peer::serve`] and [`Peer::connect`] do the same over sockets. The folder `examples` has
//! complete programs.
//!
//! The contract:
//! - Both ends are equal. Each offers an [`Object`], and may call the functions that the other end
//!   offers or passes as arguments.
//! - A [`Value`] is JSON with [`Function`]s in it, and may contain itself.
//! - A call is one message, and has no return value. An answer is a call of a callback:
//!   [`Function::ask`] passes one and waits for it.
//! - Functions that the peer calls run in the task of their connection, one after another. They
//!   must not block or wait for the peer: spawn a task for that. Their calls are sent in the order
//!   in which they make them.
//! - An invalid message has no effect, and neither has a function that fails or panics: the
//!   connection goes on, and [`Peer::on_error`] gets the error. A line that is not JSON ends the
//!   connection, as with npm dnode.
//! - Memory is bounded for any behaviour of the peer: by [`Peer::line_limit`], by
//!   [`Peer::unsent_limit`], and by the functions that each end keeps. If a peer sends and never
//!   reads, we stop reading. Two ends that both do so, with more answers than the limit, wait
//!   forever, so choose a large limit.
//! - When a connection ends, every wait ends with the reason, all functions are dropped, and no
//!   task is left.
//!
//! Every future here may be dropped at any time without losing anything, so `tokio::time::timeout`
//! is safe.
//!
//! Deliberately absent:
//! - Reconnecting, and deadlines.
//! - Calling a method that the peer has not declared, by its name. No known port needs that.

mod connection;
mod error;
mod object;
mod peer;
mod rpc;
pub mod transport;

pub use connection::{Connection, Remote};
pub use error::{Error, Fault};
pub use object::Object;
pub use peer::Peer;
pub use rpc::{Function, IntoResult, Value};

/// Arguments: an array of [`Value`]s, from any expressions that convert into values.
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

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
