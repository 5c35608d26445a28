//! The message of an error without the parts that differ with the input.

use super::LONGEST;
use super::languages::{class, last_part};

/// Stands for a quoted text, a number, and the name of a type.
const VALUE: char = '…';

/// The words of several languages for types, and for values that have a type of their own.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "array", "arraylist", "bigint", "bool", "boolean", "bytes", "callable", "code", "dict", "double", "false",
    "falseclass", "fixnum", "float", "float64", "func", "function", "hash", "hashmap", "int", "int64", "integer",
    "linkedhashmap", "list", "map", "nan", "nil", "nilclass", "none", "nonetype", "null", "number", "object",
    "proc", "scalar", "slice", "stdclass", "str", "string", "symbol", "true", "trueclass", "tuple", "undef",
    "undefined",
];

/// Messages that one mistake causes, depending on the type of a value. Each text is a part of a
/// message, with or without its values, and the first one of a row names the mistake.
const ALIKE: &[&[&str]] = &[
    // Node: a member of a value of any type. `x.f is not a function` is added below.
    &[READS_A_MEMBER, "Cannot read property …"],
    // Only a string has elements that can be read but not written.
    &["Cannot set properties of …", "Cannot set property …", "Cannot create property …", "' of string '"],
    &["is not iterable"],
    &["Cannot use … operator to search for"],
    // Python.
    &["… is not subscriptable", "… indices must be"],
    // Ruby.
    &["… method …"],
    &["no implicit conversion"],
    // Java and Go.
    &["cannot be cast to"],
    &["interface conversion"],
    // Perl.
    &["as a … ref", "Not a … ref"],
];

const READS_A_MEMBER: &str = "Cannot read properties of …";

/// A name for the mistake that an error shows, the same for all values that it may be about.
pub(super) fn mistake(error: &str) -> String {
    let class = class(error);
    let plain = plain(error);
    if let Some(mistake) = of_a_parser(&plain, class) {
        return mistake.to_owned();
    }
    let has = |row: &&&[&str]| row.iter().any(|part| plain.contains(part) || error.contains(part));
    let alike = ALIKE.iter().find(has).map(|row| row[0]);
    match alike.or_else(|| calls_a_member(&plain).then_some(READS_A_MEMBER)) {
        Some(alike) => format!("{}: {alike}", class.unwrap_or("error")),
        None => plain,
    }
}

/// Whether the message is `x.f is not a function`: Node has it if `x` is not of the right type.
fn calls_a_member(plain: &str) -> bool {
    let called = plain.strip_suffix(" is not a …").and_then(|text| text.rsplit(' ').next());
    called.is_some_and(|called| called.contains('.'))
}

/// A parser has a message for each way in which a text can be wrong. Its limit of depth is another
/// mistake.
fn of_a_parser(plain: &str, class: Option<&str>) -> Option<&'static str> {
    const CLASSES: &[&str] = &["syntax", "parse", "decode", "json"];
    let named = class.map(|class| last_part(class).to_lowercase()).unwrap_or_default();
    let is_of_a_parser = CLASSES.iter().any(|word| named.contains(word))
        || plain.contains("JSON")
        || plain.contains("unexpected token");
    let is_deep = ["nest", "deep"].iter().any(|word| plain.contains(word));
    is_of_a_parser.then_some(if is_deep { "a text that is too deep" } else { "a text that is not valid" })
}

/// A text without folders, and with [`VALUE`] for quoted texts, numbers and types.
pub(super) fn plain(text: &str) -> String {
    let text: String = text.chars().take(LONGEST * 2).collect();
    let mut out = String::new();
    let mut word = String::new();
    let mut quote = None;
    let chars: Vec<char> = without_folders(&text).chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let is_inside =
            |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        match quote {
            Some(open) => {
                // An apostrophe within a word ends no quote.
                let ends = open == c || (open, c) == ('`', '\'');
                if ends && (c != '\'' || !is_inside(Some(at + 1))) {
                    quote = None;
                    value(&mut out);
                }
            }
            None if matches!(c, '"' | '`') || c == '\'' && !is_inside(at.checked_sub(1)) => {
                push(&mut out, &std::mem::take(&mut word));
                quote = Some(c);
            }
            None if c.is_alphanumeric() || c == '_' => word.push(c),
            None => {
                push(&mut out, &std::mem::take(&mut word));
                out.push(c);
            }
        }
    }
    push(&mut out, &word);
    if quote.is_some() {
        value(&mut out);
    }
    out.chars().take(LONGEST).collect()
}

fn push(out: &mut String, word: &str) {
    let is_type = || TYPES.contains(&word.to_lowercase().as_str());
    // PHP names a variable or a member.
    if out.ends_with('$') {
        out.pop();
        return value(out);
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) || is_type() {
        return value(out);
    }
    // So that "an array" and "a string" are alike.
    let word = if word == "an" { "a" } else { word };
    for c in word.chars() {
        match c {
            c if c.is_ascii_digit() && out.ends_with(VALUE) => {}
            c if c.is_ascii_digit() => out.push(VALUE),
            c => out.push(c),
        }
    }
}

/// Adds a [`VALUE`]. It takes in the one before it: `number 5` and `nil:NilClass` are one value.
fn value(out: &mut String) {
    let kept = out.trim_end_matches([' ', ':', '.', '-']);
    if kept.ends_with(VALUE) {
        return out.truncate(kept.len());
    }
    let is_sign = out.strip_suffix('-').is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    if is_sign {
        out.pop();
    }
    out.push(VALUE);
}

/// The text without the folders of its paths, which differ from machine to machine.
fn without_folders(text: &str) -> String {
    let kept = |word: &str| match word.rfind('/') {
        Some(at) if word.contains(['.', ':']) => word[at + 1..].to_owned(),
        _ => word.to_owned(),
    };
    text.split_inclusive([' ', '(', ',']).map(kept).collect()
}

#[cfg(test)]
mod tests;
