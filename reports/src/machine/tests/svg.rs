use insta::assert_snapshot;

use super::*;

/// The drawing with an element on each line, without its style sheet.
fn lines(learned: &Learned) -> String {
    let text = render(MachineFormat::Svg, learned);
    let (before, rest) = text.split_once("<style>").unwrap();
    let after = rest.split_once("</style>").unwrap().1;
    format!("{before}{after}").replace("><", ">\n<")
}

#[test]
fn equal_machine() {
    assert_snapshot!(lines(&equal()), @r#"
    <svg class="machine" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 916.5 1608" width="916.5" height="1608" role="img" aria-labelledby="title desc">
    <title id="title">State machine of dnode 1.2.2</title>
    <desc id="desc">equal to reference</desc>
    <rect width="100%" height="100%" fill="var(--back)">
    </rect>
    <text class="heading" x="9" y="21">dnode 1.2.2</text>
    <text class="name" x="9" y="38">equal to reference</text>
    <text class="soft" x="9" y="55">A box is a state, with the inputs that do not leave it. Each line is: input / answer of the peer.</text>
    <text class="soft" x="9" y="72">cb is the callback of the input; p and q are functions that the peer gave us; f is ours.</text>
    <text class="heading" x="9" y="130">object: the objects that we send</text>
    <g transform="translate(0 144)">
    <path d="M213.2 65 C206.6 73 200 81 193.4 89">
    </path>
    <path d="M183.1 114 C183.1 122 183.1 130 183.1 129">
    </path>
    <path class="head " d="M183.1 138 L178.1 129 L188.1 129 z">
    </path>
    <path d="M337.7 52.2 C364.9 64.9 444.6 72 444.6 102 444.6 132 444.6 145.5 444.6 175.5 444.6 205.5 444.6 206 444.6 236">
    </path>
    <path d="M378.5 261 C371.4 269 364.2 277 363.1 278.3">
    </path>
    <path class="head " d="M357.1 285 L359.3 275 L366.8 281.6 z">
    </path>
    <path d="M139.2 212 C129.8 220 120.3 228 110.8 236">
    </path>
    <path d="M162.1 261 C169.2 269 176.4 277 177.5 278.3">
    </path>
    <path class="head " d="M183.5 285 L173.8 281.6 L181.3 275 z">
    </path>
    <path d="M270.3 285 C270.3 277 270.3 269 270.3 261">
    </path>
    <path d="M255.5 236 C246 228 236.5 220 233.9 217.8">
    </path>
    <path class="head " d="M227 212 L237.1 214 L230.7 221.6 z">
    </path>
    <text x="124.7" y="105">object / silence</text>
    <text x="360.7" y="252">second-object / silence</text>
    <text x="12" y="252">second-object / silence</text>
    <text x="211.9" y="252">object / silence</text>
    <rect class="state" x="202.9" y="8" width="134.8" height="57" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M202.9 36h134.8">
    </path>
    <text class="name" x="211.9" y="29">start</text>
    <text x="211.9" y="51">call-ours / cb()</text>
    <rect class="state" x="79.2" y="138" width="207.8" height="74" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M79.2 166h207.8">
    </path>
    <text class="name" x="88.2" y="159">after object</text>
    <text x="88.2" y="181">call-ours / cb(), hello(1)</text>
    <text class="soft" x="88.2" y="198">ignores: object</text>
    <rect class="state" x="162.8" y="285" width="215.1" height="74" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M162.8 313h215.1">
    </path>
    <text class="name" x="171.8" y="306">after second-object</text>
    <text x="171.8" y="328">call-ours / cb(), hello2(1)</text>
    <text class="soft" x="171.8" y="345">ignores: second-object</text>
    </g>
    <text class="heading" x="577.6" y="130">call: calls of the peer's methods</text>
    <g transform="translate(568.6 144)">
    <rect class="state" x="8" y="8" width="331.9" height="108" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M8 36h331.9">
    </path>
    <text class="name" x="17" y="29">start</text>
    <text x="17" y="51">call-by-id / cb(1)</text>
    <text x="17" y="68">call-by-name / cb(2)</text>
    <text x="17" y="85">send-cycle / cb({&quot;self&quot;:↑ arguments[0]})</text>
    <text class="soft" x="17" y="102">ignores: call-unknown-id, call-unknown-name</text>
    </g>
    <text class="heading" x="9" y="555">theirs: the functions that the peer gave us</text>
    <g transform="translate(0 569)">
    <path d="M387 133 C380.5 141 373.9 149 367.4 157">
    </path>
    <path d="M350.2 199 C350.2 207 350.2 215 350.2 214">
    </path>
    <path class="head " d="M350.2 223 L345.2 214 L355.2 214 z">
    </path>
    <path d="M538.5 95.8 C565.3 109.3 702.5 148.5 702.5 178.5 702.5 208.5 702.5 247.5 702.5 277.5 702.5 307.5 702.5 325 702.5 355">
    </path>
    <path d="M644.9 380 C631.4 388 618 396 612.3 399.4">
    </path>
    <path class="head " d="M604.6 404 L609.7 395.1 L614.9 403.7 z">
    </path>
    <path d="M488.4 331 C497.1 339 505.8 347 514.5 355">
    </path>
    <path d="M528.2 380 C528.2 388 528.2 396 528.2 395">
    </path>
    <path class="head " d="M528.2 404 L523.2 395 L533.2 395 z">
    </path>
    <path d="M191.5 315.8 C164.6 329 85 338 85 368 85 398 85 420 85 450 85 480 85 497.5 85 527.5">
    </path>
    <path d="M162 552 C210.6 571.9 259.3 591.8 299.6 608.3">
    </path>
    <path class="head " d="M307.9 611.7 L297.7 613 L301.5 603.7 z">
    </path>
    <path d="M484.3 495 C473.9 505.8 463.5 516.7 453 527.5">
    </path>
    <path d="M441 552.5 C441 563.3 441 574.2 441 576">
    </path>
    <path class="head " d="M441 585 L436 576 L446 576 z">
    </path>
    <path d="M364.9 585 C353.6 577 342.4 569 331.1 561">
    </path>
    <path d="M263 519 C263 489 263 480 263 450 263 420 263 398 263 368 263 338 277.7 352.7 292.2 337.5">
    </path>
    <path class="head " d="M298.4 331 L295.8 341 L288.6 334 z">
    </path>
    <path d="M516.1 585 C531.2 574.2 546.2 563.3 561.3 552.5">
    </path>
    <path d="M603.3 527.5 C592.9 516.7 582.4 505.8 578.2 501.5">
    </path>
    <path class="head " d="M572 495 L581.8 498 L574.6 505 z">
    </path>
    <text x="277.2" y="173">cull-p / silence</text>
    <text x="277.2" y="190">cull-twice / silence</text>
    <text x="633.2" y="371">cull-both / silence</text>
    <text x="458.8" y="371">cull-both / silence</text>
    <text x="12" y="543.5">give-again / cb(p,q)</text>
    <text x="368" y="543.5">give-again / cb(p,q)</text>
    <text x="190" y="535">cull-p / silence</text>
    <text x="190" y="552">cull-twice / silence</text>
    <text x="546" y="543.5">cull-both / silence</text>
    <rect class="state" x="338" y="8" width="200.5" height="125" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M338 36h200.5">
    </path>
    <text class="name" x="347" y="29">start</text>
    <text x="347" y="51">call-p / cb(&quot;repeat&quot;)</text>
    <text x="347" y="68">call-q / cb(&quot;repeat&quot;)</text>
    <text x="347" y="85">give-again / cb(p,q)</text>
    <text class="soft" x="347" y="102">ignores: cull-unknown</text>
    <text class="soft" x="347" y="119">not possible: call-culled</text>
    <rect class="state" x="191.5" y="223" width="317.3" height="108" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M191.5 251h317.3">
    </path>
    <text class="name" x="200.5" y="244">after cull-p</text>
    <text x="200.5" y="266">call-q / cb(&quot;repeat&quot;)</text>
    <text class="soft" x="200.5" y="283">ignores: call-culled, cull-p, cull-twice,</text>
    <text class="soft" x="215.1" y="300">cull-unknown</text>
    <text class="soft" x="200.5" y="317">not possible: call-p</text>
    <rect class="state" x="373.2" y="404" width="310" height="91" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M373.2 432h310">
    </path>
    <text class="name" x="382.2" y="425">after cull-both</text>
    <text class="soft" x="382.2" y="447">ignores: call-culled, cull-p, cull-both,</text>
    <text class="soft" x="396.8" y="464">cull-twice, cull-unknown</text>
    <text class="soft" x="382.2" y="481">not possible: call-p, call-q</text>
    <rect class="state" x="307.9" y="585" width="266.2" height="108" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M307.9 613h266.2">
    </path>
    <text class="name" x="316.9" y="606">after cull-p → give-again</text>
    <text x="316.9" y="628">call-p / cb(&quot;repeat&quot;)</text>
    <text x="316.9" y="645">call-q / cb(&quot;repeat&quot;)</text>
    <text x="316.9" y="662">give-again / cb(p,q)</text>
    <text class="soft" x="316.9" y="679">ignores: call-culled, cull-unknown</text>
    </g>
    <text class="heading" x="9" y="1314">ours: the functions that we gave the peer</text>
    <g transform="translate(0 1328)">
    <path d="M148.7 99 C141.4 107 134.1 115 126.9 123">
    </path>
    <path d="M115.5 148 C115.5 156 115.5 164 115.5 163">
    </path>
    <path class="head " d="M115.5 172 L110.5 163 L120.5 163 z">
    </path>
    <path d="M180.8 172 C192.3 164 203.8 156 215.2 148">
    </path>
    <path d="M253 123 C245.8 115 238.5 107 237.3 105.7">
    </path>
    <path class="head " d="M231.2 99 L241 102.3 L233.6 109 z">
    </path>
    <text x="57.1" y="139">give-ours / cb()</text>
    <text x="206" y="139">drop-ours / cb()</text>
    <rect class="state" x="86" y="8" width="207.8" height="91" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M86 36h207.8">
    </path>
    <text class="name" x="95" y="29">start</text>
    <text x="95" y="51">give-ours-again / cb(&quot;no&quot;)</text>
    <text x="95" y="68">drop-ours / cb()</text>
    <text class="soft" x="95" y="85">ignores: fire-ours</text>
    <rect class="state" x="8" y="172" width="215.1" height="91" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M8 200h215.1">
    </path>
    <text class="name" x="17" y="193">after give-ours</text>
    <text x="17" y="215">give-ours / cb()</text>
    <text x="17" y="232">give-ours-again / cb(&quot;yes&quot;)</text>
    <text x="17" y="249">fire-ours / f(1)</text>
    </g>
    <text class="heading" x="454.1" y="1314">end: the end of the connection</text>
    <g transform="translate(445.1 1328)">
    <path d="M81.3 43 C81.3 51 81.3 59 81.3 67">
    </path>
    <path d="M81.3 109 C81.3 117 81.3 125 81.3 124">
    </path>
    <path class="head " d="M81.3 133 L76.3 124 L86.3 124 z">
    </path>
    <text x="12" y="83">malformed / closed</text>
    <text x="12" y="100">half-close / closed</text>
    <rect class="state" x="54.1" y="8" width="54.5" height="35" rx="6" stroke-width="3">
    </rect>
    <text class="name" x="63.1" y="29">start</text>
    <rect class="end" x="50.4" y="133" width="61.8" height="35" rx="6" stroke-width="1">
    </rect>
    <text class="end-name" x="59.4" y="154">closed</text>
    </g>
    </svg>
    "#);
}

#[test]
fn machine_with_differences() {
    assert_snapshot!(lines(&differing()), @r#"
    <svg class="machine" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 916.5 1795" width="916.5" height="1795" role="img" aria-labelledby="title desc">
    <title id="title">State machine of dnode 1.2.2</title>
    <desc id="desc">3 differences from reference: 1 breaks a clause, 1 is free, 1 is unclear. ?1 after send-cycle: expected cb({&quot;self&quot;:↑ arguments[0]}), got cb({&quot;self&quot;:&quot;[Circular]&quot;}), unclear: the transcript could not be played again. ~2 after malformed: expected closed, got silence, free: no clause says what follows a line that is not JSON. !3 after cull-p → call-culled: expected silence, got cb(&quot;repeat&quot;), breaks cull/deletes (must)</desc>
    <rect width="100%" height="100%" fill="var(--back)">
    </rect>
    <text class="heading" x="9" y="21">dnode 1.2.2</text>
    <text class="breaks" x="9" y="38">3 differences from reference: 1 breaks a clause, 1 is free, 1 is unclear</text>
    <text x="9" y="55">the machine was not tested to the end: the time of 60 s was over</text>
    <text x="9" y="72">the peer answered 1 word in several ways</text>
    <text x="9" y="89">1 input left out</text>
    <text class="soft" x="9" y="106">A box is a state, with the inputs that do not leave it. Each line is: input / answer of the peer.</text>
    <text class="soft" x="9" y="123">cb is the callback of the input; p and q are functions that the peer gave us; f is ours.</text>
    <text class="breaks" x="9" y="140">!N: difference N, breaks a clause</text>
    <text class="unclear" x="9" y="157">?N: difference N, differs, and could not be judged</text>
    <text class="free" x="9" y="174">~N: difference N, differs, and the protocol leaves it open</text>
    <text class="heading" x="9" y="232">object: the objects that we send</text>
    <g transform="translate(0 246)">
    <path d="M213.2 65 C206.6 73 200 81 193.4 89">
    </path>
    <path d="M183.1 114 C183.1 122 183.1 130 183.1 129">
    </path>
    <path class="head " d="M183.1 138 L178.1 129 L188.1 129 z">
    </path>
    <path d="M337.7 52.2 C364.9 64.9 444.6 72 444.6 102 444.6 132 444.6 145.5 444.6 175.5 444.6 205.5 444.6 206 444.6 236">
    </path>
    <path d="M378.5 261 C371.4 269 364.2 277 363.1 278.3">
    </path>
    <path class="head " d="M357.1 285 L359.3 275 L366.8 281.6 z">
    </path>
    <path d="M139.2 212 C129.8 220 120.3 228 110.8 236">
    </path>
    <path d="M162.1 261 C169.2 269 176.4 277 177.5 278.3">
    </path>
    <path class="head " d="M183.5 285 L173.8 281.6 L181.3 275 z">
    </path>
    <path d="M270.3 285 C270.3 277 270.3 269 270.3 261">
    </path>
    <path d="M255.5 236 C246 228 236.5 220 233.9 217.8">
    </path>
    <path class="head " d="M227 212 L237.1 214 L230.7 221.6 z">
    </path>
    <text x="124.7" y="105">object / silence</text>
    <text x="360.7" y="252">second-object / silence</text>
    <text x="12" y="252">second-object / silence</text>
    <text x="211.9" y="252">object / silence</text>
    <rect class="state" x="202.9" y="8" width="134.8" height="57" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M202.9 36h134.8">
    </path>
    <text class="name" x="211.9" y="29">start</text>
    <text x="211.9" y="51">call-ours / cb()</text>
    <rect class="state" x="79.2" y="138" width="207.8" height="74" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M79.2 166h207.8">
    </path>
    <text class="name" x="88.2" y="159">after object</text>
    <text x="88.2" y="181">call-ours / cb(), hello(1)</text>
    <text class="soft" x="88.2" y="198">ignores: object</text>
    <rect class="state" x="162.8" y="285" width="215.1" height="74" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M162.8 313h215.1">
    </path>
    <text class="name" x="171.8" y="306">after second-object</text>
    <text x="171.8" y="328">call-ours / cb(), hello2(1)</text>
    <text class="soft" x="171.8" y="345">ignores: second-object</text>
    </g>
    <text class="heading" x="577.6" y="232">call: calls of the peer's methods</text>
    <g transform="translate(568.6 246)">
    <rect class="state" x="8" y="8" width="331.9" height="142" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M8 36h331.9">
    </path>
    <text class="name" x="17" y="29">start</text>
    <text x="17" y="51">call-by-id / cb(1)</text>
    <text x="17" y="68">call-by-name / cb(2)</text>
    <text class="unclear" x="17" y="85">send-cycle / cb({&quot;self&quot;:&quot;[Circular]&quot;})</text>
    <text class="unclear wanted" x="31.6" y="102">?1 expected cb({&quot;self&quot;:↑ arguments[0]})</text>
    <text class="unclear wanted" x="46.2" y="119">(unclear)</text>
    <text class="soft" x="17" y="136">ignores: call-unknown-id, call-unknown-name</text>
    </g>
    <text class="heading" x="9" y="657">theirs: the functions that the peer gave us</text>
    <g transform="translate(0 671)">
    <path d="M387 133 C380.5 141 373.9 149 367.4 157">
    </path>
    <path d="M350.2 199 C350.2 207 350.2 215 350.2 214">
    </path>
    <path class="head " d="M350.2 223 L345.2 214 L355.2 214 z">
    </path>
    <path d="M538.5 95.8 C565.3 109.3 702.5 148.5 702.5 178.5 702.5 208.5 702.5 256 702.5 286 702.5 316 702.5 342 702.5 372">
    </path>
    <path d="M648.5 397 C637.3 405 626.2 413 622.4 415.7">
    </path>
    <path class="head " d="M615.1 421 L619.5 411.7 L625.3 419.8 z">
    </path>
    <path d="M491.8 348 C499.8 356 507.7 364 515.7 372">
    </path>
    <path d="M528.2 397 C528.2 405 528.2 413 528.2 412">
    </path>
    <path class="head " d="M528.2 421 L523.2 412 L533.2 412 z">
    </path>
    <path d="M191.5 328 C165.1 342.1 85 355 85 385 85 415 85 454 85 484 85 514 85 548.5 85 578.5">
    </path>
    <path d="M157.7 603.5 C205.3 626.6 253 649.8 292.5 669">
    </path>
    <path class="head " d="M300.6 672.9 L290.3 673.5 L294.7 664.5 z">
    </path>
    <path d="M477.5 546 C468.7 556.8 459.9 567.7 451.1 578.5">
    </path>
    <path d="M441 603.5 C441 614.3 441 625.2 441 627">
    </path>
    <path class="head " d="M441 636 L436 627 L446 627 z">
    </path>
    <path d="M355.6 636 C346 628 336.4 620 326.8 612">
    </path>
    <path d="M263 570 C263 540 263 514 263 484 263 454 263 415 263 385 263 355 275.6 370.6 289.5 354.8">
    </path>
    <path class="head " d="M295.4 348 L293.2 358.1 L285.7 351.5 z">
    </path>
    <path d="M525.3 636 C538.1 625.2 551 614.3 563.8 603.5">
    </path>
    <path d="M605.2 578.5 C596.4 567.7 587.6 556.8 584.5 553">
    </path>
    <path class="head " d="M578.9 546 L588.4 549.8 L580.6 556.1 z">
    </path>
    <text x="277.2" y="173">cull-p / silence</text>
    <text x="277.2" y="190">cull-twice / silence</text>
    <text x="633.2" y="388">cull-both / silence</text>
    <text x="458.8" y="388">cull-both / silence</text>
    <text x="12" y="594.5">give-again / cb(p,q)</text>
    <text x="368" y="594.5">give-again / cb(p,q)</text>
    <text x="190" y="586">cull-p / silence</text>
    <text x="190" y="603">cull-twice / silence</text>
    <text x="546" y="594.5">cull-both / silence</text>
    <rect class="state" x="338" y="8" width="200.5" height="125" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M338 36h200.5">
    </path>
    <text class="name" x="347" y="29">start</text>
    <text x="347" y="51">call-p / cb(&quot;repeat&quot;)</text>
    <text x="347" y="68">call-q / cb(&quot;repeat&quot;)</text>
    <text x="347" y="85">give-again / cb(p,q)</text>
    <text class="soft" x="347" y="102">ignores: cull-unknown</text>
    <text class="soft" x="347" y="119">not possible: call-culled</text>
    <rect class="state" x="191.5" y="223" width="317.3" height="125" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M191.5 251h317.3">
    </path>
    <text class="name" x="200.5" y="244">after cull-p</text>
    <text x="200.5" y="266">call-q / cb(&quot;repeat&quot;)</text>
    <text class="breaks" x="200.5" y="283">call-culled / cb(&quot;repeat&quot;)</text>
    <text class="breaks wanted" x="215.1" y="300">!3 expected silence (cull/deletes)</text>
    <text class="soft" x="200.5" y="317">ignores: cull-p, cull-twice, cull-unknown</text>
    <text class="soft" x="200.5" y="334">not possible: call-p</text>
    <rect class="state" x="376.8" y="421" width="302.7" height="125" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M376.8 449h302.7">
    </path>
    <text class="name" x="385.8" y="442">after cull-both</text>
    <text class="breaks" x="385.8" y="464">call-culled / cb(&quot;repeat&quot;)</text>
    <text class="breaks wanted" x="400.4" y="481">!3 expected silence (cull/deletes)</text>
    <text class="soft" x="385.8" y="498">ignores: cull-p, cull-both, cull-twice,</text>
    <text class="soft" x="400.4" y="515">cull-unknown</text>
    <text class="soft" x="385.8" y="532">not possible: call-p, call-q</text>
    <rect class="state" x="300.6" y="636" width="280.8" height="142" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M300.6 664h280.8">
    </path>
    <text class="name" x="309.6" y="657">after cull-p → give-again</text>
    <text x="309.6" y="679">call-p / cb(&quot;repeat&quot;)</text>
    <text x="309.6" y="696">call-q / cb(&quot;repeat&quot;)</text>
    <text class="breaks" x="309.6" y="713">call-culled / cb(&quot;repeat&quot;)</text>
    <text class="breaks wanted" x="324.2" y="730">!3 expected silence (cull/deletes)</text>
    <text x="309.6" y="747">give-again / cb(p,q)</text>
    <text class="soft" x="309.6" y="764">ignores: cull-unknown</text>
    </g>
    <text class="heading" x="9" y="1501">ours: the functions that we gave the peer</text>
    <g transform="translate(0 1515)">
    <path d="M148.7 99 C141.4 107 134.1 115 126.9 123">
    </path>
    <path d="M115.5 148 C115.5 156 115.5 164 115.5 163">
    </path>
    <path class="head " d="M115.5 172 L110.5 163 L120.5 163 z">
    </path>
    <path d="M180.8 172 C192.3 164 203.8 156 215.2 148">
    </path>
    <path d="M253 123 C245.8 115 238.5 107 237.3 105.7">
    </path>
    <path class="head " d="M231.2 99 L241 102.3 L233.6 109 z">
    </path>
    <text x="57.1" y="139">give-ours / cb()</text>
    <text x="206" y="139">drop-ours / cb()</text>
    <rect class="state" x="86" y="8" width="207.8" height="91" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M86 36h207.8">
    </path>
    <text class="name" x="95" y="29">start</text>
    <text x="95" y="51">give-ours-again / cb(&quot;no&quot;)</text>
    <text x="95" y="68">drop-ours / cb()</text>
    <text class="soft" x="95" y="85">ignores: fire-ours</text>
    <rect class="state" x="8" y="172" width="215.1" height="91" rx="6" stroke-width="1">
    </rect>
    <path class="rule" d="M8 200h215.1">
    </path>
    <text class="name" x="17" y="193">after give-ours</text>
    <text x="17" y="215">give-ours / cb()</text>
    <text x="17" y="232">give-ours-again / cb(&quot;yes&quot;)</text>
    <text x="17" y="249">fire-ours / f(1)</text>
    </g>
    <text class="heading" x="454.1" y="1501">end: the end of the connection</text>
    <g transform="translate(445.1 1515)">
    <path d="M115.5 82 C115.5 90 115.5 98 115.5 106">
    </path>
    <path d="M115.5 131 C115.5 139 115.5 147 115.5 146">
    </path>
    <path class="head " d="M115.5 155 L110.5 146 L120.5 146 z">
    </path>
    <text x="46.2" y="122">half-close / closed</text>
    <rect class="state" x="8" y="8" width="215.1" height="74" rx="6" stroke-width="3">
    </rect>
    <path class="rule" d="M8 36h215.1">
    </path>
    <text class="name" x="17" y="29">start</text>
    <text class="free" x="17" y="51">malformed / silence</text>
    <text class="free wanted" x="31.6" y="68">~2 expected closed (free)</text>
    <rect class="end" x="84.7" y="155" width="61.8" height="35" rx="6" stroke-width="1">
    </rect>
    <text class="end-name" x="93.7" y="176">closed</text>
    </g>
    </svg>
    "#);
}

#[test]
fn large_part_is_not_drawn() {
    let mut learned = faulty();
    // A chain of states, so that the part `object` has more states than a picture shows.
    let inputs = learned.machine.inputs().to_vec();
    let row = |state: usize| {
        let edge = |input: usize| {
            let to = if input == 0 { state + 1 } else { state };
            let output = if state == 39 { calls("cb", "[1]") } else { Output::default() };
            Edge { output, to: Some(to.min(39)) }
        };
        (0..inputs.len()).map(edge).collect()
    };
    learned.machine = Machine::new(inputs.clone(), (0..40).map(row).collect()).unwrap().minimal();
    assert_eq!(learned.machine.len(), 40);
    assert!(render(MachineFormat::Svg, &learned).contains("40 states and 39 arrows are too many"));
    assert!(render(MachineFormat::Markdown, &learned).contains("The part is too large for a diagram."));
}
