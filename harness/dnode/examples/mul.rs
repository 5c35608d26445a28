//! The classic example of dnode: a server multiplies two numbers, and answers by calling the
//! client's callback.
//!
//! ```sh
//! cargo run --example mul
//! ```

use dnode::{Object, Peer, Remote, args};
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("6 * 7 = {}", multiply(6.0, 7.0).await?);
    Ok(())
}

/// The object of the server.
fn server(_client: &Remote) -> Object {
    Object::new().method("mul", |args| {
        let factor = |index| args.at(index).as_f64().ok_or("mul takes two numbers and a callback");
        args.at(2).call(args![factor(0)? * factor(1)?])
    })
}

/// Starts a server on a free port, and lets a client multiply two numbers there.
pub async fn multiply(a: f64, b: f64) -> Result<f64, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string().parse()?;
    let serving = tokio::spawn(async move { Peer::new(server).serve(listener).await });

    let connection = Peer::default().connect(&address).await?;
    let answer = connection.ask("mul", args![a, b]).await?;
    connection.close().await?;
    serving.abort();
    Ok(answer.at(0).as_f64().ok_or("the answer of mul is not a number")?)
}
