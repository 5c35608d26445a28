//! The plan of a generated session, as proptest draws it.

use super::rare::{RARE, Rare};
use crate::transcript::Style;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// The kinds of moves.
pub(super) const KINDS: usize = 16;

/// The weight of each kind: moves that make more moves possible are more likely.
const LIKELY: [u8; KINDS] = [4, 1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 1, 1, 2, 8, 2];

/// A session before it is played.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// The weight of each kind of move.
    pub(super) weights: Vec<u8>,
    /// The moves.
    pub(super) moves: Vec<Move>,
    /// The style of the messages.
    pub(super) style: Style,
    /// The rare move, the number of the move before it, and its choice.
    pub(super) rare: Option<(Rare, u16, u16)>,
    /// The choice of the illegal step at the end; only illegal sessions have one.
    pub(super) illegal: u16,
}

/// One move. A pick is taken modulo the number of choices.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// The pick of the kind, by weight.
    pub(super) kind: u16,
    /// The pick of the function.
    pub(super) pick: u16,
    /// The values that it sends.
    pub(super) values: Vec<Shape>,
    /// Whether a method is called by name.
    pub(super) by_name: bool,
    /// Whether the next move does not wait for the answers of this one.
    pub(super) together: bool,
    /// The offsets at which its bytes are cut.
    pub(super) split: Option<Vec<u8>>,
}

impl Move {
    /// A move without values.
    pub(super) fn bare(pick: u16) -> Move {
        Move { kind: 0, pick, values: Vec::new(), by_name: false, together: false, split: None }
    }

    /// The kind of the move, for these weights of the kinds.
    pub(super) fn kind(&self, weights: &[u8]) -> usize {
        let weights: Vec<u32> =
            weights.iter().zip(LIKELY).map(|(&weight, more)| u32::from(weight) * u32::from(more)).collect();
        let total: u32 = weights.iter().sum();
        if total == 0 {
            return usize::from(self.kind) % weights.len().max(1);
        }
        let mut left = u32::from(self.kind) % total;
        for (kind, &weight) in weights.iter().enumerate() {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        0
    }
}

/// A value that is sent.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// `null`, `true` or `false`.
    Word(u8),
    /// A number.
    Number(f64),
    /// An integer.
    Integer(i32),
    /// A text.
    Text(String),
    /// One of our functions: a new one, or one that was sent before.
    Own(Option<u16>),
    /// A function of the peer, sent back to it.
    Theirs(u16),
    /// The container this many levels up: a cycle.
    Up(u8),
    /// Another value of the message again.
    Again(u16),
    /// An array.
    List(Vec<Shape>),
    /// An object.
    Object(Vec<(String, Shape)>),
}

/// Draws plans.
pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let weights = vec(prop_oneof![1 => Just(0_u8), 2 => 1_u8..5], KINDS);
    (weights, vec(a_move(), 2..14), style(), rare(), any::<u16>()).prop_map(
        |(weights, moves, style, rare, illegal)| {
            // A session with a rare move has the plain style, with names.
            let style = if rare.is_some() { Style::default() } else { style };
            Plan { weights, moves, style, rare, illegal }
        },
    )
}

fn rare() -> impl Strategy<Value = Option<(Rare, u16, u16)>> {
    let rare = prop::sample::select(RARE).prop_map(|(rare, _)| rare);
    option::weighted(0.4, (rare, any::<u16>(), any::<u16>()))
}

fn style() -> impl Strategy<Value = Style> {
    // The first function of a call is the third of the session. So its id is 0, or large.
    let ids = option::weighted(0.3, prop::sample::select(vec![-2, 998, 1 << 31, 1 << 52]));
    let seldom = || prop::bool::weighted(0.2);
    (ids, any::<bool>(), seldom(), seldom()).prop_map(|(ids_from, integer_paths, omits, adds)| Style {
        ids_from,
        integer_paths,
        omits,
        adds,
    })
}

fn a_move() -> impl Strategy<Value = Move> {
    // Each cut costs a pause, so there are few.
    let split = option::weighted(0.03, vec(any::<u8>(), 1..3));
    let picks = (any::<u16>(), any::<u16>(), any::<bool>(), any::<bool>());
    (picks, vec(shape(), 0..3), split).prop_map(|((kind, pick, by_name, together), values, split)| Move {
        kind,
        pick,
        values,
        by_name,
        together,
        split,
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        2 => (0_u8..3).prop_map(Shape::Word),
        2 => any::<i32>().prop_map(Shape::Integer),
        1 => (-1.0e9..1.0e9).prop_map(Shape::Number),
        3 => text().prop_map(Shape::Text),
        4 => option::weighted(0.5, any::<u16>()).prop_map(Shape::Own),
        2 => any::<u16>().prop_map(Shape::Theirs),
        1 => (0_u8..3).prop_map(Shape::Up),
        1 => any::<u16>().prop_map(Shape::Again),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Shape::List),
            vec((key(), inner), 0..4).prop_map(Shape::Object),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => "[a-z]{0,6}",
        6 => "\\PC{0,4}",
        2 => Just("[Function]".to_owned()),
        // Longer than a segment, and than some peers accept in a line.
        1 => (500_usize..70_000).prop_map(|length| "x".repeat(length)),
        2 => Just("$x".to_owned()),
        3 => Just("\u{0}\n\"\\\u{2028}😀".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,3}", 1 => "[0-9]", 1 => Just("a.b".to_owned()), 1 => Just("ключ".to_owned()), 1 => Just(String::new())]
}
