//! Peers that do not speak dnode at all: a clear verdict, within the deadlines, with bounded memory, and never exit 0.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use support::{METHODS, Ran, peer, read_to_end, run, write_forever};

/// The program against an address, with short deadlines.
fn judge(address: &str) -> Ran {
    run(&[address, "--deadline", "300ms"])
}

#[test]
fn a_peer_that_says_nothing() {
    judge(&peer(read_to_end)).expect_status(&[1, 2]).expect_text("sends no message \"methods\"");
}

#[test]
fn a_peer_that_closes_at_once() {
    judge(&peer(drop)).expect_status(&[1, 2]).expect_text("sends no message \"methods\"");
}

#[test]
fn a_peer_that_resets() {
    let address = peer(|stream| {
        // Closing with unread bytes is a reset.
        let mut one = [0; 1];
        let _ = (&stream).read(&mut one);
        drop(stream);
    });
    judge(&address).expect_status(&[1, 2]);
}

#[test]
fn a_peer_that_echoes() {
    let address = peer(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    judge(&address).expect_status(&[1, 2]);
}

#[test]
fn a_peer_that_speaks_http() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        read_to_end(stream);
    });
    judge(&address).expect_status(&[1]).expect_text("framing/json");
}

#[test]
fn a_peer_that_sends_methods_and_then_nothing() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(METHODS);
        read_to_end(stream);
    });
    judge(&address).expect_status(&[1, 2]).expect_text("the peer does not answer the known-good call");
}

#[test]
fn a_peer_that_sends_an_endless_line() {
    judge(&peer(|stream| write_forever(stream, &[b'x'; 4096])))
        .expect_status(&[1])
        .expect_text("framing/json");
}

#[test]
fn a_peer_that_sends_messages_without_end() {
    let mut message = METHODS.to_vec();
    message.extend_from_slice(b"{\"method\":\"hello\",\"arguments\":[]}\n");
    judge(&peer(move |stream| write_forever(stream, &message))).expect_status(&[1, 2]);
}

#[test]
fn an_address_where_nothing_listens() {
    judge("127.0.0.1:1").expect_status(&[2]).expect_text("nothing accepts connections");
}

#[test]
fn a_program_that_ends_before_it_listens() {
    run(&["--exec", "echo no such thing >&2; exit 3"])
        .expect_status(&[2])
        .expect_text("exit status 3")
        .expect_text("no such thing");
}
