//! Real traces of each language.

use super::*;

fn key(stderr: &str) -> String {
    read(stderr).map(|trace| trace.key()).unwrap_or_default()
}

#[test]
fn node() {
    let stderr = |folder: &str, word: &str| {
        format!(
            "{folder}/index.js:80\n    x.toFixed()\n      ^\n\nTypeError: Cannot read properties of null (reading '{word}')\n    \
             at Array.map (<anonymous>)\n    at new Scrub ({folder}/index.js:80:7)\n    at Socket.emit (node:events:519:28)\n\nNode.js v20.20.2"
        )
    };
    let expected = "TypeError at new Scrub (index.js:80:7)";
    assert_eq!(key(&stderr("/a/b", "x")), expected);
    assert_eq!(key(&stderr("/c", "y")), expected);
    let rejected = "node:internal/process/promises:389\n      new UnhandledPromiseRejection(reason);\n      ^\n\n\
        UnhandledPromiseRejection: This error originated either by \"x\".\n    at process.processTicksAndRejections (node:internal/process/task_queues:96:32) {\n  code: 'ERR'\n}";
    assert_eq!(
        key(rejected),
        "UnhandledPromiseRejection at process.processTicksAndRejections (task_queues:96:32)"
    );
    let thrown = "\n/a/d.js:1\nthrow \"text\"\n^\ntext\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n\nNode.js v20.20.2";
    assert_eq!(key(thrown), "error at d.js:1");
    // Another message at the same place is the same crash.
    assert_eq!(key("TypeError: a\n    at f (/b.js:1:47)\n"), key("TypeError: b\n    at f (/b.js:1:47)\n"));
    let several = "AssertionError [ERR_ASSERTION]: not equal:\n\n1 !== 2\n\n    at check (/a/m.js:3:9)\n";
    assert_eq!(key(several), "AssertionError at check (m.js:3:9)");
    assert_eq!(
        key("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n"),
        "out of memory"
    );
}

#[test]
fn stack_overflow_has_one_name_wherever_it_happens() {
    let node = "RangeError: Maximum call stack size exceeded\n    at g (/b.js:1:47)\n    at f (/b.js:1:23)\n";
    let python = "Traceback (most recent call last):\n  File \"/b.py\", line 5, in <module>\n    f(1)\n  [Previous line repeated 996 more times]\n\
        RecursionError: maximum recursion depth exceeded while calling a Python object";
    let ruby = "b.rb:2:in `g': stack level too deep (SystemStackError)\n\tfrom b.rb:1:in `f'\n\t ... 10068 levels...\n";
    let java =
        "Exception in thread \"main\" java.lang.StackOverflowError\n\tat A.g(A.java:3)\n\tat A.f(A.java:3)\n";
    let go = "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:1101 +0x48\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/srv/main.go:5 +0x2\n";
    let rust = "\nthread 'main' has overflowed its stack\nfatal runtime error: stack overflow\n";
    for stderr in [node, python, ruby, java, go, rust] {
        assert_eq!(key(stderr), "a stack overflow", "{stderr}");
    }
}

#[test]
fn python_names_the_first_error_and_the_innermost_own_frame() {
    let stderr = "Exception in thread T1:\nTraceback (most recent call last):\n  File \"/srv/a.py\", line 6, in handle\n    return scrub(l)\n           ^^^^^^^^\n  \
        File \"/srv/a.py\", line 3, in scrub\n    return json.loads(x)\n  File \"/opt/lib/python3.11/json/decoder.py\", line 353, in raw_decode\n    \
        obj, end = self.scan_once(s, idx)\njson.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)\n\n\
        During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"/srv/a.py\", line 8, in handle\n\
        KeyError: 'no'\n";
    let folded = "Traceback (most recent call last):\n  File \"/a.py\", line 1, in f\n    f()\n… the last 2 lines repeat 9 more times\nValueError: no\n";
    assert_eq!(key(folded), "ValueError at f (a.py:1)");
    assert_eq!(key(stderr), "json.decoder.JSONDecodeError at scrub (a.py:3)");
}

#[test]
fn ruby() {
    let stderr = "/usr/lib/ruby/3.1.0/json/common.rb:216:in `parse': 859: unexpected token at '{' (JSON::ParserError)\n\t\
        from /usr/lib/ruby/3.1.0/json/common.rb:216:in `parse'\n\tfrom c.rb:2:in `h'\n\tfrom c.rb:3:in `<main>'\n";
    assert_eq!(key(stderr), "JSON::ParserError at h (c.rb:2)");
    let newer = "/srv/d.rb:1:in 'Peer#f': undefined method 'foo' for nil (NoMethodError)\n\n  nil.foo\n     ^^^^\n\tfrom d.rb:2:in '<main>'\n";
    assert_eq!(key(newer), "NoMethodError at Peer#f (d.rb:1)");
}

#[test]
fn php_skips_warnings() {
    let stderr = "PHP Warning:  Undefined array key \"x\" in /srv/c.php on line 1\n\
        PHP Fatal error:  Uncaught TypeError: scrub(): Argument #1 ($x) must be of type array, int given, called in /srv/a.php on line 3 and defined in /srv/a.php:2\n\
        Stack trace:\n#0 /srv/a.php(3): scrub()\n#1 {main}\n  thrown in /srv/a.php on line 2\n";
    assert_eq!(key(stderr), "TypeError at a.php:2");
    let plain = "[28-Nov-2026 14:00:00 UTC] PHP Fatal error:  Cannot redeclare f() in /srv/b.php on line 9";
    assert_eq!(key(plain), "error at b.php:9");
}

#[test]
fn perl_names_its_last_words() {
    let stderr = "Use of uninitialized value $u in concatenation (.) or string at c.pl line 1.\n\
        Can't use string (\"text\") as an ARRAY ref at /srv/a.pl line 2, <GEN0> line 5.\n";
    let trace = read(stderr).unwrap();
    assert_eq!(trace.frame.map(|frame| frame.to_string()).unwrap(), "a.pl:2");
    let confessed = "broken at /usr/share/perl/5.36/Foo.pm line 1.\n\tFoo::f(1, \"a\") called at /srv/b.pl line 7\n\tmain::g(1) called at /srv/b.pl line 9\n";
    assert_eq!(key(confessed), "error at Foo::f (b.pl:7)");
}

#[test]
fn java_names_the_first_error_and_skips_its_library() {
    let stderr = "Exception in thread \"main\" java.lang.IndexOutOfBoundsException: Index 3 out of bounds for length 0\n\t\
        at java.base/java.util.ArrayList.get(ArrayList.java:427)\n\tat dnode.Peer.scrub(Peer.java:2)\n\tat dnode.Peer.main(Peer.java:4)\n\
        Caused by: java.lang.Error: other\n\tat dnode.Other.f(Other.java:1)\n";
    assert_eq!(key(stderr), "java.lang.IndexOutOfBoundsException at dnode.Peer.scrub (Peer.java:2)");
}

#[test]
fn go_names_the_first_goroutine_and_not_the_collector() {
    let stderr = "panic: runtime error: index out of range [5] with length 3 [recovered]\n\npanic: again\n\ngoroutine 18 [running]:\npanic({0x45, 0x4c})\n\t\
        /usr/local/go/src/runtime/panic.go:770 +0x132\nmain.(*Peer).scrub(...)\n\t/srv/peer.go:12\nmain.main()\n\t/srv/main.go:7 +0x1d\n\n\
        goroutine 2 [force gc (idle)]:\nruntime.bgsweep(0x1)\n\t/usr/local/go/src/runtime/mgc.go:1 +0x1\n";
    assert_eq!(key(stderr), "error at main.(*Peer).scrub (peer.go:12)");
}

#[test]
fn rust_of_both_forms() {
    let newer = "\nthread 'main' (29543) panicked at src/main.rs:12:5:\nindex out of bounds: the len is 1 but the index is 3\nnote: run with `RUST_BACKTRACE=1`\n";
    assert_eq!(key(newer), "error at main.rs:12:5");
    let older = "thread 'tokio' panicked at 'called `unwrap`', src/lib.rs:3:9\n";
    assert_eq!(key(older), "error at lib.rs:3:9");
    let backtrace = "thread 'main' panicked at /rustc/5980/library/core/src/option.rs:1:2:\nbad\nstack backtrace:\n   0: core::panicking::panic_fmt\n             \
        at /rustc/5980/library/core/src/panicking.rs:80:14\n   3: peer::scrub\n             at ./src/peer.rs:1:28\n";
    assert_eq!(key(backtrace), "error at peer::scrub (peer.rs:1:28)");
}

#[test]
fn a_cause_has_a_file_and_a_line_but_no_function() {
    let named = "TypeError: x is null\n    at Object.<anonymous> (/a/lib/scrub.js:67:45)\n";
    let unnamed = "TypeError: x is undefined\n    at /b/lib/scrub.js:67:45\n";
    for stderr in [named, unnamed] {
        assert_eq!(read(stderr).unwrap().cause(), "TypeError: x is … at scrub.js:67:45");
    }
}

#[test]
fn an_error_of_the_connection_is_one_cause_at_any_place() {
    let python = "Traceback (most recent call last):\n  File \"/b.py\", line 5, in f\n    s.send(x)\nBrokenPipeError: [Errno 32] Broken pipe\n";
    let ruby = "/srv/d.rb:1:in `write': Broken pipe (Errno::EPIPE)\n";
    let java =
        "Exception in thread \"main\" java.net.SocketException: Connection reset\n\tat a.B.f(B.java:7)\n";
    let go = "panic: read tcp 127.0.0.1:1: read: connection reset by peer\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/srv/main.go:5 +0x2\n";
    for stderr in [python, ruby, java, go, "Error: read ECONNRESET\n    at f (/b.js:1:47)\n"] {
        assert_eq!(read(stderr).unwrap().cause(), "an error of the connection", "{stderr}");
    }
}

#[test]
fn a_recursion_has_one_name_wherever_it_overflows() {
    let of = |frames: &[&str]| {
        let frames: String = frames.iter().map(|at| format!("    at {at}\n")).collect();
        let trace = read(&format!("RangeError: Maximum call stack size exceeded\n{frames}")).unwrap();
        (trace.cause(), trace.key())
    };
    let (walk, each, copy) = ("walk (/t.js:9:1)", "/t.js:20:3", "copy (/t.js:1:1)");
    let expected = ("a stack overflow at t.js:20:3".to_owned(), "a stack overflow".to_owned());
    assert_eq!(of(&[walk, each, walk, each]), expected);
    assert_eq!(of(&[copy, each, "Array.forEach (<anonymous>)", walk, each, walk]), expected);
    // The suite folds lines that repeat.
    let folded = fold(
        &[format!("RangeError: Maximum call stack size exceeded\n    at {copy}")]
            .into_iter()
            .chain((0..9).flat_map(|_| [format!("    at {walk}"), format!("    at {each}")]))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert!(folded.contains("… the last 2 lines repeat"), "{folded}");
    assert_eq!(read(&folded).unwrap().cause(), expected.0);
    // Without a recursion, the innermost frame counts.
    assert_eq!(of(&["apply (/p.js:7:1)", "handle (/p.js:3:1)"]).0, "a stack overflow at p.js:7:1");
    let memory = "FATAL ERROR: invalid array length Allocation failed\n    at f (/b.js:1:47)\n";
    assert_eq!(read(memory).unwrap().cause(), "out of memory");
}

#[test]
fn folding_keeps_the_distance_between_an_error_and_its_frames() {
    for lines in 1..30 {
        let stderr = format!("RangeError: no\n{}the code\n    at f (/b.js:1:47)\n", "x\n".repeat(lines));
        assert_eq!(read(&fold(&stderr)), read(&stderr), "{lines}");
    }
}

#[test]
fn folded_lines_of_a_hostile_peer_do_not_grow() {
    let text = "x\n".to_owned()
        + &"… the last 12 lines repeat 9 more times\n… the last line repeats 3 more times\n".repeat(50);
    let unfolded = fold::unfold(text.lines());
    assert!(unfolded.len() < text.lines().count() * 2 * languages::MESSAGE, "{}", unfolded.len());
    assert_eq!(
        fold::unfold("… the last 3 lines repeat 2 more times".lines()),
        ["… the last 3 lines repeat 2 more times"]
    );
}

#[test]
fn no_trace_at_all() {
    for stderr in ["", " \n", "listening on 5050\nSegmentation fault (core dumped)\n"] {
        assert_eq!(read(stderr), None, "{stderr}");
    }
    assert_eq!(read("ready\nValueError: bad 'q' 12\n").unwrap().key(), "ValueError: bad …");
    assert_eq!(
        last_line("a\npeer: /x/y.c:12: f: Assertion `x > 1' failed.\n\n").unwrap(),
        "peer: y.c:…: f: Assertion … failed."
    );
    assert_eq!(last_line("\n"), None);
    // Node could not write its trace after the text that it parsed.
    assert_eq!(last_line(&format!("<anonymous_script>:1\n{{\"method\":\"{}", "a".repeat(2000))), None);
}

#[test]
fn long_and_odd_text_is_read_quickly() {
    let frames = "    at f (/b.js:1:47)\n".repeat(20_000);
    assert_eq!(key(&format!("Error: x\n{frames}")), "Error at f (b.js:1:47)");
    assert_eq!(
        read(&"Traceback\n at : (\n\tat\nfrom \n".repeat(5_000)).map(|trace| trace.error.len() < 300),
        None
    );
    assert_eq!(fold("a\n\n\n\n\nb"), "a\n\n\n\n\nb");
    assert!(fold(&frames).ends_with("… the last line repeats 19999 more times"));
}
