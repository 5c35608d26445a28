//! Puts the transcripts of `fixtures/transcripts/` into the binary, so that it needs no files to run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../fixtures/transcripts");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut out = String::from(
        "/// Each case's file: its `group/name`, and its text.\npub(super) const FILES: &[(&str, &str)] = &[\n",
    );
    for group in sorted(&root)? {
        // Recordings are replayed by name, they are no cases.
        if !group.is_dir() || group.ends_with("recorded") {
            continue;
        }
        println!("cargo:rerun-if-changed={}", group.display());
        for file in sorted(&group)? {
            let (Some(group), Some(name)) = (group.file_name(), file.file_stem()) else { continue };
            let id = format!("{}/{}", group.to_string_lossy(), name.to_string_lossy());
            let _ = writeln!(out, "    ({id:?}, include_str!({:?})),", file.display().to_string());
        }
    }
    out.push_str("];\n/// The recorded sessions' texts.\npub(super) const RECORDED: &[&str] = &[\n");
    for file in beneath(&root.join("recorded"))? {
        let _ = writeln!(out, "    include_str!({:?}),", file.display().to_string());
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("catalogue.rs"), out)
}

/// The transcripts beneath a folder, sorted.
fn beneath(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in sorted(folder)? {
        if entry.is_dir() {
            files.extend(beneath(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(entry);
        }
    }
    Ok(files)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    Ok(entries)
}
