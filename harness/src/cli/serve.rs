//! `dnode-conform serve`

use super::failure::Failure;
use super::output;
use super::reach::IdentityArgs;
use crate::nearest::did_you_mean;
use crate::reference::fault::{self, Fault};
use crate::reference::variant::{self, Variant};
use crate::reference::{self, MakeConduct, Manner};
use clap::Args;
use dnode::transport::Trust;
use dnode::transport::{Address, Listener};
use dnode_spec::dialect::Dialect;
use std::fmt::Write as _;
use std::sync::Arc;

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Listen at this address, and print it
    ///
    /// Forms: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH. Port 0 chooses a free
    /// port. With stdio:, it serves one connection on its standard input and output.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5050")]
    listen: String,
    /// Be a client: connect to this address again and again, until it refuses
    ///
    /// Forms: HOST:PORT, unix:PATH, tls://HOST:PORT (any certificate is accepted) or
    /// ws://HOST:PORT/PATH.
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["listen", "tls_cert", "tls_key"])]
    connect: Option<String>,
    /// With --connect, exit after the first connection
    #[arg(long, requires = "connect")]
    once: bool,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Serve with this fault; --list-faults lists them
    #[arg(long, value_name = "NAME", value_parser = known_fault)]
    fault: Option<&'static str>,
    /// Serve this legal variant, also with a fault; can be repeated; --list-variants lists them
    #[arg(long, value_name = "NAME", value_parser = known_variant)]
    variant: Vec<&'static str>,
    /// The dialect to speak, that of dnode-protocol 0.1 or 0.2
    #[arg(long, value_name = "VERSION", default_value_t)]
    dialect: Dialect,
    /// List the faults: name, clause, level, whether a legal session shows it, description
    #[arg(long)]
    list_faults: bool,
    /// List the variants: name, description
    #[arg(long)]
    list_variants: bool,
}

fn known_fault(name: &str) -> Result<&'static str, String> {
    fault::find(name)
        .map(|fault| fault.name)
        .ok_or_else(|| unknown(name, "fault", fault::all().map(|fault| fault.name)))
}

fn known_variant(name: &str) -> Result<&'static str, String> {
    let known = variant::find(name).map(|variant| variant.name);
    known.ok_or_else(|| unknown(name, "variant", variant::VARIANTS.iter().map(|variant| variant.name)))
}

/// The error for a name that does not exist. `what`: what it should name.
fn unknown<'a>(name: &str, what: &str, names: impl Iterator<Item = &'a str>) -> String {
    format!(
        "there is no such {what}{}; --list-{what}s lists them",
        did_you_mean(name, names).replace('?', "")
    )
}

/// The behaviour that the arguments choose. A fault uses the dialect of the clause that it breaks.
fn manner(args: &ServeArgs) -> Manner {
    let fault = args.fault.and_then(fault::find);
    let variants: Vec<_> = args.variant.iter().filter_map(|name| variant::find(name)).collect();
    let dialect = fault.and_then(Fault::dialect).unwrap_or(args.dialect);
    if fault.is_none() && variants.is_empty() {
        return reference::plain().speaking(dialect);
    }
    let make: MakeConduct = Arc::new(move |number| variant::combined(fault, &variants, number));
    Manner::from(make).speaking(dialect)
}

/// The lists that the arguments ask for.
fn list(args: &ServeArgs) -> String {
    let mut out = String::new();
    if args.list_faults {
        for Fault { name, clause, legal, about, .. } in fault::all() {
            let legal = if *legal { "legal" } else { "hostile" };
            let _ = writeln!(
                out,
                "{name:28} {clause:26} {:8} {legal:8} {about}",
                crate::cases::level(clause).word()
            );
        }
    }
    if args.list_variants {
        for Variant { name, about, .. } in variant::VARIANTS {
            let _ = writeln!(out, "{name:28} {about}");
        }
    }
    out
}

/// Serves the reference peer until a signal ends the program.
pub(super) async fn serve(args: &ServeArgs) -> Result<u8, Failure> {
    if args.list_faults || args.list_variants {
        return output::print("the list", list(args)).map(|()| 0);
    }
    if let Some(address) = &args.connect {
        let trust = if address.starts_with("tls://") { Trust::Anything } else { Trust::System };
        let address = Address::parse(address, &trust)?;
        let served = reference::connect(&address, manner(args), args.once).await;
        return served
            .map(|()| 0)
            .map_err(|error| Failure::peer(format!("nothing accepts connections at {address}: {error}")));
    }
    if args.listen == "stdio:" {
        let stream = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
        return match reference::speak(stream, manner(args)).await {
            Ok(()) => Ok(0),
            Err(error) => Err(Failure::peer(format!("the connection failed: {error}"))),
        };
    }
    let listener =
        Listener::bind(&Address::parse_to_listen(&args.listen)?, args.identity.identity().as_ref()).await?;
    let address = listener.address().map_err(Failure::harness)?;
    output::say(format_args!("listening at {address}"))?;
    reference::serve(listener, manner(args)).await.map_err(Failure::harness)?;
    Ok(0)
}
