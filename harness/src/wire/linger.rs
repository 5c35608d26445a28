//! Connections that are over for us and that the peer has not ended yet.

use super::BYTES_LIMIT;
use dnode::transport::Connection;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

/// How long such a connection is read.
const LINGER: Duration = Duration::from_secs(30);

/// How many are read at the same time.
static LINGERING: Semaphore = Semaphore::const_new(64);

/// Reads a connection for a while in the background. Otherwise a late write of the peer would be answered by a reset, and a peer that dies of
/// resets would do so in the middle of another case.
pub(super) fn read_on(mut connection: Connection) {
    let Ok(place) = LINGERING.try_acquire() else { return };
    tokio::spawn(async move {
        let read = async {
            let (mut space, mut bytes) = (vec![0; 16 << 10], 0);
            while let Ok(count @ 1..) = connection.read(&mut space).await {
                bytes += count as u64;
                if bytes > BYTES_LIMIT {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, read).await;
        drop(place);
    });
}
