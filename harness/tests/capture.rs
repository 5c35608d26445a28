//! `import` of packet captures: the same verdicts and transcripts as from the lines themselves, gaps
//! instead of accusations, and clear words about everything else on the wire.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../capture/tests/support/packets.rs"]
mod packets;
mod support;

use dnode_conform::commands::import::{CaptureOptions, import, import_capture};
use dnode_conform::commands::recording::{Notice, RecordingOptions};
use dnode_spec::monitor::End;
use dnode_spec::transcript::rows::{self, Row};
use packets::{Segment, Talk, capture, pcapng};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{PROGRAM, Ran, read, root, run};

const HELLO: &str = "{\"method\":\"methods\",\"arguments\":[{\"hello\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"hello\"]}}\n";

/// The line logs of sessions between real implementations.
fn recordings() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("fixtures/recordings")).unwrap();
    let mut logs: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    logs.sort();
    logs
}

/// A recorded session as packets.
fn talk(log: &Path) -> Talk {
    let mut talk = Talk::usual();
    for (end, row, _) in rows::read(&read(log)).unwrap().1 {
        match row {
            Row::Line(line) => drop(talk.say(end as usize, format!("{line}\n"))),
            Row::End(rest) => drop(talk.say(end as usize, rest).end(end as usize)),
        }
    }
    talk
}

/// The clauses that each end breaks, whether there are gaps, and the text of the transcript.
fn imported(file: &[u8]) -> (BTreeSet<(usize, &'static str)>, bool, Option<String>) {
    let out = tempfile::tempdir().unwrap();
    let recording = RecordingOptions {
        out: Some(out.path().to_owned()),
        name: "session".to_owned(),
        seen_from: End::A,
        redact: false,
    };
    let (mut broken, mut has_gap, mut transcript) = (BTreeSet::new(), false, None);
    import_capture(file, &CaptureOptions { port: Some(5050), recording }, &mut |notice| match notice {
        Notice::Finding { end, problem, .. } => drop(broken.insert((end as usize, problem.clause))),
        Notice::Gap { .. } => has_gap = true,
        Notice::Closed { file, .. } => transcript = file.map(read),
        Notice::Warning(text) => panic!("{text}"),
        Notice::Opened { .. } | Notice::Other { .. } => {}
    })
    .unwrap();
    (broken, has_gap, transcript)
}

/// The steps of a transcript.
fn steps(transcript: &str) -> &str {
    transcript.split_once('\n').unwrap().1
}

#[test]
fn recorded_sessions_give_the_same_verdicts_and_transcripts_as_packets() {
    for log in recordings() {
        let name = log.display();
        let (_, rows) = rows::read(&read(&log)).unwrap();
        let problems =
            rows.iter().flat_map(|(end, _, problems)| problems.iter().map(|it| (*end as usize, it.clause)));
        let expected: BTreeSet<_> = problems.collect();
        let (broken, has_gap, transcript) = imported(&capture(&talk(&log).segments));
        assert_eq!((broken, has_gap), (expected, false), "{name}");
        let from_log = import(&read(&log), "session-1", End::A, false).unwrap();
        assert_eq!(steps(&transcript.unwrap()), steps(&from_log), "{name}");
    }
}

/// Sends some segments twice, and shuffles all.
fn disturb(segments: &mut Vec<Segment>, copies: &[Index], order: &[u16]) {
    let copied: Vec<Segment> =
        copies.iter().map(|which| segments[which.index(segments.len())].clone()).collect();
    segments.extend(copied);
    let mut keyed: Vec<(u16, Segment)> = order.iter().copied().cycle().zip(segments.drain(..)).collect();
    // Packets are captured a little too early or too late.
    let mut places: Vec<(usize, Segment)> =
        keyed.drain(..).enumerate().map(|(n, (key, segment))| (n + usize::from(key % 12), segment)).collect();
    places.sort_by_key(|(place, _)| *place);
    segments.extend(places.into_iter().map(|(_, segment)| segment));
}

fn any_recording() -> impl Strategy<Value = PathBuf> {
    prop::sample::select(recordings())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_copies_do_not_change_a_transcript(
        log in any_recording(), copies in prop::collection::vec(any::<Index>(), 0..6),
        order in prop::collection::vec(any::<u16>(), 40),
    ) {
        let talk = talk(&log);
        let mut disturbed = talk.segments.clone();
        disturb(&mut disturbed, &copies, &order);
        prop_assert_eq!(imported(&capture(&disturbed)), imported(&capture(&talk.segments)));
    }

    #[test]
    fn loss_accuses_no_end(
        log in any_recording(), lost in prop::collection::vec(any::<Index>(), 1..6),
        cut in any::<Index>(), order in prop::collection::vec(any::<u16>(), 40),
    ) {
        let talk = talk(&log);
        let (expected, ..) = imported(&capture(&talk.segments));
        let mut segments = talk.segments;
        for which in lost {
            segments.remove(which.index(segments.len()));
        }
        let at = cut.index(segments.len());
        segments[at].captured /= 2;
        disturb(&mut segments, &[], &order);
        let (broken, has_gap, _) = imported(&capture(&segments));
        prop_assert!(broken.is_subset(&expected), "{:?} of {:?}, gap: {}", broken, expected, has_gap);
    }
}

/// Runs `import` on a capture, which is the file `prod.pcap` in a folder of its own.
fn run_import(file: &[u8], arguments: &[&str]) -> (tempfile::TempDir, Ran) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.pcap");
    std::fs::write(&path, file).unwrap();
    let out = folder.path().join("out").display().to_string();
    let arguments: Vec<&str> = arguments.iter().map(|it| if *it == "OUT" { &out } else { *it }).collect();
    let mut ran = run(&[&["import", path.to_str().unwrap()], &arguments[..]].concat());
    let place = folder.path().display().to_string();
    ran.stdout = ran.stdout.replace(&place, "");
    ran.stderr = ran.stderr.replace(&place, "");
    (folder, ran)
}

/// A session in which the server calls a function that was never declared.
fn faulty() -> Talk {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO).say(1, "{\"method\":7,\"arguments\":[\"\\u001b[31m\"]}\n");
    talk.say(1, "\u{1b}[2J\n{\"method\":[]}\n").end(0).end(1);
    talk
}

#[test]
fn defect_is_named_with_its_packet() {
    let (folder, ran) = run_import(&capture(&faulty().segments), &["--out", "OUT"]);
    insta::assert_snapshot!(ran.stdout, @r"
    connection 1: 10.0.0.1:40000 to 10.0.0.2:5050
    connection 1: the server breaks callback/declared (must) in packet 6 at method: expected the id of a function of the other end, got a call of 7, which the other end has not declared
    connection 1: the server breaks framing/json (must) in packet 7: expected one JSON text in UTF-8, got at byte 0: expected a value, found 0x1B
    connection 1: the server breaks message/method (must) in packet 7 at method: expected a string or an integer, got an array
    connection 1: 1 line from the client, 4 from the server, callback/declared 1x by the server, framing/json 1x by the server, message/method 1x by the server, /out/prod-1.jsonl
    ");
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    let transcript = read(folder.path().join("out/prod-1.jsonl"));
    assert!(transcript.contains("\"recorded/prod-1\""), "{transcript}");
    // The same file, from standard input, as Wireshark writes it.
    let mut command = Command::new(PROGRAM);
    command.args(["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let file = pcapng(1, &packets::frames(packets::Link::Ethernet, &faulty().segments));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &file).unwrap();
    let output = child.wait_with_output().unwrap();
    support::ran(&output).expect_status(&[1]).expect_text("the server breaks callback/declared");
}

#[test]
fn loss_is_reported_and_is_no_verdict() {
    let mut talk = faulty();
    talk.segments.remove(4);
    insta::assert_snapshot!(run_import(&capture(&talk.segments), &["--out", "OUT"]).1.stdout, @r"
    connection 1: 10.0.0.1:40000 to 10.0.0.2:5050
    connection 1: the capture lacks 90 bytes that the server sent, at offset 0, before packet 5; from here on, only the form of each line is judged
    connection 1: the server breaks framing/json (must) in packet 6: expected one JSON text in UTF-8, got at byte 0: expected a value, found 0x1B
    connection 1: the server breaks message/method (must) in packet 6 at method: expected a string or an integer, got an array
    connection 1: 1 line from the client, 2 from the server, framing/json 1x by the server, message/method 1x by the server, 1 gap of 90 bytes, /out/prod-1.jsonl
    ");
    let mut middle = Talk::in_the_middle("10.0.0.1:40000", "10.0.0.2:5050", [1, 2]);
    middle.say(0, "ments\":[]}\n{\"method\":3,\"links\":[]}\n").say(1, "{\"method\":1}\n{\"method\":1}\n");
    let (folder, ran) = run_import(&capture(&middle.segments), &["--out", "OUT"]);
    insta::assert_snapshot!(ran.stdout, @r"
    connection 1: 10.0.0.1:40000 to 10.0.0.2:5050; the capture lacks its beginning, so the client is a guess; --port PORT names the server
    connection 1: the capture lacks the beginning of what the client sent, before packet 1; from here on, only the form of each line is judged
    connection 1: the capture lacks the beginning of what the server sent, before packet 2; from here on, only the form of each line is judged
    connection 1: 1 line from the client, 1 from the server, nothing broken, 2 gaps
    ");
    assert_eq!(ran.status, 2);
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
}

#[test]
fn transcript_ends_at_a_gap() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO);
    talk.say(0, "{\"method\":\"hello\",\"arguments\":[\"[Function]\"],\"callbacks\":{\"5\":[\"0\"]}}\n");
    let lost = talk.segments.len();
    talk.say(1, "{\"method\":5,\"arguments\":[\"[Function]\"],\"callbacks\":{\"9\":[\"0\"]}}\n");
    talk.say(0, "{\"method\":9}\n").end(0).end(1);
    talk.segments.remove(lost);
    let (folder, ran) = run_import(&capture(&talk.segments), &["--out", "OUT"]);
    insta::assert_snapshot!(ran.stdout, @r"
    connection 1: 10.0.0.1:40000 to 10.0.0.2:5050
    connection 1: the capture lacks 64 bytes that the server sent, at offset 90; from here on, only the form of each line is judged
    connection 1: 3 lines from the client, 1 from the server, nothing broken, 1 gap of 64 bytes, /out/prod-1.jsonl
    ");
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(read(folder.path().join("out/prod-1.jsonl")), @r#"
    {"dnode-transcript":1,"id":"recorded/prod-1","since":"0.1.0","clauses":["callback/own-function"],"about":"A session recorded between two live implementations.","needs":["hello"],"recorded":true,"meta":{"lines":[3,1],"incomplete":true},"object":{"hello":"$ours0"}}
    {"call":"hello","arguments":["$ours5"]}
    "#);
}

#[test]
fn other_protocols_are_named_and_not_judged() {
    let connection = |port: u16, client: &[u8], server: &[u8]| {
        let mut talk = Talk::open("10.0.0.1:40000", &format!("10.0.0.2:{port}"), [1, 2]);
        talk.say(0, client).say(1, server).end(0).end(1);
        talk.segments
    };
    let segments = [
        connection(443, b"\x16\x03\x01\0\x05hello", b"\x16\x03\x03\0\x05hello"),
        connection(80, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"HTTP/1.1 101\r\n\r\n"),
        connection(22, b"SSH-2.0-\x1b[2J\r\n", b"SSH-2.0-x\r\n"),
        connection(5050, HELLO.as_bytes(), HELLO.as_bytes()),
        connection(6060, HELLO.as_bytes(), b"no JSON\n"),
    ];
    let file = capture(&segments.concat());
    let (_, ran) = run_import(&file, &[]);
    insta::assert_snapshot!(ran.stdout, @r#"
    connection 1: 10.0.0.1:40000 to 10.0.0.2:443: the client speaks TLS; its bytes are encrypted, so it is not judged
    connection 2: 10.0.0.1:40000 to 10.0.0.2:80: the client speaks HTTP, which a WebSocket begins with; it is not judged
    connection 3: 10.0.0.1:40000 to 10.0.0.2:22: none of its first lines could be a message of dnode, so it is not judged; --port judges it
    connection 4: 10.0.0.1:40000 to 10.0.0.2:5050
    connection 4: 1 line from the client, 1 from the server, nothing broken
    connection 5: 10.0.0.1:40000 to 10.0.0.2:6060
    connection 5: the server breaks framing/json (must) in packet 41: expected one JSON text in UTF-8, got at byte 1: expected "null", found "o"
    connection 5: 1 line from the client, 1 from the server, framing/json 1x by the server
    ports with connections: 22 (1 connection), 80 (1 connection), 443 (1 connection), 5050 (1 connection), 6060 (1 connection); --port PORT imports those to one port
    "#);
    assert_eq!(ran.status, 1);
    run_import(&file, &["--port", "5050"])
        .1
        .expect_status(&[0])
        .expect_text("connection 1: 10.0.0.1:40000 to");
    let (_, judged) = run_import(&file, &["--port", "22"]);
    judged.expect_status(&[1]).expect_text("the client breaks framing/json");
    let (_, missing) = run_import(&file, &["--port", "1234"]);
    assert_eq!(missing.status, 2);
    insta::assert_snapshot!(missing.stderr, @"error: /prod.pcap: no connection to port 1234 that carries dnode, in 45 packets; ports with connections: 22, 80, 443, 5050, 6060");
    let mut middle = Talk::in_the_middle("10.0.0.1:40000", "10.0.0.2:5050", [1, 2]);
    middle.say(0, b"\x17\x03\x03\0\x03\n\n\n");
    run_import(&capture(&middle.segments), &[]).1.expect_status(&[2]).expect_text("the client speaks TLS");
    let (_, none) = run_import(&capture(&[]), &[]);
    insta::assert_snapshot!(none.stderr, @"error: /prod.pcap: no connection that carries dnode, in 0 packets; it holds no bytes of TCP connections; if packets were sent, tcpdump lost them in its buffer: start it with --immediate-mode");
}

#[test]
fn protocol_of_lines_is_not_dnode_because_of_a_later_brace() {
    for first in ["PING\n".repeat(16), format!("{}\n", "x".repeat(70_000))] {
        let mut talk = Talk::usual();
        for part in first.as_bytes().chunks(30_000) {
            talk.say(0, part);
        }
        talk.say(1, "{\"method\":7}\n");
        let (folder, ran) = run_import(&capture(&talk.segments), &["--out", "OUT"]);
        ran.expect_status(&[2]).expect_text("none of its first lines could be a message");
        assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
    }
}

#[test]
fn what_cannot_be_judged_is_said() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(0, HELLO).say(1, HELLO).end(0).end(1);
    let mut frames = packets::frames(packets::Link::Raw, &talk.segments);
    frames[4].0.truncate(60);
    frames[5].0[6] = 0x20;
    let mut file = packets::pcap(101, &frames);
    file.extend([0; 7]);
    let (_, ran) = run_import(&file, &[]);
    insta::assert_snapshot!(ran.stderr, @r"
    dnode-conform: /prod.pcap: the file ends within a packet
    dnode-conform: /prod.pcap: 1 TCP segment captured only in part; capture whole packets: tcpdump -s 0
    dnode-conform: /prod.pcap: 1 fragment of IP packets, from packet 6 on, cannot be put together
    ");
    assert_eq!(ran.status, 2);
    let (_, unknown) = run_import(&packets::pcap(105, &frames), &[]);
    insta::assert_snapshot!(unknown.stderr, @r"
    dnode-conform: /prod.pcap: 10 packets of link type 105, which is not known; try tcpdump -i any
    error: /prod.pcap: no connection that carries dnode, in 10 packets; it holds no bytes of TCP connections
    ");
}

#[test]
fn files_that_are_no_capture_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name).display().to_string();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let log = at("log", &std::fs::read(recordings().swap_remove(0)).unwrap());
    let out = at("out", b"");
    std::fs::remove_file(&out).unwrap();
    for (file, more, expected) in [
        (at("zipped", &[0x1f, 0x8b, 8, 0, 0]), &[][..], "it is compressed with gzip; decompress it first"),
        (at("empty", b""), &[], "it is empty"),
        (at("text", b"hello"), &[], "it is neither a packet capture (pcap, pcapng) nor a line log"),
        (at("half", &capture(&[])[..10]), &[], "the header of the file is not complete"),
        (log.clone(), &[], "a line log becomes a transcript: add --out DIR"),
        (log, &["--port", "1", "--out", &out], "a line log has no ports: leave out --port"),
        (at("missing", b"").replace("missing", "gone"), &[], "No such file"),
    ] {
        run(&[&["import", &file], more].concat()).expect_status(&[2]).expect_text(expected);
    }
    let mut broken = capture(&faulty().segments);
    broken.extend([0xff; 16]);
    let (_, ran) = run_import(&broken, &[]);
    ran.expect_status(&[2]).expect_text("more than 16 MiB").expect_text("breaks callback/declared");
}

#[test]
fn redacted_transcript_has_no_values() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO).say(0, "{\"method\":\"hello\",\"arguments\":[\"secret\"]}\n");
    let (folder, ran) = run_import(&capture(&talk.segments), &["--out", "OUT", "--redact"]);
    ran.expect_status(&[0]);
    let transcript = read(folder.path().join("out/prod-1.jsonl"));
    assert!(transcript.contains("hello") && !transcript.contains("secret"), "{transcript}");
}

#[test]
fn line_above_the_limit_of_the_program_is_no_finding() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO);
    let line = format!("{{\"method\":\"hello\",\"arguments\":[\"{}\"]}}\n", "x".repeat(21 << 20));
    for part in line.as_bytes().chunks(60_000) {
        talk.say(0, part);
    }
    talk.say(1, "{\"method\":7}\n").end(0).end(1);
    let (_, ran) = run_import(&capture(&talk.segments), &[]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran.stderr, @"dnode-conform: connection 1: a line has more than 20 MiB, a limit of this program; from here on, it is neither judged nor written");
    assert!(!ran.stdout.contains("breaks"), "{}", ran.stdout);
}

#[test]
fn copies_that_differ_are_no_finding() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO).say(1, "{\"method\":\"hello\"}\n");
    let mut copy = talk.segments[5].clone();
    copy.bytes[10] = b'\x1b';
    talk.segments.insert(5, copy);
    talk.say(0, "{\"method\":\"hello\"}\n").end(0).end(1);
    let (_, ran) = run_import(&capture(&talk.segments), &[]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran.stdout, @r"
    connection 1: 10.0.0.1:40000 to 10.0.0.2:5050
    connection 1: two copies of 19 bytes that the server sent, at offset 90, differ in packets 6 and 7; from here on, only the form of each line is judged
    connection 1: 2 lines from the client, 1 from the server, nothing broken, 1 gap of 19 bytes
    ");
}

#[test]
fn bytes_after_a_reset_are_reported() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO).reset(1).say(0, "{\"method\":7}\n");
    let (_, ran) = run_import(&capture(&talk.segments), &[]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran.stderr, @"dnode-conform: /prod.pcap: 1 segment with bytes after the end of their connection, from packet 7 on; they are not judged");
}

#[test]
fn other_protocol_of_json_lines_is_not_judged() {
    let rpc = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sum\",\"params\":[1]}\n";
    for lines in [rpc.to_owned(), "{\"level\":\"info\"}\nno JSON\n".to_owned(), rpc.repeat(40)] {
        for mut talk in [Talk::usual(), Talk::in_the_middle("10.0.0.1:40000", "10.0.0.2:5050", [1, 2])] {
            talk.say(0, format!("x\n{lines}")).end(0).end(1);
            let file = capture(&talk.segments);
            let (folder, ran) = run_import(&file, &["--out", "OUT"]);
            ran.expect_status(&[2]).expect_text("the client speaks line JSON, but not dnode");
            assert!(!ran.stdout.contains("breaks"), "{}", ran.stdout);
            assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
            run_import(&file, &["--port", "5050"]).1.expect_text("from the client, 0 from the server");
        }
    }
}

#[test]
fn findings_before_the_first_message_of_dnode_are_kept() {
    let mut talk = Talk::usual();
    talk.say(0, "{\"method\":[]}\n").say(1, HELLO);
    let (_, ran) = run_import(&capture(&talk.segments), &[]);
    ran.expect_status(&[1]).expect_text("the client breaks message/method (must) in packet 4");
}

#[test]
fn names_of_files_are_escaped() {
    let mut talk = Talk::usual();
    talk.say(0, HELLO).say(1, HELLO);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("\u{1b}[31m.pcap").display().to_string();
    std::fs::write(&path, capture(&talk.segments)).unwrap();
    let out = folder.path().display().to_string();
    let ran = run(&["import", &path, &path, "--out", &out]);
    ran.expect_status(&[0]).expect_text("\\x1b[31m.pcap").expect_text("\\x1b[31m-1.jsonl");
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}
