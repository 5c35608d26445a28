//! The place where a client connects: our listener, and the client's program if we start it.
//!
//! A program may connect again and again until it is refused. A program that exits with its
//! connection is restarted for the next one. If it exits with an error after a harmless connection,
//! that status is usual for it and not a crash.

use super::process::{self, Process};
use super::tap::Taps;
use crate::clock::{Clock, Moment};
use crate::error::{Fault, Faulted};
use dnode::transport::{Address, AddressError, Arrival, Connection, Identity, Limits, ListenError, Listener};
use dnode_reports::event::Death;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use thiserror::Error;
use tokio::sync::Mutex;

/// How long a client may take to connect if it was just started, or if the user starts it.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a running client may take to reconnect or to exit.
const RECONNECT: Duration = Duration::from_secs(3);
/// How long a connection of a program that has exited may take to arrive here. It is on its way, but
/// the system may tell us of the end first.
const ARRIVING: Duration = Duration::from_millis(20);
/// How long a connection that a stopped client left behind may take to arrive here.
const LEFT: Duration = Duration::from_millis(5);

/// The placeholder for the path of a socket.
const SOCKET: &str = "{socket}";

/// The address at which to wait for a client, and the command that starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The address. In `unix:{socket}`, the placeholder stands for an unused path.
    pub at: String,
    /// Our certificate and key for TLS.
    pub identity: Option<Identity>,
    /// The command that starts the client. Its placeholders `{host}` and `{port}`, or `{socket}`,
    /// and `{address}` stand for the address, and so do the variables `HOST`, `PORT`, `SOCKET` and
    /// `ADDRESS` in its environment. `None`: the user starts the client.
    pub exec: Option<String>,
}

/// Why we cannot wait for clients.
#[derive(Debug, Error)]
pub enum HostError {
    /// The address is not valid.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It is not possible to listen there.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A folder or a socket of our own failed.
    #[error(transparent)]
    Harness(#[from] io::Error),
}

impl Faulted for HostError {
    fn fault(&self) -> Fault {
        match self {
            HostError::Address(_) | HostError::Listen(_) => Fault::Caller,
            HostError::Harness(_) => Fault::Harness,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            HostError::Listen(error) => error.help(),
            HostError::Address(_) | HostError::Harness(_) => None,
        }
    }
}

/// A listener for clients, and the program of the client if we start it.
#[derive(Debug)]
pub struct Host {
    listen: Listen,
    listener: Listener,
    address: String,
    clock: Clock,
    taps: Taps,
    program: Option<Mutex<Program>>,
    taken: AtomicBool,
    /// The folder of its socket, if we chose the path.
    _folder: Option<TempDir>,
}

/// Two hosts are equal if they were opened with the same options.
impl PartialEq for Host {
    fn eq(&self, other: &Host) -> bool {
        self.listen == other.listen
    }
}

impl Eq for Host {}

#[derive(Debug)]
struct Program {
    command: String,
    words: Vec<(&'static str, String)>,
    clock: Clock,
    taps: Taps,
    process: Option<Process>,
    /// The running process has connected.
    has_connected: bool,
    /// The last connection had no input that could change how the process exits.
    harmless: bool,
    /// The exit status after a harmless connection, if it is not success.
    usual: Option<ExitStatus>,
    /// How a process ended, if it ended unexpectedly.
    death: Option<Death>,
}

impl Host {
    /// Listens. The program is not started before the first [`next`](Host::next).
    ///
    /// # Errors
    /// [`HostError`] if we cannot listen there.
    pub async fn open(listen: &Listen) -> Result<Host, HostError> {
        let folder = listen.at.contains(SOCKET).then(TempDir::new).transpose()?;
        let path = folder.as_ref().map(|folder| folder.path().join("suite").display().to_string());
        let at = Address::parse_to_listen(&listen.at.replace(SOCKET, &path.unwrap_or_default()))?;
        let listener = Listener::bind(&at, listen.identity.as_ref()).await?;
        let address = listener.address()?;
        let clock = if listen.exec.is_some() { Clock::of_program() } else { Clock::of_stranger() };
        let taps = Taps::default();
        let program = |command: &String| Mutex::new(Program::new(command, place(&address), &clock, &taps));
        let program = listen.exec.as_ref().map(program);
        Ok(Host {
            listen: listen.clone(),
            listener,
            address,
            clock,
            taps,
            program,
            taken: AtomicBool::new(false),
            _folder: folder,
        })
    }

    /// Reserves this host until [`leave`](Host::leave), or opens another one like it if this one is
    /// reserved.
    ///
    /// # Errors
    /// [`HostError`] if another one cannot be opened.
    pub async fn take(self: &Arc<Host>) -> Result<Arc<Host>, HostError> {
        if self.taken.swap(true, Ordering::Relaxed) {
            return Host::open(&self.listen).await.map(Arc::new);
        }
        Ok(Arc::clone(self))
    }

    /// Whether there can be several at once: we start the client, and its address has a free port
    /// or path.
    #[must_use]
    pub fn is_one_of_many(&self) -> bool {
        let anywhere = Address::parse_to_listen(&self.listen.at).is_ok_and(|at| at.takes_any_port());
        self.program.is_some() && (anywhere || self.listen.at.contains(SOCKET))
    }

    /// The options that it was opened with.
    #[must_use]
    pub fn listen(&self) -> &Listen {
        &self.listen
    }

    /// The address that clients connect to.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The clock that counts the time that the client has.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The taps on the standard error of its processes.
    #[must_use]
    pub fn taps(&self) -> &Taps {
        &self.taps
    }

    /// What its connections cannot carry.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.listener.limits()
    }

    /// Whether we start the client.
    #[must_use]
    pub fn starts_clients(&self) -> bool {
        self.program.is_some()
    }

    /// The next connection of a client. A client may take its time to start and connect, even
    /// beyond the deadline.
    ///
    /// # Errors
    /// If no client connects, or its handshake fails.
    pub async fn next(&self, deadline: Moment) -> io::Result<Connection> {
        let arrival = match &self.program {
            Some(program) => program.lock().await.arrival(&self.listener, deadline).await?,
            None => {
                let until = deadline.max(self.clock.now() + CONNECT);
                self.clock.timeout_at(until, self.listener.accept()).await??
            }
        };
        let until = deadline.max(self.clock.now() + RECONNECT);
        self.clock.timeout_at(until, arrival.shake_hands()).await?.map_err(|error| {
            let transport = self.limits().transport;
            let text = format!("a client connected, but the {transport} handshake failed: {error}");
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    /// Ends a reservation by [`take`](Host::take).
    pub fn leave(&self) {
        self.taken.store(false, Ordering::Relaxed);
    }

    /// Notes that the last connection was harmless, so the process now exits as it always does.
    pub async fn was_harmless(&self) {
        if let Some(program) = &self.program {
            program.lock().await.harmless = true;
        }
    }

    /// How its process ended, if it ended unexpectedly. Waits for a running process.
    pub async fn death(&self, wait: Duration) -> Option<Death> {
        let mut program = self.program.as_ref()?.lock().await;
        let ended = match &mut program.process {
            Some(process) => process.wait(wait).await,
            None => None,
        };
        if let Some(status) = ended {
            program.ended(status).await;
        }
        program.death.clone()
    }

    /// The last lines of the standard error of its process.
    pub async fn stderr(&self) -> String {
        let Some(program) = &self.program else { return String::new() };
        match program.lock().await.process.as_mut() {
            Some(process) => process.stderr().await,
            None => String::new(),
        }
    }

    /// A note for the reader of the verdicts about the usual exit status of its process.
    pub async fn note(&self) -> Option<String> {
        let usual = self.program.as_ref()?.lock().await.usual?;
        let status = process::describe(usual);
        Some(format!(
            "the client ends with {status} after each connection, so this is not counted as a crash"
        ))
    }

    /// Ends the client if it is ours, and drops the connections that it left waiting.
    pub async fn stop(&self) {
        let Some(program) = &self.program else { return };
        let mut program = program.lock().await;
        if let Some(process) = program.process.take() {
            process.stop().await;
        }
        program.death = None;
        while self.clock.timeout(LEFT, self.listener.accept()).await.is_ok() {}
    }
}

impl Program {
    fn new(command: &str, words: Vec<(&'static str, String)>, clock: &Clock, taps: &Taps) -> Program {
        let command = command.to_owned();
        Program {
            command,
            words,
            clock: clock.clone(),
            taps: taps.clone(),
            process: None,
            has_connected: false,
            harmless: false,
            usual: None,
            death: None,
        }
    }

    /// The next connection. A process that exited after its last connection is restarted.
    async fn arrival(&mut self, listener: &Listener, deadline: Moment) -> io::Result<Arrival> {
        loop {
            if let Some(death) = &self.death {
                let when = if self.has_connected { "" } else { " before it connected" };
                return Err(io::Error::other(format!("the client ended with {}{when}", death.status)));
            }
            let reconnects = self.process.is_some() && self.has_connected;
            let until = deadline.max(self.clock.now() + if reconnects { RECONNECT } else { CONNECT });
            let clock = self.clock.clone();
            match accept(listener, self.running()?, &clock, until).await? {
                Next::Arrival(arrival) => {
                    self.has_connected = true;
                    self.harmless = false;
                    return Ok(arrival);
                }
                Next::Exit(status) => self.ended(status).await,
            }
        }
    }

    /// Its process. Starts one if none is running.
    fn running(&mut self) -> io::Result<&mut Process> {
        let process = match self.process.take() {
            Some(process) => process,
            None => {
                self.has_connected = false;
                let words: Vec<_> = self.words.iter().map(|(word, value)| (*word, value.as_str())).collect();
                Process::start(&self.command, &words, &self.clock, &self.taps)?
            }
        };
        Ok(self.process.insert(process))
    }

    /// Takes note of the end of its process.
    async fn ended(&mut self, status: ExitStatus) {
        let Some(mut process) = self.process.take() else { return };
        if self.harmless && !status.success() {
            self.usual = Some(status);
        }
        let expected = status.success() || self.usual == Some(status);
        if !(self.has_connected && expected) {
            self.death = Some(process.death(status).await);
        }
    }
}

/// The next event of a running client.
enum Next {
    Arrival(Arrival),
    Exit(ExitStatus),
}

/// Waits for a connection of this process, or for its end.
async fn accept(
    listener: &Listener,
    process: &mut Process,
    clock: &Clock,
    until: Moment,
) -> io::Result<Next> {
    let next = clock.timeout_at(until, async {
        tokio::select! {
            biased;
            arrival = listener.accept() => arrival.map(Next::Arrival),
            status = process.end() => status.map(Next::Exit),
        }
    });
    let status = match next.await?? {
        Next::Exit(status) => status,
        arrival @ Next::Arrival(_) => return Ok(arrival),
    };
    // A process may connect, send its lines and exit at once.
    match clock.timeout(ARRIVING, listener.accept()).await {
        Ok(arrival) => arrival.map(Next::Arrival),
        Err(_) => Ok(Next::Exit(status)),
    }
}

/// The values of the placeholders for the address at which clients reach us.
fn place(address: &str) -> Vec<(&'static str, String)> {
    let mut words = vec![("address", address.to_owned())];
    if let Some(path) = address.strip_prefix("unix:") {
        words.push(("socket", path.to_owned()));
        return words;
    }
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host_and_port = rest.split('/').next().unwrap_or(rest);
    if let Some((host, port)) = host_and_port.rsplit_once(':') {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        words.extend([("host", host.to_owned()), ("port", port.to_owned())]);
    }
    words
}
