//! The reference peer over any transport: the reference session and the probe, optionally with a
//! fault or variants.

pub mod conduct;
pub mod fault;
pub mod variant;

use conduct::{Conduct, DIED, Reaction, line_of};
use dnode::transport::{self, Address, Duplex, Listener, close};
use dnode_spec::dialect::Dialect;
use dnode_spec::line::Splitter;
use dnode_spec::probe::Probe;
use dnode_spec::session::Session;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

/// The longest line that the reference peer accepts, in bytes.
const LINE_LIMIT: usize = 64 << 20;

/// The name of the reference peer.
pub const NAME: &str = concat!("dnode-conform-reference ", env!("CARGO_PKG_VERSION"));

/// Makes the conduct of one connection. The argument is the number of the connection.
pub type MakeConduct = Arc<dyn Fn(u64) -> Box<dyn Conduct> + Send + Sync>;

/// How a reference peer behaves on all its connections.
#[derive(Clone)]
pub struct Manner {
    dialect: Dialect,
    make: MakeConduct,
}

impl Manner {
    /// The same manner in this dialect.
    #[must_use]
    pub fn speaking(self, dialect: Dialect) -> Manner {
        Manner { dialect, ..self }
    }
}

impl From<MakeConduct> for Manner {
    fn from(make: MakeConduct) -> Manner {
        Manner { dialect: Dialect::default(), make }
    }
}

/// Serves every connection until the listener fails.
///
/// # Errors
/// The error of the listener.
pub async fn serve(listener: impl Into<Listener>, manner: Manner) -> io::Result<()> {
    let listener = listener.into();
    let busy = Arc::new(AtomicBool::new(false));
    let turn = Arc::new(Semaphore::new(1));
    for number in 0.. {
        match listener.accept().await {
            Ok(arrival) => {
                let (conduct, busy, turn) = ((manner.make)(number), Arc::clone(&busy), Arc::clone(&turn));
                let dialect = manner.dialect;
                tokio::spawn(async move {
                    // A failed handshake does not affect other connections.
                    let Ok(stream) = arrival.shake_hands().await else { return };
                    let permit = if conduct.one_at_a_time() { turn.acquire().await.ok() } else { None };
                    let dies = conduct.dies_of_resets();
                    // A broken connection is the other end's fault and does not affect other
                    // connections.
                    if Connection::new(stream, dialect, conduct, busy).run().await.is_err() && dies {
                        std::process::exit(DIED);
                    }
                    drop(permit);
                });
            }
            // A connection that ended before it was accepted does not mean that the listener
            // failed.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Connects as a client that offers the probe: again and again until a connection is refused, or
/// only `once`.
///
/// # Errors
/// The error of the first connection.
pub async fn connect(address: &Address, manner: Manner, once: bool) -> io::Result<()> {
    let busy = Arc::new(AtomicBool::new(false));
    let last = if once { 1 } else { u64::MAX };
    for number in 0..last {
        let connection = match transport::Connection::open(address).await {
            Ok(connection) => connection,
            Err(error) if number == 0 => return Err(error),
            Err(_) => break,
        };
        let conduct = (manner.make)(number);
        let dies = conduct.dies_of_resets();
        let connection = Connection::new(connection, manner.dialect, conduct, Arc::clone(&busy));
        if connection.run().await.is_err() && dies {
            std::process::exit(DIED);
        }
    }
    Ok(())
}

/// Serves one connection until it ends, for example a stream in memory.
///
/// # Errors
/// The error of the stream. The other end is at fault.
pub async fn speak(stream: impl Duplex, manner: Manner) -> io::Result<()> {
    Connection::new(stream, manner.dialect, (manner.make)(0), Arc::default()).run().await
}

/// How long a peer that drops unread data waits for its reader.
const UNREAD: Duration = Duration::from_millis(20);

struct Connection<S> {
    stream: S,
    conduct: Box<dyn Conduct>,
    session: Session,
    probe: Probe,
    lines: Splitter,
    /// The number of lines received so far.
    received: u64,
    /// The lines to be written, each with the number of the line that caused it.
    answers: Vec<(u64, Vec<u8>)>,
    busy: Arc<AtomicBool>,
    deaf: bool,
    closing: bool,
}

impl<S: Duplex> Connection<S> {
    fn new(stream: S, dialect: Dialect, conduct: Box<dyn Conduct>, busy: Arc<AtomicBool>) -> Connection<S> {
        Connection {
            stream,
            conduct,
            session: Session::new(LINE_LIMIT).speaking(dialect),
            probe: Probe::new(NAME).speaking(dialect),
            lines: Splitter::new(LINE_LIMIT),
            received: 0,
            answers: Vec::new(),
            busy,
            deaf: false,
            closing: false,
        }
    }

    /// Reads only after all answers are written, so a peer that never reads fills its own buffers,
    /// not our memory.
    async fn run(mut self) -> io::Result<()> {
        if !self.busy.load(Ordering::Relaxed) {
            let (graph, object) = self.probe.object();
            self.session.start(graph, object);
            self.drive();
        }
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let hold = self.conduct.hold(&mut self.answers).filter(|_| !self.answers.is_empty());
            let keeps = self.conduct.keeps();
            if hold.is_none() || self.closing {
                self.write().await?;
            }
            if self.closing {
                return close(self.stream).await;
            }
            let read = self.stream.read(&mut buffer);
            let count = match hold.max(keeps) {
                None => read.await,
                Some(pause) => match tokio::time::timeout(pause, read).await {
                    Ok(count) => count,
                    Err(_) => {
                        self.release();
                        self.write().await?;
                        continue;
                    }
                },
            };
            match count {
                Ok(0) => self.end(),
                Ok(count) => self.take(&buffer[..count]),
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.deaf || self.busy.load(Ordering::Relaxed) {
            return;
        }
        let bytes = self.conduct.segment(bytes.to_vec());
        self.lines.push(&bytes);
        while let Some(line) = self.lines.next_line() {
            let line = line.map(<[u8]>::to_vec);
            self.lines.forget_long_line();
            match line {
                Ok(line) => self.receive(line),
                Err(_) => self.closing = true,
            }
            if self.closing || self.deaf {
                return;
            }
        }
    }

    fn receive(&mut self, line: Vec<u8>) {
        self.received += 1;
        let reactions = self.conduct.receive(line);
        self.react(reactions);
    }

    /// Handles the lines that the conduct keeps.
    fn release(&mut self) {
        let reactions = self.conduct.release();
        self.react(reactions);
    }

    fn react(&mut self, reactions: Vec<Reaction>) {
        for reaction in reactions {
            match reaction {
                Reaction::Pass(line) => {
                    // A newline at the end of a long line would copy it, and the session has its own
                    // copy.
                    self.session.feed(&line);
                    drop(line);
                    self.session.feed(b"\n");
                    self.drive();
                }
                Reaction::Answer(message) => self.answers.push((self.received, line_of(&message))),
                Reaction::Close => self.closing = true,
                Reaction::Deaf => self.deaf = true,
                Reaction::Hang => {
                    self.busy.store(true, Ordering::Relaxed);
                    self.deaf = true;
                }
                Reaction::Crash => std::process::exit(DIED),
            }
        }
    }

    /// Passes the events of the session to the probe, and collects the lines that the session
    /// sends.
    fn drive(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.probe.handle(event, &mut self.session);
        }
        self.probe.turn(&mut self.session);
        while let Some(line) = self.session.poll_output() {
            let lines = self.conduct.send(line);
            self.answers.extend(lines.into_iter().map(|line| (self.received, line)));
        }
        self.closing |= self.session.is_closed();
    }

    fn end(&mut self) {
        let (line, last_words) = self.conduct.end(self.lines.rest());
        if let Some(line) = line {
            self.receive(line);
        }
        self.release();
        if self.conduct.loses_held() {
            self.answers.clear();
        }
        self.answers.push((self.received, last_words));
        self.closing = true;
    }

    async fn write(&mut self) -> io::Result<()> {
        let answers = std::mem::take(&mut self.answers);
        if answers.is_empty() {
            return Ok(());
        }
        for (_, line) in answers {
            if self.conduct.drops_unread() {
                let written = tokio::time::timeout(UNREAD, self.stream.write_all(&line)).await;
                written.unwrap_or(Ok(()))?;
                continue;
            }
            match self.conduct.piece() {
                None => self.stream.write_all(&line).await?,
                Some(size) => {
                    // At most 100 pieces, because a long line in tiny pieces is slow.
                    for piece in line.chunks(size.max(line.len() / 100)) {
                        self.stream.write_all(piece).await?;
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        self.stream.flush().await
    }
}

/// The plain reference peer.
#[must_use]
pub fn plain() -> Manner {
    let make: MakeConduct = Arc::new(|_| Box::new(conduct::Plain));
    make.into()
}
