//! Values arrive as they were sent.

use crate::examples::probe;
use crate::support::{connect, on_one_thread, raw};
use dnode::{Error, Fault, Peer, Value, args};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// A random value without functions, with sharing and cycles.
fn random_value(random: &mut fastrand::Rng, depth: u32) -> Value {
    match random.u32(..if depth == 0 { 5 } else { 8 }) {
        0 => Value::from(()),
        1 => Value::from(random.bool()),
        2 => Value::from(random.i64(..)),
        3 => Value::from(f64::from_bits(random.u64(..))),
        4 => Value::from((0..random.usize(..6)).map(|_| random.char(..)).collect::<String>()),
        5 => Value::array((0..random.usize(..4)).map(|_| random_value(random, depth - 1))),
        6 => Value::object((0..random.usize(..4)).map(|n| (n.to_string(), random_value(random, depth - 1)))),
        _ => {
            let part = random_value(random, depth - 1);
            let whole = Value::object([("a", part.clone()), ("b", Value::array([part.clone(), part]))]);
            let (from, to) = *random
                .choice([(&[][..], "c"), (&["a"], "b"), (&["b", "0"], "d"), (&["b"], "a")].as_slice())
                .unwrap();
            whole.linked(from, &[to]).unwrap()
        }
    }
}

#[test]
fn random_values_are_echoed_unchanged() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        for seed in 0..500 {
            let value = random_value(&mut fastrand::Rng::with_seed(seed), 5);
            assert_eq!(connection.ask("echo", [value.clone()]).await.unwrap().at(0), value, "seed {seed}");
        }
    });
}

#[test]
fn a_value_may_be_deeper_than_any_stack() {
    on_one_thread(async {
        let text = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        let (raw, _task) = raw(&Peer::new(probe::probe), 4096);
        let call = format!("{{\"method\":\"echo\",\"arguments\":[{text}],\"callbacks\":{{\"0\":[1]}}}}\n");
        let (read, mut write) = tokio::io::split(raw);
        let mut lines = BufReader::new(read).lines();
        let sending = async { write.write_all(call.as_bytes()).await.unwrap() };
        let receiving = async {
            lines.next_line().await.unwrap();
            lines.next_line().await.unwrap().unwrap()
        };
        let ((), answer) = tokio::join!(sending, receiving);
        assert_eq!(
            answer,
            format!("{{\"method\":0,\"arguments\":[{text}],\"callbacks\":{{}},\"links\":[]}}")
        );
    });
}

#[test]
fn parts_are_read_by_type() {
    let json = serde_json::json!({"text": "é😀", "list": [1, -2.5, 1e300, null, true], "big": 12345678901234567890_u64});
    let value = Value::from(json);
    assert_eq!(value.get("text").as_str(), Some("é😀"));
    let list = value.get("list");
    assert_eq!((list.at(0).as_i64(), list.at(1).as_i64()), (Some(1), None));
    assert_eq!((list.at(1).as_f64(), list.at(2).as_f64()), (Some(-2.5), Some(1e300)));
    assert!(list.at(3).is_null() && !list.at(3).is_missing());
    assert_eq!(list.at(4).as_bool(), Some(true));
    assert_eq!(list.items().count(), 5);
    assert_eq!(value.get("big").as_number_str(), Some("12345678901234567890"));
    assert!(value.get("list").get("no").at(0).is_missing());
    let names: Vec<String> = value.members().map(|(name, _)| name).collect();
    assert_eq!(names, ["text", "list", "big"]);
}

#[test]
fn a_path_that_leads_nowhere_is_an_error() {
    let value = Value::array(args![1, 2]);
    for (from, to) in [(&["5"][..], &["0"][..]), (&["0"], &[]), (&["0"], &["1", "x"])] {
        let error = value.linked(from, to).unwrap_err();
        assert!(matches!(error, Error::BadPath(_)), "{error}");
        assert_eq!(error.fault(), Fault::Caller);
    }
    insta::assert_snapshot!(value.linked(&["5"], &["0"]).unwrap_err(), @r#"[1,2] has no value at the path ["5"]"#);
    insta::assert_snapshot!(value.linked(&["0"], &["1", "x"]).unwrap_err(), @r#"[1,2] cannot take a value at the path ["1", "x"]"#);
}
