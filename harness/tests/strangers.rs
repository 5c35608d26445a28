//! Addresses at which another protocol is spoken: one line says which, and what to write instead.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use support::transports::Certificates;
use support::{Listening, peer, read_to_end, run};

/// The address of a peer that answers the first line with these bytes.
fn answering(bytes: &'static [u8]) -> String {
    peer(move |mut stream: TcpStream| {
        let _ = BufReader::new(&stream).read_until(b'\n', &mut Vec::new());
        let _ = stream.write_all(bytes);
        read_to_end(stream);
    })
}

/// The reference peer over TLS.
fn over_tls(certificates: &Certificates) -> Listening {
    let (cert, key) = (certificates.word("cert.pem"), certificates.word("key.pem"));
    Listening::start(&["serve", "--listen", "tls://127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key])
}

#[test]
fn a_server_of_another_protocol_is_named_with_its_first_bytes() {
    let strangers: [(&[u8], &str, &str); 3] = [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "HTTP, not dnode; its first bytes are \"HTTP/1.1",
            "ws://HOST:PORT/PATH",
        ),
        (
            b"\x15\x03\x03\x00\x02\x02F",
            "TLS, not dnode; its first bytes are \"\\x15\\x03",
            "Write tls://HOST:PORT",
        ),
        (b"o\n", "the framing of sockjs, not dnode; its first bytes are \"o", "PATH/websocket"),
    ];
    for (bytes, what, instead) in strangers {
        run(&[&answering(bytes), "--deadline", "300ms"])
            .expect_status(&[2])
            .expect_text("error: at 127.0.0.1:")
            .expect_text(what)
            .expect_text(instead);
    }
}

#[test]
fn a_server_that_sends_back_each_byte_is_noted() {
    let echo = peer(|stream: TcpStream| {
        let mut to = stream.try_clone().unwrap();
        let _ = std::io::copy(&mut &stream, &mut to);
    });
    run(&[&echo, "--deadline", "300ms"])
        .expect_status(&[1])
        .expect_text("the peer's object is a copy of ours: is this an echo server?");
}

#[test]
fn tls_on_a_plain_address_and_the_other_way_round() {
    let certificates = Certificates::new();
    let tls = over_tls(&certificates);
    run(&[tls.address.strip_prefix("tls://").unwrap()])
        .expect_status(&[2])
        .expect_text("the peer speaks TLS, not dnode");
    let plain = Listening::start(&["serve", "--listen", "127.0.0.1:0"]);
    run(&[&format!("tls://{}", plain.address), "--tls-insecure"])
        .expect_status(&[2])
        .expect_text("the peer does not speak TLS: ")
        .expect_text("If it speaks plain TCP, write HOST:PORT");
    run(&[&format!("ws://{}/dnode", plain.address)])
        .expect_status(&[2])
        .expect_text("the peer does not answer the WebSocket handshake: ")
        .expect_text("If it speaks plain TCP, write HOST:PORT");
}

#[test]
fn a_peer_that_answers_nonsense_is_judged() {
    run(&[&answering(b"ok\n"), "--deadline", "300ms"]).expect_status(&[1]).expect_text("framing/json");
}

#[test]
fn a_campaign_does_not_begin_on_another_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let findings = folder.path().join("findings").display().to_string();
    run(&["fuzz", &answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "--time", "1s", "--findings", &findings])
        .expect_status(&[2])
        .expect_text("the peer speaks HTTP");
}
