//! Recording sessions as transcripts.

use crate::generators::conversation::Conversation;
use dnode_spec::monitor::End;
use dnode_spec::transcript::{About, Form, Recorder, Style, Transcript};

/// Records a session ([`End::A`]) and a stream ([`End::B`]) from either end, in each style and form.
///
/// The transcript can be read. It has at most one step for each line that was not left out.
///
/// # Panics
/// If this does not hold.
pub fn recorder(data: &[u8]) {
    let lines = lines(data);
    let styles = [
        Style::default(),
        Style { ids_from: Some(1000), integer_paths: true, ..Style::default() },
        Style { omits: true, adds: true, ..Style::default() },
    ];
    for ours in [End::A, End::B] {
        for style in styles {
            check(Recorder::new(ours).styled(style), &lines);
        }
        check(Recorder::new(ours).redacting(), &lines);
        check(Recorder::new(ours).in_order(), &lines);
        for form in [Form::Plain, Form::Spaced, Form::PointZero, Form::Twice] {
            let mut recorder = Recorder::new(ours);
            recorder.write_as(Some(form));
            check(recorder, &lines);
        }
    }
}

/// The lines of both ends, in order and without newlines.
fn lines(data: &[u8]) -> Vec<(End, Vec<u8>)> {
    let mut conversation = Conversation::new();
    let mut lines = Vec::new();
    let collect_output = |conversation: &mut Conversation, lines: &mut Vec<(End, Vec<u8>)>| {
        while let Some(mut line) = conversation.poll_output() {
            line.pop();
            lines.push((End::A, line));
        }
    };
    collect_output(&mut conversation, &mut lines);
    for line in data.split(|&byte| byte == b'\n') {
        lines.push((End::B, line.to_vec()));
        conversation.feed(line);
        conversation.feed(b"\n");
        collect_output(&mut conversation, &mut lines);
    }
    lines
}

fn check(mut recorder: Recorder, lines: &[(End, Vec<u8>)]) {
    for (from, line) in lines {
        recorder.line(*from, line);
    }
    let left_out = recorder.left_out();
    let about = About {
        id: "fuzz/recorder".to_owned(),
        since: "0.1.0".to_owned(),
        about: "A recorded session.".to_owned(),
        recorded: true,
        breaks: Vec::new(),
        meta: serde_json::Map::new(),
    };
    let text = recorder.finish(&about);
    match Transcript::read(&text) {
        Ok(transcript) => assert!(transcript.steps.len() + left_out <= lines.len()),
        Err(error) => panic!("the transcript cannot be read: {error}\n{text}"),
    }
}
