//! Sessions written down.

use crate::generators::conversation::Conversation;
use dnode_spec::monitor::End;
use dnode_spec::transcript::{About, Recorder, Style, Transcript};

/// Writes down what a session ([`End::A`]) and a stream ([`End::B`]) say, from either end and in each style.
///
/// What is written can be read, and has a step for each line but the handshake and those that are left out.
///
/// # Panics
/// Where this is not so.
pub fn recorder(data: &[u8]) {
    let said = said(data);
    let styles = [
        Style::default(),
        Style { ids_from: Some(1000), integer_paths: true, ..Style::default() },
        Style { omits: true, adds: true, ..Style::default() },
    ];
    for ours in [End::A, End::B] {
        for style in styles {
            check(Recorder::new(ours).styled(style), &said);
        }
        check(Recorder::new(ours).redacting(), &said);
    }
}

/// What both ends say, in its order.
fn said(data: &[u8]) -> Vec<(End, Vec<u8>)> {
    let mut conversation = Conversation::new();
    let mut said = Vec::new();
    let listen = |conversation: &mut Conversation, said: &mut Vec<(End, Vec<u8>)>| {
        while let Some(mut line) = conversation.say() {
            line.pop();
            said.push((End::A, line));
        }
    };
    listen(&mut conversation, &mut said);
    for line in data.split(|&byte| byte == b'\n') {
        said.push((End::B, line.to_vec()));
        conversation.hear(line);
        conversation.hear(b"\n");
        listen(&mut conversation, &mut said);
    }
    said
}

fn check(mut recorder: Recorder, said: &[(End, Vec<u8>)]) {
    for (from, line) in said {
        recorder.line(*from, line);
    }
    let left_out = recorder.left_out();
    let about = About {
        id: "fuzz/recorder".to_owned(),
        since: "0.1.0".to_owned(),
        about: "What was said.".to_owned(),
        recorded: true,
        meta: serde_json::Map::new(),
    };
    let text = recorder.finish(&about);
    match Transcript::read(&text) {
        Ok(transcript) => assert!(transcript.steps.len() + left_out <= said.len()),
        Err(error) => panic!("what was written cannot be read: {error}\n{text}"),
    }
}
