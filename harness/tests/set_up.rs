//! `.ci/test` on a machine without the programs that the tests need.
//!
//! Deliberately absent: the installation itself, which needs root and a fresh machine.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::os::unix::fs::symlink;
use std::process::Command;
use support::{ran, root, write_script};

#[test]
fn all_missing_programs_are_named_with_the_command_that_installs_them() {
    let folder = tempfile::tempdir().unwrap();
    for tool in ["bash", "dirname", "sed", "tr"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap();
        symlink(String::from_utf8(found.stdout).unwrap().trim(), folder.path().join(tool)).unwrap();
    }
    // The script would install the programs if it ran as root.
    write_script(&folder.path().join("id"), "echo 1000");

    let mut script = Command::new(folder.path().join("bash"));
    script.arg(root().join(".ci/test")).args(["--set-up", "c++"]).current_dir(root());
    script.env("PATH", folder.path()).env("CHROMIUM", folder.path().join("chromium"));
    let ran = ran(&script.output().unwrap());

    ran.expect_status(&[1]);
    for program in [
        "cargo", "cc", "chromium", "curl", "git", "go", "javac", "kill", "php", "prove", "python3", "ruby",
        "tar", "pip3", "c++",
    ] {
        ran.expect_text(&format!(".ci/test: {program} is missing\n"));
    }
    ran.expect_text("node 20 with npm is missing")
        .expect_text("apt-get install gcc chromium curl git golang-go default-jdk-headless procps php-cli perl python3 ruby tar python3-pip g++")
        .expect_text("https://sh.rustup.rs");
}
