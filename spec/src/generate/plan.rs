//! What a generated session does, as proptest draws it.

use super::rare::{RARE, Rare};
use crate::transcript::Style;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// The kinds of moves.
pub(super) const KINDS: usize = 16;

/// A session before it is played.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// How likely each kind of move is.
    pub weights: Vec<u8>,
    /// The moves.
    pub moves: Vec<Move>,
    /// How the messages are written.
    pub style: Style,
    /// What it does that is seldom seen, after which move, and with which choice.
    pub rare: Option<(Rare, u16, u16)>,
    /// Which illegal step ends it, where one does.
    pub illegal: u16,
}

/// One move. Picks are taken modulo what there is to pick from.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which kind, by weight.
    pub kind: u16,
    /// Which of the functions at hand.
    pub pick: u16,
    /// The values that it sends.
    pub values: Vec<Shape>,
    /// By its name, where it calls a method.
    pub by_name: bool,
    /// The next move is made without waiting for the answers of this one.
    pub together: bool,
    /// Where its bytes are cut.
    pub split: Option<Vec<u8>>,
}

impl Move {
    /// A move with nothing in it.
    pub(super) fn bare(pick: u16) -> Move {
        Move { kind: 0, pick, values: Vec::new(), by_name: false, together: false, split: None }
    }
}

/// A value that is sent.
#[derive(Debug, Clone)]
pub enum Shape {
    /// null, true, false.
    Word(u8),
    /// A number.
    Number(f64),
    /// An integer.
    Integer(i32),
    /// A text.
    Text(String),
    /// One of our functions: a fresh one, or one that was sent before.
    Own(Option<u16>),
    /// A function of the peer, handed back.
    Theirs(u16),
    /// The value so many levels up: a cycle.
    Up(u8),
    /// A value of this message once more.
    Again(u16),
    /// An array.
    List(Vec<Shape>),
    /// An object.
    Object(Vec<(String, Shape)>),
}

/// Draws plans.
pub fn plan() -> impl Strategy<Value = Plan> {
    let weights = vec(prop_oneof![1 => Just(0_u8), 2 => 1_u8..5], KINDS);
    (weights, vec(a_move(), 2..14), style(), rare(), any::<u16>()).prop_map(
        |(weights, moves, style, rare, illegal)| {
            // What is rare is written in the plain way, with names.
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
    // The first function of a call is the third of the session: its id is 0, or large.
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
    // A cut costs a pause, or it would be none.
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
        // Longer than a segment, and than what some take for a line.
        1 => (500_usize..70_000).prop_map(|length| "x".repeat(length)),
        2 => Just("$x".to_owned()),
        3 => Just("\u{0}\n\"\\\u{2028}😀".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,3}", 1 => "[0-9]", 1 => Just("a.b".to_owned()), 1 => Just("ключ".to_owned()), 1 => Just(String::new())]
}
