//! The object that an end offers.

use crate::rpc::{Function, IntoResult, Value};

/// The object that an end offers: named functions and values, in the order in which they were
/// added.
///
/// It is the argument of the first message, `methods` ("methods", sentences 1 to 3 of the
/// protocol). Use it for nested objects too: it converts into a [`Value`].
///
/// ```
/// use dnode::{Object, args};
///
/// let object = Object::new().method("mul", |args| {
///     let factor = |index| args.at(index).as_f64().ok_or("mul takes two numbers and a callback");
///     args.at(2).call(args![factor(0)? * factor(1)?])
/// });
/// let nested = Object::new().with("math", object).with("version", "1.0");
/// ```
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

    /// Adds a function. `body` gets the array of the arguments, the callback included: see
    /// [`Function::new`].
    #[must_use]
    pub fn method<R: IntoResult>(
        self,
        name: &str,
        body: impl Fn(Value) -> R + Send + Sync + 'static,
    ) -> Object {
        self.with(name, Function::new(body))
    }

    /// Adds any value: data, a nested object, or a function that other objects hold too. A later
    /// member replaces an earlier one of the same name.
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
