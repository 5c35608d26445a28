//! Why there is no peer to test.

use crate::conversation::preflight::PreflightError;
use crate::conversation::stranger::Stranger;
use crate::error::{Fault, Faulted};
use crate::program::host::HostError;
use crate::program::{Host, Route};
use dnode::transport::{Address, AddressError, Scheme, Trust};
use dnode_reports::event::{Death, Status};
use humantime::format_duration;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How a shell ends that does not find the program.
const NOT_FOUND: Status = Status::Exit(127);

/// Why there is no peer to test.
#[derive(Debug, Error)]
pub enum StartError {
    /// The peer cannot be reached: it accepts no connections, or a client did not connect again.
    #[error("{}", unreachable(.0, .1))]
    Unreachable(Box<Route>, io::Error),
    /// The peer speaks another protocol.
    #[error("at {0}: {1}")]
    Stranger(Box<Route>, Stranger),
    /// The command cannot be started.
    #[error("the command {0:?} cannot be started: {1}")]
    Command(String, io::Error),
    /// The program ended before it accepted a connection.
    #[error("{0:?} ended with {status} before it accepted a connection", status = .1.status)]
    Ended(String, Death),
    /// The program runs, but accepts no connection within this time; with its standard error.
    #[error("{0:?} runs, but accepts no connection at {1} after {time}", time = format_duration(*.2))]
    NotReady(String, Box<Route>, Duration, String),
    /// Nothing accepted connections at this address within the time that the user gave it.
    #[error("nothing accepted connections at {0} within {time} ({1})", time = format_duration(*.2))]
    NotThere(Box<Route>, io::Error, Duration),
    /// No client connected to us: what happened instead, and the standard error of its process.
    #[error("{}", no_client(.0, .1))]
    NoClient(Arc<Host>, String, String),
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// We cannot wait for clients.
    #[error(transparent)]
    Host(#[from] HostError),
    /// We got no free port or no temporary folder.
    #[error(transparent)]
    Harness(io::Error),
}

impl StartError {
    /// The error of a preflight over this route.
    #[must_use]
    pub fn of_preflight(route: &Route, error: PreflightError) -> StartError {
        let route = Box::new(route.clone());
        match error {
            PreflightError::Unreachable(error) => StartError::Unreachable(route, error),
            PreflightError::Stranger(stranger) => StartError::Stranger(route, stranger),
        }
    }
}

fn unreachable(route: &Route, error: &io::Error) -> String {
    match (retry_is_useless(error), route.host()) {
        (true, _) => format!("at {route}: {error}"),
        (false, Some(host)) => {
            format!("a client connected to {} once and did not reconnect: {error}", host.address())
        }
        (false, None) => format!("nothing accepts connections at {route} ({error})"),
    }
}

fn no_client(host: &Host, instead: &str) -> String {
    match &host.listen().exec {
        Some(command) => format!("{command:?} did not connect to {}: {instead}", host.address()),
        None => format!("no client connected to {}: {instead}", host.address()),
    }
}

/// Whether another attempt to connect would fail in the same way.
pub(super) fn retry_is_useless(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
}

impl Faulted for StartError {
    fn fault(&self) -> Fault {
        match self {
            StartError::Unreachable(_, error) if error.kind() == io::ErrorKind::InvalidInput => Fault::Caller,
            StartError::Command(..) | StartError::Address(_) => Fault::Caller,
            StartError::Ended(_, death) if death.status == NOT_FOUND => Fault::Caller,
            StartError::Host(error) => error.fault(),
            StartError::Stranger(_, stranger) => stranger.fault(),
            StartError::Harness(_) => Fault::Harness,
            StartError::Unreachable(..)
            | StartError::NotThere(..)
            | StartError::Ended(..)
            | StartError::NotReady(..)
            | StartError::NoClient(..) => Fault::Peer,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            StartError::Unreachable(route, error) => match (retry_is_useless(error), route.host()) {
                (true, _) => useless_help(route, error)?.to_owned(),
                (false, Some(_)) => "The client must read each connection to its end, close it, and connect again until the \
                                     connection is refused."
                    .to_owned(),
                (false, None) => format!("Is the peer started?{} --start-timeout waits for it.", transport_help(route)),
            },
            StartError::Stranger(_, stranger) => return stranger.help(),
            StartError::NotThere(route, ..) => format!("Is the peer started?{}", transport_help(route)),
            StartError::Ended(command, death) => {
                let foreground = match death.status {
                    Status::Exit(0) => "Start it in the foreground: the suite watches the process that it started. ",
                    _ => "",
                };
                format!("{foreground}{} {}", ended_help(command, death), written(&death.stderr))
            }
            StartError::NotReady(_, route, _, stderr) => format!(
                "Does it listen {}?{} If it takes longer to start, give it more time with --start-timeout. {}",
                match route.address().map(Address::scheme) {
                    Some(Scheme::Unix) => "at the path given as {socket} and SOCKET",
                    _ => "at the port given as {port} and PORT",
                },
                transport_help(route),
                written(stderr)
            ),
            StartError::NoClient(host, _, stderr) => match &host.listen().exec {
                Some(_) => format!(
                    "Does it connect to the address given as {{host}} and {{port}}, or as {{socket}}, and in the environment variables \
                     HOST, PORT and SOCKET? {}",
                    written(stderr)
                ),
                None => "Start a client that reconnects after each connection until it is refused, or let --exec start the \
                         client."
                    .to_owned(),
            },
            StartError::Command(..) | StartError::Address(_) | StartError::Host(_) | StartError::Harness(_) => {
                return None;
            }
        })
    }
}

/// What a program wrote to its standard error.
fn written(stderr: &str) -> String {
    if stderr.is_empty() {
        return "It wrote nothing to its standard error".to_owned();
    }
    format!("Its standard error:\n{stderr}")
}

/// What to do about a program that ended at once.
fn ended_help(command: &str, death: &Death) -> &'static str {
    let names = |words: [&str; 2]| words.iter().any(|word| command.contains(word));
    match (&death.status, names(["{socket}", "SOCKET"]), names(["{port}", "PORT"])) {
        (&NOT_FOUND, ..) => "The shell did not find the program: check its name and PATH.",
        (_, true, _) => "Does it listen at the path given as {socket} and SOCKET?",
        (_, false, true) => "Does it listen at the port given as {port} and PORT?",
        (_, false, false) => {
            "It must listen at the port given as {port} in the command, for example 'exec node server.js {port}', or in \
             the environment variable PORT."
        }
    }
}

/// Another usual cause if nothing answers at this address.
fn transport_help(route: &Route) -> &'static str {
    match route.address().map(Address::scheme) {
        // Some servers never answer a handshake for a path that they do not have.
        Some(Scheme::Ws) => " Is the path right? The raw WebSocket of sockjs is at PATH/websocket.",
        Some(Scheme::Tls) => " Does it speak TLS there?",
        _ => "",
    }
}

/// What to do if every attempt fails in the same way.
fn useless_help(route: &Route, error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Some("If it speaks plain TCP, write HOST:PORT, or with --exec leave out --at.")
        }
        _ => certificate_help(route),
    }
}

fn certificate_help(route: &Route) -> Option<&'static str> {
    let trust = route.address()?.trust()?;
    (*trust != Trust::Anything)
        .then_some("Give the authority of its certificate with --tls-ca FILE, or accept any certificate with --tls-insecure.")
}
