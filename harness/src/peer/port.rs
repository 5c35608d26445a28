//! A free port for a program that starts next.
//!
//! The port is below the range that systems assign by themselves, so no other connection takes it
//! before the program does. The first port of a run is random. Each further port is the next
//! number, so that two programs of a run never get the same port.
//!
//! Several runs on one machine share a file with one byte for each port. A run locks the byte of a
//! port as long as it uses it. Without this, two runs might start programs on the same port at the
//! same time, and one of them would test the program of the other.

use crate::program::hold_starts;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::unistd::getuid;
use socket2::{Domain, Socket, Type};
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

const FIRST: u16 = 20_000;
const COUNT: u64 = 12_000;

/// The file of the locks. It stays open, because closing it would release all locks of this
/// process. `None` if it cannot be opened: then runs are not protected from each other.
static LOCKS: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("dnode-conform-ports-{}", getuid()));
    OpenOptions::new().create(true).truncate(false).write(true).open(path).ok()
});

/// A port that this run has to itself until this is dropped.
#[derive(Debug)]
pub(super) struct Port(u16);

impl Port {
    /// Reserves a free port.
    pub(super) fn reserve() -> io::Result<Port> {
        static NEXT: LazyLock<AtomicU64> =
            LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(FIRST) % COUNT));
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..100 {
            let offset = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let port = FIRST + u16::try_from(offset).unwrap_or_default();
            if !lock(port, libc::F_WRLCK) {
                continue;
            }
            let port = Port(port);
            // Whatever starts now would have a copy of this socket until its exec. The peer might not
            // get the port meanwhile.
            let _held = hold_starts();
            match check_free(port.0) {
                Ok(()) => return Ok(port),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn number(&self) -> u16 {
        self.0
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        lock(self.0, libc::F_UNLCK);
    }
}

/// Checks that a socket can have this port. The socket does not listen: a copy of it would accept a
/// connection, and look like the peer that is to listen there.
fn check_free(port: u16) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Connections that ended on this port a moment ago do not matter.
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())
}

/// Locks or unlocks the byte of a port. Returns whether no other process has it.
fn lock(port: u16, kind: libc::c_int) -> bool {
    let Some(file) = &*LOCKS else { return true };
    let (l_type, l_whence) = (kind as libc::c_short, libc::SEEK_SET as libc::c_short);
    let byte = libc::flock { l_type, l_whence, l_start: port.into(), l_len: 1, l_pid: 0 };
    fcntl(file, FcntlArg::F_SETLK(&byte)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::program::{Process, Taps};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_port_at_which_someone_listens_is_not_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(check_free(port).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_listens_on_a_reserved_port_while_other_programs_start() {
        static ENOUGH: AtomicBool = AtomicBool::new(false);
        let reserving = tokio::task::spawn_blocking(|| {
            let accepted = (0..3_000).find(|_| {
                let port = Port::reserve().unwrap();
                TcpStream::connect(("127.0.0.1", port.number())).is_ok()
            });
            ENOUGH.store(true, Ordering::Relaxed);
            accepted
        });
        let mut started = 0;
        while !ENOUGH.load(Ordering::Relaxed) {
            Process::start("true", &[], &Clock::of_program(), &Taps::default()).unwrap().stop().await;
            started += 1;
        }
        assert_eq!(reserving.await.unwrap(), None, "accepted while {started} programs started");
    }
}
