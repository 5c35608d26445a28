//! How a peer is reached: the options that go with an address or a command.

use crate::target::Target;
use crate::transport::tls::Trust;
use crate::transport::{Address, Template};
use clap::Args;
use std::path::PathBuf;

/// By which transport, and whom to believe.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReachArgs {
    /// Where the program of --exec listens, if not at 127.0.0.1:{port}: unix:{socket}, tls://127.0.0.1:{port} or
    /// ws://127.0.0.1:{port}/PATH; {socket} and the environment variable SOCKET hold the path of its socket
    #[arg(long, value_name = "ADDR", requires = "exec")]
    at: Option<String>,
    /// Over TLS, believe the certificates of the authorities in this PEM file instead of those that this system trusts
    #[arg(long, value_name = "FILE", conflicts_with = "tls_insecure")]
    tls_ca: Option<PathBuf>,
    /// Over TLS, believe any certificate: for tests
    #[arg(long)]
    tls_insecure: bool,
}

impl ReachArgs {
    fn trust(&self) -> Trust {
        match &self.tls_ca {
            Some(file) => Trust::Authority(file.clone()),
            None if self.tls_insecure => Trust::Anything,
            None => Trust::System,
        }
    }

    /// The target that the arguments name.
    pub(super) fn target(&self, address: Option<&str>, exec: Option<&str>) -> Result<Target, String> {
        let trust = self.trust();
        match (address, exec, &self.at) {
            (_, Some(command), _) if command.trim().is_empty() => {
                Err("caller: --exec needs a command".to_owned())
            }
            (_, Some(command), Some(at)) => {
                Ok(Target::ExecAt(command.to_owned(), Template::parse(at, &trust)?))
            }
            (Some(address), None, _) => Address::parse(address, &trust).map(Target::Address),
            (_, _, None) if trust != Trust::System => Err(format!(
                "caller: {} needs a peer that is reached over TLS: tls://HOST:PORT, or --exec with --at 'tls://127.0.0.1:{{port}}'",
                trust.arguments()
            )),
            (_, Some(command), None) => Ok(Target::Exec(command.to_owned())),
            (None, None, _) => Ok(Target::Reference),
        }
    }
}
