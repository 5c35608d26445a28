//! WebSocket: each segment is a message, and the messages of the peer, joined, are the bytes that it sends.
//!
//! This is also the raw WebSocket of sockjs, which shoe uses; it lies at `PATH/websocket`. A message that is UTF-8 goes out as a text, as
//! sockjs has it. There are no halves here: whoever closes hears no more than the other end's consent.

use super::Transport;
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

/// The longest message that is taken: all that one connection may bring.
const LONGEST: usize = 64 << 20;

/// How many pings may wait for their pong to be written before nothing more is read: who pings and does not read would fill our memory.
const UNANSWERED: u32 = 64;

/// A WebSocket as a stream of bytes.
pub(super) struct Messages<S> {
    socket: WebSocketStream<S>,
    /// How many pings came since all that is to be written was.
    pings: u32,
    /// What is left of a message that was longer than the room for it.
    rest: Bytes,
    ended: bool,
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST))
}

/// Connects to `host:port` and shakes hands for this path.
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
                "it answers the WebSocket handshake with status {}; is the path {path} right? The raw WebSocket of sockjs is \
                 at PATH/websocket",
                response.status()
            ),
        )),
        // One that is just starting, or ending, may close before it answers.
        Err(Error::Protocol(ProtocolError::HandshakeIncomplete)) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it does not answer the WebSocket handshake: {error}"),
        )),
    }
}

/// Shakes hands as a server, for this path and no other.
#[allow(clippy::result_large_err, reason = "the library says what its callback gives")]
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
    fn abort(self: Box<Self>) {
        self.socket.get_ref().reset_at_close();
    }
}

/// What an error says of the bytes: nothing, where the WebSocket is just over.
fn broken(error: Error) -> io::Result<()> {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        // A process that ends takes its connections with it; over TCP that is the end of the stream too.
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
                    // Our consent is written already and need only go out; nobody waits for it.
                    let _ = Pin::new(&mut self.socket).poll_flush(cx);
                    self.ended = true;
                }
                Some(Ok(Message::Ping(_))) => self.pings += 1,
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => {
                    self.ended = true;
                    broken(error)?;
                }
                None => self.ended = true,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Messages<S> {
    /// A message of its own. What is said after the end goes nowhere, as over TCP.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut socket = Pin::new(&mut self.socket);
        let sent = match ready!(socket.as_mut().poll_ready(cx)) {
            Ok(()) => socket.start_send(match std::str::from_utf8(bytes) {
                Ok(text) => Message::text(text),
                Err(_) => Message::binary(bytes.to_vec()),
            }),
            Err(error) => Err(error),
        };
        Poll::Ready(sent.or_else(broken).map(|()| bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.socket).poll_flush(cx));
        self.pings = 0;
        Poll::Ready(flushed.or_else(broken))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map(|closed| closed.or_else(broken))
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

    async fn heard(socket: &mut WebSocketStream<DuplexStream>) -> Message {
        std::future::poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await.unwrap().unwrap()
    }

    #[test]
    fn a_segment_is_a_text_and_what_is_none_is_binary() {
        block_on(async {
            let (mut ours, mut theirs) = pair().await;
            for segment in ["one\n".as_bytes(), "zwei ä".as_bytes(), b"\xff"] {
                ours.write_all(segment).await.unwrap();
                ours.flush().await.unwrap();
            }
            assert_eq!(heard(&mut theirs).await, Message::text("one\n"));
            assert_eq!(heard(&mut theirs).await, Message::text("zwei ä"));
            assert_eq!(heard(&mut theirs).await, Message::binary(&b"\xff"[..]));
        });
    }

    #[test]
    fn who_pings_and_does_not_read_is_not_read_either() {
        // Polled by hand, so the runtime must not ask for a pause.
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
                // Between them there is room for ten each way.
                assert!(pings < UNANSWERED + 40, "all of them are read");
            }
            // It reads, and all goes on.
            let mut said = false;
            loop {
                while Pin::new(&mut theirs).poll_next(cx).is_ready() {}
                let mut socket = Pin::new(&mut theirs);
                if !said && socket.as_mut().poll_ready(cx).is_ready() {
                    socket.as_mut().start_send(Message::text("x")).unwrap();
                    said = true;
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
    fn messages_joined_are_bytes_and_a_close_is_the_end() {
        block_on(async {
            let (mut ours, theirs) = pair().await;
            let mut theirs = Messages::new(theirs);
            theirs.write_all(b"abc").await.unwrap();
            theirs.write_all(b"\xffd").await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut all = Vec::new();
            // Less room than a message has bytes.
            let mut room = [0; 2];
            while let count @ 1.. = ours.read(&mut room).await.unwrap() {
                all.extend_from_slice(&room[..count]);
            }
            assert_eq!(all, b"abc\xffd");
            ours.write_all(b"too late").await.unwrap();
        });
    }
}
