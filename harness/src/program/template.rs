//! Addresses of programs that we start. Each start fills in a port or a socket.

use crate::error::{Fault, Faulted};
use dnode::transport::{Address, AddressError, Trust};
use std::path::Path;
use thiserror::Error;

/// An address with `{port}` or `{socket}` in it, or `stdio:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    trust: Trust,
}

/// Why a template cannot be used. The caller is at fault.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// It has no placeholder.
    #[error(
        "{0:?} has no placeholder for the place where the program listens: add {{port}} or {{socket}}, for example \
         unix:{{socket}} or tls://127.0.0.1:{{port}}; or write stdio:"
    )]
    NoPlaceholder(String),
    /// It is not an address after the placeholders are filled in.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Faulted for TemplateError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }
}

impl Template {
    /// Reads a template, for example `unix:{socket}` or `ws://127.0.0.1:{port}/dnode/websocket`.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn parse(text: &str, trust: &Trust) -> Result<Template, TemplateError> {
        let template = Template { text: text.to_owned(), trust: trust.clone() };
        if template.is_stdio() {
            return if *trust == Trust::System {
                Ok(template)
            } else {
                Err(AddressError::NotTls(text.to_owned()).into())
            };
        }
        if !text.contains("{port}") && !template.wants_socket() {
            return Err(TemplateError::NoPlaceholder(text.to_owned()));
        }
        template.fill(1, Path::new("socket"))?;
        Ok(template)
    }

    /// Plain TCP on 127.0.0.1.
    #[must_use]
    pub fn tcp() -> Template {
        Template { text: "127.0.0.1:{port}".to_owned(), trust: Trust::System }
    }

    /// The original text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the program speaks on its standard input and output.
    #[must_use]
    pub fn is_stdio(&self) -> bool {
        self.text == "stdio:"
    }

    /// The certificates to accept, for a TLS address.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether it names a socket file.
    #[must_use]
    pub fn wants_socket(&self) -> bool {
        self.text.contains("{socket}")
    }

    /// The address of a program that listens at this port, or at this socket.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn fill(&self, port: u16, socket: &Path) -> Result<Address, AddressError> {
        let text = self.text.replace("{port}", &port.to_string());
        Address::parse(&text.replace("{socket}", &socket.to_string_lossy()), &self.trust)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let template = Template::parse("ws://127.0.0.1:{port}/a", &Trust::System).unwrap();
        assert_eq!(template.fill(7, Path::new("")).unwrap().to_string(), "ws://127.0.0.1:7/a");
        let template = Template::parse("unix:{socket}", &Trust::System).unwrap();
        assert_eq!(template.fill(7, Path::new("/run/s")).unwrap().to_string(), "unix:/run/s");
        let error = Template::parse("127.0.0.1:5050", &Trust::System).unwrap_err();
        assert!(error.to_string().contains("{port}"));
        assert!(
            Template::parse("http://{port}", &Trust::System).unwrap_err().to_string().contains("http://")
        );
    }
}
