//! Checks the imports between the files of a crate: downward only, and never in a circle.
//!
//! Each crate calls [`check`] from a test with its own table of layers. Other crates include this
//! file with `#[path = "../../spec/tests/support/layers.rs"] mod layers;`.
//!
//! An import is a path that starts with `crate::` or `super::`, in a `use` or elsewhere. Paths from
//! a file to the modules that it declares itself are not imports. Test modules may import anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One import of a module by another. Modules are written as paths below `src`, without `.rs`:
/// `graph/describe`.
struct Import {
    from: String,
    to: String,
    /// `FILE:LINE`.
    place: String,
}

/// Checks all files below `source`. `table` lists the layers from the bottom up; each layer lists
/// its modules, which stand for all modules below them too. Modules of one layer may import each
/// other, but not in a circle.
///
/// Gives one sentence for each fault, with file and line; none if all is well.
pub(crate) fn check(source: &Path, table: &[&[&str]]) -> Vec<String> {
    let mut texts = BTreeMap::new();
    read_folder(source, "", &mut texts);
    let modules: BTreeSet<String> = texts.keys().cloned().collect();
    let imports: Vec<Import> =
        texts.iter().flat_map(|(module, text)| imports(source, module, text, &modules)).collect();
    let mut faults = Vec::new();
    for module in modules.iter().filter(|module| !module.is_empty() && layer(module, table).is_none()) {
        faults.push(format!("the module {module} is in no layer of the table"));
    }
    for entry in table.iter().copied().flatten().filter(|entry| !modules.contains(**entry)) {
        faults.push(format!("the table names {entry}, which is not a module"));
    }
    for Import { from, to, place } in &imports {
        if !from.is_empty() && (to.is_empty() || layer(from, table) < layer(to, table)) {
            let to = if to.is_empty() { "the root of the crate" } else { to };
            faults.push(format!("{place}: {from} imports upward, from {to}"));
        }
    }
    faults.extend(circles(&modules, &imports));
    faults
}

/// The layer of the longest entry of the table that is this module or an ancestor of it.
fn layer(module: &str, table: &[&[&str]]) -> Option<usize> {
    let is_in =
        |entry: &str| module.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let entries = table.iter().enumerate().flat_map(|(n, layer)| layer.iter().map(move |entry| (n, *entry)));
    entries.filter(|(_, entry)| is_in(entry)).max_by_key(|(_, entry)| entry.len()).map(|(n, _)| n)
}

/// The text of each module below `folder`, without comments and tests; the module of `lib.rs` or
/// `main.rs` is empty.
fn read_folder(folder: &Path, prefix: &str, texts: &mut BTreeMap<String, String>) {
    let mut test_modules = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_stem().unwrap().to_str().unwrap());
        if path.is_dir() {
            read_folder(&path, &format!("{name}/"), texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if ["lib", "main"].contains(&&*name) { String::new() } else { name };
            let (text, tests) = without_tests(&std::fs::read_to_string(&path).unwrap());
            let beside = if module.is_empty() { String::new() } else { format!("{module}/") };
            test_modules.extend(tests.into_iter().map(|name| format!("{beside}{name}")));
            texts.insert(module, text);
        }
    }
    texts.retain(|module, _| {
        !test_modules.iter().any(|test| module == test || module.starts_with(&format!("{test}/")))
    });
}

/// The text without comments and inline tests, each line in its place, and the test modules that it
/// declares.
fn without_tests(text: &str) -> (String, Vec<String>) {
    let (mut kept, mut tests, mut is_test) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default().trim();
        let module = code.trim_start_matches("pub(crate) ").strip_prefix("mod ").filter(|_| is_test);
        if module.is_some_and(|module| module.ends_with('{')) {
            break;
        }
        tests.extend(module.map(|module| module.trim_end_matches(';').to_owned()));
        if !is_test {
            kept.push_str(code);
        }
        kept.push('\n');
        is_test = code == "#[cfg(test)]" || (is_test && code.starts_with("#["));
    }
    (kept, tests)
}

fn imports(source: &Path, module: &str, text: &str, modules: &BTreeSet<String>) -> Vec<Import> {
    let file = source.join(if module.is_empty() { "lib" } else { module }).with_extension("rs");
    let mut found = Vec::new();
    for word in ["crate::", "super::"] {
        for (at, _) in text.match_indices(word) {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || "_$:".contains(before) {
                continue;
            }
            let mut paths = Vec::new();
            read_paths(&text[at..], "", &mut paths);
            let place = format!("{}:{}", file.display(), text[..at].matches('\n').count() + 1);
            found.extend(paths.iter().map(|path| Import {
                from: module.to_owned(),
                to: resolve(module, path, modules),
                place: place.clone(),
            }));
        }
    }
    found.retain(|import| import.to != import.from);
    found
}

/// Reads the path, or the tree of paths in braces, that `text` starts with. Gives what follows it.
fn read_paths<'t>(text: &'t str, prefix: &str, found: &mut Vec<String>) -> &'t str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    let Some(rest) = text[end..].strip_prefix("::") else {
        found.push(path);
        return &text[end..];
    };
    let Some(mut rest) = rest.strip_prefix('{') else { return read_paths(rest, &format!("{path}/"), found) };
    while let Some(at) =
        rest.find(|c: char| !c.is_whitespace() && c != ',').filter(|at| !rest[*at..].starts_with('}'))
    {
        rest = read_paths(&rest[at..], &format!("{path}/"), found);
        // An alias is not part of the path.
        rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
    }
    rest.split_once('}').map_or("", |(_, rest)| rest)
}

/// The module that defines the item at `path`, as seen from `module`.
fn resolve(module: &str, path: &str, modules: &BTreeSet<String>) -> String {
    let mut parts: Vec<&str> = module.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "crate" => parts.clear(),
            "super" => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    while !parts.is_empty() && !modules.contains(&parts.join("/")) {
        parts.pop();
    }
    parts.join("/")
}

/// The circles: each as the imports that close it.
fn circles(modules: &BTreeSet<String>, imports: &[Import]) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = modules.clone();
    // A module that imports no module that is left, or that no module left imports, is in no
    // circle.
    loop {
        let inner = |import: &&Import| left.contains(&import.from) && left.contains(&import.to);
        let (from, to): (BTreeSet<_>, BTreeSet<_>) =
            imports.iter().filter(inner).map(|import| (import.from.clone(), import.to.clone())).unzip();
        let next: BTreeSet<String> = from.intersection(&to).cloned().collect();
        if next.len() == left.len() {
            break;
        }
        left = next;
    }
    for import in imports.iter().filter(|import| left.contains(&import.from) && left.contains(&import.to)) {
        found.push(format!(
            "{}: {} and {} are part of a circle of imports",
            import.place, import.from, import.to
        ));
    }
    found
}
