//! The files of `src` form layers: each imports only from files below it.

use std::fs;
use std::path::Path;

/// The layers from the bottom to the top, as module paths. Only `rpc` has a circle inside: see
/// `src/rpc.rs`.
const LAYERS: &[&str] = &[
    "error",
    "transport::error",
    "transport::stream",
    "transport::trust",
    "transport::limits",
    "transport::tcp",
    "transport::unix",
    "transport::memory",
    "transport::tls",
    "transport::ws",
    "transport::address",
    "transport::connection",
    "transport::listener",
    "transport",
    "rpc",
    "object",
    "connection",
    "peer",
];

/// The layer of a module path, such as `transport::tcp::Tcp`: the longest entry that it begins
/// with.
fn layer(path: &str) -> usize {
    let contains =
        |layer: &str| path.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let layers = LAYERS.iter().enumerate().filter(|(_, layer)| contains(layer));
    layers.max_by_key(|(_, layer)| layer.len()).unwrap_or_else(|| panic!("{path} has no layer")).0
}

/// The module paths that a line imports, from a file in this module.
fn imports(module: &str, line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches("pub").trim_start_matches("(crate)").trim();
    let Some(path) = line.strip_prefix("use ").map(|path| path.trim_end_matches(';')) else {
        return Vec::new();
    };
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let (prefix, rest) = match (path.strip_prefix("crate::"), path.strip_prefix("super::")) {
        (Some(rest), _) => (String::new(), rest),
        (_, Some(rest)) => (format!("{parent}::"), rest),
        _ => return Vec::new(),
    };
    match rest.strip_prefix('{').and_then(|names| names.strip_suffix('}')) {
        Some(names) => names.split(',').map(|name| format!("{prefix}{}", name.trim())).collect(),
        None => vec![format!("{prefix}{rest}")],
    }
}

/// Checks the files of a folder, and returns their number.
fn check(folder: &Path, parent: &str, upward: &mut Vec<String>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = format!("{parent}{}", path.file_stem().unwrap().to_str().unwrap());
        if path.is_dir() {
            files += check(&path, &format!("{module}::"), upward);
        } else if module != "lib" {
            files += 1;
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (number, line) in code.lines().enumerate() {
                let is_upward = |import: &String| layer(import) > layer(&module);
                if imports(&module, line).iter().any(is_upward) {
                    upward.push(format!("{}:{}: {line}", path.display(), number + 1));
                }
            }
        }
    }
    files
}

#[test]
fn no_file_imports_upward() {
    let mut upward = Vec::new();
    let files = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut upward);
    assert_eq!(upward, Vec::<String>::new());
    assert!(files > 20, "only {files} files");
}

#[test]
fn an_upward_import_is_found() {
    assert_eq!(imports("transport::tcp", "use super::ws;"), ["transport::ws"]);
    assert_eq!(imports("error", "pub(crate) use crate::{peer::Peer, rpc};"), ["peer::Peer", "rpc"]);
    assert!(layer("transport::ws") > layer("transport::tcp") && layer("peer::Peer") > layer("error"));
}
