//! Runs the suite in the `cargo test` of a port in Rust: copy this file, and replace `your_server`
//! by your server.
//!
//! It needs the dependencies `dnode-conform`, `dnode-reports`, `dnode-spec`, `insta`, `tempfile`,
//! and `tokio` with `net` and `rt-multi-thread`. The canonical report is the snapshot: `cargo insta
//! review` shows how a change affects the port.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use dnode_conform::cases::{Selection, catalogue};
use dnode_conform::program::Target;
use dnode_conform::reference;
use dnode_conform::run::{Options, run};
use dnode_reports::format::Format;
use dnode_spec::dialect::Dialect;
use tokio::net::TcpListener;

/// Your server. It exposes the probe (`fixtures/PROBE.md`), or `Options::ping` names a call that it
/// answers.
async fn your_server(listener: TcpListener) {
    reference::serve(listener, reference::plain()).await.unwrap();
}

/// The canonical report of the port for the cases that match these patterns, such as `callback/*`;
/// for all cases if there are no patterns.
async fn report(patterns: &[&str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(your_server(listener));
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let options = Options {
        selection: Selection::new(&patterns).unwrap(),
        ..Options::new(Target::parse(&address).unwrap())
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut report = Format::Json.report(file.reopen().unwrap(), dnode_reports::text::Options::default());
    run(&options, catalogue(Dialect::default()).unwrap(), &mut |event| report.event(&event).unwrap())
        .await
        .unwrap();
    server.abort();
    std::fs::read_to_string(file.path()).unwrap()
}

#[test]
fn the_port_behaves_as_its_snapshot_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(report(&["cull/*"]));
    insta::assert_snapshot!(report);
}
