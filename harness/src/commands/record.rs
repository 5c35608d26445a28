//! A proxy between two live implementations: it forwards bytes unchanged and at once, judges both directions, and writes each
//! connection down as a transcript.
//!
//! Forwarding comes first: each direction is a task of its own, and what it forwards is handed to a thread that judges and writes. Where
//! that thread falls behind, a slow disk for example, and all connections together by more than 64 MiB, judging and writing of that
//! connection end with a clear word, and forwarding goes on. Memory is bounded by that, a line of 20 MiB in each direction of each
//! connection, and the ids of the sessions.

use crate::wire::LINE_LIMIT;
use dnode_spec::line::Splitter;
use dnode_spec::message::Problem;
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::transcript::{About, Recorder};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How many forwarded bytes of all connections may wait to be judged.
const BEHIND: usize = 64 << 20;

/// How long the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// What to record, and where to.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the server listens.
    pub to: String,
    /// The folder for the transcripts; none: only judge.
    pub out: Option<PathBuf>,
    /// The end that the transcripts speak for.
    pub seen_from: End,
    /// Whether values are replaced by placeholders.
    pub redact: bool,
}

/// What a recording tells while it goes on.
#[derive(Debug, Clone)]
pub enum Said {
    /// An end broke a clause that it had not broken on this connection before.
    Finding {
        /// The connection, from 1.
        connection: usize,
        /// [`End::A`] is the client.
        end: End,
        /// What it broke.
        problem: Problem,
    },
    /// A connection is over.
    Closed {
        /// The connection.
        connection: usize,
        /// How many lines the client and the server sent.
        lines: [u64; 2],
        /// How many times each clause was broken, by end.
        broken: BTreeMap<(usize, &'static str), u64>,
        /// The transcript.
        file: Option<PathBuf>,
    },
    /// Something that the user should know.
    Warning(String),
}

/// Forwards until `stop` says so; then the connections are closed and what was recorded is finished.
///
/// # Errors
/// The listener's.
pub async fn record(
    listener: TcpListener,
    options: Options,
    stop: watch::Receiver<bool>,
    tell: &(dyn Fn(Said) + Send + Sync),
) -> io::Result<()> {
    let options = Arc::new(options);
    let (said, mut saying) = tokio::sync::mpsc::unbounded_channel();
    let mut connections = JoinSet::new();
    let mut number = 0;
    let waiting = Arc::<AtomicUsize>::default();
    let mut stopping = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted?;
                number += 1;
                let backlog = Arc::new(Backlog::of(&waiting));
                connections.spawn(connection(number, client, Arc::clone(&options), backlog, stop.clone(), said.clone()));
            }
            Some(word) = saying.recv() => tell(word),
            Some(_) = connections.join_next() => {}
            _ = stopping.wait_for(|stopped| *stopped) => break,
        }
    }
    drop(said);
    while let Some(word) = saying.recv().await {
        tell(word);
    }
    Ok(())
}

type Say = tokio::sync::mpsc::UnboundedSender<Said>;

async fn connection(
    number: usize,
    client: TcpStream,
    options: Arc<Options>,
    backlog: Arc<Backlog>,
    mut stop: watch::Receiver<bool>,
    said: Say,
) {
    let server = match tokio::time::timeout(CONNECT, TcpStream::connect(&options.to)).await {
        Ok(Ok(server)) => server,
        failed => {
            let why = failed.map_or_else(
                |_| "no answer".to_owned(),
                |it| it.err().map_or_else(String::new, |it| it.to_string()),
            );
            let warning =
                format!("connection {number}: the server at {} cannot be reached: {why}", options.to);
            let _ = said.send(Said::Warning(warning));
            return;
        }
    };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (tap, taken) = channel();
    let scribe = {
        let (backlog, options, said) = (Arc::clone(&backlog), Arc::clone(&options), said.clone());
        tokio::task::spawn_blocking(move || Scribe::new(number, &options, said).run(&taken, &backlog))
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = forward(from_client, to_server, End::A, tap.clone(), Arc::clone(&backlog));
    let back = forward(from_server, to_client, End::B, tap, backlog);
    tokio::select! {
        _ = async { tokio::join!(there, back) } => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
    let _ = scribe.await;
}

/// What goes from the forwarding tasks to the scribe.
enum Taken {
    Bytes(End, Vec<u8>),
    Ended(End),
}

/// What was forwarded and not judged yet.
#[derive(Debug)]
struct Backlog {
    /// How many bytes, of all connections.
    waiting: Arc<AtomicUsize>,
    /// When this connection would have added to them, they were more than [`BEHIND`]: nothing of it is handed over any more.
    overflown: AtomicBool,
}

impl Backlog {
    fn of(waiting: &Arc<AtomicUsize>) -> Backlog {
        Backlog { waiting: Arc::clone(waiting), overflown: AtomicBool::new(false) }
    }

    /// Whether there is room for these, which then wait.
    fn takes(&self, bytes: usize) -> bool {
        if self.waiting.load(Ordering::Relaxed) > BEHIND {
            self.overflown.store(true, Ordering::Relaxed);
        }
        let takes = !self.overflown.load(Ordering::Relaxed);
        if takes {
            self.waiting.fetch_add(bytes, Ordering::Relaxed);
        }
        takes
    }
}

/// One direction. The scribe is told of bytes before they are forwarded, so that whatever they cause is told after them.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    end: End,
    tap: Sender<Taken>,
    backlog: Arc<Backlog>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer).await {
            Ok(count @ 1..) => {
                let bytes = &buffer[..count];
                if backlog.takes(count) {
                    let _ = tap.send(Taken::Bytes(end, bytes.to_vec()));
                }
                if to.write_all(bytes).await.is_err() {
                    return;
                }
            }
            Ok(0) => {
                let _ = tap.send(Taken::Ended(end));
                let _ = to.shutdown().await;
                return;
            }
            Err(_) => {
                // A reset of the one is a reset of the other.
                let _ = socket2::SockRef::from(to.as_ref()).set_linger(Some(Duration::ZERO));
                return;
            }
        }
    }
}

/// Judges one connection and writes it down.
struct Scribe {
    number: usize,
    said: Say,
    monitor: Monitor,
    recorder: Recorder,
    splitters: [Splitter; 2],
    lines: [u64; 2],
    broken: BTreeMap<(usize, &'static str), u64>,
    paper: Option<Paper>,
    /// It fell behind and judges no more.
    lost: bool,
}

impl Scribe {
    fn new(number: usize, options: &Options, said: Say) -> Scribe {
        let paper = options.out.as_deref().and_then(|folder| match Paper::new(folder) {
            Ok(paper) => Some(paper),
            Err(error) => {
                let folder = folder.display();
                let _ = said
                    .send(Said::Warning(format!("connection {number} is not written: {folder}: {error}")));
                None
            }
        });
        let recorder = Recorder::new(options.seen_from);
        Scribe {
            number,
            said,
            monitor: Monitor::new(),
            recorder: if options.redact { recorder.redacting() } else { recorder },
            splitters: [Splitter::new(LINE_LIMIT), Splitter::new(LINE_LIMIT)],
            lines: [0; 2],
            broken: BTreeMap::new(),
            paper,
            lost: false,
        }
    }

    fn run(mut self, taken: &Receiver<Taken>, backlog: &Backlog) {
        for word in taken {
            match word {
                Taken::Bytes(end, bytes) => {
                    backlog.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                    self.bytes(end, &bytes);
                }
                Taken::Ended(end) => self.ended(end),
            }
            if backlog.overflown.load(Ordering::Relaxed) {
                self.lose(format!("judging fell behind by more than {} MiB", BEHIND >> 20));
            }
        }
        let file = self.finish();
        let _ = self.said.send(Said::Closed {
            connection: self.number,
            lines: self.lines,
            broken: self.broken,
            file,
        });
    }

    /// Gives judging and writing up.
    fn lose(&mut self, why: String) {
        if !std::mem::replace(&mut self.lost, true) {
            let number = self.number;
            let text = format!(
                "connection {number}: {why}; what follows is forwarded, but neither judged nor written"
            );
            let _ = self.said.send(Said::Warning(text));
        }
    }

    fn bytes(&mut self, end: End, bytes: &[u8]) {
        if self.lost {
            return;
        }
        let at = end as usize;
        self.splitters[at].push(bytes);
        loop {
            let line = match self.splitters[at].next_line() {
                None => return,
                Some(Ok(line)) => line.to_vec(),
                Some(Err(_)) => {
                    let problem = Monitor::too_long(LINE_LIMIT);
                    self.found(end, vec![problem]);
                    return self.lose(format!("a line has more than {} MiB", LINE_LIMIT >> 20));
                }
            };
            self.lines[at] += 1;
            let problems = self.monitor.line(end, &line).problems;
            self.found(end, problems);
            if self.paper.is_some() {
                self.recorder.line(end, &line);
                self.write();
            }
        }
    }

    fn ended(&mut self, end: End) {
        if !self.lost {
            let rest = self.splitters[end as usize].rest().to_vec();
            let problems = self.monitor.end(end, &rest);
            self.found(end, problems);
        }
    }

    fn found(&mut self, end: End, problems: Vec<Problem>) {
        for problem in problems {
            let count = self.broken.entry((end as usize, problem.clause)).or_default();
            *count += 1;
            if *count == 1 {
                let connection = self.number;
                let _ = self.said.send(Said::Finding { connection, end, problem });
            }
        }
    }

    fn write(&mut self) {
        let steps = self.recorder.take_steps();
        let Some(paper) = &mut self.paper else { return };
        if let Err(error) = steps.iter().try_for_each(|step| writeln!(paper.steps, "{step}")) {
            let path = paper.file.display().to_string();
            self.paper = None;
            let text = format!("connection {} is no longer written: {path}: {error}", self.number);
            let _ = self.said.send(Said::Warning(text));
        }
    }

    fn finish(&mut self) -> Option<PathBuf> {
        let paper = self.paper.take()?;
        let mut meta = Map::new();
        meta.insert("lines".to_owned(), json!(self.lines));
        if self.recorder.left_out() > 0 {
            meta.insert("left-out".to_owned(), json!(self.recorder.left_out()));
        }
        if self.lost {
            meta.insert("incomplete".to_owned(), json!(true));
        }
        let about = About {
            id: format!("recorded/{}", paper.name()),
            since: env!("CARGO_PKG_VERSION").to_owned(),
            about: "A session recorded between two live implementations.".to_owned(),
            recorded: true,
            meta,
        };
        match paper.finish(&self.recorder.header(&about).to_string()) {
            Ok(file) => Some(file),
            Err(error) => {
                let _ = self.said.send(Said::Warning(format!("connection {}: {error}", self.number)));
                None
            }
        }
    }
}

/// A transcript that is being written: the steps first, for the first line is known last.
struct Paper {
    file: PathBuf,
    part: PathBuf,
    steps: BufWriter<File>,
}

impl Paper {
    /// The next free `session-N.jsonl` of the folder.
    fn new(folder: &Path) -> io::Result<Paper> {
        fs::create_dir_all(folder)?;
        for number in 1_u32.. {
            let file = folder.join(format!("session-{number}.jsonl"));
            let part = file.with_extension("steps");
            if file.exists() {
                continue;
            }
            match File::create_new(&part) {
                Ok(steps) => return Ok(Paper { file, part, steps: BufWriter::new(steps) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many sessions"))
    }

    fn name(&self) -> String {
        self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn finish(mut self, header: &str) -> io::Result<PathBuf> {
        self.steps.flush()?;
        let mut whole = BufWriter::new(File::create_new(&self.file)?);
        writeln!(whole, "{header}")?;
        io::copy(&mut File::open(&self.part)?, &mut whole)?;
        whole.flush()?;
        fs::remove_file(&self.part)?;
        Ok(self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_for_all_connections_together() {
        let waiting = Arc::<AtomicUsize>::default();
        let (one, other) = (Backlog::of(&waiting), Backlog::of(&waiting));
        assert!(one.takes(BEHIND + 1));
        assert!(!other.takes(1), "another's bytes count");
        waiting.fetch_sub(BEHIND + 1, Ordering::Relaxed);
        assert!(!other.takes(1), "its transcript has a gap");
        assert!(one.takes(1), "it had room whenever it asked");
        assert_eq!(waiting.load(Ordering::Relaxed), 1, "what was not taken does not wait");
    }
}
