use insta::assert_snapshot;

use super::*;

#[test]
fn equal_machine() {
    assert_snapshot!(render(MachineFormat::Text, &equal()), @r#"
    dnode 1.2.2: equal to reference

    The machine in parts
    Each line is `input / answer`, and `→` names the next state if it changes.
    cb is the callback of the input; p and q are functions that the peer gave us; f
    is ours.

    object: the objects that we send, 3 states
      start
          call-ours / cb()
          object / silence → after object
          second-object / silence → after second-object
      after object
          call-ours / cb(), hello(1)
          second-object / silence → after second-object
          ignores: object
      after second-object
          call-ours / cb(), hello2(1)
          object / silence → after object
          ignores: second-object

    call: calls of the peer's methods, 1 state
      start
          call-by-id / cb(1)
          call-by-name / cb(2)
          send-cycle / cb({"self":↑ arguments[0]})
          ignores: call-unknown-id, call-unknown-name

    theirs: the functions that the peer gave us, 4 states
      start
          call-p, call-q / cb("repeat")
          give-again / cb(p,q)
          cull-p, cull-twice / silence → after cull-p
          cull-both / silence → after cull-both
          ignores: cull-unknown
          not possible: call-culled
      after cull-p
          call-q / cb("repeat")
          cull-both / silence → after cull-both
          give-again / cb(p,q) → after cull-p → give-again
          ignores: call-culled, cull-p, cull-twice, cull-unknown
          not possible: call-p
      after cull-both
          give-again / cb(p,q) → after cull-p → give-again
          ignores: call-culled, cull-p, cull-both, cull-twice, cull-unknown
          not possible: call-p, call-q
      after cull-p → give-again
          call-p, call-q / cb("repeat")
          give-again / cb(p,q)
          cull-p, cull-twice / silence → after cull-p
          cull-both / silence → after cull-both
          ignores: call-culled, cull-unknown

    ours: the functions that we gave the peer, 2 states
      start
          give-ours-again / cb("no")
          drop-ours / cb()
          give-ours / cb() → after give-ours
          ignores: fire-ours
      after give-ours
          give-ours / cb()
          give-ours-again / cb("yes")
          fire-ours / f(1)
          drop-ours / cb() → start

    end: the end of the connection, 1 state
      start
          malformed, half-close / closed

    24 states, 22 inputs; learned with 1234 words (900 of them tests), 5678 inputs,
    in 12.3 s
    "#);
}

#[test]
fn machine_with_differences() {
    assert_snapshot!(render(MachineFormat::Text, &differing()), @r#"
    dnode 1.2.2: 3 differences from reference: 1 breaks a clause, 1 is free, 1 is
    unclear
    note: the machine was not tested to the end: the time of 60 s was over
    note: the peer answered 1 word in several ways
    note: 1 input left out

    ?1  unclear: the transcript could not be played again
        word      send-cycle
        input     We send a cyclic object to echo.
        expected  cb({"self":↑ arguments[0]})
        got       cb({"self":"[Circular]"})

    ~2  free: no clause says what follows a line that is not JSON
        word      malformed
        input     We send a line that is not JSON.
        expected  closed
        got       silence

    !3  breaks cull/deletes (must)
        word      cull-p → call-culled
        input     We call the id of p that we culled last.
        expected  silence
        got       cb("repeat")
        replayed  step 8: expected nothing, got {"method":5,"arguments":["repeat"]}

    not deterministic: the peer answered the last input in several ways
        word      cull-p → call-q
        17 times  cb("repeat")
        1 times   silence

    inputs left out
        cull-both: the probe lacks repeat

    The machine in parts
    Each line is `input / answer`, and `→` names the next state if it changes.
    cb is the callback of the input; p and q are functions that the peer gave us; f
    is ours.
    !N: difference N, breaks a clause
    ?N: difference N, differs, and could not be judged
    ~N: difference N, differs, and the protocol leaves it open

    object: the objects that we send, 3 states
      start
          call-ours / cb()
          object / silence → after object
          second-object / silence → after second-object
      after object
          call-ours / cb(), hello(1)
          second-object / silence → after second-object
          ignores: object
      after second-object
          call-ours / cb(), hello2(1)
          object / silence → after object
          ignores: second-object

    call: calls of the peer's methods, 1 state
      start
          call-by-id / cb(1)
          call-by-name / cb(2)
        ? send-cycle / cb({"self":"[Circular]"})
            ?1 expected cb({"self":↑ arguments[0]}) (unclear)
          ignores: call-unknown-id, call-unknown-name

    theirs: the functions that the peer gave us, 4 states
      start
          call-p, call-q / cb("repeat")
          give-again / cb(p,q)
          cull-p, cull-twice / silence → after cull-p
          cull-both / silence → after cull-both
          ignores: cull-unknown
          not possible: call-culled
      after cull-p
          call-q / cb("repeat")
        ! call-culled / cb("repeat")
            !3 expected silence (cull/deletes)
          cull-both / silence → after cull-both
          give-again / cb(p,q) → after cull-p → give-again
          ignores: cull-p, cull-twice, cull-unknown
          not possible: call-p
      after cull-both
        ! call-culled / cb("repeat")
            !3 expected silence (cull/deletes)
          give-again / cb(p,q) → after cull-p → give-again
          ignores: cull-p, cull-both, cull-twice, cull-unknown
          not possible: call-p, call-q
      after cull-p → give-again
          call-p, call-q / cb("repeat")
        ! call-culled / cb("repeat")
            !3 expected silence (cull/deletes)
          give-again / cb(p,q)
          cull-p, cull-twice / silence → after cull-p
          cull-both / silence → after cull-both
          ignores: cull-unknown

    ours: the functions that we gave the peer, 2 states
      start
          give-ours-again / cb("no")
          drop-ours / cb()
          give-ours / cb() → after give-ours
          ignores: fire-ours
      after give-ours
          give-ours / cb()
          give-ours-again / cb("yes")
          fire-ours / f(1)
          drop-ours / cb() → start

    end: the end of the connection, 1 state
      start
        ~ malformed / silence
            ~2 expected closed (free)
          half-close / closed

    24 states, 22 inputs; learned with 1234 words (900 of them tests), 5678 inputs,
    in 12.3 s
    "#);
}

#[test]
fn colours_add_nothing_to_the_text() {
    let options = Options { styles: true, width: 80, ..Options::default() };
    let colored = MachineFormat::Text.render(&faulty(), options).unwrap();
    assert!(colored.contains("\u{1b}[1m\u{1b}[31m"));
    let plain: String = colored
        .split('\u{1b}')
        .enumerate()
        .map(|(n, it)| if n == 0 { it } else { it.split_once('m').unwrap().1 })
        .collect();
    assert_eq!(plain, render(MachineFormat::Text, &faulty()));
}

#[test]
fn lines_are_not_wider_than_asked() {
    let text = render(MachineFormat::Text, &faulty());
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
}
