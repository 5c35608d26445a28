//! Faults of cycles and duplicates.

use super::definition::{Fault, LEGAL, fault};
use crate::reference::conduct::{
    Conduct, Json, OnReceive, OnSend, above_nine, callbacks, is_call, pass, place, rewrite, set,
};
use serde_json::json;

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "link-two",
        "link/shape",
        LEGAL,
        "writes \"two\" for the field \"to\" of a link, as a typing error in the document does",
        || sends_links(|link| json!({"from": link["from"], "two": link["to"]})),
    ),
    fault("link-text", "link/path", LEGAL, "writes the paths of a link as text", || {
        sends_links(|link| json!({"from": link["from"].to_string(), "to": link["to"].to_string()}))
    }),
    fault("link-from-nowhere", "link/from-place", LEGAL, "sends links from places that do not exist", || {
        sends_links(|link| json!({"from": ["7", "nowhere"], "to": link["to"]}))
    }),
    fault("link-beneath-scalar", "link/to-place", LEGAL, "sends links to places beneath a string", || {
        sends_links(|link| json!({"from": link["from"], "to": ["0", "name", "deeper"]}))
    }),
    fault("marks-without-links", "link/circular-marked", LEGAL, "marks a cycle but sends no link", || {
        Box::new(OnSend(|m: &mut Json| {
            set(m, "links", json!([]));
            vec![m.clone()]
        }))
    }),
    fault(
        "ignores-links",
        "link/cycle",
        LEGAL,
        "ignores links, as the Perl, Ruby, PHP and Java ports do",
        || receives_links(|_| false),
    ),
    fault("cycles-only", "link/duplicate", LEGAL, "applies only links to an enclosing value", || {
        receives_links(|link| {
            let key = |key: &Json| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            let keys = |path: &Json| {
                path.as_array().map(|keys| keys.iter().map(key).collect::<Vec<_>>()).unwrap_or_default()
            };
            let (from, to) = (keys(&link["from"]), keys(&link["to"]));
            to.len() > from.len() && to[..from.len()] == from
        })
    }),
    fault("duplicates-only", "link/cycle", LEGAL, "applies only links that do not make a cycle", || {
        receives_links(|link| {
            let key = |key: &Json| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            let keys = |path: &Json| {
                path.as_array().map(|keys| keys.iter().map(key).collect::<Vec<_>>()).unwrap_or_default()
            };
            let (from, to) = (keys(&link["from"]), keys(&link["to"]));
            to.len() <= from.len() || to[..from.len()] != from
        })
    }),
    fault("no-new-places", "link/new-place", LEGAL, "applies only links to places that exist", || {
        Box::new(OnReceive(|m: &mut Json| {
            let arguments = m["arguments"].clone();
            keep_links(m, &|link| exists(&arguments, link["to"].as_array().into_iter().flatten()));
            pass(m)
        }))
    }),
    fault(
        "no-new-parents",
        "link/new-parents",
        LEGAL,
        "applies only links to places whose parents exist",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let arguments = m["arguments"].clone();
                keep_links(m, &|link| {
                    let parent =
                        link["to"].as_array().and_then(|keys| keys.split_last()).map(|(_, parent)| parent);
                    exists(&arguments, parent.into_iter().flatten())
                });
                pass(m)
            }))
        },
    ),
    fault("links-before-callbacks", "link/order", LEGAL, "applies links before it places callbacks", || {
        Box::new(OnReceive(|m: &mut Json| {
            let functions: Vec<Json> = callbacks(m).into_iter().map(|(_, path)| path).collect();
            keep_links(m, &|link| !functions.contains(&link["from"]));
            pass(m)
        }))
    }),
    fault("links-backwards", "link/order", LEGAL, "applies links from the last to the first", || {
        Box::new(OnReceive(|m: &mut Json| {
            if let Some(links) = m.get_mut("links").and_then(Json::as_array_mut) {
                links.reverse();
            }
            pass(m)
        }))
    }),
    fault(
        "digits-are-indexes",
        "link/duplicate",
        LEGAL,
        "finds no value at a key of an object that is a number",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let arguments = m["arguments"].clone();
                let is_digits = |key: &Json| {
                    key.as_u64().is_some() || key.as_str().is_some_and(|key| key.parse::<u64>().is_ok())
                };
                keep_links(m, &|link| {
                    let Some((last, parent)) = link["from"].as_array().and_then(|keys| keys.split_last())
                    else {
                        return true;
                    };
                    !is_digits(last) || !place(&arguments, parent).is_some_and(Json::is_object)
                });
                pass(m)
            }))
        },
    ),
    fault("first-link-only", "link/duplicate", LEGAL, "applies only the first link of a message", || {
        Box::new(OnReceive(|m: &mut Json| {
            if let Some(links) = m.get_mut("links").and_then(Json::as_array_mut) {
                links.truncate(1);
            }
            pass(m)
        }))
    }),
    fault(
        "four-links-at-most",
        "link/duplicate",
        LEGAL,
        "applies only the first four links of a message",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if let Some(links) = m.get_mut("links").and_then(Json::as_array_mut) {
                    links.truncate(4);
                }
                pass(m)
            }))
        },
    ),
    fault("one-digit-links", "link/duplicate", LEGAL, "ignores links with an index above 9", || {
        Box::new(OnReceive(|m: &mut Json| {
            keep_links(m, &|link| !above_nine(&link["from"]) && !above_nine(&link["to"]));
            pass(m)
        }))
    }),
    fault("cycles-become-null", "link/sent-cycle", LEGAL, "sends null in the place of a cycle", || {
        Box::new(OnSend(|m: &mut Json| {
            set(m, "links", json!([]));
            rewrite(m, &mut |value| {
                if *value == "[Circular]" {
                    *value = Json::Null;
                }
            });
            vec![m.clone()]
        }))
    }),
    fault("shared-once", "link/sent-shared", LEGAL, "sends null for the second of two equal values", || {
        Box::new(OnSend(|m: &mut Json| {
            if is_call(m)
                && let Some([first, second]) = m["arguments"][0].as_array_mut().map(Vec::as_mut_slice)
                && first == second
                && first.is_object()
            {
                *second = Json::Null;
            }
            vec![m.clone()]
        }))
    }),
];

fn sends_links(change: fn(&Json) -> Json) -> Box<dyn Conduct> {
    Box::new(OnSend(move |m: &mut Json| {
        if let Some(links) = m.get_mut("links").and_then(Json::as_array_mut) {
            links.iter_mut().for_each(|link| *link = change(link));
        }
        vec![m.clone()]
    }))
}

fn receives_links(keep: fn(&Json) -> bool) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| {
        keep_links(m, &keep);
        pass(m)
    }))
}

/// Whether a path leads to an existing place in the arguments.
fn exists<'a>(arguments: &'a Json, keys: impl Iterator<Item = &'a Json>) -> bool {
    place(arguments, keys).is_some()
}

fn keep_links(message: &mut Json, keep: &dyn Fn(&Json) -> bool) {
    if let Some(links) = message.get_mut("links").and_then(Json::as_array_mut) {
        links.retain(|link| keep(link));
    }
}
