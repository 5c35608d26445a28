//! Unix sockets. They end a half as TCP does, and have no reset.

use super::Transport;
use std::io;
use std::path::Path;
use tokio::net::UnixStream;

/// Connects to the socket at this path.
pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

impl Transport for UnixStream {
    fn abort(self: Box<Self>) {}
}
