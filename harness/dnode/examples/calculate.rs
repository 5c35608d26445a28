//! Calls in both directions: the server's `calculate` cannot divide, so it calls `div` of the
//! client's object before it answers.
//!
//! ```sh
//! cargo run --example calculate
//! ```

use dnode::{Error, Object, Peer, Remote, Value, args};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("100 / 8 + 1 = {}", calculate(100.0, 8.0).await?);
    Ok(())
}

/// The object of the server. `calculate(a, b, callback)` answers a / b + 1.
fn server(client: &Remote) -> Object {
    let client = client.clone();
    Object::new().method("calculate", move |args| {
        let client = client.clone();
        // It waits for the client, so it needs a task of its own.
        tokio::spawn(async move {
            if let Err(error) = divide_and_add(&client, &args).await {
                eprintln!("calculate failed: {error}");
            }
        });
    })
}

async fn divide_and_add(client: &Remote, args: &Value) -> Result<(), Error> {
    let quotient = client.ask("div", args![args.at(0), args.at(1)]).await?;
    let quotient = quotient.at(0).as_f64().ok_or("the answer of div is not a number")?;
    args.at(2).call(args![quotient + 1.0])
}

/// The object of the client. `div(a, b, callback)` answers a / b.
fn client(_server: &Remote) -> Object {
    Object::new().method("div", |args| {
        let number = |index| args.at(index).as_f64().ok_or("div takes two numbers and a callback");
        args.at(2).call(args![number(0)? / number(1)?])
    })
}

/// Starts a server on a free port, and lets a client calculate a / b + 1 there.
pub async fn calculate(a: f64, b: f64) -> Result<f64, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string().parse()?;
    let serving = tokio::spawn(async move { Peer::new(server).serve(listener).await });

    let connection = Peer::new(client).connect(&address).await?;
    let answer = connection.ask("calculate", args![a, b]).await?;
    connection.close().await?;
    serving.abort();
    Ok(answer.at(0).as_f64().ok_or("the answer of calculate is not a number")?)
}
