//! The numbers of the names in one replay.

use crate::dialect::Dialect;
use crate::message::{Id, Method};
use crate::path::PathForm;
use crate::text::TextBuf;
use foldhash::{HashMap, HashSet};
use std::collections::{BTreeMap, BTreeSet};

/// A function in a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// `$word`.
    Word(String),
    /// One of our functions, by its number in the transcript.
    Ours(Id),
    /// One of the peer's functions, by its number in the transcript.
    Theirs(Id),
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Word(word) => write!(f, "${word}"),
            Name::Ours(id) | Name::Theirs(id) => write!(f, "function {id}"),
        }
    }
}

/// The function or method that a step calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// A function with a name in the transcript.
    Function(Name),
    /// A member of an object, or `methods` or `cull`.
    Member(TextBuf),
    /// A malformed method, as JSON text: it is sent as it is.
    Verbatim(Vec<u8>),
}

impl Called {
    /// Reads the text of `"call"` or `{"id": …}`: `$word`, or a member. A member that starts with
    /// `$` has another `$` before it.
    pub(super) fn read(text: &str) -> Called {
        match text.strip_prefix('$') {
            Some(rest) if !rest.starts_with('$') => Called::Function(Name::Word(rest.to_owned())),
            Some(rest) => Called::Member(TextBuf::from(rest)),
            None => Called::Member(TextBuf::from(text)),
        }
    }

    /// The text that [`Called::read`] reads.
    pub(super) fn written(&self) -> String {
        match self {
            Called::Member(key) if key.as_text().as_bytes().starts_with(b"$") => format!("${key}"),
            Called::Function(Name::Ours(id) | Name::Theirs(id)) => id.to_string(),
            _ => self.to_string(),
        }
    }
}

impl std::fmt::Display for Called {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Called::Function(name) => write!(f, "{name}"),
            Called::Member(key) => write!(f, "{}", key.as_text()),
            Called::Verbatim(text) => f.write_str(&String::from_utf8_lossy(text)),
        }
    }
}

/// A number that the peer declared for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    id: Id,
    /// How many times we had culled something when we last culled this number; 0 if never. Our next
    /// cull of the number ends the binding.
    cull: u64,
}

/// The numbers of the functions of one replay. A name may have several numbers, and a number
/// several names.
///
/// Our cull of a number ends all its bindings, because the peer may give the number to another
/// function. Until the peer has called a function that we declared after the cull, a new
/// declaration of the number may have crossed the cull, and it binds nothing.
#[derive(Debug, Clone, Default)]
pub struct Names {
    numbers: HashMap<Name, Id>,
    ours: HashMap<Id, Name>,
    /// Our numbers that the peer has culled.
    gone_here: HashSet<Id>,
    theirs: HashMap<Name, Vec<Bound>>,
    /// The peer's numbers that the peer itself has culled.
    gone_there: HashSet<Id>,
    /// The peer's numbers that we have culled, each with the count of our culls at that time.
    culled: HashMap<Id, u64>,
    /// How many times we have culled something.
    culls: u64,
    /// How many of our culls the peer has seen for certain.
    seen: u64,
    /// For each of our numbers, how many of our culls came before it.
    after: HashMap<Id, u64>,
    members: HashMap<TextBuf, Bound>,
    /// The members of earlier objects that we have culled.
    old_members: HashMap<TextBuf, Id>,
    own_members: HashMap<TextBuf, Name>,
    /// The functions of our objects so far.
    offered: HashSet<Name>,
    next: i64,
    /// The dialect. In 0.1, an end culls its own functions.
    pub dialect: Dialect,
    /// The form of the paths of our functions, unless the transcript writes them itself.
    pub path_form: PathForm,
}

impl Names {
    /// No names yet. Words get numbers from `first` on.
    #[must_use]
    pub fn new(first: i64) -> Names {
        Names { next: first, ..Names::default() }
    }

    /// A number that no function of ours has.
    pub fn fresh(&mut self) -> Id {
        self.next += 1;
        let id = Id(self.next - 1);
        self.after.insert(id, self.culls);
        id
    }

    /// The number to declare for one of our functions: the number in the transcript, or a new one
    /// if the peer culled it.
    pub fn declare(&mut self, name: &Name) -> Id {
        let known = self.numbers.get(name).copied().or(match name {
            Name::Ours(id) => Some(*id),
            _ => None,
        });
        let id = match known.filter(|id| !self.gone_here.contains(id)) {
            Some(id) => id,
            None => self.fresh(),
        };
        if self.numbers.get(name) != Some(&id) {
            self.numbers.insert(name.clone(), id);
        }
        if self.ours.get(&id) != Some(name) {
            self.ours.insert(id, name.clone());
            self.after.entry(id).or_insert(self.culls);
        }
        id
    }

    /// Gives one of our functions this number.
    pub fn give(&mut self, name: &Name, id: Id) {
        self.numbers.insert(name.clone(), id);
        self.ours.insert(id, name.clone());
        self.after.insert(id, self.culls);
    }

    /// The same as [`Names::declare`] within a message. If the message has the number already,
    /// gives a new number of the same function, because a number has one place in a message.
    pub(super) fn declare_once(&mut self, name: &Name, used: &mut HashSet<Id>) -> Id {
        let id = self.declare(name);
        if used.insert(id) {
            return id;
        }
        let more = self.fresh();
        self.ours.insert(more, name.clone());
        used.insert(more);
        more
    }

    /// The name of one of our functions, by its number or an earlier one.
    #[must_use]
    pub fn our_name(&self, id: Id) -> Option<&Name> {
        self.ours.get(&id)
    }

    /// The numbers of all words, in words, for example `$cb is id 1001, $inc is id 14 or 15`.
    #[must_use]
    pub fn describe(&self) -> String {
        let ours = self.ours.iter().map(|(id, name)| (name, *id));
        let theirs = self.theirs.iter().flat_map(|(name, ids)| ids.iter().map(move |id| (name, id.id)));
        let mut words: BTreeMap<&Name, BTreeSet<i64>> = BTreeMap::new();
        for (name, id) in ours.chain(theirs).filter(|(name, _)| matches!(name, Name::Word(_))) {
            words.entry(name).or_default().insert(id.0);
        }
        let ids = |ids: &BTreeSet<i64>| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(" or ");
        let described = words.iter().map(|(name, of_name)| format!("{name} is id {}", ids(of_name)));
        described.collect::<Vec<_>>().join(", ")
    }

    /// The current number of one of our functions.
    #[must_use]
    pub fn our_number(&self, name: &Name) -> Option<Id> {
        self.numbers.get(name).copied()
    }

    /// Notes that our object has this function as the member `key`.
    pub fn own_member(&mut self, key: &str, name: Name) {
        self.own_members.insert(TextBuf::from(key), name);
    }

    /// Notes that an object of ours holds this function, at any depth.
    pub fn offer(&mut self, name: &Name) {
        self.offered.insert(name.clone());
    }

    /// Whether an object of ours has held this function.
    #[must_use]
    pub fn is_offered(&self, name: &Name) -> bool {
        self.offered.contains(name)
    }

    /// The function of our object that is the member `key`.
    #[must_use]
    pub fn of_own_member(&self, key: &TextBuf) -> Option<&Name> {
        self.own_members.get(key)
    }

    /// Notes that the peer called one of our functions: it has read all that came before the
    /// function.
    pub fn heard(&mut self, method: &Method) {
        if let Method::Id(id) = method {
            self.seen = self.seen.max(self.after.get(id).copied().unwrap_or_default());
        }
    }

    /// The binding of a number that the peer declares now; `None` if the declaration may have
    /// crossed our cull of the number.
    fn declared(&mut self, id: Id) -> Option<Bound> {
        let cull = self.culled.get(&id).copied().unwrap_or_default();
        self.gone_there.remove(&id);
        (cull <= self.seen).then_some(Bound { id, cull })
    }

    fn is_live(&self, bound: &Bound) -> bool {
        let cull = self.culled.get(&bound.id).copied().unwrap_or_default();
        bound.cull == cull && !self.gone_there.contains(&bound.id)
    }

    /// Notes that the peer declared this number in the place of this name.
    pub(super) fn bind(&mut self, name: &Name, id: Id) {
        let Some(bound) = self.declared(id) else { return };
        let ids = self.theirs.entry(name.clone()).or_default();
        ids.retain(|known| known.id != id);
        ids.push(bound);
    }

    /// Notes that the peer's object has a function with this number as the member `key`.
    /// [`Names::forget_members`] forgets its earlier object.
    pub fn bind_member(&mut self, key: TextBuf, id: Id) {
        if let Some(bound) = self.declared(id) {
            if self.old_members.get(&key) == Some(&id) {
                self.old_members.remove(&key);
            }
            self.members.insert(key, bound);
        }
    }

    /// Forgets the members of the peer's object: it sent a new one.
    pub fn forget_members(&mut self) {
        for (key, bound) in std::mem::take(&mut self.members) {
            if !self.is_live(&bound) {
                self.old_members.insert(key, bound.id);
            }
        }
    }

    /// The latest number of one of the peer's functions that we have not culled.
    #[must_use]
    pub fn callable(&self, name: &Name) -> Option<Id> {
        let bound = self.theirs.get(name).into_iter().flatten().rev();
        bound.copied().find(|bound| self.is_live(bound)).map(|bound| bound.id).or_else(|| match name {
            Name::Word(word) => self.member(&TextBuf::from(word.as_str())),
            _ => None,
        })
    }

    /// The latest number of one of the peer's functions that we have culled; if there is none, its
    /// latest number.
    #[must_use]
    pub fn number(&self, called: &Called) -> Option<Id> {
        let member = |key: &TextBuf| {
            let bound = self.members.get(key);
            let current = bound.filter(|bound| !self.is_live(bound)).map(|bound| bound.id);
            current.or_else(|| self.old_members.get(key).copied()).or(bound.map(|bound| bound.id))
        };
        match called {
            Called::Function(name) => {
                let bound = self.theirs.get(name).map(Vec::as_slice).unwrap_or_default();
                let culled = bound.iter().rev().find(|bound| !self.is_live(bound));
                culled.or(bound.last()).map(|bound| bound.id).or_else(|| match name {
                    Name::Word(word) => member(&TextBuf::from(word.as_str())),
                    _ => None,
                })
            }
            Called::Member(key) => member(key),
            Called::Verbatim(_) => None,
        }
    }

    /// The number of a member of the peer's object; `None` if we have culled it.
    #[must_use]
    pub fn member(&self, key: &TextBuf) -> Option<Id> {
        self.members.get(key).filter(|bound| self.is_live(bound)).map(|bound| bound.id)
    }

    /// Notes that the peer culled this number.
    pub fn culled_by_peer(&mut self, id: Id) {
        // It may cull its own function: always in dialect 0.1, and in 0.2 if it speaks both
        // dialects.
        if self.dialect == Dialect::V0_2 && self.ours.contains_key(&id) {
            self.gone_here.insert(id);
        } else {
            self.gone_there.insert(id);
        }
    }

    /// Whether the peer has culled this number of its own.
    #[must_use]
    pub fn is_gone_there(&self, id: Id) -> bool {
        self.gone_there.contains(&id)
    }

    /// Whether the peer has declared this number for any function of its own.
    #[must_use]
    pub fn is_declared(&self, id: Id) -> bool {
        self.is_member(id) || self.theirs.values().flatten().any(|bound| bound.id == id)
    }

    /// Whether a member of the peer's object has this number.
    #[must_use]
    pub fn is_member(&self, id: Id) -> bool {
        self.members.values().any(|bound| bound.id == id)
    }

    /// Whether we have culled this number, and the peer has then given it to a function again.
    #[must_use]
    pub fn is_given_again(&self, id: Id) -> bool {
        let all = self.theirs.values().flatten().chain(self.members.values());
        self.culled.contains_key(&id) && all.filter(|bound| bound.id == id).any(|bound| self.is_live(bound))
    }

    /// Notes that we culled this number.
    pub fn culled_by_us(&mut self, id: Id) {
        match self.dialect {
            Dialect::V0_1 => drop(self.gone_here.insert(id)),
            Dialect::V0_2 => {
                self.culls += 1;
                self.culled.insert(id, self.culls);
            }
        }
    }

    /// Whether the peer has declared this number for this function of its own.
    pub(super) fn is_theirs(&self, name: &Name, id: Id) -> bool {
        self.theirs.get(name).is_some_and(|ids| ids.iter().any(|bound| bound.id == id))
    }
}
