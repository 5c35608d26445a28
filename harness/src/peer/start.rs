//! Starts a peer, or finds a running one, and opens the first connection.

use super::error::{StartError, retry_is_useless};
use super::port::Port;
use super::{Peer, Running};
use crate::clock::Clock;
use crate::conversation::greet::HELLO;
use crate::program::{Host, Process, Route, START, Stdio, Taps, Target, Template};
use crate::reference;
use crate::wire::{Terms, Wire};
use dnode::transport::{Address, Trust};
use dnode_spec::dialect::Dialect;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// How long a peer that the user started may take to accept a connection.
const REACH: Duration = Duration::from_secs(5);
/// How long the first connection may take to end.
const GREETING: Duration = Duration::from_millis(200);
/// The same for a client. If we closed the connection before the client did, the client might see a
/// reset.
const GREETING_OF_CLIENT: Duration = Duration::from_secs(5);
/// The time between two attempts to reach a starting peer. Nothing signals that it listens.
const ATTEMPT: Duration = Duration::from_millis(10);

pub(super) async fn start(target: &Target) -> Result<Peer, StartError> {
    match target {
        Target::Address(address, None) => find(target, address).await,
        Target::Address(address, Some(time)) => await_address(target, address, *time).await,
        Target::Reference(dialect) => start_reference(target, *dialect).await,
        Target::Exec(command, at, _) if at.is_stdio() => start_stdio(target, command).await,
        Target::Exec(command, at, time) => start_process(target, command, at, *time).await,
        Target::Client(host) => await_client(target, host).await,
    }
}

async fn find(target: &Target, address: &Address) -> Result<Peer, StartError> {
    let route = Route::from(address.clone());
    match Wire::open(&route, &Terms::default(), route.clock().now() + REACH).await {
        Ok(wire) => {
            greet(wire, GREETING).await;
            Ok(Peer::new(target, route, Running::Elsewhere))
        }
        Err(error) => Err(StartError::Unreachable(Box::new(route), error)),
    }
}

/// Waits for a peer that someone else starts.
async fn await_address(target: &Target, address: &Address, time: Duration) -> Result<Peer, StartError> {
    let clock = Route::from(address.clone()).clock().clone();
    let deadline = clock.now() + time;
    loop {
        match find(target, address).await {
            Err(StartError::Unreachable(_, error)) if retry_is_useless(&error) => {
                return Err(StartError::Unreachable(Box::new(address.clone().into()), error));
            }
            Err(StartError::Unreachable(route, error)) if clock.now() >= deadline => {
                return Err(StartError::NotThere(route, error, time));
            }
            Err(StartError::Unreachable(..)) => clock.sleep(ATTEMPT).await,
            found => return found,
        }
    }
}

async fn start_reference(target: &Target, dialect: Dialect) -> Result<Peer, StartError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(StartError::Harness)?;
    let address = listener.local_addr().map_err(StartError::Harness)?.to_string();
    let route = Route::from(Address::parse(&address, &Trust::System)?);
    let serving = tokio::spawn(reference::serve(listener, reference::plain().speaking(dialect)));
    Ok(Peer::new(target, route, Running::Reference(serving)))
}

async fn start_process(
    target: &Target,
    command: &str,
    at: &Template,
    time: Duration,
) -> Result<Peer, StartError> {
    let port = Port::reserve().map_err(StartError::Harness)?;
    let folder = at.wants_socket().then(TempDir::new).transpose().map_err(StartError::Harness)?;
    let socket = folder.as_ref().map(|folder| folder.path().join("peer"));
    let address = at.fill(port.number(), &socket.clone().unwrap_or_default())?;
    let route = Route::Dial(address, Clock::of_program(), Taps::default());
    let socket = socket.map(PathBuf::into_os_string);
    let socket = socket.as_ref().map(|socket| ("socket", socket.to_str().unwrap_or_default()));
    let number = port.number().to_string();
    let words: Vec<(&str, &str)> = std::iter::once(("port", number.as_str())).chain(socket).collect();
    let started = Process::start(command, &words, route.clock(), route.taps());
    let mut process = started.map_err(|error| StartError::Command(command.to_owned(), error))?;
    let clock = route.clock().clone();
    let deadline = clock.now() + time;
    while clock.now() < deadline {
        match Wire::open(&route, &Terms::default(), deadline).await {
            Ok(wire) => {
                greet(wire, GREETING).await;
                let running = Running::Process(Box::new(process));
                return Ok(Peer { _place: Some((port, folder)), ..Peer::new(target, route, running) });
            }
            Err(error) if retry_is_useless(&error) => {
                process.stop().await;
                return Err(StartError::Unreachable(Box::new(route), error));
            }
            Err(_) => {}
        }
        if let Some(status) = process.wait(ATTEMPT).await {
            let death = process.death(status).await;
            return Err(StartError::Ended(command.to_owned(), death));
        }
    }
    let stderr = process.stderr().await;
    process.stop().await;
    Err(StartError::NotReady(command.to_owned(), Box::new(route), time, stderr))
}

/// Starts a program that speaks on its standard input and output. It needs no time to listen, so the
/// first connection only shows how its process usually ends.
async fn start_stdio(target: &Target, command: &str) -> Result<Peer, StartError> {
    let (clock, taps) = (Clock::of_program(), Taps::default());
    let stdio = Stdio::new(command, &clock, &taps);
    let route = Route::Dial(stdio.address(), clock, taps);
    let deadline = route.clock().now() + START;
    let wire = Wire::open(&route, &Terms::default(), deadline).await;
    let wire = wire.map_err(|error| StartError::Command(command.to_owned(), error))?;
    greet(wire, GREETING_OF_CLIENT).await;
    match stdio.was_harmless().await {
        Some(death) => Err(StartError::Ended(command.to_owned(), death)),
        None => Ok(Peer::new(target, route, Running::Stdio(stdio))),
    }
}

/// Waits for the first connection of a client. This connection is harmless, so any exit status
/// after it is usual.
async fn await_client(target: &Target, host: &Arc<Host>) -> Result<Peer, StartError> {
    let host = host.take().await?;
    let route = Route::Awaited(Arc::clone(&host));
    match Wire::open(&route, &Terms::default(), route.clock().now() + START).await {
        Ok(wire) => {
            if greet(wire, GREETING_OF_CLIENT).await {
                host.was_harmless().await;
            }
            Ok(Peer::new(target, route, Running::Client(host)))
        }
        Err(error) => {
            let instead = match error.kind() {
                io::ErrorKind::TimedOut => format!("no connection within {} s", START.as_secs()),
                _ => error.to_string(),
            };
            let stderr = match host.death(Duration::ZERO).await {
                Some(death) => death.stderr,
                None => host.stderr().await,
            };
            host.stop().await;
            host.leave();
            Err(StartError::NoClient(host, instead, stderr))
        }
    }
}

/// Ends the first connection, which showed that the peer listens. Sends our object before: an empty
/// connection may crash the peer, and a case must find that. Returns whether the peer closed the
/// connection too.
async fn greet(mut wire: Wire, patience: Duration) -> bool {
    let deadline = wire.clock().now() + patience;
    wire.send(&[HELLO], deadline).await;
    wire.close(deadline).await;
    wire.is_closed()
}
