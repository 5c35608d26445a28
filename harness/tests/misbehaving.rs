//! Peers that do not speak dnode at all get a clear verdict within the deadlines, with bounded
//! memory, and never exit 0.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::{METHODS, Ran, peer, read_to_end, run, write_forever};

/// The program against an address, with short deadlines.
fn judge(address: &str) -> Ran {
    run(&[address, "--deadline", "300ms"])
}

#[test]
fn a_silent_peer() {
    judge(&peer(read_to_end)).expect_status(&[1, 2]).expect_text("sends no message \"methods\"");
}

#[test]
fn a_peer_that_closes_at_once() {
    judge(&peer(drop)).expect_status(&[1, 2]).expect_text("sends no message \"methods\"");
}

#[test]
fn a_peer_that_forgets_the_newline() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(METHODS.trim_ascii_end());
        read_to_end(stream);
    });
    judge(&address)
        .expect_status(&[1])
        .expect_text("sends no message \"methods\": what it sends has no newline")
        .expect_text("always/framing-newline")
        .expect_text("Write a newline after each message, also after the last one before you");
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
    judge(&address)
        .expect_status(&[2])
        .expect_text("error: at 127.0.0.1:")
        .expect_text("the peer speaks HTTP, not dnode; its first bytes are \"HTTP/1.1 400 Bad Request")
        .expect_text("write ws://HOST:PORT/PATH");
}

#[test]
fn a_peer_that_sends_methods_and_then_nothing() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(METHODS);
        read_to_end(stream);
    });
    judge(&address)
        .expect_status(&[1])
        .expect_text("the peer does not answer the known-good call")
        .expect_text("FAIL      methods/by-id; 371 more cases could not be judged because of it");
}

/// Sends the object, and answers the claim of the probe as long as `goes_on` with the call and the
/// number of answers before it.
fn answers_while(mut stream: &TcpStream, goes_on: fn(&serde_json::Value, usize) -> bool) {
    let _ = stream.write_all(METHODS);
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let calls = lines.filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(&line).ok()?;
        let id = message["callbacks"].as_object()?.keys().next()?.clone();
        (message["method"] != "methods").then_some((message, id))
    });
    for (answered, (call, id)) in calls.enumerate() {
        if !goes_on(&call, answered) {
            break;
        }
        let answer = format!("{{\"method\":{id},\"arguments\":[\"a peer\",[]]}}\n");
        let _ = stream.write_all(answer.as_bytes());
    }
}

#[test]
fn a_peer_that_ends_each_connection_after_an_answer_has_one_cause_and_a_note() {
    judge(&peer(|stream| answers_while(&stream, |_, answered| answered == 0)))
        .expect_status(&[1])
        .expect_text("note: the peer ends the connection after its first answers")
        .expect_text("FAIL      methods/by-id; 375 more cases could not be judged because of it")
        .expect_text("hint      Do not close the connection after a call");
}

/// A program with the conformance probe, which runs this line of Python after each answer.
fn program_that(acts: &str) -> String {
    let object = String::from_utf8_lossy(METHODS).trim().replace('"', "\\\"");
    format!(
        "exec python3 -c 'import json, os, socket, threading
def serve(c):
    c.sendall(b\"{object}\\n\")
    for line in c.makefile(\"rb\"):
        m = json.loads(line)
        if m[\"method\"] == \"methods\": continue
        c.sendall(b\"{{\\\"method\\\":%d,\\\"arguments\\\":[\\\"a peer\\\",[]]}}\\n\" % int(next(iter(m[\"callbacks\"]))))
        {acts}
s = socket.create_server((\"127.0.0.1\", {{port}}))
while 1: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()'"
    )
}

#[test]
fn a_program_that_ends_after_an_answer_has_one_cause() {
    run(&["--exec", &program_that("os._exit(0)")])
        .expect_status(&[1])
        .expect_text("1 cause\n")
        .expect_text("The process ended with exit status 0 after its first answers")
        .expect_text("hint      The program ended without an error. Keep it running");
}

#[test]
fn a_peer_that_ends_the_connection_at_a_call_by_name_is_judged_on_everything_else() {
    judge(&peer(|stream| answers_while(&stream, |call, _| call["method"].is_number())))
        .expect_status(&[1])
        .expect_text("note: the peer answers calls by id only")
        .expect_text("FAIL      methods/by-name; 4 more cases could not be judged because of it");
}

/// The object of a peer that claims no probe.
const OBJECT: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{}]}\n";

#[test]
fn cases_that_only_wait_run_side_by_side() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open_now, most_so_far) = (Arc::clone(&open), Arc::clone(&most));
    let address = peer(move |mut stream| {
        most_so_far.fetch_max(open_now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _ = stream.write_all(OBJECT);
        read_to_end(stream);
        open_now.fetch_sub(1, Ordering::SeqCst);
    });
    let all = |more: &[&str]| run(&[&[&*address, "--case", "robust/*", "--case", "always/*"], more].concat());
    let together = all(&[]);
    together.expect_status(&[2]).expect_text("the peer answered no call");
    assert!(most.swap(0, Ordering::SeqCst) > 8, "{most:?}");
    let one_by_one = all(&["--jobs", "1"]);
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
    assert_eq!(together.stdout, one_by_one.stdout);
}

#[test]
fn a_crash_of_a_peer_that_answers_nothing_is_found_in_its_case() {
    let program = "exec python3 -c 'import os, socket, threading
def serve(c):
    c.sendall(b\"{\\\"method\\\":\\\"methods\\\",\\\"arguments\\\":[{}]}\\n\")
    while b := c.recv(65536):
        if b\"method\\\":null\" in b: os._exit(3)
    c.close()
s = socket.create_server((\"127.0.0.1\", {port}))
while 1: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()'";
    run(&["--exec", program, "--case", "robust/m*"])
        .expect_status(&[1])
        .expect_text("CRASH     robust/method-null")
        .expect_text(" 1 crash,");
}

/// The case that waits goes on beside the groups, and the end of the process interrupts it.
#[test]
fn a_crash_beside_a_case_that_waits_is_found_in_its_case() {
    let program = "exec python3 -c 'import os, socket, threading
NAMES = \"conformProbe\", \"getCounter\", \"keeper\"
OBJECT = \"{\\\"method\\\":\\\"methods\\\",\\\"arguments\\\":[{%s}],\\\"callbacks\\\":{%s}}\\n\" % (
    \",\".join(\"\\\"%s\\\":\\\"[Function]\\\"\" % name for name in NAMES),
    \",\".join(\"\\\"%d\\\":[\\\"0\\\",\\\"%s\\\"]\" % it for it in enumerate(NAMES)))
def serve(c):
    c.sendall(OBJECT.encode())
    while b := c.recv(65536):
        if b\"method\\\":null\" in b: os._exit(3)
    c.close()
s = socket.create_server((\"127.0.0.1\", {port}))
while 1: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()'";
    run(&["--exec", program, "--case", "robust/m*", "--case", "callback/kept-in-time"])
        .expect_status(&[1])
        .expect_text("CRASH     robust/method-null")
        .expect_text(" 1 crash,");
}

#[test]
fn a_peer_that_serves_no_more_after_several_cases_is_reported_without_a_guess() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let is_gone = Arc::new(AtomicBool::new(false));
        for mut stream in listener.incoming().flatten() {
            if is_gone.load(Ordering::SeqCst) {
                continue;
            }
            let is_gone = Arc::clone(&is_gone);
            std::thread::spawn(move || {
                let _ = stream.write_all(OBJECT);
                let lines = BufReader::new(stream).split(b'\n').map_while(Result::ok);
                for _null in lines.filter(|line| line.starts_with(b"{\"method\":null")) {
                    is_gone.store(true, Ordering::SeqCst);
                }
            });
        }
    });
    let ran = run(&[&address, "--case", "robust/m*", "--case", "always/*"]);
    ran.expect_status(&[1])
        .expect_text("HANG      always/robust-survives")
        .expect_text("--jobs 1 shows which");
    assert!(!ran.stdout.contains("     robust/method-null"), "{}", ran.stdout);
}

#[test]
fn a_peer_that_sends_an_endless_line() {
    judge(&peer(|stream| write_forever(stream, &[b'x'; 4096])))
        .expect_status(&[1])
        .expect_text("framing/json");
}

/// The protocol limits no line, so a long one is no fault. But nothing can be judged.
#[test]
fn a_line_longer_than_the_suite_keeps_is_not_blamed() {
    let object = object_with(&format!("\"{}\"", "x".repeat(25 << 20)));
    let whole = peer(move |mut stream| {
        let _ = stream.write_all(&object);
        read_to_end(stream);
    });
    let endless = peer(|mut stream| {
        let _ = stream.write_all(b"{\"method\":\"");
        write_forever(stream, &[b'x'; 4096]);
    });
    for address in [whole, endless] {
        let ran = judge(&address);
        ran.expect_status(&[2])
            .expect_text("note: the peer sent a line longer than the 20 MiB that the suite keeps\n");
        assert!(!ran.stdout.contains("FAIL") && !ran.stdout.contains("sends no message"), "{}", ran.stdout);
    }
}

#[test]
fn a_peer_that_sends_messages_without_end() {
    let mut message = METHODS.to_vec();
    message.extend_from_slice(b"{\"method\":\"hello\",\"arguments\":[]}\n");
    judge(&peer(move |stream| write_forever(stream, &message))).expect_status(&[1, 2]);
}

/// An object with this member and the claim of the probe.
fn object_with(member: &str) -> Vec<u8> {
    let [begin, end] = [r#"{"method":"methods","arguments":[{"conformProbe":"[Function]","more":"#, "}]"];
    format!("{begin}{member}{end},\"callbacks\":{{\"0\":[\"0\",\"conformProbe\"]}}}}\n").into_bytes()
}

#[test]
fn a_message_too_large_to_judge_passes_no_clause() {
    const DEEP: usize = 1_000_000;
    let object = object_with(&("[".repeat(DEEP) + &"]".repeat(DEEP)));
    let address = peer(move |mut stream| {
        let _ = stream.write_all(&object);
        read_to_end(stream);
    });
    let ran = judge(&address);
    ran.expect_status(&[2]).expect_text(
        "the peer sends more than the suite keeps of one connection, so not all of it was judged",
    );
    let passes = ran.stdout.lines().find(|line| line.contains("planned:")).unwrap_or_default();
    // Only the case about the peer's process passes, because it does not depend on lines.
    assert!(passes.contains(": 1 pass,"), "{}", ran.stdout);
}

#[test]
fn a_large_object_does_not_block_a_second_connection() {
    let object = object_with(&format!("\"{}\"", "x".repeat(4 << 20)));
    let address = peer(move |mut stream| {
        let _ = stream.write_all(&object);
        read_to_end(stream);
    });
    let ran = run(&[&address, "--deadline", "1s", "--case", "probe/echo"]);
    ran.expect_status(&[1, 2]).expect_text("the peer does not answer the known-good call");
    assert!(!ran.stdout.contains("on a second connection"), "{}", ran.stdout);
}

#[test]
fn a_silent_client_is_not_reported_as_missing() {
    let client = "exec python3 -c 'import os, signal, socket
s = socket.create_connection((\"127.0.0.1\", int(os.environ[\"PORT\"])))
signal.pause()'";
    run(&["run", "--listen", "127.0.0.1:0", "--exec", client, "--deadline", "300ms", "--case", "probe/echo"])
        .expect_status(&[2])
        .expect_text("peer: a client connected to 127.0.0.1:")
        .expect_text("did not reconnect");
}

#[test]
fn an_address_without_a_listener() {
    judge("127.0.0.1:1").expect_status(&[2]).expect_text("nothing accepts connections");
}

#[test]
fn a_program_that_ends_before_it_listens() {
    run(&["--exec", "echo no such thing >&2; exit 3"])
        .expect_status(&[2])
        .expect_text("exit status 3")
        .expect_text("no such thing");
}
