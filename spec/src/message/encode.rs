//! Writes messages in the form of the reference implementation.

use super::{Id, Link, Method};
use crate::path::{Path, PathForm};
use std::io::Write as _;

/// Writes a message as one line with its newline, in the field order of the reference. `arguments`
/// is a JSON array, which becomes a part of the line without a second allocation.
///
/// `methods` and calls have all four fields; a `cull` has only the first two, as in the reference.
#[must_use]
pub fn encode(method: &Method, arguments: Vec<u8>, callbacks: &[(Id, Path)], links: &[Link]) -> Vec<u8> {
    let (length, mut out) = (arguments.len(), arguments);
    out.reserve(96 + callbacks.len() * 24);
    // What comes before the arguments is written after them, and moved to the front.
    out.extend_from_slice(b"{\"method\":");
    match method {
        Method::Name(name) => name.as_text().write_json(&mut out),
        Method::Id(id) => out.extend_from_slice(id.to_string().as_bytes()),
    }
    out.extend_from_slice(b",\"arguments\":");
    out.rotate_left(length);
    if !method.is("cull") {
        out.extend_from_slice(b",\"callbacks\":");
        write_callbacks(callbacks, PathForm::Strings, &mut out);
        out.extend_from_slice(b",\"links\":");
        write_links(links, &mut out);
    }
    out.extend_from_slice(b"}\n");
    out
}

/// Appends the value of the field `callbacks`, with paths in this form.
pub(crate) fn write_callbacks(callbacks: &[(Id, Path)], form: PathForm, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, (id, path)) in callbacks.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let _ = write!(out, "\"{id}\":");
        path.write_json_as(form, out);
    }
    out.push(b'}');
}

/// Appends the value of the field `links`.
pub(crate) fn write_links(links: &[Link], out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, link) in links.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"from\":");
        link.from.write_json(out);
        out.extend_from_slice(b",\"to\":");
        link.to.write_json(out);
        out.push(b'}');
    }
    out.push(b']');
}
