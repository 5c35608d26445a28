//! The known-good call: a call that the peer is known to answer. It serves as a barrier and as a
//! health check.

use crate::clock::Moment;
use crate::error::{Fault, Faulted};
use crate::wire::{Incoming, Wire};
use dnode_spec::message::{Id, Method};
use dnode_spec::monitor::Received;
use dnode_spec::path::PathForm;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::{Addressing, Called, Name, Names, Pattern, PingPart};
use dnode_spec::value::{Ref, Value};
use thiserror::Error;

/// A text that is not a known-good call. The caller is at fault.
#[derive(Debug, Error)]
#[error("{expression:?} is not a call: {problem}")]
pub struct PingError {
    expression: String,
    problem: String,
}

impl Faulted for PingError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        let help = "Write METHOD[ARGUMENTS] with the callback as \"$cb\", for example add[1,2,\"$cb\"].";
        Some(help.to_owned())
    }
}

/// A call whose answer is a call of its callback.
#[derive(Debug, Clone)]
pub struct Ping {
    method: String,
    pattern: Pattern,
    path_form: PathForm,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Silence {
    /// The peer does not accept connections.
    Refused,
    /// The connection ended.
    Closed,
    /// Nothing came before the deadline.
    Late,
    /// The peer sent more than the suite keeps.
    Flood,
}

impl From<&Incoming> for Silence {
    fn from(end: &Incoming) -> Silence {
        match end {
            Incoming::Closed { .. } => Silence::Closed,
            Incoming::Flood => Silence::Flood,
            Incoming::Message(_) | Incoming::Broken(_) | Incoming::Late => Silence::Late,
        }
    }
}

impl Ping {
    /// Reads `METHOD[ARGUMENTS]`, for example `add[1,2,"$cb"]`.
    ///
    /// # Errors
    /// [`PingError`].
    pub fn parse(expression: &str) -> Result<Ping, PingError> {
        let error = |problem| PingError { expression: expression.to_owned(), problem };
        let bracket = expression.find('[').ok_or_else(|| error("it has no arguments".to_owned()))?;
        let (method, arguments) = expression.split_at(bracket);
        if method.is_empty() {
            return Err(error("it has no method".to_owned()));
        }
        Ping::new(method, arguments).map_err(error)
    }

    fn new(method: &str, arguments: &str) -> Result<Ping, String> {
        let called = Called::Member(TextBuf::from(method));
        let pattern = Pattern::call(called, arguments).map_err(|fault| fault.to_string())?;
        if pattern.declared() != [callback()] {
            return Err("the arguments need exactly one callback".to_owned());
        }
        Ok(Ping { method: method.to_owned(), pattern, path_form: PathForm::Strings })
    }

    /// The same call, with paths in this form.
    #[must_use]
    pub fn with_paths(self, path_form: PathForm) -> Ping {
        Ping { path_form, ..self }
    }

    /// The form of its paths.
    #[must_use]
    pub fn path_form(&self) -> PathForm {
        self.path_form
    }

    /// The claim of the probe.
    #[must_use]
    pub fn claim() -> Option<Ping> {
        Ping::new("conformProbe", "[\"$cb\"]").ok()
    }

    /// The probe's `later`.
    #[must_use]
    pub fn later() -> Option<Ping> {
        Ping::new("later", "[0,\"$cb\"]").ok()
    }

    /// A valid call of each method of the probe that many cases rest on.
    pub fn of_the_probe() -> impl Iterator<Item = Ping> {
        [("echo", "[0,\"$cb\"]"), ("add", "[1,2,\"$cb\"]"), ("later", "[0,\"$cb\"]")]
            .into_iter()
            .filter_map(|(method, arguments)| Ping::new(method, arguments).ok())
    }

    /// The name of the method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Sends the call without waiting, and returns the id that its answer will call.
    pub async fn send(&self, wire: &mut Wire, names: &mut Names, by: Addressing, deadline: Moment) -> Id {
        let (line, id) = self.line(names, by);
        wire.send(&[&line], deadline).await;
        id
    }

    /// The line of the call, and the id of its callback.
    pub fn line(&self, names: &mut Names, by: Addressing) -> (Vec<u8>, Id) {
        let number = names.fresh();
        let method = names.method_of_member(&TextBuf::from(self.method.as_str()), by);
        let mut own = Names::new(number.0);
        own.path_form = self.path_form;
        let line = self.pattern.encode(&method, &mut own);
        (line, own.our_number(&callback()).unwrap_or(number))
    }

    /// A part of the call, as JSON. `None` if it is the id of a method that is called by name.
    #[must_use]
    pub fn part(&self, part: PingPart, names: &Names, by: Addressing) -> Option<Vec<u8>> {
        let method = TextBuf::from(self.method.as_str());
        let field = |name: &str, of: &dyn Fn(Ref<'_>) -> Option<Vec<u8>>| {
            let mut own = Names::new(0);
            own.path_form = self.path_form;
            let line = self.pattern.encode(b"0", &mut own);
            of(Value::parse(&line).ok()?.root().get(name)?)
        };
        match part {
            PingPart::Method => Some(names.method_of_member(&method, by)),
            PingPart::Id => {
                names.member(&method).filter(|_| by == Addressing::ById).map(|id| id.to_string().into())
            }
            PingPart::Name => Some(names.method_of_member(&method, Addressing::ByName)),
            PingPart::Arguments => field("arguments", &|arguments| Some(arguments.to_json())),
            PingPart::Path => field("callbacks", &|callbacks| Some(callbacks.members().next()?.1.to_json())),
        }
    }

    /// Sends the call and waits for the answer. All other messages go to `others`.
    ///
    /// # Errors
    /// Why there was no answer.
    pub async fn ask(
        &self,
        wire: &mut Wire,
        names: &mut Names,
        by: Addressing,
        deadline: Moment,
        others: &mut (dyn FnMut(Box<Received>) + Send),
    ) -> Result<Box<Received>, Silence> {
        let id = self.send(wire, names, by, deadline).await;
        loop {
            match wire.receive(deadline).await {
                Incoming::Message(received) if received.method == Method::Id(id) => return Ok(received),
                Incoming::Message(received) => others(received),
                Incoming::Broken(_) => {}
                end => return Err(Silence::from(&end)),
            }
        }
    }
}

fn callback() -> Name {
    Name::Word("cb".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_names_a_method_and_one_callback() {
        assert_eq!(Ping::parse(r#"add[1,2,"$cb"]"#).unwrap().method(), "add");
        for bad in ["add", "[1]", "add[1,2]", r#"add["$cb","$cb2"]"#, "add[1,"] {
            assert!(Ping::parse(bad).is_err(), "{bad}");
        }
    }
}
