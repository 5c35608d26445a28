//! The object that an end offers.

use crate::{Function, Outcome, Value};

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
