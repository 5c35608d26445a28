//! Unix sockets. They have a half-close as TCP has, but no reset.

use super::stream::Transport;
use std::io;
use std::path::Path;
use tokio::net::UnixStream;

/// Connects to the socket at this path.
pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

impl Transport for UnixStream {
    fn reset(self: Box<Self>) {}
}
