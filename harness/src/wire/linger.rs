//! Connections that we have finished but the peer has not closed yet.

use super::BYTES_LIMIT;
use dnode::transport::Connection;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

/// How long we read such a connection.
const LINGER: Duration = Duration::from_secs(30);

/// How many of them we read at the same time.
static LINGERING: Semaphore = Semaphore::const_new(64);

/// Reads a connection for a while in the background. Otherwise a late write of the peer would cause
/// a reset, and a peer that crashes on resets would crash during another case.
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
