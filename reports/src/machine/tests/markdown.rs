use insta::assert_snapshot;

use super::*;

#[test]
fn equal_machine() {
    assert_snapshot!(render(MachineFormat::Markdown, &equal()), @r#"
    # State machine of `dnode 1.2.2`

    `equal to reference`

    24 states, 22 inputs

    ## The machine in parts

    A box is a state, with the inputs that do not leave it. Each line is: input / answer of the peer.
    cb is the callback of the input; p and q are functions that the peer gave us; f is ours.

    ### `object`: the objects that we send, 3 states

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>call-ours / cb()"]
        s0_1["<b>after object</b><br/>call-ours / cb(), hello(1)<br/><i>ignores: object</i>"]
        s0_2["<b>after second-object</b><br/>call-ours / cb(), hello2(1)<br/><i>ignores: second-object</i>"]
        s0_0 -->|"object / silence"| s0_1
        s0_0 -->|"second-object / silence"| s0_2
        s0_1 -->|"second-object / silence"| s0_2
        s0_2 -->|"object / silence"| s0_1
    ```

    <details><summary>as text</summary>

    ```text
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
    ```

    </details>

    ### `call`: calls of the peer's methods, 1 state

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>call-by-id / cb(1)<br/>call-by-name / cb(2)<br/>send-cycle / cb(#123;#34;self#34;:#8593; arguments#91;0#93;#125;)<br/><i>ignores: call-unknown-id, call-unknown-name</i>"]
    ```

    <details><summary>as text</summary>

    ```text
      start
          call-by-id / cb(1)
          call-by-name / cb(2)
          send-cycle / cb({"self":↑ arguments[0]})
          ignores: call-unknown-id, call-unknown-name
    ```

    </details>

    ### `theirs`: the functions that the peer gave us, 4 states

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/>give-again / cb(p,q)<br/><i>ignores: cull-unknown</i><br/><i>not possible: call-culled</i>"]
        s0_1["<b>after cull-p</b><br/>call-q / cb(#34;repeat#34;)<br/><i>ignores: call-culled, cull-p, cull-twice, cull-unknown</i><br/><i>not possible: call-p</i>"]
        s0_2["<b>after cull-both</b><br/><i>ignores: call-culled, cull-p, cull-both, cull-twice, cull-unknown</i><br/><i>not possible: call-p, call-q</i>"]
        s0_3["<b>after cull-p → give-again</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/>give-again / cb(p,q)<br/><i>ignores: call-culled, cull-unknown</i>"]
        s0_0 -->|"cull-p / silence<br/>cull-twice / silence"| s0_1
        s0_0 -->|"cull-both / silence"| s0_2
        s0_1 -->|"cull-both / silence"| s0_2
        s0_1 -->|"give-again / cb(p,q)"| s0_3
        s0_2 -->|"give-again / cb(p,q)"| s0_3
        s0_3 -->|"cull-p / silence<br/>cull-twice / silence"| s0_1
        s0_3 -->|"cull-both / silence"| s0_2
    ```

    <details><summary>as text</summary>

    ```text
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
    ```

    </details>

    ### `ours`: the functions that we gave the peer, 2 states

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>give-ours-again / cb(#34;no#34;)<br/>drop-ours / cb()<br/><i>ignores: fire-ours</i>"]
        s0_1["<b>after give-ours</b><br/>give-ours / cb()<br/>give-ours-again / cb(#34;yes#34;)<br/>fire-ours / f(1)"]
        s0_0 -->|"give-ours / cb()"| s0_1
        s0_1 -->|"drop-ours / cb()"| s0_0
    ```

    <details><summary>as text</summary>

    ```text
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
    ```

    </details>

    ### `end`: the end of the connection, 1 state

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b>"]
        e0_closed(["<b>closed</b>"])
        s0_0 -->|"malformed / closed<br/>half-close / closed"| e0_closed
    ```

    <details><summary>as text</summary>

    ```text
      start
          malformed, half-close / closed
    ```

    </details>
    "#);
}

#[test]
fn machine_with_differences() {
    assert_snapshot!(render(MachineFormat::Markdown, &differing()), @r#"
    # State machine of `dnode 1.2.2`

    **`3 differences from reference: 1 breaks a clause, 1 is free, 1 is unclear`**

    24 states, 22 inputs

    Note: `the machine was not tested to the end: the time of 60 s was over`

    Note: `the peer answered 1 word in several ways`

    Note: `1 input left out`

    ## Differences

    | | word | expected | got | verdict |
    |---|---|---|---|---|
    | `?1` | `send-cycle` | `cb({"self":↑ arguments[0]})` | `cb({"self":"[Circular]"})` | `unclear: the transcript could not be played again` |
    | `~2` | `malformed` | `closed` | `silence` | `free: no clause says what follows a line that is not JSON` |
    | `!3` | `cull-p → call-culled` | `silence` | `cb("repeat")` | `breaks cull/deletes (must)` |

    ### `?1` `send-cycle`

    Input: `We send a cyclic object to echo.`

    <details><summary>transcript</summary>

    ```json
    {"dnode-transcript":1,"id":"learned/send-cycle"}
    {"connect":true}
    ```

    </details>

    ### `~2` `malformed`

    Input: `We send a line that is not JSON.`

    <details><summary>transcript</summary>

    ```json
    {"dnode-transcript":1,"id":"learned/malformed"}
    {"connect":true}
    ```

    </details>

    ### `!3` `cull-p → call-culled`

    Input: `We call the id of p that we culled last.`

    Replayed: `step 8`: expected `nothing`, got `{"method":5,"arguments":["repeat"]}`

    <details><summary>transcript</summary>

    ```json
    {"dnode-transcript":1,"id":"learned/cull-p-call-culled"}
    {"connect":true}
    ```

    </details>

    ## Several answers

    The peer answered the last input of each word in several ways.

    | word | times | answer |
    |---|---|---|
    | `cull-p → call-q` | 17 | `cb("repeat")` |
    |  | 1 | `silence` |

    ## Inputs left out

    | input | reason |
    |---|---|
    | `cull-both` | `the probe lacks repeat` |

    ## The machine in parts

    A box is a state, with the inputs that do not leave it. Each line is: input / answer of the peer.
    cb is the callback of the input; p and q are functions that the peer gave us; f is ours.

    - `!N`: difference N, breaks a clause
    - `?N`: difference N, differs, and could not be judged
    - `~N`: difference N, differs, and the protocol leaves it open

    ### `object`: the objects that we send, 3 states

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>call-ours / cb()"]
        s0_1["<b>after object</b><br/>call-ours / cb(), hello(1)<br/><i>ignores: object</i>"]
        s0_2["<b>after second-object</b><br/>call-ours / cb(), hello2(1)<br/><i>ignores: second-object</i>"]
        s0_0 -->|"object / silence"| s0_1
        s0_0 -->|"second-object / silence"| s0_2
        s0_1 -->|"second-object / silence"| s0_2
        s0_2 -->|"object / silence"| s0_1
    ```

    <details><summary>as text</summary>

    ```text
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
    ```

    </details>

    ### `call`: calls of the peer's methods, 1 state

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>call-by-id / cb(1)<br/>call-by-name / cb(2)<br/><b>send-cycle / cb(#123;#34;self#34;:#34;#91;Circular#93;#34;#125;)</b><br/>#63;1 expected cb(#123;#34;self#34;:#8593; arguments#91;0#93;#125;) (unclear)<br/><i>ignores: call-unknown-id, call-unknown-name</i>"]:::unclear
        classDef unclear stroke:#888888,stroke-width:2px,stroke-dasharray:2 4
    ```

    <details><summary>as text</summary>

    ```text
      start
          call-by-id / cb(1)
          call-by-name / cb(2)
        ? send-cycle / cb({"self":"[Circular]"})
            ?1 expected cb({"self":↑ arguments[0]}) (unclear)
          ignores: call-unknown-id, call-unknown-name
    ```

    </details>

    ### `theirs`: the functions that the peer gave us, 4 states

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/>give-again / cb(p,q)<br/><i>ignores: cull-unknown</i><br/><i>not possible: call-culled</i>"]
        s0_1["<b>after cull-p</b><br/>call-q / cb(#34;repeat#34;)<br/><b>call-culled / cb(#34;repeat#34;)</b><br/>!3 expected silence (cull/deletes)<br/><i>ignores: cull-p, cull-twice, cull-unknown</i><br/><i>not possible: call-p</i>"]:::breaks
        s0_2["<b>after cull-both</b><br/><b>call-culled / cb(#34;repeat#34;)</b><br/>!3 expected silence (cull/deletes)<br/><i>ignores: cull-p, cull-both, cull-twice, cull-unknown</i><br/><i>not possible: call-p, call-q</i>"]:::breaks
        s0_3["<b>after cull-p → give-again</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/><b>call-culled / cb(#34;repeat#34;)</b><br/>!3 expected silence (cull/deletes)<br/>give-again / cb(p,q)<br/><i>ignores: cull-unknown</i>"]:::breaks
        s0_0 -->|"cull-p / silence<br/>cull-twice / silence"| s0_1
        s0_0 -->|"cull-both / silence"| s0_2
        s0_1 -->|"cull-both / silence"| s0_2
        s0_1 -->|"give-again / cb(p,q)"| s0_3
        s0_2 -->|"give-again / cb(p,q)"| s0_3
        s0_3 -->|"cull-p / silence<br/>cull-twice / silence"| s0_1
        s0_3 -->|"cull-both / silence"| s0_2
        classDef breaks stroke:#d1480a,stroke-width:3px
    ```

    <details><summary>as text</summary>

    ```text
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
    ```

    </details>

    ### `ours`: the functions that we gave the peer, 2 states

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/>give-ours-again / cb(#34;no#34;)<br/>drop-ours / cb()<br/><i>ignores: fire-ours</i>"]
        s0_1["<b>after give-ours</b><br/>give-ours / cb()<br/>give-ours-again / cb(#34;yes#34;)<br/>fire-ours / f(1)"]
        s0_0 -->|"give-ours / cb()"| s0_1
        s0_1 -->|"drop-ours / cb()"| s0_0
    ```

    <details><summary>as text</summary>

    ```text
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
    ```

    </details>

    ### `end`: the end of the connection, 1 state

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
        s0_0["<b>start</b><br/><b>malformed / silence</b><br/>#126;2 expected closed (free)"]:::free
        e0_closed(["<b>closed</b>"])
        s0_0 -->|"half-close / closed"| e0_closed
        classDef free stroke:#8a6fd3,stroke-width:2px,stroke-dasharray:7 4
    ```

    <details><summary>as text</summary>

    ```text
      start
        ~ malformed / silence
            ~2 expected closed (free)
          half-close / closed
    ```

    </details>
    "#);
}

#[test]
fn long_transcripts_are_left_out() {
    let mut learned = faulty();
    learned.differences.iter_mut().for_each(|it| it.transcript = "{}\n".repeat(3000));
    let text = render(MachineFormat::Markdown, &learned);
    assert_eq!(text.matches("<summary>transcript").count(), 3);
    assert_eq!(text.matches("The transcript is left out.").count(), learned.differences.len() - 3);
}
