//! Moves that are legal and rare. A session has at most one of them: so a peer that fails one is
//! still tested on the others.

use crate::transcript::Form;

/// A rare move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rare {
    /// A message is written in an unusual form.
    Written(Form),
    /// A segment ends within a character.
    SplitCharacter,
    /// The place of a function has another value than the usual placeholder.
    OtherPlaceholder,
    /// A link leads to a place that does not exist.
    NewPlace,
    /// A link leads to a place whose parent does not exist.
    NewParent,
    /// A link starts at the place to which another one leads.
    LinkOfLink,
    /// A link starts at a function.
    LinkedFunction,
    /// A list of more than a thousand elements.
    LongList,
    /// A line of more than a mebibyte.
    LongLine,
    /// Arrays and objects, at most forty levels deep.
    Deep,
    /// A message with hundreds of functions.
    ManyFunctions,
    /// Keys that have a meaning in JavaScript or in the protocol.
    SpecialKeys,
    /// A key with a NUL character.
    NulInKey,
    /// A letter and its accent as two characters.
    Accent,
    /// A lone surrogate.
    LoneSurrogate,
    /// A function that we send twice must be the same one both times.
    SameFunction,
    /// We ask the peer for its name.
    AsksName,
    /// Our object has members called `methods` and `cull`.
    ReservedNames,
    /// Our object has members whose names are numbers.
    DigitNames,
    /// Our object is empty.
    EmptyObject,
    /// We send our object after the peer's.
    WaitsForObject,
    /// We call before we send our object.
    CallsBeforeObject,
    /// We send a second object.
    ObjectAgain,
    /// We cull the id of a method, and go on calling it by its name.
    CullsMethod,
    /// We cull while answers to other calls are pending.
    CullsUnderWay,
    /// We close our sending half while answers are pending.
    HalfCloses,
    /// The stream ends in the middle of a line.
    UnfinishedLine,
}

/// All rare moves, each with the clause that makes it legal.
#[rustfmt::skip]
pub(super) const RARE: &[(Rare, &str)] = &[
    (Rare::Written(Form::Spaced), "framing/white-space"),
    (Rare::Written(Form::PointZero), "message/integer-by-value"),
    (Rare::Written(Form::Twice), "message/duplicate-fields"),
    (Rare::SplitCharacter, "framing/split-character"),
    (Rare::OtherPlaceholder, "callback/placeholder"),
    (Rare::NewPlace, "link/new-place"),
    (Rare::NewParent, "link/new-parents"),
    (Rare::LinkOfLink, "link/order"),
    (Rare::LinkedFunction, "link/order"),
    (Rare::LongList, "value/containers"),
    (Rare::LongLine, "framing/line-length"),
    (Rare::Deep, "value/depth"),
    (Rare::ManyFunctions, "callback/many"),
    (Rare::SpecialKeys, "value/keys"),
    (Rare::NulInKey, "value/keys"),
    (Rare::Accent, "value/strings"),
    (Rare::LoneSurrogate, "value/lone-surrogate"),
    (Rare::SameFunction, "callback/same-id"),
    (Rare::AsksName, "probe/complete"),
    (Rare::ReservedNames, "methods/reserved-names"),
    (Rare::DigitNames, "message/string-method"),
    (Rare::EmptyObject, "methods/empty-object"),
    (Rare::WaitsForObject, "methods/sent"),
    (Rare::CallsBeforeObject, "methods/call-before"),
    (Rare::ObjectAgain, "methods/again"),
    (Rare::CullsMethod, "cull/by-name"),
    (Rare::CullsUnderWay, "cull/only-named"),
    (Rare::HalfCloses, "framing/half-close"),
    (Rare::UnfinishedLine, "framing/last-line"),
];

impl Rare {
    /// The clause that makes this move legal.
    #[must_use]
    pub(super) fn clause(self) -> &'static str {
        RARE.iter().find(|(rare, _)| *rare == self).map_or("", |(_, clause)| clause)
    }
}
