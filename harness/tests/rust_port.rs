//! How a port in Rust holds itself against the suite in its own `cargo test`: copy this file, and put your server in the place of `your_server`.
//!
//! The dependencies that it needs are `dnode-conform`, `dnode-reports`, `insta`, and `tokio` with `net` and `rt-multi-thread`. The canonical report
//! is the snapshot: `cargo insta review` shows what a change does to the port's behaviour.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use dnode_conform::cases::{Selection, catalogue};
use dnode_conform::program::Target;
use dnode_conform::reference;
use dnode_conform::run::{Options, run};
use dnode_reports::format::Format;
use dnode_spec::dialect::Dialect;
use tokio::net::TcpListener;

/// Here stands your server. It exposes the probe (`fixtures/PROBE.md`), or `Options::ping` names a call that it answers.
async fn your_server(listener: TcpListener) {
    reference::serve(listener, reference::plain()).await.unwrap();
}

/// The canonical report of the port on the cases that these patterns select, `callback/*` for example; on all, where there is none.
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
