//! The formats of captures, the link types, and files that cannot be read to their end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use dnode_capture::{Capture, Form};
use std::io::Read;
use support::packets::{Captured, LINKS, Link, Talk, frames, pcap, pcap_as, pcapng, pcapng_as};
use support::{described, read};

fn talk(client: &str, server: &str) -> Talk {
    let mut talk = Talk::open(client, server, [7, 8]);
    talk.say(0, "question\n").say(1, "answer\n").end(0).end(1);
    talk
}

fn packets(link: Link) -> Vec<Captured> {
    frames(link, &talk("10.0.0.1:40000", "10.0.0.2:5050").segments)
}

/// The error at the end of a file.
fn error(file: &[u8]) -> String {
    match Capture::read(file, None) {
        Err(error) => error.to_string(),
        Ok(capture) => capture.last().unwrap().unwrap_err().to_string(),
    }
}

#[test]
fn every_link_type_gives_the_same_connection() {
    for link in LINKS {
        for ends in [["10.0.0.1:40000", "10.0.0.2:5050"], ["[::1]:40000", "[::1]:5050"]] {
            let file = pcap(link.number(), &frames(link, &talk(ends[0], ends[1]).segments));
            let expected = format!(
                "1 {} to {}\n1 client: question\\n\n1 server: answer\\n\n1 client: end\n1 server: end\n1 Ended",
                ends[0], ends[1]
            );
            assert_eq!(described(&file), expected, "{link:?}");
        }
    }
}

#[test]
fn every_format_gives_the_same_connection() {
    let packets = packets(Link::Cooked2);
    let expected = described(&pcap(276, &packets));
    for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
        for number in [u32::to_le_bytes, u32::to_be_bytes] {
            assert_eq!(described(&pcap_as(276, &packets, magic, number)), expected);
        }
    }
    for number in [u32::to_le_bytes, u32::to_be_bytes] {
        assert_eq!(described(&pcapng_as(276, &packets, number)), expected);
    }
    // A file may hold sections of both byte orders.
    let sections = [pcapng(276, &packets[..5]), pcapng_as(276, &packets[5..], u32::to_be_bytes)].concat();
    assert_eq!(described(&sections), expected);
}

/// Gives one byte at a time, as a slow pipe does.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (byte, rest) = self.0.split_at(self.0.len().min(1));
        self.0 = rest;
        buffer[..byte.len()].copy_from_slice(byte);
        Ok(byte.len())
    }
}

#[test]
fn slow_pipe_gives_the_same_connection() {
    for file in [pcap(1, &packets(Link::Ethernet)), pcapng(1, &packets(Link::Ethernet))] {
        let events: Vec<_> = Capture::read(Slow(&file), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(events, read(&file).0);
    }
}

#[test]
fn first_bytes_show_the_form() {
    assert_eq!(Form::of(&pcap(1, &[])), Some(Form::Pcap));
    assert_eq!(Form::of(&pcapng(1, &[])), Some(Form::Pcapng));
    assert_eq!(Form::of(&[0x1f, 0x8b, 8, 0]), Some(Form::Compressed("gzip")));
    assert_eq!(Form::of(b"{\"client\""), None);
    assert_eq!(Form::of(b"\n\n{\"c"), None);
    assert_eq!(Form::of(b""), None);
}

#[test]
fn file_that_ends_within_a_packet_is_read_so_far() {
    for file in [pcap(1, &packets(Link::Ethernet)), pcapng(1, &packets(Link::Ethernet))] {
        let whole = read(&file).1;
        assert!(!whole.ends_early);
        let summary = read(&file[..file.len() - 30]).1;
        assert!(summary.ends_early);
        assert!((1..=2).contains(&(whole.packets - summary.packets)));
    }
}

#[test]
fn unreadable_files_are_errors_that_say_where() {
    insta::assert_snapshot!(error(b"{}"), @"it is not a packet capture in the format pcap or pcapng");
    insta::assert_snapshot!(error(&[0x1f, 0x8b, 8, 0]), @"it is compressed with gzip; decompress it first");
    insta::assert_snapshot!(error(&pcap(1, &[])[..20]), @"it is malformed at byte 0, after packet 0: the header of the file is not complete");
    let mut huge = pcap(1, &packets(Link::Ethernet)[..1]);
    huge.extend([0xff; 16]);
    insta::assert_snapshot!(error(&huge), @"it is malformed at byte 100, after packet 1: a packet or block of more than 16 MiB");
    let mut bad = pcapng(1, &packets(Link::Ethernet)[..1]);
    bad.extend([6, 0, 0, 0, 1, 0, 0, 0].repeat(5));
    insta::assert_snapshot!(error(&bad), @"it is malformed at byte 184, after packet 1: a block with a length below 12 bytes");
    let foreign = [pcapng(1, &[]), vec![6, 0, 0, 0, 32, 0, 0, 0, 9]].concat();
    let foreign = [foreign, [0; 19].to_vec(), vec![32, 0, 0, 0]].concat();
    insta::assert_snapshot!(error(&foreign), @"it is malformed at byte 68, after packet 0: a packet of an interface that is not described");
    let header = pcap(1, &[]);
    let broken = Read::chain(&header[..], Broken);
    insta::assert_snapshot!(Capture::read(broken, None).unwrap().last().unwrap().unwrap_err().to_string(), @"it cannot be read after packet 0: the disk is gone");
}

/// Cannot be read.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the disk is gone"))
    }
}

#[test]
fn unknown_link_types_and_fragments_are_counted() {
    let summary = read(&pcap(147, &packets(Link::Ethernet))).1;
    assert_eq!(summary.unknown_links.into_iter().collect::<Vec<_>>(), [(147, 9)]);
    let mut packets = packets(Link::Raw);
    // The flag "more fragments", and the offset of a later fragment.
    packets[3].0[6] = 0x20;
    packets[4].0[7] = 5;
    packets.push(([0x60, 0, 0, 0, 0, 0, 17, 1].to_vec(), 8));
    let (events, summary) = read(&pcap(101, &packets));
    assert_eq!((summary.fragments, summary.first_fragment, summary.packets), (2, Some(4), 10));
    assert!(support::describe(&events).contains("client: gap at 0 of Some(9)"));
}

#[test]
fn packet_without_its_tcp_header_was_cut() {
    let mut packets = packets(Link::Ethernet);
    packets[3].0.truncate(40);
    assert_eq!(read(&pcap(1, &packets)).1.cut, 1);
}

#[test]
fn long_block_without_a_packet_is_skipped() {
    let packets = packets(Link::Raw);
    let length = 3_000_000u32;
    let number = (length + 12).to_le_bytes();
    let long = [&[0xad, 0x0b, 0, 0][..], &number, &vec![0; length as usize], &number].concat();
    let file = [pcapng(101, &packets[..4]), long, pcapng(101, &packets[4..])].concat();
    assert_eq!(described(&file), described(&pcapng(101, &packets)));
}
