//! How to reach a peer: the arguments beside an address or a command.

use super::arguments;
use super::failure::Failure;
use super::values::{limit, ping};
use crate::conversation::ping::Ping;
use crate::program::Template;
use crate::program::{Host, Listen};
use crate::program::{START, Target};
use crate::verdict::Command;
use clap::Args;
use dnode::transport::Trust;
use dnode::transport::{Address, Identity};
use dnode_spec::dialect::Dialect;
use std::path::PathBuf;
use std::time::Duration;

/// A peer that is a server, and a call that it answers.
#[derive(Debug, Clone, Args)]
pub(super) struct ServerArgs {
    /// The peer's address; without it and --exec, it is the reference peer
    ///
    /// Forms: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH.
    #[arg(value_name = "TARGET", conflicts_with = "exec")]
    target: Option<String>,
    /// Start the peer with this shell command
    ///
    /// It must listen on 127.0.0.1 at the port in {port} and in the environment variable PORT. Only
    /// a peer that we start can be restarted after a crash.
    #[arg(long, value_name = "CMD", help_heading = "Peer")]
    exec: Option<String>,
    #[command(flatten)]
    dial: DialArgs,
    /// A call that a peer without the probe answers, for example 'add[1,2,"$cb"]'
    ///
    /// The form is METHOD[ARGUMENTS] with "$cb" as the callback.
    #[arg(long, value_name = "EXPR", help_heading = "Peer")]
    ping: Option<String>,
}

impl ServerArgs {
    /// The target that the arguments name.
    pub(super) fn target(&self) -> Result<Target, Failure> {
        self.dial.target(self.target.as_deref(), self.exec.as_deref(), Dialect::default())
    }

    /// The call that the arguments name.
    pub(super) fn ping(&self) -> Result<Option<Ping>, Failure> {
        ping(self.ping.as_deref())
    }

    /// The command that repeats a case on this target.
    pub(super) fn command(&self, target: &Target) -> Command {
        arguments::command(target, self.ping.as_deref(), Dialect::default())
    }
}

/// How to reach a peer that is a server.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct DialArgs {
    /// Where the program of --exec listens, if not at 127.0.0.1:{port}
    ///
    /// Forms: unix:{socket}, tls://127.0.0.1:{port}, ws://127.0.0.1:{port}/PATH or stdio:. {socket}
    /// and the environment variable SOCKET hold the path of the socket. With stdio:, the program is
    /// started for each connection, which is its standard input and output.
    #[arg(long, value_name = "ADDR", requires = "exec", help_heading = "Peer")]
    at: Option<String>,
    /// How long the peer may take until it listens, for example 60s
    ///
    /// Without it, a program of --exec has 30s, and a peer at an address must listen already.
    #[arg(long, value_name = "DUR", value_parser = limit, help_heading = "Peer")]
    start_timeout: Option<Duration>,
    /// Over TLS, trust the authorities in this PEM file instead of those of the system
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "tls_insecure",
        help_heading = "TLS",
        hide_short_help = true
    )]
    tls_ca: Option<PathBuf>,
    /// Over TLS, accept any certificate (for tests)
    #[arg(long, help_heading = "TLS", hide_short_help = true)]
    tls_insecure: bool,
}

/// How to wait for a peer that is a client.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ListenArgs {
    /// The peer is a client: listen at this address, and wait for it
    ///
    /// Forms: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH. Port 0 chooses a free
    /// port, and unix:{socket} a free path. The client must reconnect after each connection. With
    /// --exec, we start it after each exit, with {host} and {port} or {socket} in the command, and
    /// with HOST, PORT and SOCKET in its environment.
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["at", "start_timeout", "tls_ca", "tls_insecure"], help_heading = "Peer")]
    listen: Option<String>,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// The certificate that we present over TLS.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct IdentityArgs {
    /// With --listen over TLS, our certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "TLS", hide_short_help = true)]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "TLS", hide_short_help = true)]
    tls_key: Option<PathBuf>,
}

impl IdentityArgs {
    /// The identity that the arguments name.
    pub(super) fn identity(&self) -> Option<Identity> {
        let pair = self.tls_cert.clone().zip(self.tls_key.clone());
        pair.map(|(certificate, key)| Identity { certificate, key })
    }
}

impl ListenArgs {
    /// Whether the peer is a client that connects to us.
    pub(super) fn listens(&self) -> bool {
        self.listen.is_some()
    }

    /// Opens the listener for a client, if `--listen` is given.
    pub(super) async fn host(
        &self,
        address: Option<&str>,
        exec: Option<&str>,
    ) -> Result<Option<Host>, Failure> {
        let identity = self.identity.identity();
        let Some(listen) = &self.listen else {
            return match identity {
                None => Ok(None),
                Some(_) => Err(Failure::caller(
                    "--tls-cert is for --listen: we present it to clients that connect to us",
                )),
            };
        };
        if address.is_some() {
            return Err(Failure::caller(
                "give a target or --listen, not both: with --listen the client connects to us",
            ));
        }
        check_command(exec)?;
        let listen = Listen { at: listen.clone(), identity, exec: exec.map(str::to_owned) };
        Ok(Some(Host::open(&listen).await?))
    }
}

impl DialArgs {
    fn trust(&self) -> Trust {
        match &self.tls_ca {
            Some(file) => Trust::Authority(file.clone()),
            None if self.tls_insecure => Trust::Anything,
            None => Trust::System,
        }
    }

    /// The target that the arguments name. `dialect` is for the reference peer.
    pub(super) fn target(
        &self,
        address: Option<&str>,
        exec: Option<&str>,
        dialect: Dialect,
    ) -> Result<Target, Failure> {
        check_command(exec)?;
        let trust = self.trust();
        let program =
            |command: &str, at| Ok(Target::Exec(command.to_owned(), at, self.start_timeout.unwrap_or(START)));
        match (address, exec, &self.at) {
            (_, Some(_), Some(at)) if at == "stdio:" && self.start_timeout.is_some() => Err(Failure::caller(
                "--start-timeout is for programs that listen; one that speaks over stdio: need not",
            )),
            (_, Some(command), Some(at)) => program(command, Template::parse(at, &trust)?),
            (Some(address), None, _) => {
                Ok(Target::Address(Address::parse(address, &trust)?, self.start_timeout))
            }
            (_, _, None) if trust != Trust::System => Err(Failure::caller(format!(
                "{} needs a peer that speaks TLS: tls://HOST:PORT, or --exec with --at 'tls://127.0.0.1:{{port}}'",
                arguments::of_trust(&trust)
            ))),
            (_, Some(command), None) => program(command, Template::tcp()),
            (None, None, _) => Ok(Target::Reference(dialect)),
        }
    }
}

/// Rejects an empty command.
fn check_command(exec: Option<&str>) -> Result<(), Failure> {
    match exec.is_some_and(|command| command.trim().is_empty()) {
        true => Err(Failure::caller("--exec needs a command")),
        false => Ok(()),
    }
}
