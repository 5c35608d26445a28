use insta::assert_snapshot;

use super::*;

#[test]
fn equal_machine_for_graphviz() {
    assert_snapshot!(render(MachineFormat::Dot, &equal()), @r#"
    digraph machine {
      node [shape=box, style=rounded, fontname=monospace, fontsize=11, margin="0.15,0.1"];
      edge [fontname=monospace, fontsize=11];
      fontname=monospace; labelloc=t; compound=true;
      label=<<b>dnode 1.2.2: equal to reference</b>>;
      subgraph cluster_0 {
        label=<<b>object</b>: the objects that we send>;
        s0_0 [label=<<b>start</b><br align="left"/>call-ours / cb()<br align="left"/>>];
        s0_1 [label=<<b>after object</b><br align="left"/>call-ours / cb(), hello(1)<br align="left"/><i>ignores: object</i><br align="left"/>>];
        s0_2 [label=<<b>after second-object</b><br align="left"/>call-ours / cb(), hello2(1)<br align="left"/><i>ignores: second-object</i><br align="left"/>>];
        s0_0 -> s0_1 [label=<object / silence<br align="left"/>>];
        s0_0 -> s0_2 [label=<second-object / silence<br align="left"/>>];
        s0_1 -> s0_2 [label=<second-object / silence<br align="left"/>>];
        s0_2 -> s0_1 [label=<object / silence<br align="left"/>>];
      }
      subgraph cluster_1 {
        label=<<b>call</b>: calls of the peer's methods>;
        s1_0 [label=<<b>start</b><br align="left"/>call-by-id / cb(1)<br align="left"/>call-by-name / cb(2)<br align="left"/>send-cycle / cb({&quot;self&quot;:↑ arguments[0]})<br align="left"/><i>ignores: call-unknown-id, call-unknown-name</i><br align="left"/>>];
      }
      subgraph cluster_2 {
        label=<<b>theirs</b>: the functions that the peer gave us>;
        s2_0 [label=<<b>start</b><br align="left"/>call-p / cb(&quot;repeat&quot;)<br align="left"/>call-q / cb(&quot;repeat&quot;)<br align="left"/>give-again / cb(p,q)<br align="left"/><i>ignores: cull-unknown</i><br align="left"/><i>not possible: call-culled</i><br align="left"/>>];
        s2_1 [label=<<b>after cull-p</b><br align="left"/>call-q / cb(&quot;repeat&quot;)<br align="left"/><i>ignores: call-culled, cull-p, cull-twice, cull-unknown</i><br align="left"/><i>not possible: call-p</i><br align="left"/>>];
        s2_2 [label=<<b>after cull-both</b><br align="left"/><i>ignores: call-culled, cull-p, cull-both, cull-twice, cull-unknown</i><br align="left"/><i>not possible: call-p, call-q</i><br align="left"/>>];
        s2_3 [label=<<b>after cull-p → give-again</b><br align="left"/>call-p / cb(&quot;repeat&quot;)<br align="left"/>call-q / cb(&quot;repeat&quot;)<br align="left"/>give-again / cb(p,q)<br align="left"/><i>ignores: call-culled, cull-unknown</i><br align="left"/>>];
        s2_0 -> s2_1 [label=<cull-p / silence<br align="left"/>cull-twice / silence<br align="left"/>>];
        s2_0 -> s2_2 [label=<cull-both / silence<br align="left"/>>];
        s2_1 -> s2_2 [label=<cull-both / silence<br align="left"/>>];
        s2_1 -> s2_3 [label=<give-again / cb(p,q)<br align="left"/>>];
        s2_2 -> s2_3 [label=<give-again / cb(p,q)<br align="left"/>>];
        s2_3 -> s2_1 [label=<cull-p / silence<br align="left"/>cull-twice / silence<br align="left"/>>];
        s2_3 -> s2_2 [label=<cull-both / silence<br align="left"/>>];
      }
      subgraph cluster_3 {
        label=<<b>ours</b>: the functions that we gave the peer>;
        s3_0 [label=<<b>start</b><br align="left"/>give-ours-again / cb(&quot;no&quot;)<br align="left"/>drop-ours / cb()<br align="left"/><i>ignores: fire-ours</i><br align="left"/>>];
        s3_1 [label=<<b>after give-ours</b><br align="left"/>give-ours / cb()<br align="left"/>give-ours-again / cb(&quot;yes&quot;)<br align="left"/>fire-ours / f(1)<br align="left"/>>];
        s3_0 -> s3_1 [label=<give-ours / cb()<br align="left"/>>];
        s3_1 -> s3_0 [label=<drop-ours / cb()<br align="left"/>>];
      }
      subgraph cluster_4 {
        label=<<b>end</b>: the end of the connection>;
        s4_0 [label=<<b>start</b><br align="left"/>>];
        e4_closed [label=<<b>closed</b>>, style="rounded,filled", fillcolor=black, fontcolor=white];
        s4_0 -> e4_closed [label=<malformed / closed<br align="left"/>half-close / closed<br align="left"/>>];
      }
    }
    "#);
}

#[test]
fn machine_with_differences_for_graphviz() {
    assert_snapshot!(render(MachineFormat::Dot, &differing()), @r##"
    digraph machine {
      node [shape=box, style=rounded, fontname=monospace, fontsize=11, margin="0.15,0.1"];
      edge [fontname=monospace, fontsize=11];
      fontname=monospace; labelloc=t; compound=true;
      label=<<b>dnode 1.2.2: 3 differences from reference: 1 breaks a clause, 1 is free, 1 is unclear</b><br/><font color="#a83a00"><b>!N: difference N, breaks a clause</b></font><br/><font color="#575757"><i>?N: difference N, differs, and could not be judged</i></font><br/><font color="#6a4fb3"><i>~N: difference N, differs, and the protocol leaves it open</i></font>>;
      subgraph cluster_0 {
        label=<<b>object</b>: the objects that we send>;
        s0_0 [label=<<b>start</b><br align="left"/>call-ours / cb()<br align="left"/>>];
        s0_1 [label=<<b>after object</b><br align="left"/>call-ours / cb(), hello(1)<br align="left"/><i>ignores: object</i><br align="left"/>>];
        s0_2 [label=<<b>after second-object</b><br align="left"/>call-ours / cb(), hello2(1)<br align="left"/><i>ignores: second-object</i><br align="left"/>>];
        s0_0 -> s0_1 [label=<object / silence<br align="left"/>>];
        s0_0 -> s0_2 [label=<second-object / silence<br align="left"/>>];
        s0_1 -> s0_2 [label=<second-object / silence<br align="left"/>>];
        s0_2 -> s0_1 [label=<object / silence<br align="left"/>>];
      }
      subgraph cluster_1 {
        label=<<b>call</b>: calls of the peer's methods>;
        s1_0 [label=<<b>start</b><br align="left"/>call-by-id / cb(1)<br align="left"/>call-by-name / cb(2)<br align="left"/><font color="#575757"><i>send-cycle / cb({&quot;self&quot;:&quot;[Circular]&quot;})</i></font><br align="left"/><font color="#575757"><i>?1 expected cb({&quot;self&quot;:↑ arguments[0]}) (unclear)</i></font><br align="left"/><i>ignores: call-unknown-id, call-unknown-name</i><br align="left"/>>];
      }
      subgraph cluster_2 {
        label=<<b>theirs</b>: the functions that the peer gave us>;
        s2_0 [label=<<b>start</b><br align="left"/>call-p / cb(&quot;repeat&quot;)<br align="left"/>call-q / cb(&quot;repeat&quot;)<br align="left"/>give-again / cb(p,q)<br align="left"/><i>ignores: cull-unknown</i><br align="left"/><i>not possible: call-culled</i><br align="left"/>>];
        s2_1 [label=<<b>after cull-p</b><br align="left"/>call-q / cb(&quot;repeat&quot;)<br align="left"/><font color="#a83a00"><b>call-culled / cb(&quot;repeat&quot;)</b></font><br align="left"/><font color="#a83a00"><b>!3 expected silence (cull/deletes)</b></font><br align="left"/><i>ignores: cull-p, cull-twice, cull-unknown</i><br align="left"/><i>not possible: call-p</i><br align="left"/>>];
        s2_2 [label=<<b>after cull-both</b><br align="left"/><font color="#a83a00"><b>call-culled / cb(&quot;repeat&quot;)</b></font><br align="left"/><font color="#a83a00"><b>!3 expected silence (cull/deletes)</b></font><br align="left"/><i>ignores: cull-p, cull-both, cull-twice, cull-unknown</i><br align="left"/><i>not possible: call-p, call-q</i><br align="left"/>>];
        s2_3 [label=<<b>after cull-p → give-again</b><br align="left"/>call-p / cb(&quot;repeat&quot;)<br align="left"/>call-q / cb(&quot;repeat&quot;)<br align="left"/><font color="#a83a00"><b>call-culled / cb(&quot;repeat&quot;)</b></font><br align="left"/><font color="#a83a00"><b>!3 expected silence (cull/deletes)</b></font><br align="left"/>give-again / cb(p,q)<br align="left"/><i>ignores: cull-unknown</i><br align="left"/>>];
        s2_0 -> s2_1 [label=<cull-p / silence<br align="left"/>cull-twice / silence<br align="left"/>>];
        s2_0 -> s2_2 [label=<cull-both / silence<br align="left"/>>];
        s2_1 -> s2_2 [label=<cull-both / silence<br align="left"/>>];
        s2_1 -> s2_3 [label=<give-again / cb(p,q)<br align="left"/>>];
        s2_2 -> s2_3 [label=<give-again / cb(p,q)<br align="left"/>>];
        s2_3 -> s2_1 [label=<cull-p / silence<br align="left"/>cull-twice / silence<br align="left"/>>];
        s2_3 -> s2_2 [label=<cull-both / silence<br align="left"/>>];
      }
      subgraph cluster_3 {
        label=<<b>ours</b>: the functions that we gave the peer>;
        s3_0 [label=<<b>start</b><br align="left"/>give-ours-again / cb(&quot;no&quot;)<br align="left"/>drop-ours / cb()<br align="left"/><i>ignores: fire-ours</i><br align="left"/>>];
        s3_1 [label=<<b>after give-ours</b><br align="left"/>give-ours / cb()<br align="left"/>give-ours-again / cb(&quot;yes&quot;)<br align="left"/>fire-ours / f(1)<br align="left"/>>];
        s3_0 -> s3_1 [label=<give-ours / cb()<br align="left"/>>];
        s3_1 -> s3_0 [label=<drop-ours / cb()<br align="left"/>>];
      }
      subgraph cluster_4 {
        label=<<b>end</b>: the end of the connection>;
        s4_0 [label=<<b>start</b><br align="left"/><font color="#6a4fb3"><i>malformed / silence</i></font><br align="left"/><font color="#6a4fb3"><i>~2 expected closed (free)</i></font><br align="left"/>>];
        e4_closed [label=<<b>closed</b>>, style="rounded,filled", fillcolor=black, fontcolor=white];
        s4_0 -> e4_closed [label=<half-close / closed<br align="left"/>>];
      }
    }
    "##);
}

#[test]
fn equal_machine_for_mermaid() {
    assert_snapshot!(render(MachineFormat::Mermaid, &equal()), @r#"
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
      subgraph p0["object: the objects that we send"]
        direction TB
        s0_0["<b>start</b><br/>call-ours / cb()"]
        s0_1["<b>after object</b><br/>call-ours / cb(), hello(1)<br/><i>ignores: object</i>"]
        s0_2["<b>after second-object</b><br/>call-ours / cb(), hello2(1)<br/><i>ignores: second-object</i>"]
        s0_0 -->|"object / silence"| s0_1
        s0_0 -->|"second-object / silence"| s0_2
        s0_1 -->|"second-object / silence"| s0_2
        s0_2 -->|"object / silence"| s0_1
      end
      subgraph p1["call: calls of the peer#39;s methods"]
        direction TB
        s1_0["<b>start</b><br/>call-by-id / cb(1)<br/>call-by-name / cb(2)<br/>send-cycle / cb(#123;#34;self#34;:#8593; arguments#91;0#93;#125;)<br/><i>ignores: call-unknown-id, call-unknown-name</i>"]
      end
      subgraph p2["theirs: the functions that the peer gave us"]
        direction TB
        s2_0["<b>start</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/>give-again / cb(p,q)<br/><i>ignores: cull-unknown</i><br/><i>not possible: call-culled</i>"]
        s2_1["<b>after cull-p</b><br/>call-q / cb(#34;repeat#34;)<br/><i>ignores: call-culled, cull-p, cull-twice, cull-unknown</i><br/><i>not possible: call-p</i>"]
        s2_2["<b>after cull-both</b><br/><i>ignores: call-culled, cull-p, cull-both, cull-twice, cull-unknown</i><br/><i>not possible: call-p, call-q</i>"]
        s2_3["<b>after cull-p → give-again</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/>give-again / cb(p,q)<br/><i>ignores: call-culled, cull-unknown</i>"]
        s2_0 -->|"cull-p / silence<br/>cull-twice / silence"| s2_1
        s2_0 -->|"cull-both / silence"| s2_2
        s2_1 -->|"cull-both / silence"| s2_2
        s2_1 -->|"give-again / cb(p,q)"| s2_3
        s2_2 -->|"give-again / cb(p,q)"| s2_3
        s2_3 -->|"cull-p / silence<br/>cull-twice / silence"| s2_1
        s2_3 -->|"cull-both / silence"| s2_2
      end
      subgraph p3["ours: the functions that we gave the peer"]
        direction TB
        s3_0["<b>start</b><br/>give-ours-again / cb(#34;no#34;)<br/>drop-ours / cb()<br/><i>ignores: fire-ours</i>"]
        s3_1["<b>after give-ours</b><br/>give-ours / cb()<br/>give-ours-again / cb(#34;yes#34;)<br/>fire-ours / f(1)"]
        s3_0 -->|"give-ours / cb()"| s3_1
        s3_1 -->|"drop-ours / cb()"| s3_0
      end
      subgraph p4["end: the end of the connection"]
        direction TB
        s4_0["<b>start</b>"]
        e4_closed(["<b>closed</b>"])
        s4_0 -->|"malformed / closed<br/>half-close / closed"| e4_closed
      end
    "#);
}

#[test]
fn machine_with_differences_for_mermaid() {
    assert_snapshot!(render(MachineFormat::Mermaid, &differing()), @r#"
    %%{init: {"flowchart": {"wrappingWidth": 420}}}%%
    flowchart TB
      subgraph p0["object: the objects that we send"]
        direction TB
        s0_0["<b>start</b><br/>call-ours / cb()"]
        s0_1["<b>after object</b><br/>call-ours / cb(), hello(1)<br/><i>ignores: object</i>"]
        s0_2["<b>after second-object</b><br/>call-ours / cb(), hello2(1)<br/><i>ignores: second-object</i>"]
        s0_0 -->|"object / silence"| s0_1
        s0_0 -->|"second-object / silence"| s0_2
        s0_1 -->|"second-object / silence"| s0_2
        s0_2 -->|"object / silence"| s0_1
      end
      subgraph p1["call: calls of the peer#39;s methods"]
        direction TB
        s1_0["<b>start</b><br/>call-by-id / cb(1)<br/>call-by-name / cb(2)<br/><b>send-cycle / cb(#123;#34;self#34;:#34;#91;Circular#93;#34;#125;)</b><br/>#63;1 expected cb(#123;#34;self#34;:#8593; arguments#91;0#93;#125;) (unclear)<br/><i>ignores: call-unknown-id, call-unknown-name</i>"]:::unclear
      end
      subgraph p2["theirs: the functions that the peer gave us"]
        direction TB
        s2_0["<b>start</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/>give-again / cb(p,q)<br/><i>ignores: cull-unknown</i><br/><i>not possible: call-culled</i>"]
        s2_1["<b>after cull-p</b><br/>call-q / cb(#34;repeat#34;)<br/><b>call-culled / cb(#34;repeat#34;)</b><br/>!3 expected silence (cull/deletes)<br/><i>ignores: cull-p, cull-twice, cull-unknown</i><br/><i>not possible: call-p</i>"]:::breaks
        s2_2["<b>after cull-both</b><br/><b>call-culled / cb(#34;repeat#34;)</b><br/>!3 expected silence (cull/deletes)<br/><i>ignores: cull-p, cull-both, cull-twice, cull-unknown</i><br/><i>not possible: call-p, call-q</i>"]:::breaks
        s2_3["<b>after cull-p → give-again</b><br/>call-p / cb(#34;repeat#34;)<br/>call-q / cb(#34;repeat#34;)<br/><b>call-culled / cb(#34;repeat#34;)</b><br/>!3 expected silence (cull/deletes)<br/>give-again / cb(p,q)<br/><i>ignores: cull-unknown</i>"]:::breaks
        s2_0 -->|"cull-p / silence<br/>cull-twice / silence"| s2_1
        s2_0 -->|"cull-both / silence"| s2_2
        s2_1 -->|"cull-both / silence"| s2_2
        s2_1 -->|"give-again / cb(p,q)"| s2_3
        s2_2 -->|"give-again / cb(p,q)"| s2_3
        s2_3 -->|"cull-p / silence<br/>cull-twice / silence"| s2_1
        s2_3 -->|"cull-both / silence"| s2_2
      end
      subgraph p3["ours: the functions that we gave the peer"]
        direction TB
        s3_0["<b>start</b><br/>give-ours-again / cb(#34;no#34;)<br/>drop-ours / cb()<br/><i>ignores: fire-ours</i>"]
        s3_1["<b>after give-ours</b><br/>give-ours / cb()<br/>give-ours-again / cb(#34;yes#34;)<br/>fire-ours / f(1)"]
        s3_0 -->|"give-ours / cb()"| s3_1
        s3_1 -->|"drop-ours / cb()"| s3_0
      end
      subgraph p4["end: the end of the connection"]
        direction TB
        s4_0["<b>start</b><br/><b>malformed / silence</b><br/>#126;2 expected closed (free)"]:::free
        e4_closed(["<b>closed</b>"])
        s4_0 -->|"half-close / closed"| e4_closed
      end
        classDef breaks stroke:#d1480a,stroke-width:3px
        classDef unclear stroke:#888888,stroke-width:2px,stroke-dasharray:2 4
        classDef free stroke:#8a6fd3,stroke-width:2px,stroke-dasharray:7 4
    "#);
}
