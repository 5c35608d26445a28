//! Where a client comes to: a listener of ours, and the program that connects there, where we start it.
//!
//! Each connection is waited for. A program may connect again and again, until it is refused; or it ends with its connection, and then it
//! is started anew for the next one. What status it ends with after a connection that was harmless is usual for it and no sign of a
//! crash.

use super::process::{self, Process};
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
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// How long a client that was just started, or that somebody else starts, may take to come.
const COMING: Duration = Duration::from_secs(10);
/// How long one that is running may take to come again, or to end.
const RETURN: Duration = Duration::from_secs(3);
/// How long a connection of a program that has ended may take to be seen here.
const ENDING: Duration = Duration::from_millis(20);
/// How long a connection that a client has left behind may take to be seen here.
const LEFT: Duration = Duration::from_millis(5);

/// The word that stands for the path of a socket.
const SOCKET: &str = "{socket}";

/// Where to wait for a client, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where. In `unix:{socket}` the word stands for a path that nothing else uses.
    pub at: String,
    /// What is shown over TLS.
    pub identity: Option<Identity>,
    /// Starts the client: `{host}` and `{port}`, or `{socket}`, and `{address}` say where we listen, and so do `HOST`, `PORT`, `SOCKET` and
    /// `ADDRESS` in its environment. Without it, somebody else starts one.
    pub exec: Option<String>,
}

/// Why clients cannot be awaited.
#[derive(Debug, Error)]
pub enum HostError {
    /// The address is not valid.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It is not possible to listen there.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A folder or a socket of our own fails.
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

/// Where clients connect.
#[derive(Debug)]
pub struct Host {
    listen: Listen,
    listener: Listener,
    address: String,
    program: Option<Mutex<Program>>,
    taken: AtomicBool,
    /// Where its socket lies, if it is our choice.
    _folder: Option<TempDir>,
}

/// Two are the same where they were asked for with the same words.
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
    process: Option<Process>,
    /// How many connections the running process has opened.
    came: u64,
    /// Nothing was done to it that could make it end in another way than it always does.
    harmless: bool,
    /// With what it ends after a harmless connection, if not with success.
    usual: Option<ExitStatus>,
    /// How a process ended that should not have.
    death: Option<Death>,
}

impl Host {
    /// Listens. The program is started when its connection is waited for.
    ///
    /// # Errors
    /// Why that is not possible, and who is at fault.
    pub async fn open(listen: &Listen) -> Result<Host, HostError> {
        let folder = listen.at.contains(SOCKET).then(TempDir::new).transpose()?;
        let path = folder.as_ref().map(|folder| folder.path().join("suite").display().to_string());
        let at = Address::parse_to_listen(&listen.at.replace(SOCKET, &path.unwrap_or_default()))?;
        let listener = Listener::bind(&at, listen.identity.as_ref()).await?;
        let address = listener.address()?;
        let program = listen.exec.as_ref().map(|command| Mutex::new(Program::new(command, place(&address))));
        Ok(Host {
            listen: listen.clone(),
            listener,
            address,
            program,
            taken: AtomicBool::new(false),
            _folder: folder,
        })
    }

    /// This one, for whoever asks first, until it is [left](Host::leave); for others one more like it. Only where the port or the path is free to
    /// choose there can be several.
    ///
    /// # Errors
    /// Why that is not possible, and who is at fault.
    pub async fn take(self: &Arc<Host>) -> Result<Arc<Host>, HostError> {
        if self.taken.swap(true, Ordering::Relaxed) {
            return Host::open(&self.listen).await.map(Arc::new);
        }
        Ok(Arc::clone(self))
    }

    /// Whether there can be several at once.
    #[must_use]
    pub fn is_one_of_many(&self) -> bool {
        let anywhere = Address::parse_to_listen(&self.listen.at).is_ok_and(|at| at.takes_any_port());
        self.program.is_some() && (anywhere || self.listen.at.contains(SOCKET))
    }

    /// What was asked for.
    #[must_use]
    pub fn listen(&self) -> &Listen {
        &self.listen
    }

    /// Where clients reach us.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
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

    /// The next connection of a client, which has its own time to come, beyond the deadline too.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn next(&self, deadline: Instant) -> io::Result<Connection> {
        let arrival = match &self.program {
            Some(program) => program.lock().await.arrival(&self.listener, deadline).await?,
            None => timeout_at(deadline.max(Instant::now() + COMING), self.listener.accept()).await??,
        };
        let until = deadline.max(Instant::now() + RETURN);
        timeout_at(until, arrival.shake_hands()).await?.map_err(|error| {
            let words =
                format!("a client came, and the handshake of {} failed: {error}", self.limits().transport);
            io::Error::new(io::ErrorKind::InvalidData, words)
        })
    }

    /// Whoever has taken it needs it no more.
    pub fn leave(&self) {
        self.taken.store(false, Ordering::Relaxed);
    }

    /// The last connection was harmless: how the process ends now is how it always ends.
    pub async fn was_harmless(&self) {
        if let Some(program) = &self.program {
            program.lock().await.harmless = true;
        }
    }

    /// How its process ended, if it ended as it should not.
    pub async fn death(&self, wait: Duration) -> Option<Death> {
        let mut program = self.program.as_ref()?.lock().await;
        let ended = match &mut program.process {
            Some(process) => process.wait(wait).await,
            None => None,
        };
        if let Some(status) = ended {
            program.over(status).await;
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

    /// What the reader of the verdicts should know of how its process ends.
    pub async fn note(&self) -> Option<String> {
        let usual = self.program.as_ref()?.lock().await.usual?;
        let words = process::describe(usual);
        Some(format!(
            "the client ends with {words} after each connection: such an end is not taken for a crash"
        ))
    }

    /// Ends the client, where it is ours. What it has left waiting here is nobody's.
    pub async fn stop(&self) {
        let Some(program) = &self.program else { return };
        let mut program = program.lock().await;
        if let Some(process) = program.process.take() {
            process.stop().await;
        }
        program.death = None;
        while timeout(LEFT, self.listener.accept()).await.is_ok() {}
    }
}

impl Program {
    fn new(command: &str, words: Vec<(&'static str, String)>) -> Program {
        let command = command.to_owned();
        Program { command, words, process: None, came: 0, harmless: false, usual: None, death: None }
    }

    /// The next connection. A process that ended with its last one is started anew.
    async fn arrival(&mut self, listener: &Listener, deadline: Instant) -> io::Result<Arrival> {
        loop {
            if let Some(death) = &self.death {
                let before = if self.came == 0 { " before it connected" } else { "" };
                return Err(io::Error::other(format!("the client ended with {}{before}", death.status)));
            }
            if self.process.is_none() {
                self.start()?;
            }
            let Some(process) = &mut self.process else { continue };
            let until = deadline.max(Instant::now() + if self.came == 0 { COMING } else { RETURN });
            let accepted = tokio::select! {
                biased;
                arrival = listener.accept() => Ok(arrival),
                status = process.end() => Err(status?),
                () = sleep_until(until) => return Err(io::ErrorKind::TimedOut.into()),
            };
            // It may have connected, spoken and ended all at once.
            let accepted = match accepted {
                Ok(arrival) => Ok(arrival),
                Err(status) => timeout(ENDING, listener.accept()).await.map_err(|_| status),
            };
            match accepted {
                Ok(arrival) => {
                    self.came += 1;
                    self.harmless = false;
                    return arrival;
                }
                Err(status) => self.over(status).await,
            }
        }
    }

    fn start(&mut self) -> io::Result<()> {
        self.came = 0;
        let words: Vec<(&str, &str)> =
            self.words.iter().map(|(word, value)| (*word, value.as_str())).collect();
        self.process = Some(Process::start(&self.command, &words)?);
        Ok(())
    }

    /// Its process has ended.
    async fn over(&mut self, status: ExitStatus) {
        let Some(mut process) = self.process.take() else { return };
        if self.harmless && !status.success() {
            self.usual = Some(status);
        }
        if self.came == 0 || !(status.success() || self.usual == Some(status)) {
            self.death = Some(process.death(status).await);
        }
    }
}

/// The words for the place at which a client reaches us.
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
