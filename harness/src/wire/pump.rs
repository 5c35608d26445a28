//! Moves the bytes of one connection. It reads and writes at the same time, so a peer that floods
//! and never reads cannot block us.

use super::budget::Refused;
use super::{BYTES_LIMIT, HEAD, ROOM, Wire};
use crate::clock::{Missed, Moment};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

impl Wire {
    /// Moves bytes in both directions once. Returns `false` after the deadline, or if other
    /// connections use the memory until then.
    pub(super) async fn pump(&mut self, deadline: Moment) -> bool {
        match self.share.fit(self.kept + self.splitter.memory(), &self.clock).await {
            Ok(()) => {}
            Err(Refused::Late) => {
                self.overloaded = true;
                return false;
            }
            Err(Refused::TooMuch) => {
                self.full = true;
                if !self.has_to_write() {
                    return true;
                }
            }
        }
        self.unread = self.unread.filter(|until| *until > self.clock.now());
        let until = self.unread.map_or(deadline, |until| until.min(deadline));
        // Usually something can be written or read at once, so no timer is needed.
        let at_once = poll_fn(|cx| Poll::Ready(self.poll_pump(cx))).await;
        if at_once.is_pending() {
            let clock = self.clock.clone();
            let moved = poll_fn(|cx| self.poll_pump(cx));
            if let Err(missed) = clock.timeout_at(until, moved).await {
                self.overloaded |= missed == Missed::Overload;
                // After the time in which nothing is read, there may be more time.
                if self.unread.is_none() || missed == Missed::Overload {
                    return false;
                }
            }
        }
        self.clock.now() < deadline
    }

    fn poll_pump(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connection.is_none() {
            self.closed.get_or_insert(false);
            return Poll::Ready(());
        }
        // In this order the written bytes carry the acknowledgement of the bytes that were read.
        let (written, read) = (self.poll_write(cx), self.poll_read(cx));
        if read.is_ready() { read } else { written }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(connection) = self
            .connection
            .as_mut()
            .filter(|_| !self.full && self.unread.is_none() && self.bytes <= BYTES_LIMIT)
        else {
            return Poll::Pending;
        };
        let mut space = [const { MaybeUninit::uninit() }; 64 * 1024];
        let mut buffer = ReadBuf::uninit(&mut space);
        match ready!(Pin::new(connection).poll_read(cx, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => self.closed = Some(false),
            Ok(()) => {
                self.bytes += buffer.filled().len() as u64;
                let missing = HEAD - self.head.len();
                self.head.extend(buffer.filled().iter().take(missing));
                self.splitter.push(buffer.filled());
            }
            // TLS without its closing alert, as if the process has exited. Over TCP this is an
            // orderly end too.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.closed = Some(false),
            Err(_) => self.closed = Some(true),
        }
        Poll::Ready(())
    }

    pub(super) fn has_to_write(&self) -> bool {
        !self.outgoing.is_empty() || self.unflushed
    }

    /// Writes outgoing bytes, flushes them, and closes our half, as far as the transport is ready.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.outgoing.is_empty() {
            return self.poll_write_outgoing(cx);
        }
        let Some(connection) = self.connection.as_mut() else { return Poll::Pending };
        if self.unflushed {
            let _ = ready!(Pin::new(connection).poll_flush(cx));
            self.unflushed = false;
            return Poll::Ready(());
        }
        if self.ending {
            let _ = ready!(Pin::new(connection).poll_shutdown(cx));
            self.ending = false;
        }
        Poll::Pending
    }

    fn poll_write_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(connection) = self.connection.as_mut() else { return Poll::Pending };
        let mut stream = Pin::new(connection);
        // A message-based transport makes one message of each segment, so it must get the whole
        // segment at once.
        match ready!(stream.as_mut().poll_write(cx, self.outgoing.make_contiguous())) {
            Ok(count @ 1..) => {
                self.outgoing.drain(..count);
                self.unflushed = true;
                if self.outgoing.is_empty() && self.outgoing.capacity() > ROOM {
                    self.outgoing = VecDeque::new();
                }
            }
            // The peer no longer reads, but we can still read what it has sent.
            Ok(0) | Err(_) => self.outgoing.clear(),
        }
        if self.unflushed {
            self.unflushed = stream.poll_flush(cx).is_pending();
        }
        Poll::Ready(())
    }
}
