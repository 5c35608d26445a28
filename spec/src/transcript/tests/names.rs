//! The numbers of names.

use super::*;
use crate::message::{Id, Method};
use crate::text::TextBuf;

fn word(name: &str) -> Name {
    Name::Word(name.to_owned())
}

#[test]
fn numbers_are_kept_and_words_get_new_ones() {
    let mut names = Names::new(10);
    assert_eq!(names.declare(&word("a")), Id(10));
    assert_eq!(names.declare(&Name::Ours(Id(3))), Id(3));
    assert_eq!(names.declare(&word("b")), Id(11));
    assert_eq!((names.declare(&word("a")), names.declare(&Name::Ours(Id(3)))), (Id(10), Id(3)));
    assert_eq!(names.our_name(Id(11)), Some(&word("b")));
    assert_eq!((names.our_number(&word("b")), names.our_number(&word("c"))), (Some(Id(11)), None));
    assert_eq!(names.fresh(), Id(12));
}

#[test]
fn culled_name_gets_a_new_number() {
    let mut names = Names::new(10);
    names.declare(&word("a"));
    names.declare(&Name::Ours(Id(3)));
    names.culled_by_peer(Id(10));
    names.culled_by_peer(Id(3));
    assert_eq!((names.declare(&word("a")), names.declare(&Name::Ours(Id(3)))), (Id(11), Id(12)));
    assert_eq!((names.declare(&word("a")), names.declare(&Name::Ours(Id(3)))), (Id(11), Id(12)));
    // The earlier number still has its name: a call may have crossed the cull.
    assert_eq!((names.our_name(Id(10)), names.our_name(Id(3))), (Some(&word("a")), Some(&Name::Ours(Id(3)))));
}

/// The peer calls a function that we declare now.
fn answer(names: &mut Names) {
    let id = names.fresh();
    names.heard(&Method::Id(id));
}

#[test]
fn call_uses_the_latest_live_number() {
    let mut names = Names::new(0);
    let called = Called::Function(word("f"));
    assert_eq!((names.callable(&word("f")), names.number(&called)), (None, None));
    for id in [4, 7, 4] {
        names.bind(&word("f"), Id(id));
    }
    assert_eq!((names.callable(&word("f")), names.number(&called)), (Some(Id(4)), Some(Id(4))));
    names.culled_by_us(Id(4));
    assert_eq!((names.callable(&word("f")), names.number(&called)), (Some(Id(7)), Some(Id(4))));
    names.culled_by_us(Id(7));
    assert_eq!(names.callable(&word("f")), None);
    names.bind(&word("f"), Id(7));
    assert_eq!(names.callable(&word("f")), None, "the declaration may have crossed the cull");
    answer(&mut names);
    names.bind(&word("f"), Id(7));
    assert_eq!(names.callable(&word("f")), Some(Id(7)), "declared again");
}

#[test]
fn members_are_bound_to_their_own_names() {
    let mut names = Names::new(0);
    let echo = TextBuf::from("echo");
    names.bind_member(echo.clone(), Id(5));
    let member = Called::Member(echo.clone());
    assert_eq!((names.member(&echo), names.number(&member)), (Some(Id(5)), Some(Id(5))));
    assert_eq!(
        (names.callable(&word("echo")), names.number(&Called::Function(word("echo")))),
        (Some(Id(5)), Some(Id(5)))
    );
    names.culled_by_us(Id(5));
    assert_eq!((names.member(&echo), names.number(&member)), (None, Some(Id(5))));
    assert_eq!(names.callable(&word("echo")), None);
    names.bind_member(echo.clone(), Id(5));
    assert_eq!(names.member(&echo), None, "the declaration may have crossed the cull");
    answer(&mut names);
    names.bind_member(echo.clone(), Id(5));
    assert_eq!(names.member(&echo), Some(Id(5)));
    names.forget_members();
    assert_eq!((names.member(&echo), names.number(&member)), (None, None));
    assert_eq!(names.number(&Called::Verbatim(b"-1".to_vec())), None);
    names.own_member("greet", word("g"));
    assert_eq!(
        (names.of_own_member(&"greet".into()), names.of_own_member(&"g".into())),
        (Some(&word("g")), None)
    );
}

#[test]
fn culled_number_may_become_another_function() {
    let mut names = Names::new(0);
    names.bind_member("nest".into(), Id(5));
    names.bind(&word("f"), Id(5));
    names.culled_by_us(Id(5));
    answer(&mut names);
    names.bind(&word("other"), Id(5));
    assert_eq!((names.callable(&word("nest")), names.callable(&word("f"))), (None, None));
    assert_eq!(names.callable(&word("other")), Some(Id(5)));
}

#[test]
fn culled_number_of_a_member_is_remembered_when_a_new_object_comes() {
    let mut names = Names::new(0);
    names.bind_member("twice".into(), Id(5));
    names.culled_by_us(Id(5));
    names.forget_members();
    names.bind_member("twice".into(), Id(17));
    let called = Called::Member("twice".into());
    assert_eq!((names.member(&"twice".into()), names.number(&called)), (Some(Id(17)), Some(Id(5))));
}

#[test]
fn names_are_displayed_as_written() {
    let shown = [word("f"), Name::Ours(Id(3)), Name::Theirs(Id(4))].map(|name| name.to_string());
    assert_eq!(shown, ["$f", "function 3", "function 4"]);
    let called =
        [Called::Function(word("f")), Called::Member("echo".into()), Called::Verbatim(b"0.5".to_vec())];
    assert_eq!(called.map(|called| called.to_string()), ["$f", "echo", "0.5"]);
}
