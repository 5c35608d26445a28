//! The peer under test: reached by its address, started and restarted where we may, asked whether it lives.

use crate::host::Host;
use crate::ping::Answer;
use crate::preflight::Facts;
use crate::process::{self, Process};
use crate::target::Target;
use crate::transport::tls::Trust;
use crate::transport::{Address, Limits, Template};
use crate::wire::{Incoming, Terms, Wire};
use dnode_reports::event::Death;
use dnode_spec::monitor::Received;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::Names;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a program may take from its start to its first connection.
const START: Duration = Duration::from_secs(30);
/// How long the first connection may take to end.
const GREETING: Duration = Duration::from_millis(200);
/// Between two attempts to reach a program that is starting: nothing signals that it listens.
const ATTEMPT: Duration = Duration::from_millis(10);
/// How long a process that broke its connections may take to end before it counts as alive.
pub const DYING: Duration = Duration::from_secs(2);

/// Why there is no peer to test. The texts say who is at fault.
#[derive(Debug)]
pub enum StartError {
    /// The address does not accept connections.
    Unreachable(Address, io::Error),
    /// The command could not be started.
    Command(String, io::Error),
    /// The program ended before it accepted a connection.
    Ended(String, Death),
    /// The program runs, but accepts no connection at this address.
    NotReady(String, Address, String),
    /// A port or a listener of our own.
    Harness(io::Error),
    /// No client came to us; what came instead, and the standard error of its process.
    NoClient(Arc<Host>, String, String),
    /// The address cannot be used; the text says who is at fault.
    Address(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Unreachable(address, error) => match (fault(error), address.host()) {
                (Some(fault), _) => write!(f, "{fault}: at {address}: {error}"),
                (None, Some(host)) => write!(
                    f,
                    "peer: a client came to {}, and did not come again: {error}. It has to read each connection to its end, end it then, \
                     and connect again until it is refused",
                    host.address()
                ),
                (None, None) => write!(
                    f,
                    "peer: nothing accepts connections at {address} ({error}). Is it started?{}",
                    address.hint()
                ),
            },
            StartError::Command(command, error) => {
                write!(f, "caller: the command {command:?} cannot be started: {error}")
            }
            StartError::Ended(command, death) => write!(
                f,
                "peer: {command:?} ended with {} before it accepted a connection. Does it listen at the port given as \
                 {{port}} and PORT, or with --at unix:{{socket}} at the path given as {{socket}} and SOCKET? Its standard \
                 error:\n{}",
                death.status, death.stderr
            ),
            StartError::NotReady(command, address, stderr) => write!(
                f,
                "peer: {command:?} runs, but accepts no connection at {address} after {} s. Does it listen {}?{} Its \
                 standard error:\n{stderr}",
                START.as_secs(),
                match address.limits() {
                    Limits::UNIX => "at the path given as {socket} and SOCKET",
                    _ => "at the port given as {port} and PORT",
                },
                address.hint()
            ),
            StartError::NoClient(host, instead, stderr) => match &host.listen().exec {
                Some(command) => write!(
                    f,
                    "peer: {command:?} did not connect to {}: {instead}. The words {{host}} and {{port}}, or {{socket}}, and the \
                     environment variables HOST, PORT and SOCKET say where we listen. Its standard error:\n{stderr}",
                    host.address()
                ),
                None => write!(
                    f,
                    "peer: no client connected to {}: {instead}. Start one that connects again after each connection, until it is \
                     refused; or let --exec start it",
                    host.address()
                ),
            },
            StartError::Harness(error) => write!(f, "harness: {error}"),
            StartError::Address(problem) => f.write_str(problem),
        }
    }
}

/// Who is at fault where another attempt to connect would end the same way.
fn fault(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::InvalidInput => Some("caller"),
        io::ErrorKind::InvalidData => Some("peer"),
        _ => None,
    }
}

impl std::error::Error for StartError {}

/// A running peer.
#[derive(Debug)]
pub struct Peer {
    target: Target,
    address: Address,
    running: Running,
    /// Where the socket of its program lies, as long as it runs.
    _folder: Option<TempDir>,
}

#[derive(Debug)]
enum Running {
    Elsewhere,
    Process(Box<Process>),
    Reference(JoinHandle<io::Result<()>>),
    Client(Arc<Host>),
}

/// What a peer that no longer serves is.
#[derive(Debug)]
pub enum Health {
    /// A fresh connection is served.
    Serves,
    /// Its process ended.
    Died(Death),
    /// It accepts no connections any more; its process is not ours to see.
    Refuses,
    /// Its process lives, but a fresh connection is not served.
    Deaf,
}

impl Peer {
    /// Starts the peer, or finds it.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(target: &Target) -> Result<Peer, StartError> {
        match target {
            Target::Address(address) => {
                let deadline = Instant::now() + Duration::from_secs(5);
                let opened = Wire::open(address, &Terms::default(), deadline).await;
                let wire = opened.map_err(|error| StartError::Unreachable(address.clone(), error))?;
                greet(wire, GREETING).await;
                Ok(Peer::new(target, address.clone(), Running::Elsewhere))
            }
            Target::Reference(dialect) => {
                let listener = TcpListener::bind("127.0.0.1:0").await.map_err(StartError::Harness)?;
                let address = listener.local_addr().map_err(StartError::Harness)?.to_string();
                let address = Address::parse(&address, &Trust::System).map_err(StartError::Address)?;
                let serving =
                    tokio::spawn(crate::serve::serve(listener, crate::serve::plain().speaking(*dialect)));
                Ok(Peer::new(target, address, Running::Reference(serving)))
            }
            Target::Exec(command) => {
                let at = Template::parse("127.0.0.1:{port}", &Trust::System).map_err(StartError::Address)?;
                Peer::start_process(target, command, &at).await
            }
            Target::ExecAt(command, at) => Peer::start_process(target, command, at).await,
            Target::Client(host) => Peer::start_client(target, host).await,
        }
    }

    fn new(target: &Target, address: Address, running: Running) -> Peer {
        Peer { target: target.clone(), address, running, _folder: None }
    }

    /// Waits for the first connection of a client: how it ends after that one is no harm's doing.
    async fn start_client(target: &Target, host: &Arc<Host>) -> Result<Peer, StartError> {
        let host = host.take().await.map_err(StartError::Address)?;
        let address = Address::of_clients(Arc::clone(&host));
        match Wire::open(&address, &Terms::default(), Instant::now() + START).await {
            Ok(wire) => {
                // Cut off before it has ended its half, it may see a reset, and that is a harm.
                if greet(wire, GREETING * 25).await {
                    host.was_harmless().await;
                }
                Ok(Peer::new(target, address, Running::Client(host)))
            }
            Err(error) => {
                let instead = match error.kind() {
                    io::ErrorKind::TimedOut => format!("nothing came within {} s", START.as_secs()),
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

    async fn start_process(target: &Target, command: &str, at: &Template) -> Result<Peer, StartError> {
        let port = free_port().map_err(StartError::Harness)?;
        let folder = at.wants_socket().then(TempDir::new).transpose().map_err(StartError::Harness)?;
        let socket = folder.as_ref().map(|folder| folder.path().join("peer"));
        let address = at.fill(port, &socket.clone().unwrap_or_default()).map_err(StartError::Address)?;
        let (port, socket) = (port.to_string(), socket.map(PathBuf::into_os_string));
        let socket = socket.as_ref().map(|socket| ("socket", socket.to_str().unwrap_or_default()));
        let words: Vec<(&str, &str)> = std::iter::once(("port", port.as_str())).chain(socket).collect();
        let started = Process::start(command, &words);
        let mut process = started.map_err(|error| StartError::Command(command.to_owned(), error))?;
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            match Wire::open(&address, &Terms::default(), deadline).await {
                Ok(wire) => {
                    greet(wire, GREETING).await;
                    let running = Running::Process(Box::new(process));
                    return Ok(Peer { _folder: folder, ..Peer::new(target, address, running) });
                }
                Err(error) if fault(&error).is_some() => {
                    process.stop().await;
                    return Err(StartError::Unreachable(address, error));
                }
                Err(_) => {}
            }
            if let Some(status) = process.wait(ATTEMPT).await {
                let death = Death { status: process::describe(status), stderr: process.stderr().await };
                return Err(StartError::Ended(command.to_owned(), death));
            }
        }
        let stderr = process.stderr().await;
        process.stop().await;
        Err(StartError::NotReady(command.to_owned(), address, stderr))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The process group of its program, where we started one.
    #[must_use]
    pub fn group(&self) -> Option<i32> {
        match &self.running {
            Running::Process(process) => process.group(),
            Running::Elsewhere | Running::Reference(_) | Running::Client(_) => None,
        }
    }

    /// Whether we can start it again.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match &self.running {
            Running::Elsewhere => false,
            Running::Client(host) => host.starts_clients(),
            Running::Process(_) | Running::Reference(_) => true,
        }
    }

    /// Ends it, where it is ours, and starts it afresh.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        if let Running::Client(host) = &self.running {
            // The next one is started when its connection is waited for.
            host.stop().await;
            return Ok(());
        }
        let target = self.target.clone();
        std::mem::replace(&mut self.running, Running::Elsewhere).stop().await;
        *self = Peer::start(&target).await?;
        Ok(())
    }

    /// Ends it, where it is ours.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// How the process ended, if it is ours and has ended.
    pub async fn death(&mut self, wait: Duration) -> Option<Death> {
        match &mut self.running {
            Running::Process(process) => {
                let status = process.wait(wait).await?;
                Some(Death { status: process::describe(status), stderr: process.stderr().await })
            }
            Running::Client(host) => host.death(wait).await,
            Running::Elsewhere | Running::Reference(_) => None,
        }
    }

    /// Whether a fresh connection is served: handshake, and the known-good call where there is one.
    pub async fn health(&mut self, facts: &Facts, patience: Duration) -> Health {
        if let Some(death) = self.death(Duration::ZERO).await {
            return Health::Died(death);
        }
        let served = serves(&self.address, facts, Instant::now() + patience).await;
        let dying = match served {
            Service::Served => return Health::Serves,
            // A process that dies closes its connections a moment before it is seen to have ended, and on a busy machine it may be
            // silent for longer than anybody waits before it gets to do so.
            Service::Closed | Service::Refused | Service::Silent => DYING,
        };
        if let Some(death) = self.death(dying).await {
            return Health::Died(death);
        }
        if served == Service::Refused { Health::Refuses } else { Health::Deaf }
    }
}

/// Ends the connection that showed that the peer listens. It says a word first: a peer may die of one that ends without, and a case
/// is to find that. Says whether the peer ended the connection too.
async fn greet(mut wire: Wire, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    wire.send(&[HELLO], deadline).await;
    wire.close(deadline).await;
    wire.is_closed()
}

/// A port that is free now and that the program takes a moment later. It lies below those that systems hand out by themselves, so
/// that no other connection gets it meanwhile. The first is drawn at random, so that two runs at once do not meet, and each other is the next
/// one: two programs that start at the same time never have the same.
fn free_port() -> io::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u64 = 12_000;
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(FIRST) % COUNT));
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..100 {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + u16::try_from(offset).unwrap_or_default();
        match std::net::TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Running {
    async fn stop(self) {
        match self {
            Running::Elsewhere => {}
            Running::Process(process) => process.stop().await,
            Running::Reference(serving) => serving.abort(),
            Running::Client(host) => {
                host.stop().await;
                host.leave();
            }
        }
    }
}

/// What became of a fresh connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The handshake was done, and the known-good call answered where there is one.
    Served,
    /// The peer accepted it and ended it.
    Closed,
    /// The peer does not accept it.
    Refused,
    /// Nothing came until the deadline.
    Silent,
}

/// Whether a fresh connection is served before the deadline, as far as this peer serves any.
pub async fn serves(address: &Address, facts: &Facts, deadline: Instant) -> Service {
    let begun = Instant::now();
    let mut wire = match Wire::open(address, &facts.terms, deadline).await {
        Ok(wire) => wire,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Service::Silent,
        Err(_) => return Service::Refused,
    };
    // A client has its own time to come.
    let deadline = if address.host().is_some() { deadline + begun.elapsed() } else { deadline };
    let mut names = Names::new(65);
    wire.send(&[HELLO], deadline).await;
    while facts.members.is_some() {
        match wire.receive(deadline).await {
            Incoming::Message(received) if received.method.is("methods") => {
                bind_object(&received, &mut names);
                break;
            }
            Incoming::Message(_) | Incoming::Broken(_) => {}
            Incoming::Closed { .. } => return Service::Closed,
            Incoming::Late | Incoming::Flood => return Service::Silent,
        }
    }
    if let Some(ping) = &facts.ping {
        match ping.ask(&mut wire, &mut names, facts.by, deadline, &mut |_| {}).await {
            Answer::Answered(_) => {}
            Answer::Closed => return Service::Closed,
            Answer::Late => return Service::Silent,
        }
    }
    wire.close(deadline.min(Instant::now() + facts.drain())).await;
    Service::Served
}

/// The message `methods` with an object of one function, as most real ends send it.
pub const HELLO: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"hello\":\"[Function]\"}],\"callbacks\":{\"64\":[\"0\",\"hello\"]},\"links\":[]}\n";

/// Takes the functions of the peer's object out of its message `methods`; says which members it has, and which of
/// them are functions.
pub fn bind_object(received: &Received, names: &mut Names) -> Vec<(TextBuf, bool)> {
    names.forget_members();
    let object = received.graph.items(received.root).first().map(|&id| received.graph.node(id));
    let Some(dnode_spec::graph::Node::Object(members)) = object else {
        return Vec::new();
    };
    let members = members.iter().map(|(key, &id)| {
        let function = received.graph.leaf(id);
        if let Some(&id) = function {
            names.bind_member(key.clone(), id);
        }
        (key.clone(), function.is_some())
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_programs_get_one_port() {
        let ports: HashSet<u16> = (0..1000).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 1000);
    }
}
