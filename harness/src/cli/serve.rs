//! `dnode-conform serve`

use clap::Args;
use tokio::net::TcpListener;

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where to listen: HOST:PORT; port 0 takes a free one, which is printed
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5050")]
    listen: String,
}

/// Serves the reference peer until it is ended.
pub(super) async fn serve(args: &ServeArgs) -> Result<u8, String> {
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|error| format!("caller: cannot listen at {}: {error}", args.listen))?;
    let address = listener.local_addr().map_err(|error| format!("harness: {error}"))?;
    println!("listening at {address}");
    crate::serve::serve(listener).await.map_err(|error| format!("harness: {error}"))?;
    Ok(0)
}
