//! For tests of the whole program: runs it, and has peers that misbehave.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod evidence;
pub mod library;
pub mod transports;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_dnode-conform");

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads a text file.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a program of `sh`. Another process writes its file: whatever another test starts meanwhile
/// has copies of all our open files until its exec, and the system starts no file that is open for
/// writing.
pub fn write_script(path: &Path, script: &str) {
    let mut draft = tempfile::NamedTempFile::new().unwrap();
    write!(draft, "#!/bin/sh\n{script}\n").unwrap();
    let installed = Command::new("install").args(["-m", "755"]).args([draft.path(), path]).status();
    assert!(installed.unwrap().success(), "install cannot write {}", path.display());
}

/// The result of a process.
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program in the root of the workspace. Its address space is limited, so unbounded memory
/// fails the test.
pub fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 4000000; exec \"$@\"", "sh", PROGRAM]).args(arguments);
    // Help is wrapped at the width of the terminal.
    output(command.env_remove("COLUMNS").current_dir(root()))
}

/// Runs a command until it exits.
pub fn output(command: &mut Command) -> Ran {
    let output = command.output();
    ran(&output.unwrap_or_else(|error| panic!("this test needs {:?}: {error}", command.get_program())))
}

/// The result of a process that exited.
pub fn ran(output: &Output) -> Ran {
    Ran {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Fails if the exit status is not one of these.
    #[track_caller]
    pub fn expect_status(&self, expected: &[i32]) -> &Ran {
        assert!(expected.contains(&self.status), "exit {}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }

    /// Fails if the process did not print this text.
    #[track_caller]
    pub fn expect_text(&self, text: &str) -> &Ran {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "no {text:?} in\n{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// Starts the program in the root of the project, with pipes for its outputs.
pub fn start(arguments: &[&str]) -> Child {
    // A test under nohup ignores SIGHUP, and its children would inherit that.
    let mut command = Command::new("env");
    let command = command
        .args(["--default-signal=HUP", PROGRAM])
        .args(arguments)
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Sends a signal to a process: `-TERM`, for example.
pub fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Whether the tests check all rows of their tables, and not only a sample: `WHOLE=1 cargo test`.
pub fn is_whole() -> bool {
    std::env::var_os("WHOLE").is_some()
}

/// Starts a peer in this process, with a thread for each connection. Returns its address.
pub fn peer(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = std::sync::Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = std::sync::Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// The message `methods` of a peer that claims the probe.
pub const METHODS: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"conformProbe\"]}}\n";

/// Writes until the other end closes.
pub fn write_forever(mut stream: TcpStream, bytes: &[u8]) {
    while stream.write_all(bytes).is_ok() {}
}

/// Reads until the other end closes.
pub fn read_to_end(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

/// Installs the packages of a peer if they are missing.
pub fn install(peer: &str) {
    install_in(&root().join("fixtures/peers").join(peer));
}

/// Installs the npm packages of a folder if they are missing. Tests share the folder, so they install
/// one at a time.
pub fn install_in(folder: &Path) {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if folder.join("node_modules/.package-lock.json").exists() {
        return;
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).output();
    let npm = npm.unwrap_or_else(|error| {
        panic!("these tests need node 20 and npm on the PATH: npm cannot be run: {error}")
    });
    let stderr = String::from_utf8_lossy(&npm.stderr);
    assert!(npm.status.success(), "`npm ci` in {} failed:\n{stderr}", folder.display());
}

/// The program while it listens. Dropping this value kills it.
pub struct Listening {
    child: Child,
    out: BufReader<ChildStdout>,
    pub address: String,
}

impl Listening {
    pub fn start(arguments: &[&str]) -> Listening {
        let mut command = Command::new(PROGRAM);
        let command = command.args(arguments).current_dir(root()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut listening = Listening { child, out, address: String::new() };
        let line = listening.line();
        let address = line.strip_prefix("listening at ").and_then(|rest| rest.split([',', '\n']).next());
        address.unwrap_or_else(|| panic!("{line:?}")).clone_into(&mut listening.address);
        listening
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// Waits until it exits. Returns the rest of its output, and its exit status.
    pub fn rest(mut self) -> (String, i32) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code().unwrap_or(-1))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
