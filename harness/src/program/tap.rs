//! The standard error of a peer's processes while a case runs.
//!
//! A pipe is read as soon as it has something, and once more when a tap is opened and when its text
//! is taken. So the text of a tap has exactly the output from the time between.

use super::stderr::Stderr;
use dnode_reports::event::Written;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::net::unix::pipe::Receiver;

/// How many reads take all that was in a pipe. A process may write faster than we read, so there is
/// an end.
const READS: usize = 16;
/// How many bytes one read takes.
const BLOCK: usize = 4096;

/// The taps of a peer that are open, and the pipes of its processes. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Taps(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    pipes: Vec<Weak<Pipe>>,
    open: Vec<Weak<Mutex<Kept>>>,
}

/// Keeps the standard error of the peer's processes while it is open.
#[derive(Debug)]
pub struct Tap {
    kept: Arc<Mutex<Kept>>,
    taps: Taps,
}

#[derive(Debug, Default)]
struct Kept {
    stderr: Stderr,
    /// Another tap was open at the same time.
    beside: bool,
}

impl Taps {
    /// Opens a tap.
    #[must_use]
    pub fn open(&self) -> Tap {
        self.read();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let others = self.opened();
        locked(&kept).beside = !others.is_empty();
        others.iter().for_each(|other| locked(other).beside = true);
        locked(&self.0).open.push(Arc::downgrade(&kept));
        Tap { kept, taps: self.clone() }
    }

    /// Adds the standard error of a process.
    pub(super) fn add(&self, pipe: &Arc<Pipe>) {
        let pipes = &mut locked(&self.0).pipes;
        pipes.retain(|pipe| pipe.strong_count() > 0);
        pipes.push(Arc::downgrade(pipe));
    }

    /// Reads the output of the processes.
    fn read(&self) {
        let pipes: Vec<Arc<Pipe>> = locked(&self.0).pipes.iter().filter_map(Weak::upgrade).collect();
        for pipe in pipes {
            pipe.read();
        }
    }

    fn opened(&self) -> Vec<Arc<Mutex<Kept>>> {
        let open = &mut locked(&self.0).open;
        open.retain(|tap| tap.strong_count() > 0);
        open.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Tap {
    /// The output since it was opened; `None` if there is none.
    #[must_use]
    pub fn text(self) -> Option<Written> {
        self.taps.read();
        let kept = locked(&self.kept);
        let text = kept.stderr.text();
        (!text.is_empty()).then(|| Written { text, beside: kept.beside })
    }
}

/// The standard error of one process.
#[derive(Debug)]
pub(super) struct Pipe {
    end: Receiver,
    kept: Mutex<Stderr>,
    taps: Taps,
}

/// The content of a pipe.
enum Read {
    All,
    /// There may be more.
    Part,
    /// The other end is closed.
    End,
}

impl Pipe {
    /// Takes over our end of a pipe.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn new(end: OwnedFd, taps: &Taps) -> io::Result<Arc<Pipe>> {
        let end = Receiver::from_owned_fd(end)?;
        let pipe = Arc::new(Pipe { end, kept: Mutex::default(), taps: taps.clone() });
        taps.add(&pipe);
        Ok(pipe)
    }

    /// Reads until the end of the pipe.
    pub(super) async fn keep(self: Arc<Pipe>) {
        while self.end.readable().await.is_ok() {
            match self.read() {
                Read::All => {}
                Read::Part => tokio::task::yield_now().await,
                Read::End => return,
            }
        }
    }

    /// Reads the pipe until it is empty.
    fn read(&self) -> Read {
        // One reader at a time, so that no text comes before an earlier one.
        let mut kept = locked(&self.kept);
        let mut block = [0; BLOCK];
        for _ in 0..READS {
            // The runtime may not know yet that there is something, so ask the system first. Only an
            // attempt of the runtime makes `readable` wait again.
            let read = nix::unistd::read(&self.end, &mut block).map_err(io::Error::from);
            match read.or_else(|_| self.end.try_read(&mut block)) {
                Ok(0) => return Read::End,
                Ok(count) => {
                    kept.add(&block[..count]);
                    self.taps.opened().iter().for_each(|tap| locked(tap).stderr.add(&block[..count]));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::All,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Read::End,
            }
        }
        Read::Part
    }

    /// Forgets the kept output.
    pub(super) fn forget(&self) {
        *locked(&self.kept) = Stderr::default();
    }

    /// The first and the last lines.
    pub(super) fn text(&self) -> String {
        locked(&self.kept).text()
    }
}

impl Drop for Pipe {
    /// A process that is no longer watched may have written something before.
    fn drop(&mut self) {
        self.read();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn written(text: &str, beside: bool) -> Option<Written> {
        Some(Written { text: text.to_owned(), beside })
    }

    #[tokio::test]
    async fn a_tap_has_what_was_written_while_it_was_open() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let taps = Taps::default();
        let pipe = Pipe::new(reader.into(), &taps).unwrap();
        writer.write_all(b"before\n").unwrap();
        let first = taps.open();
        writer.write_all(b"first\n").unwrap();
        assert_eq!(first.text(), written("first", false));
        let second = taps.open();
        writer.write_all(b"second\n").unwrap();
        let third = taps.open();
        writer.write_all(b"both\n").unwrap();
        assert_eq!(second.text(), written("second\nboth", true));
        assert_eq!(third.text(), written("both", true), "another one was open when it was opened");
        assert_eq!(taps.open().text(), None);
        assert_eq!(pipe.text(), "before\nfirst\nsecond\nboth");
    }

    #[tokio::test]
    async fn a_tap_has_the_last_words_of_a_process_that_was_dropped() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let taps = Taps::default();
        let pipe = Pipe::new(reader.into(), &taps).unwrap();
        let tap = taps.open();
        writer.write_all(b"the end").unwrap();
        drop(pipe);
        assert_eq!(tap.text(), written("the end", false));
    }
}
