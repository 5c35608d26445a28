//! A candidate of shrinking: the header and steps of a transcript as JSON, and the groups of steps
//! that belong together.

mod groups;

use crate::cases::Case;
use dnode_spec::transcript::write;
use groups::groups;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// A candidate transcript.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    header: Map<String, Json>,
    steps: Vec<Step>,
}

/// A step, and its group. A group is a step of ours and the expectations that it causes.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    json: Map<String, Json>,
    group: usize,
}

impl Draft {
    /// Creates the draft of a case. `None` if serde_json cannot read it, because it is too deep.
    pub(super) fn new(case: &Case) -> Option<Draft> {
        let header = serde_json::from_str(case.text.lines().next()?).ok()?;
        let groups = groups(&case.transcript);
        let steps = case.transcript.steps.iter().zip(groups).map(|(step, group)| {
            let json: Map<String, Json> = serde_json::from_str(&step.text).ok()?;
            Some(Step { json, group })
        });
        Some(Draft { header, steps: steps.collect::<Option<_>>()? })
    }

    /// Reads the draft as a case; `None` if it is invalid.
    pub(super) fn case(&self) -> Option<Case> {
        Case::read(&write::text(&self.header, self.steps.iter().map(|step| &step.json))).ok()
    }

    /// The number of steps.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The number of groups.
    pub(super) fn groups(&self) -> usize {
        self.numbers().len()
    }

    fn numbers(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = self.steps.iter().map(|step| step.group).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Removes these groups, and all steps that depend on them.
    pub(super) fn without_groups(&self, gone: Range<usize>) -> Option<Draft> {
        let numbers = self.numbers();
        let gone = numbers.get(gone)?;
        self.without(|_, step| gone.contains(&step.group))
    }

    /// Removes one step of ours alone, or with one expectation of any group, because the groups may
    /// be wrong. `None` after the last pair.
    pub(super) fn without_pair(&self, at: usize) -> Option<Draft> {
        let (ours, expected): (Vec<usize>, Vec<usize>) =
            (0..self.steps.len()).partition(|&at| !self.steps[at].json.contains_key("expect"));
        let choices = expected.len() + 1;
        let gone = (*ours.get(at / choices)?, expected.get(at % choices).copied());
        self.without(|at, _| at == gone.0 || Some(at) == gone.1)
    }

    /// Removes a second `methods` message. Its functions become those of the object in the header.
    pub(super) fn with_one_object(&self) -> Option<Draft> {
        const AGAIN: &str = "methods/again";
        let sent = |step: &Step| {
            let message = step.json.get("send").filter(|message| message["method"] == "methods")?;
            message["arguments"][0].as_object().cloned()
        };
        let (at, object) = self.steps.iter().enumerate().find_map(|(at, step)| Some((at, sent(step)?)))?;
        let first = self.header.get("object")?.as_object()?;
        let renamed: HashMap<&str, &Json> =
            object.iter().filter_map(|(key, name)| Some((name.as_str()?, first.get(key)?))).collect();
        let mut draft = self.clone();
        draft.steps.remove(at);
        for step in &mut draft.steps {
            if step.json.get("clause").is_some_and(|clause| clause == AGAIN) {
                step.json.remove("clause");
            }
            step.json.values_mut().for_each(|value| rename(value, &renamed));
        }
        if let Some(Json::Array(requires)) = draft.header.get_mut("requires") {
            requires.retain(|clause| clause != AGAIN);
            if requires.is_empty() {
                draft.header.remove("requires");
            }
        }
        Some(draft)
    }

    /// Removes these steps, and all steps that depend on them.
    fn without(&self, gone: impl Fn(usize, &Step) -> bool) -> Option<Draft> {
        let mut draft = self.clone();
        let steps = self.steps.iter().enumerate().filter(|(at, step)| !gone(*at, step));
        draft.steps = steps.map(|(_, step)| step.clone()).collect();
        // A step that uses a function that is no longer declared is invalid, so its group is
        // removed too.
        while draft.case().is_none() {
            let broken = (1..=draft.steps.len()).find(|&length| {
                let start = Draft { header: draft.header.clone(), steps: draft.steps[..length].to_vec() };
                start.case().is_none()
            })?;
            let group = draft.steps[broken - 1].group;
            draft.steps.retain(|step| step.group != group);
        }
        draft.forget_needs();
        Some(draft)
    }

    /// Removes the methods that are no longer called from `needs`.
    fn forget_needs(&mut self) {
        let called = |method: &Json| {
            let name = method.as_str().unwrap_or_default();
            let text = |step: &Step| json!(step.json).to_string();
            self.steps.iter().any(|step| {
                step.json.get("call").is_some_and(|call| call == method)
                    || text(step).contains(&format!("${name}"))
                    || !step.json.contains_key("call") && text(step).contains(name)
            })
        };
        let needs = self.header.get("needs").and_then(Json::as_array).cloned().unwrap_or_default();
        let needs: Vec<Json> = needs.into_iter().filter(called).collect();
        if !needs.is_empty() {
            self.header.insert("needs".to_owned(), json!(needs));
        } else {
            self.header.remove("needs");
        }
    }

    /// Replaces the value number `at`, in order of size, with null everywhere. `None` after the
    /// last value.
    pub(super) fn without_value(&self, at: usize) -> Option<Draft> {
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        let members = self.header.get("object").and_then(Json::as_object);
        let is_member = |shape: &String| {
            let name = serde_json::from_str::<String>(shape);
            name.is_ok_and(|name| members.is_some_and(|members| members.contains_key(&name)))
        };
        for step in &self.steps {
            for value in step.json.get("arguments").and_then(Json::as_array).into_iter().flatten() {
                collect(value, &mut sizes);
            }
        }
        // The names of our methods are needed.
        let mut shapes: Vec<(String, usize)> =
            sizes.into_iter().filter(|(shape, _)| !is_member(shape)).collect();
        shapes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let (shape, _) = shapes.get(at)?;
        let mut draft = self.clone();
        for step in &mut draft.steps {
            let arguments = match step.json.get_mut("expect") {
                Some(message) => message.get_mut("arguments"),
                None => step.json.get_mut("arguments"),
            };
            arguments
                .and_then(Json::as_array_mut)
                .into_iter()
                .flatten()
                .for_each(|value| replace(value, shape));
        }
        Some(draft)
    }

    /// Removes the fragmentation of all messages.
    pub(super) fn without_splits(&self) -> Draft {
        let mut draft = self.clone();
        draft.steps.iter_mut().for_each(|step| drop(step.json.remove("split")));
        draft
    }

    /// Writes to the header how the transcript was shrunk.
    pub(super) fn describe(&mut self, from: usize, tries: usize, confirmed: usize, of: usize) {
        let meta = self.header.entry("meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("shrunk".to_owned(), json!({ "from-steps": from, "tries": tries }));
            if confirmed < of {
                meta.insert("flaky".to_owned(), json!(format!("{confirmed}/{of}")));
            }
        }
    }
}

/// The text of a value with one name for all functions, because an echoed value has other names for
/// them.
fn shape(value: &Json) -> String {
    fn same(value: &mut Json) {
        match value {
            Json::String(text) if is_name(text) => "$".clone_into(text),
            Json::Array(items) => items.iter_mut().for_each(same),
            Json::Object(members) => members.values_mut().for_each(same),
            _ => {}
        }
    }
    let mut value = value.clone();
    same(&mut value);
    value.to_string()
}

fn is_name(text: &str) -> bool {
    text.starts_with('$') && !text.starts_with("$$")
}

/// Collects the shapes of all values in a value, with their sizes. Functions and null cannot be
/// smaller.
fn collect(value: &Json, sizes: &mut BTreeMap<String, usize>) {
    match value {
        Json::Null => return,
        Json::String(text) if is_name(text) => return,
        Json::Array(items) => items.iter().for_each(|item| collect(item, sizes)),
        Json::Object(members) => members.values().for_each(|member| collect(member, sizes)),
        _ => {}
    }
    let shape = shape(value);
    let size = shape.len();
    sizes.insert(shape, size);
}

fn replace(value: &mut Json, gone: &str) {
    if shape(value) == gone {
        *value = Json::Null;
        return;
    }
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, gone)),
        Json::Object(members) => members.values_mut().for_each(|member| replace(member, gone)),
        _ => {}
    }
}

/// Renames functions.
fn rename(value: &mut Json, renamed: &HashMap<&str, &Json>) {
    match value {
        Json::String(text) => {
            if let Some(name) = renamed.get(text.as_str()) {
                *value = (*name).clone();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Json::Object(members) => members.values_mut().for_each(|member| rename(member, renamed)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"dnode-transcript":1,"id":"a/b","since":"0.1.0","clauses":["framing/json"],"about":"x","needs":["echo"],"object":{"hello":"$a"}"#;

    fn draft(header: &str, steps: &[&str]) -> Draft {
        Draft::new(&Case::read(&format!("{HEADER}{header}}}\n{}", steps.join("\n"))).unwrap()).unwrap()
    }

    #[test]
    fn equal_calls_cause_one_call_each() {
        let steps = [
            r#"{"call":"echo","arguments":["$f","$cb"]}"#,
            r#"{"expect":{"method":"$cb","arguments":["$g"]}}"#,
            r#"{"call":"$g","arguments":[]}"#,
            r#"{"call":"$g","arguments":[]}"#,
            r#"{"expect":{"method":"$f","arguments":[]}}"#,
            r#"{"expect":{"method":"$f","arguments":[]}}"#,
        ];
        let groups: Vec<usize> = draft("", &steps).steps.iter().map(|step| step.group).collect();
        assert_eq!(groups, [0, 0, 2, 3, 2, 3]);
    }

    #[test]
    fn second_object_becomes_the_first() {
        let steps = [
            r#"{"send":{"method":"methods","arguments":[{"hello":"$b"}]},"clause":"methods/again"}"#,
            r#"{"call":"callMe","arguments":["hello",[],"$cb"],"clause":"methods/again"}"#,
            r#"{"expect":{"method":"$b","arguments":[]},"clause":"methods/again"}"#,
        ];
        let one = draft(r#","requires":["methods/again"]"#, &steps).with_one_object().unwrap();
        assert!(one.case().is_some() && !one.header.contains_key("requires"));
        let steps: Vec<String> = one.steps.iter().map(|step| json!(step.json).to_string()).collect();
        assert_eq!(
            steps,
            [
                r#"{"call":"callMe","arguments":["hello",[],"$cb"]}"#,
                r#"{"expect":{"method":"$a","arguments":[]}}"#
            ]
        );
    }

    #[test]
    fn pairs_are_each_own_step_with_each_expectation_or_none() {
        let steps = [
            r#"{"call":"echo","arguments":[1,"$cb"]}"#,
            r#"{"call":"echo","arguments":[2,"$d"]}"#,
            r#"{"expect":{"method":"$cb","arguments":[1]}}"#,
            r#"{"expect":{"method":"$d","arguments":[2]}}"#,
        ];
        let draft = draft("", &steps);
        let left = |at| draft.without_pair(at).map(|it| it.len());
        // An expectation whose function is no longer declared is removed too.
        assert_eq!(
            (0..7).map(left).collect::<Vec<_>>(),
            [Some(2), Some(1), Some(2), Some(1), Some(2), Some(2), None]
        );
    }
}
