//! What we started ends with us, however we end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use support::{PROGRAM, root, signal, start};
use tempfile::TempDir;

/// A failing test ends after this time. No test needs it to pass.
const GIVE_UP: Duration = Duration::from_secs(60);

/// A pipe whose end shows that no program is left that holds it.
struct Witness {
    folder: TempDir,
    pipe: PathBuf,
}

impl Witness {
    fn new() -> Witness {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("witness");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        Witness { folder, pipe }
    }

    /// A command that holds the pipe, as does its child. The child ignores all signals that can be
    /// ignored. Then it runs `then`.
    fn command(&self, then: &str) -> String {
        let pipe = self.pipe.display();
        format!(
            "exec 9>'{pipe}'; (trap '' HUP INT QUIT TERM; exec tail -f /dev/null) & echo started >&9; {then}"
        )
    }

    fn opened(&self) -> Open {
        let mut pipe = BufReader::new(File::open(&self.pipe).unwrap());
        let mut first = String::new();
        pipe.read_line(&mut first).unwrap();
        assert_eq!(first, "started\n");
        Open(pipe)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

struct Open(BufReader<File>);

impl Open {
    /// Fails if a program still holds the pipe.
    #[track_caller]
    fn expect_end(mut self, what: &str) {
        let (end, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = self.0.read_to_end(&mut Vec::new());
            let _ = end.send(());
        });
        assert!(ended.recv_timeout(GIVE_UP).is_ok(), "{what}: a program that was started is still there");
    }
}

/// Waits for its end. Returns its exit status, and what it wrote to both outputs.
fn rest(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// A program that never listens.
const SILENT: &str = "exec tail -f /dev/null";

#[test]
fn a_started_program_ends_with_us_after_a_sigkill() {
    let serve = format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
    let speak = format!("exec '{PROGRAM}' serve --listen stdio:");
    let client = format!("exec '{PROGRAM}' serve --connect 127.0.0.1:{{port}}");
    let commands: [(&str, &[&str]); 6] = [
        (SILENT, &["run"]),
        (&serve, &["run"]),
        (&speak, &["run", "--at", "stdio:"]),
        (&client, &["run", "--listen", "127.0.0.1:0"]),
        (&serve, &["fuzz", "--time", "10m"]),
        (&serve, &["learn"]),
    ];
    for (then, arguments) in commands {
        let witness = Witness::new();
        let place = witness.path().display().to_string();
        let keep: &[&str] = match arguments[0] {
            "fuzz" => &["--findings", &place],
            "learn" => &["--answers", &format!("{place}/answers")],
            _ => &[],
        };
        let command = witness.command(then);
        let mut child = start(&[arguments, keep, &["--exec", &command]].concat());
        let opened = witness.opened();
        signal(&child, "-KILL");
        child.wait().unwrap();
        opened.expect_end(&arguments.join(" "));
    }
}

#[test]
fn signals_to_our_group_spare_the_guardian() {
    use std::os::unix::process::CommandExt;
    for word in ["-KILL", "-HUP", "-QUIT"] {
        let witness = Witness::new();
        let mut command = Command::new(PROGRAM);
        command.args(["learn", "--ask", "--exec", &witness.command(SILENT)]).process_group(0);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let opened = witness.opened();
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args([word, "--", &group]).status().unwrap().success());
        child.wait().unwrap();
        opened.expect_end(word);
    }
}

#[test]
fn a_closed_terminal_does_not_end_a_run_that_ignores_it() {
    let witness = Witness::new();
    let serve = format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
    let run = format!("trap '' HUP; exec '{PROGRAM}' --case probe/echo --exec \"$1\"");
    let mut command = Command::new("sh");
    command.args(["-c", &run, "sh", &witness.command(&serve)]).current_dir(root());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let opened = witness.opened();
    signal(&child, "-HUP");
    let (status, text) = rest(child);
    assert_eq!(status, Some(0), "{text}");
    opened.expect_end("nohup");
}
