//! The types of values and functions. They are one recursive type, a value holds functions and a
//! function takes values, so both are defined here; their methods are in `value` and `function`.

use crate::error::Error;
use dnode_spec::graph::{Graph, NodeId};
use dnode_spec::message::Id;
use dnode_spec::session;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// A value of a message: JSON with [`Function`]s in it. One value may be at several places of
/// another one, and contain itself: the protocol sends such places as links ("links").
///
/// Make it with [`From`], [`Value::array`], [`Value::object`] and [`args!`](crate::args). It never
/// changes, and a clone is cheap. Reading a part that does not exist gives a
/// [missing](Value::is_missing) value instead of an error, so you check once, at the end. A part
/// that you keep keeps the memory of its whole message.
///
/// ```
/// use dnode::Value;
///
/// let value = Value::object([("name", "x".into()), ("list", Value::array([1.into(), true.into()]))]);
/// assert_eq!(value.get("name").as_str(), Some("x"));
/// assert_eq!(value.get("list").at(0).as_f64(), Some(1.0));
/// assert!(value.get("no").at(7).is_missing());
/// // A value that contains itself: its member `self` is the value at the root.
/// let cycle = value.linked(&[], &["self"])?;
/// assert_eq!(cycle.get("self").get("self").get("name").as_str(), Some("x"));
/// # Ok::<(), dnode::Error>(())
/// ```
#[derive(Clone)]
pub struct Value {
    pub(super) graph: Arc<Graph<Function>>,
    pub(super) node: NodeId,
}

/// A function of this end or of a peer. Clones are the same function, and equal to each other.
///
/// **A function of this end** is a closure. To pass it, put it into the arguments of a call: the
/// message declares an id for it ("data fields", `callbacks`). It runs in the task of the
/// connection that calls it, one call after another, so it must not block: spawn work that takes
/// time, and move the callback there. Several connections may share it.
///
/// **A function of a peer** arrives in arguments or in the peer's object. You may keep it, call it
/// any number of times, and pass it on. A function that goes to a third peer is called through this
/// end. When its last clone is dropped, this end forgets it, and tells the peer if
/// [`Peer::culls`](crate::Peer::culls) is on.
#[derive(Clone)]
pub struct Function(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// A number of its own in this process. It is the function's handle in sessions.
    pub(super) serial: u64,
    pub(super) body: Body,
}

pub(super) enum Body {
    Own(Box<dyn Fn(Value) -> Result<(), Error> + Send + Sync>),
    OwnOnce(Mutex<Option<OnceBody>>),
    Remote(Arc<dyn Link>, Id),
}

pub(super) type OnceBody = Box<dyn FnOnce(Value) -> Result<(), Error> + Send>;

/// The connection of a peer's function.
pub(crate) trait Link: Send + Sync {
    /// Calls a function of the peer.
    fn call(self: Arc<Self>, id: Id, arguments: Value) -> Result<(), Error>;

    /// Gives a function of the peer back.
    fn cull(&self, id: Id) -> Result<(), Error>;

    /// The last clone of a function of the peer was dropped.
    fn dropped(&self, id: Id);

    /// Forgets a function of this end.
    fn forget(&self, function: session::Function);

    /// Why the connection has ended, if it has.
    fn ended(&self) -> Option<Error>;

    /// Waits until a call would not be refused, or the connection has ended.
    fn wait_for_room(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
