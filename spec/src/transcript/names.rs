//! Which numbers stand for which names in one replay.

use super::pattern::Called;
use crate::dialect::Dialect;
use crate::message::Id;
use crate::path::PathForm;
use crate::text::TextBuf;
use foldhash::{HashMap, HashSet};

/// A function in a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// `$word`.
    Word(String),
    /// One of ours, by the number that it has in the transcript.
    Ours(Id),
    /// One of the peer's, by the number that it has in the transcript.
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

/// The numbers of the functions of one replay. Name to number is many to many, as the design's rules of judgement say.
#[derive(Debug, Clone, Default)]
pub struct Names {
    numbers: HashMap<Name, Id>,
    ours: HashMap<Id, Name>,
    /// Our numbers that are culled.
    gone_here: HashSet<Id>,
    theirs: HashMap<Name, Vec<Id>>,
    /// The peer's.
    gone_there: HashSet<Id>,
    members: HashMap<TextBuf, Id>,
    own_members: HashMap<TextBuf, Name>,
    next: i64,
    /// What a cull means: in 0.1 that an end takes a function of its own back.
    pub dialect: Dialect,
    /// How the paths of our functions are written where the transcript does not write them itself.
    pub path_form: PathForm,
}

impl Names {
    /// No names yet; words get numbers from `first` on.
    #[must_use]
    pub fn new(first: i64) -> Names {
        Names { next: first, ..Names::default() }
    }

    /// A number that nothing in the transcript has.
    pub fn fresh(&mut self) -> Id {
        self.next += 1;
        Id(self.next - 1)
    }

    /// The number under which one of our functions goes out now: as written, or a fresh one where the peer culled it.
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
        }
        id
    }

    /// As [`Names::declare`], but where the number stands in the message already, a fresh one of the same function: a
    /// number has one place in a message.
    pub fn declare_once(&mut self, name: &Name, used: &mut HashSet<Id>) -> Id {
        let id = self.declare(name);
        if used.insert(id) {
            return id;
        }
        let more = self.fresh();
        self.ours.insert(more, name.clone());
        used.insert(more);
        more
    }

    /// The name of one of our functions, by a number that it has or had.
    #[must_use]
    pub fn our_name(&self, id: Id) -> Option<&Name> {
        self.ours.get(&id)
    }

    /// The current number of one of our functions.
    #[must_use]
    pub fn our_number(&self, name: &Name) -> Option<Id> {
        self.numbers.get(name).copied()
    }

    /// Our object has this function as this member.
    pub fn own_member(&mut self, key: &str, name: Name) {
        self.own_members.insert(TextBuf::from(key), name);
    }

    /// The function that our object has as this member.
    #[must_use]
    pub fn of_own_member(&self, key: &TextBuf) -> Option<&Name> {
        self.own_members.get(key)
    }

    /// The peer declared this number where the transcript has this name.
    pub fn bind(&mut self, name: &Name, id: Id) {
        let ids = self.theirs.entry(name.clone()).or_default();
        ids.retain(|known| *known != id);
        ids.push(id);
        self.gone_there.remove(&id);
    }

    /// The peer's object has a function of this number as this member. Its earlier object is forgotten by [`Names::forget_members`].
    pub fn bind_member(&mut self, key: TextBuf, id: Id) {
        self.members.insert(key, id);
        self.gone_there.remove(&id);
    }

    /// The peer sent a new object.
    pub fn forget_members(&mut self) {
        self.members.clear();
    }

    /// The latest number of one of the peer's functions that we have not culled.
    #[must_use]
    pub fn callable(&self, name: &Name) -> Option<Id> {
        let bound = self.theirs.get(name).into_iter().flatten().rev();
        bound.copied().find(|id| !self.gone_there.contains(id)).or_else(|| match name {
            Name::Word(word) => self.member(&TextBuf::from(word.as_str())),
            _ => None,
        })
    }

    /// The latest number of one of the peer's functions, culled or not.
    #[must_use]
    pub fn number(&self, called: &Called) -> Option<Id> {
        let member = |key: &TextBuf| self.members.get(key).copied();
        match called {
            Called::Function(name) => {
                let bound = self.theirs.get(name).and_then(|ids| ids.last()).copied();
                bound.or_else(|| match name {
                    Name::Word(word) => member(&TextBuf::from(word.as_str())),
                    _ => None,
                })
            }
            Called::Member(key) => member(key),
            Called::Verbatim(_) => None,
        }
    }

    /// The number of a member of the peer's object, unless we have culled it.
    #[must_use]
    pub fn member(&self, key: &TextBuf) -> Option<Id> {
        self.members.get(key).copied().filter(|id| !self.gone_there.contains(id))
    }

    /// The peer culled this number.
    pub fn culled_by_peer(&mut self, id: Id) {
        // One of its own is taken back: in dialect 0.1 always, and elsewhere by who speaks both.
        if self.dialect == Dialect::V0_2 && self.ours.contains_key(&id) {
            self.gone_here.insert(id);
        } else {
            self.gone_there.insert(id);
        }
    }

    /// We culled this number.
    pub fn culled_by_us(&mut self, id: Id) {
        match self.dialect {
            Dialect::V0_1 => self.gone_here.insert(id),
            Dialect::V0_2 => self.gone_there.insert(id),
        };
    }

    /// Whether this number is one that the peer has for this function of its own, or had.
    #[must_use]
    pub fn is_theirs(&self, name: &Name, id: Id) -> bool {
        self.theirs.get(name).is_some_and(|ids| ids.contains(&id))
    }
}
