//! WebSockets. Each write is sent as one message, and the received messages, joined, are the stream
//! of bytes.
//!
//! This also reaches shoe servers, by the raw WebSocket of sockjs at `PATH/websocket`. A write that
//! is valid UTF-8 is sent as a text message, because sockjs accepts nothing else. A WebSocket has
//! no half-close: after a close, the peer can only confirm it.

use super::stream::Transport;
use super::tcp::Tcp;
use futures_util::{Sink, Stream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config, client_async_with_config};

/// The longest message that we accept, in bytes.
const LONGEST: usize = 64 << 20;

/// How many pings may wait for their pong to be written. With more, reading pauses: a peer that
/// pings and never reads would fill our memory with pongs.
const UNANSWERED: u32 = 64;

/// A WebSocket as a stream of bytes.
pub(super) struct Messages<S> {
    socket: WebSocketStream<S>,
    /// How many pings the peer has sent since the last flush.
    pings: u32,
    /// The rest of a message that did not fit into the reader's buffer.
    rest: Bytes,
    ended: bool,
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST))
}

/// Connects to `host:port`, and does the handshake for this path.
pub(super) async fn connect(address: &str, path: &str) -> io::Result<Messages<Tcp>> {
    let url = format!("ws://{address}{path}");
    let request = url.into_client_request();
    let request = request.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
    let stream = Tcp::connect(address).await?;
    match client_async_with_config(request, stream, Some(config())).await {
        Ok((socket, _)) => Ok(Messages::new(socket)),
        Err(Error::Io(error)) => Err(error),
        Err(Error::Http(response)) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the peer answers the WebSocket handshake with status {}; is the path {path} right? The raw WebSocket of \
                 sockjs is at PATH/websocket",
                response.status()
            ),
        )),
        // A peer that is starting or stopping may close before it answers.
        Err(Error::Protocol(ProtocolError::HandshakeIncomplete)) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the peer does not answer the WebSocket handshake: {error}"),
        )),
    }
}

/// Does the handshake of a server. Any other path than this one gets status 404.
#[allow(clippy::result_large_err, reason = "tungstenite defines the callback's type")]
pub(super) async fn accept(stream: Tcp, path: &str) -> io::Result<Messages<Tcp>> {
    let check = |request: &Request, response: Response| match request.uri().path() == path {
        true => Ok(response),
        false => {
            let mut refusal = Response::new(()).map(|()| None);
            *refusal.status_mut() = StatusCode::NOT_FOUND;
            Err(refusal)
        }
    };
    let socket = accept_hdr_async_with_config(stream, check, Some(config())).await;
    socket.map(Messages::new).map_err(io::Error::other)
}

impl<S> Messages<S> {
    fn new(socket: WebSocketStream<S>) -> Messages<S> {
        Messages { socket, pings: 0, rest: Bytes::new(), ended: false }
    }
}

impl Transport for Messages<Tcp> {
    fn reset(self: Box<Self>) {
        self.socket.get_ref().reset_at_close();
    }
}

/// Ignores the errors that only say that the WebSocket is closed.
fn unless_closed(error: Error) -> io::Result<()> {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        // The peer's process ended. Over TCP this is the end of the stream too.
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => Ok(()),
        Error::Io(error) => Err(error),
        error => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Messages<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.rest.is_empty() {
                let count = self.rest.len().min(buffer.remaining());
                buffer.put_slice(&self.rest.split_to(count));
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            if self.pings > UNANSWERED {
                ready!(self.as_mut().poll_flush(cx))?;
            }
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => self.rest = text.into(),
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                Some(Ok(Message::Close(_))) => {
                    // The reply is queued already. The peer may be gone, so its result does not
                    // matter.
                    let _ = Pin::new(&mut self.socket).poll_flush(cx);
                    self.ended = true;
                }
                Some(Ok(Message::Ping(_))) => self.pings += 1,
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => {
                    self.ended = true;
                    unless_closed(error)?;
                }
                None => self.ended = true,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Messages<S> {
    /// Sends the bytes as one message. After the close they are dropped, as over TCP.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut socket = Pin::new(&mut self.socket);
        let sent = match ready!(socket.as_mut().poll_ready(cx)) {
            Ok(()) => socket.start_send(match std::str::from_utf8(bytes) {
                Ok(text) => Message::text(text),
                Err(_) => Message::binary(bytes.to_vec()),
            }),
            Err(error) => Err(error),
        };
        Poll::Ready(sent.or_else(unless_closed).map(|()| bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.socket).poll_flush(cx));
        self.pings = 0;
        Poll::Ready(flushed.or_else(unless_closed))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map(|closed| closed.or_else(unless_closed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio_tungstenite::tungstenite::protocol::Role;

    async fn pair() -> (Messages<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(1024);
        let ours = WebSocketStream::from_raw_socket(ours, Role::Client, Some(config())).await;
        (Messages::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    async fn receive(socket: &mut WebSocketStream<DuplexStream>) -> Message {
        std::future::poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await.unwrap().unwrap()
    }

    #[test]
    fn utf8_is_sent_as_text_and_other_bytes_as_binary() {
        block_on(async {
            let (mut ours, mut theirs) = pair().await;
            for segment in ["one\n".as_bytes(), "zwei ä".as_bytes(), b"\xff"] {
                ours.write_all(segment).await.unwrap();
                ours.flush().await.unwrap();
            }
            assert_eq!(receive(&mut theirs).await, Message::text("one\n"));
            assert_eq!(receive(&mut theirs).await, Message::text("zwei ä"));
            assert_eq!(receive(&mut theirs).await, Message::binary(&b"\xff"[..]));
        });
    }

    #[test]
    fn reading_pauses_if_the_peer_pings_and_never_reads() {
        // The test polls by hand, so tokio must not make a poll pending to give other tasks a turn.
        block_on(tokio::task::unconstrained(async {
            let (mut ours, mut theirs) = pair().await;
            let waker = std::task::Waker::noop();
            let cx = &mut Context::from_waker(waker);
            let mut room = [0; 16];
            for pings in 0.. {
                let mut theirs = Pin::new(&mut theirs);
                if theirs.as_mut().poll_ready(cx).is_pending() {
                    break;
                }
                theirs.as_mut().start_send(Message::Ping(Bytes::from_static(&[b'x'; 100]))).unwrap();
                let flushed = theirs.as_mut().poll_flush(cx);
                let read = Pin::new(&mut ours).poll_read(cx, &mut ReadBuf::new(&mut room));
                assert!(read.is_pending());
                if flushed.is_pending() {
                    break;
                }
                // The stream has room for ten pings in each direction.
                assert!(pings < UNANSWERED + 40, "reading did not pause");
            }
            // When the peer reads again, so do we.
            let mut sent = false;
            loop {
                while Pin::new(&mut theirs).poll_next(cx).is_ready() {}
                let mut socket = Pin::new(&mut theirs);
                if !sent && socket.as_mut().poll_ready(cx).is_ready() {
                    socket.as_mut().start_send(Message::text("x")).unwrap();
                    sent = true;
                }
                let _ = socket.poll_flush(cx);
                let mut buffer = ReadBuf::new(&mut room);
                if Pin::new(&mut ours).poll_read(cx, &mut buffer).is_ready() {
                    assert_eq!(buffer.filled(), b"x");
                    break;
                }
            }
        }));
    }

    #[test]
    fn messages_are_joined_and_a_close_ends_the_stream() {
        block_on(async {
            let (mut ours, theirs) = pair().await;
            let mut theirs = Messages::new(theirs);
            theirs.write_all(b"abc").await.unwrap();
            theirs.write_all(b"\xffd").await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut all = Vec::new();
            // A message does not fit into the buffer.
            let mut room = [0; 2];
            while let count @ 1.. = ours.read(&mut room).await.unwrap() {
                all.extend_from_slice(&room[..count]);
            }
            assert_eq!(all, b"abc\xffd");
            ours.write_all(b"too late").await.unwrap();
        });
    }
}
