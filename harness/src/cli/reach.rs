//! How a peer is reached: the options that go with an address or a command.

use super::arguments;
use super::failure::Failure;
use crate::program::Target;
use crate::program::Template;
use crate::program::{Host, Listen};
use clap::Args;
use dnode::transport::Trust;
use dnode::transport::{Address, Identity};
use dnode_spec::dialect::Dialect;
use std::path::PathBuf;

/// By which transport, and whom to believe.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReachArgs {
    /// Where the program of --exec listens, if not at 127.0.0.1:{port}: unix:{socket}, tls://127.0.0.1:{port} or
    /// ws://127.0.0.1:{port}/PATH; {socket} and the environment variable SOCKET hold the path of its socket
    #[arg(long, value_name = "ADDR", requires = "exec")]
    at: Option<String>,
    /// The peer is a client: listen here, HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH, and wait for it; port 0
    /// takes a free one, and unix:{socket} a free path. It connects again after each connection; or --exec starts it, with {host} and {port}, or
    /// {socket}, and HOST, PORT and SOCKET in its environment, again after each end
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["at", "tls_ca", "tls_insecure"])]
    listen: Option<String>,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Over TLS, believe the certificates of the authorities in this PEM file instead of those that this system trusts
    #[arg(long, value_name = "FILE", conflicts_with = "tls_insecure")]
    tls_ca: Option<PathBuf>,
    /// Over TLS, believe any certificate: for tests
    #[arg(long)]
    tls_insecure: bool,
}

/// What we show over TLS.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct IdentityArgs {
    /// With --listen over TLS, the certificate to show, in PEM, with those that lead from it to an authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl IdentityArgs {
    /// The identity that the arguments name.
    pub(super) fn identity(&self) -> Option<Identity> {
        let pair = self.tls_cert.clone().zip(self.tls_key.clone());
        pair.map(|(certificate, key)| Identity { certificate, key })
    }
}

impl ReachArgs {
    /// Whether a client is to come to us.
    pub(super) fn listens(&self) -> bool {
        self.listen.is_some()
    }

    /// Where the client comes to, if one does. It is open when this returns.
    pub(super) async fn host(
        &self,
        address: Option<&str>,
        exec: Option<&str>,
    ) -> Result<Option<Host>, Failure> {
        let Some(listen) = &self.listen else { return Ok(None) };
        if address.is_some() {
            return Err(Failure::caller(
                "give a target or --listen, not both: with --listen the client comes to us",
            ));
        }
        check(exec)?;
        let listen =
            Listen { at: listen.clone(), identity: self.identity.identity(), exec: exec.map(str::to_owned) };
        Ok(Some(Host::open(&listen).await?))
    }

    fn trust(&self) -> Trust {
        match &self.tls_ca {
            Some(file) => Trust::Authority(file.clone()),
            None if self.tls_insecure => Trust::Anything,
            None => Trust::System,
        }
    }

    /// The target that the arguments name, where the peer is a server. `dialect`: what the reference peer speaks, where that is it.
    pub(super) fn target(
        &self,
        address: Option<&str>,
        exec: Option<&str>,
        dialect: Dialect,
    ) -> Result<Target, Failure> {
        if self.identity.identity().is_some() {
            return Err(Failure::caller("--tls-cert is for --listen: we show it to clients that come to us"));
        }
        check(exec)?;
        let trust = self.trust();
        match (address, exec, &self.at) {
            (_, Some(command), Some(at)) => {
                Ok(Target::Exec(command.to_owned(), Template::parse(at, &trust)?))
            }
            (Some(address), None, _) => Ok(Target::Address(Address::parse(address, &trust)?)),
            (_, _, None) if trust != Trust::System => Err(Failure::caller(format!(
                "{} needs a peer that is reached over TLS: tls://HOST:PORT, or --exec with --at 'tls://127.0.0.1:{{port}}'",
                arguments::of_trust(&trust)
            ))),
            (_, Some(command), None) => Ok(Target::exec(command)),
            (None, None, _) => Ok(Target::Reference(dialect)),
        }
    }
}

/// Whether the command says anything.
fn check(exec: Option<&str>) -> Result<(), Failure> {
    match exec.is_some_and(|command| command.trim().is_empty()) {
        true => Err(Failure::caller("--exec needs a command")),
        false => Ok(()),
    }
}
