//! Connections: how they begin and end, loss, reordering, and captures of a part of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use dnode_capture::{What, limits};
use support::packets::{ACK, FIN, SYN, Segment, Talk, capture};
use support::{described, read, read_port};

/// A connection with two questions and two answers.
fn talk() -> Talk {
    let mut talk = Talk::usual();
    talk.say(0, "one\n").say(1, "ONE\n").say(0, "two\n").say(1, "TWO\n").end(0).end(1);
    talk
}

const WHOLE: &str = "1 10.0.0.1:40000 to 10.0.0.2:5050\n1 client: one\\n\n1 server: ONE\\n\n1 client: two\\n\n\
                     1 server: TWO\\n\n1 client: end\n1 server: end\n1 Ended";

/// The capture without the packets at these places.
fn without(talk: &Talk, lost: &[usize]) -> String {
    let kept = talk.segments.iter().enumerate().filter(|(n, _)| !lost.contains(n)).map(|(_, it)| it.clone());
    described(&capture(&kept.collect::<Vec<_>>()))
}

#[test]
fn whole_connection() {
    assert_eq!(without(&talk(), &[]), WHOLE);
    let connected = Talk::usual();
    assert_eq!(described(&capture(&connected.segments)), "", "it carried no bytes");
}

#[test]
fn answer_before_its_question_is_put_after_it() {
    let mut talk = talk();
    talk.segments.swap(3, 4);
    assert_eq!(described(&capture(&talk.segments)), WHOLE);
    talk.segments.reverse();
    assert_eq!(described(&capture(&talk.segments)), WHOLE);
}

#[test]
fn lost_bytes_are_a_gap() {
    insta::assert_snapshot!(without(&talk(), &[5]), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: one\n
    1 server: ONE\n
    1 client: gap at 4 of Some(4) before None
    1 server: TWO\n
    1 client: end
    1 server: end
    1 Ended
    ");
    // The second answer shows that the question was read, and the last acknowledgement that the
    // answer was.
    insta::assert_snapshot!(without(&talk(), &[3, 4, 6, 7, 8, 9, 10]), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: gap at 0 of Some(4) before Some(4)
    1 server: gap at 0 of Some(4) before None
    1 client: two\n
    1 CaptureEnded
    ");
    insta::assert_snapshot!(without(&talk(), &[3, 4, 5, 6]), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: gap at 0 of Some(8) before None
    1 server: gap at 0 of Some(8) before None
    1 client: end
    1 server: end
    1 Ended
    ");
}

#[test]
fn capture_that_begins_in_the_middle() {
    insta::assert_snapshot!(without(&talk(), &[0, 1, 2, 3]), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050, a guess
    1 client: gap at 0 of None before Some(2)
    1 server: gap at 0 of None before Some(1)
    1 server: ONE\n
    1 client: two\n
    1 server: TWO\n
    1 client: end
    1 server: end
    1 Ended
    ");
    assert_eq!(without(&talk(), &[0, 2]), WHOLE, "the answer to the opening shows both beginnings");
    insta::assert_snapshot!(without(&talk(), &[1]), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 server: gap at 0 of None before Some(4)
    1 client: one\n
    1 server: ONE\n
    1 client: two\n
    1 server: TWO\n
    1 client: end
    1 server: end
    1 Ended
    ");
}

#[test]
fn capture_of_one_direction_lacks_the_other() {
    let talk = talk();
    let client = talk.segments.iter().filter(|it| it.from.port() == 40000).cloned().collect::<Vec<_>>();
    insta::assert_snapshot!(described(&capture(&client)), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 server: gap at 0 of None before None
    1 client: one\n
    1 server: gap at 0 of Some(4) before None
    1 client: two\n
    1 client: end
    1 CaptureEnded
    ");
    let middle = client[2..4].to_vec();
    assert!(
        described(&capture(&middle))
            .starts_with("1 10.0.0.1:40000 to 10.0.0.2:5050, a guess\n1 client: gap at 0 of None")
    );
}

#[test]
fn lower_port_is_the_server_unless_a_port_was_chosen() {
    let mut talk = Talk::in_the_middle("10.0.0.1:700", "10.0.0.2:5050", [1, 2]);
    talk.say(0, "x\n");
    let client = |port| match &read_port(&capture(&talk.segments), port).0[0].what {
        What::Opened { client, is_guess, .. } => (client.port(), *is_guess),
        other => panic!("{other:?}"),
    };
    assert_eq!(client(None), (5050, true));
    assert_eq!((client(Some(5050)), client(Some(700))), ((700, false), (5050, false)));
}

#[test]
fn chosen_port_leaves_others_out() {
    let mut one = Talk::usual();
    one.say(0, "a\n").end(0).end(1);
    let mut other = Talk::open("10.0.0.1:5050", "10.0.0.2:8080", [5, 6]);
    other.say(0, "b\n");
    let mut third = Talk::open("10.0.0.1:40000", "10.0.0.2:443", [5, 6]);
    third.say(0, "c\n");
    let file = capture(&[one.segments, other.segments, third.segments].concat());
    let (events, summary) = read_port(&file, Some(5050));
    assert!(events.iter().all(|event| event.connection == 1));
    assert_eq!(summary.ports.into_iter().collect::<Vec<_>>(), [(5050, 1)]);
    assert_eq!(summary.other_ports.into_iter().collect::<Vec<_>>(), [443, 8080]);
    assert_eq!(read(&file).1.ports.into_iter().collect::<Vec<_>>(), [(443, 1), (5050, 1), (8080, 1)]);
}

#[test]
fn reset_ends_a_connection() {
    let mut talk = Talk::usual();
    talk.say(0, "half a li").reset(1);
    talk.say(0, "ne\n");
    insta::assert_snapshot!(described(&capture(&talk.segments)), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: half a li
    1 Reset
    ");
    let after_close = read(&capture(&talk.segments)).1.after_close;
    assert_eq!((after_close.segments, after_close.first), (1, Some(6)));
}

#[test]
fn reset_outside_the_window_is_ignored() {
    for distance in [500_000_000_u32, 1, 0_u32.wrapping_sub(500_000_000)] {
        let mut talk = Talk::usual();
        talk.say(0, "one\n").say(1, "ONE\n").send(0, ACK, b"");
        talk.reset(1);
        let reset = talk.segments.last_mut().unwrap();
        reset.sequence = reset.sequence.wrapping_sub(distance);
        talk.say(1, "TWO\n").end(0).end(1);
        let file = capture(&talk.segments);
        let described = described(&file);
        assert!(described.contains("TWO") && described.ends_with("1 Ended"), "{distance}: {described}");
        assert_eq!(read(&file).1.after_close.segments, 0);
    }
}

#[test]
fn copy_after_the_end_of_a_connection_is_nothing_new() {
    let mut talk = talk();
    talk.segments.push(talk.segments[4].clone());
    assert_eq!(read(&capture(&talk.segments)).1.after_close.segments, 0);
}

#[test]
fn same_addresses_again_are_a_new_connection() {
    let mut first = Talk::usual();
    first.say(0, "first\n");
    let mut second = Talk::open("10.0.0.1:40000", "10.0.0.2:5050", [70_000, 80_000]);
    second.say(0, "second\n").end(0).end(1);
    let mut third = Talk::in_the_middle("10.0.0.1:40000", "10.0.0.2:5050", [0, 1]);
    third.send(1, SYN | ACK, b"");
    third.segments[0].acknowledged = 1;
    insta::assert_snapshot!(described(&capture(&[first.segments, second.segments, third.segments].concat())), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: first\n
    1 Replaced
    2 10.0.0.1:40000 to 10.0.0.2:5050
    2 client: second\n
    2 client: end
    2 server: end
    2 Ended
    ");
}

#[test]
fn sequence_numbers_wrap() {
    let mut talk = Talk::open("[2001:db8::1]:40000", "[2001:db8::2]:5050", [u32::MAX - 3, u32::MAX]);
    for _ in 0..4 {
        talk.say(0, "abc").say(1, "DEF");
    }
    talk.end(0).end(1);
    let described = described(&capture(&talk.segments));
    assert!(described.ends_with("1 Ended") && !described.contains("gap"), "{described}");
    assert_eq!(described.matches("abc").count() + described.matches("DEF").count(), 8, "{described}");
}

#[test]
fn packet_that_was_cut_is_a_gap() {
    let mut talk = talk();
    talk.segments[3].captured = 2;
    insta::assert_snapshot!(described(&capture(&talk.segments)), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: on
    1 client: gap at 2 of Some(2) before Some(6)
    1 server: ONE\n
    1 client: two\n
    1 server: TWO\n
    1 client: end
    1 server: end
    1 Ended
    ");
    assert_eq!(read(&capture(&talk.segments)).1.cut, 1);
}

#[test]
fn probe_of_a_living_connection_adds_nothing() {
    let mut talk = Talk::usual();
    talk.say(0, "one\n");
    let mut probe = talk.segments.last().unwrap().clone();
    probe.sequence = probe.sequence.wrapping_add(3);
    probe.bytes = b"\0".to_vec();
    probe.captured = 1;
    talk.segments.push(probe);
    talk.say(0, "two\n");
    assert!(described(&capture(&talk.segments)).contains("client: one\\ntwo\\n"));
}

#[test]
fn waiting_bytes_are_limited() {
    let mut talk = Talk::usual();
    talk.say(0, "lost");
    let lost = talk.segments.len() - 1;
    let chunk = vec![b'x'; 60_000];
    for _ in 0..=limits::HELD_BY_ONE / chunk.len() {
        talk.say(0, &chunk);
    }
    // A later copy of the lost bytes comes too late.
    let late = talk.segments.remove(lost);
    talk.segments.push(late);
    let described = described(&capture(&talk.segments));
    assert!(described.contains("client: gap at 0 of Some(4) before Some(4)"), "{}", &described[..200]);
}

/// A segment of a connection that was opened by each of these clients.
fn crowd(clients: impl Iterator<Item = u16>, bytes: &str) -> Vec<Segment> {
    let open = |port| {
        let mut talk = Talk::open(&format!("10.0.0.1:{}", 10_000 + port), "10.0.0.2:5050", [1, 2]);
        talk.say(0, bytes);
        if bytes.is_empty() { talk.segments } else { talk.segments[3..4].to_vec() }
    };
    clients.flat_map(open).collect()
}

#[test]
fn number_of_connections_is_limited() {
    let many = limits::CONNECTIONS as u16 + 5;
    let summary = read(&capture(&crowd(0..many, "a\n"))).1;
    assert_eq!((summary.ports[&5050], summary.refused), (limits::CONNECTIONS, 5));
    // Connections without bytes make room.
    let segments = [crowd(0..many, ""), crowd(many..many + 3, "a\n")].concat();
    let summary = read(&capture(&segments)).1;
    assert_eq!((summary.ports[&5050], summary.refused), (3, 0));
}

#[test]
fn end_before_bytes_that_are_here_is_ignored() {
    let mut talk = Talk::usual();
    talk.say(0, "one\n");
    let mut end = talk.segments.last().unwrap().clone();
    end.bytes.clear();
    end.captured = 0;
    end.flags = FIN | ACK;
    talk.segments.push(end);
    talk.say(0, "two\n");
    let described = described(&capture(&talk.segments));
    assert!(described.contains("one\\ntwo\\n") && !described.contains("end"), "{described}");
}

#[test]
fn acknowledgement_alone_shows_a_loss() {
    let mut talk = Talk::usual();
    talk.say(0, "one\n").say(1, "ONE\n").say(0, "lost\n");
    let lost = talk.segments.len() - 1;
    talk.send(1, ACK, b"");
    insta::assert_snapshot!(without(&talk, &[lost]), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: one\n
    1 server: ONE\n
    1 client: gap at 4 of Some(5) before None
    1 CaptureEnded
    ");
}

#[test]
fn order_that_nothing_shows_is_a_gap_without_bytes() {
    let mut talk = Talk::usual();
    talk.say(0, "one\n").say(1, "ONE\n");
    // Only a later copy of the question was captured, and it acknowledges the answer.
    talk.segments[3].acknowledged = talk.segments[3].acknowledged.wrapping_add(4);
    insta::assert_snapshot!(described(&capture(&talk.segments)), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: gap at 0 of Some(0) before Some(4)
    1 client: one\n
    1 server: ONE\n
    1 CaptureEnded
    ");
}

#[test]
fn waiting_bytes_of_all_connections_are_limited() {
    let chunk = vec![b'x'; 60_000];
    let chunks = limits::HELD_BY_ONE / chunk.len() - 10;
    let wait = |client: u16| {
        let mut talk = Talk::open(&format!("10.0.0.1:{client}"), "10.0.0.2:5050", [1, 2]);
        talk.say(0, "lost");
        let lost = talk.segments.pop();
        for _ in 0..chunks {
            talk.say(0, &chunk);
        }
        (talk.segments, lost)
    };
    let (segments, lost): (Vec<_>, Vec<_>) = (1..=5).map(|n| wait(40_000 + n)).unzip();
    let segments: Vec<Segment> = segments.into_iter().flatten().chain(lost.into_iter().flatten()).collect();
    let events = read(&capture(&segments)).0;
    let gaps = events.iter().filter(|event| matches!(event.what, What::Gap(_))).count();
    assert_eq!(gaps, 1, "one connection made room for the others");
}

#[test]
fn copies_that_differ_are_a_gap() {
    let mut talk = Talk::usual();
    talk.say(0, "one\n").say(1, "ONE\n");
    let mut copy = talk.segments[4].clone();
    copy.bytes = b"OXE\n".to_vec();
    talk.segments.push(copy);
    talk.say(0, "two\n");
    insta::assert_snapshot!(described(&capture(&talk.segments)), @r"
    1 10.0.0.1:40000 to 10.0.0.2:5050
    1 client: one\n
    1 server: gap at 0 of Some(4) before None, copies [5, 6]
    1 client: two\n
    1 CaptureEnded
    ");
    // The client has acknowledged the first copy, so it ignores the second one.
    talk.segments.swap(5, 6);
    assert!(!described(&capture(&talk.segments)).contains("gap"));
}
