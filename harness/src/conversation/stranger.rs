//! Peers that speak another protocol than dnode.

use crate::error::{Fault, Faulted};
use dnode_reports::escape::terminal_cut;
use std::fmt;
use thiserror::Error;

/// How many of the first bytes are shown.
const SHOWN: usize = 40;

/// A protocol that ports of dnode stand behind, or that listens at an address by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP, which a WebSocket begins with.
    Http,
    /// TLS.
    Tls,
    /// The framing of sockjs, on any of its addresses but the raw WebSocket.
    Sockjs,
    /// Lines of JSON that are no messages of dnode, for example of JSON-RPC.
    Json,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Http => "HTTP",
            Protocol::Tls => "TLS",
            Protocol::Sockjs => "the framing of sockjs",
            Protocol::Json => "line JSON",
        })
    }
}

impl Protocol {
    /// The protocol that a peer speaks that begins with these bytes. No dnode message begins with
    /// them.
    fn of(head: &[u8]) -> Option<Protocol> {
        // A server that takes our message for HTTP 0.9 answers with the text of the page alone.
        let is_page = [&b"<!doctype html"[..], b"<html"]
            .iter()
            .any(|page| head.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page)));
        match head {
            // A record with an alert or a handshake, of any version.
            [0x15 | 0x16, 3, 0..=4, ..] => Some(Protocol::Tls),
            // The session opens, and then come a list, a close, or a heartbeat.
            b"o" | [b'o', b'\n' | b'a' | b'c' | b'h', ..] => Some(Protocol::Sockjs),
            _ if is_page || head.starts_with(b"HTTP/1.") => Some(Protocol::Http),
            _ => None,
        }
    }
}

impl Protocol {
    /// The protocol that an end speaks whose stream begins with these bytes. Beside what a server
    /// says, this knows the first words of clients.
    pub(crate) fn of_end(head: &[u8]) -> Option<Protocol> {
        const REQUESTS: [&[u8]; 9] = [
            b"GET ",
            b"HEAD ",
            b"POST ",
            b"PUT ",
            b"PATCH ",
            b"DELETE ",
            b"OPTIONS ",
            b"CONNECT ",
            b"PRI * HTTP/2",
        ];
        let is_request = REQUESTS.iter().any(|word| head.starts_with(word));
        Protocol::of(head).or(is_request.then_some(Protocol::Http)).or_else(|| Protocol::of_record(head))
    }

    /// TLS, if these bytes are the beginning of one of its records. No message has a part that
    /// begins with them.
    pub(crate) fn of_record(bytes: &[u8]) -> Option<Protocol> {
        matches!(bytes, [0x14..=0x17, 3, 0..=4, ..]).then_some(Protocol::Tls)
    }
}

/// The peer speaks another protocol. The caller named the wrong address.
#[derive(Debug, Error)]
#[error("the peer speaks {protocol}, not dnode; its first bytes are \"{}\"", terminal_cut(.head, SHOWN, 0))]
pub struct Stranger {
    protocol: Protocol,
    head: Vec<u8>,
}

impl Stranger {
    /// The stranger that a peer is that sent these bytes first, and no dnode message.
    pub(super) fn of(head: &[u8]) -> Option<Stranger> {
        Protocol::of(head).map(|protocol| Stranger { protocol, head: head.to_owned() })
    }
}

impl Faulted for Stranger {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        Some(match self.protocol {
            Protocol::Http => {
                "If it serves dnode over a WebSocket, write ws://HOST:PORT/PATH, or with --exec add --at \
                               'ws://127.0.0.1:{port}/PATH'. The PATH of shoe and sockjs ends in /websocket."
                    .to_owned()
            }
            Protocol::Tls => {
                "Write tls://HOST:PORT, or with --exec add --at 'tls://127.0.0.1:{port}'.".to_owned()
            }
            Protocol::Sockjs => {
                "Use its raw WebSocket, at PATH/websocket: ws://HOST:PORT/PATH/websocket.".to_owned()
            }
            Protocol::Json => "Use the address of a dnode server.".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_show_the_protocol() {
        let of = |head: &[u8]| Protocol::of(head);
        for http in ["HTTP/1.1 400 Bad Request\r\n", "HTTP/1.0 200", "<html>\r\n", "<!DOCTYPE HTML>\n"] {
            assert_eq!(of(http.as_bytes()), Some(Protocol::Http), "{http}");
        }
        for tls in [[0x15, 3, 1], [0x15, 3, 3], [0x16, 3, 3]] {
            assert_eq!(of(&tls), Some(Protocol::Tls));
        }
        for sockjs in ["o", "o\n", "oa[\"", "oc[3000,\"Go away!\"]", "oh"] {
            assert_eq!(of(sockjs.as_bytes()), Some(Protocol::Sockjs), "{sockjs}");
        }
        for other in [
            &b""[..],
            b"{\"method\":\"methods\"",
            b"ok",
            b"a[1]",
            b"hello",
            b"HTTP",
            b"[]",
            b"\x15\n",
            b"\x16\x03",
        ] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }

    #[test]
    fn the_first_bytes_of_clients_show_the_protocol() {
        let of = |head: &[u8]| Protocol::of_end(head);
        for http in ["GET /dnode HTTP/1.1\r\n", "POST /", "PRI * HTTP/2.0\r\n", "HTTP/1.1 101"] {
            assert_eq!(of(http.as_bytes()), Some(Protocol::Http), "{http}");
        }
        assert_eq!(of(&[0x17, 3, 3, 0, 9]), Some(Protocol::Tls));
        for other in ["{\"method\":\"GET \"}", "GETTER", "\u{17}\u{3}"] {
            assert_eq!(of(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_error_shows_the_bytes() {
        let shown = |head: &[u8]| Stranger::of(head).unwrap().to_string();
        insta::assert_snapshot!(shown(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), @r#"the peer speaks HTTP, not dnode; its first bytes are "HTTP/1.1 400 Bad Request\x0d\x0aConnecti… (13 bytes more)""#);
        insta::assert_snapshot!(shown(b"\x15\x03\x03\x00\x02\x02F"), @r#"the peer speaks TLS, not dnode; its first bytes are "\x15\x03\x03\x00\x02\x02F""#);
        insta::assert_snapshot!(shown(b"o"), @r#"the peer speaks the framing of sockjs, not dnode; its first bytes are "o""#);
    }
}
