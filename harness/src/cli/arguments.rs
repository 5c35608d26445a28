//! Command lines that repeat a case.

use crate::program::{Listen, START, Target, Template};
use crate::shell::quote;
use crate::verdict::Command;
use dnode::transport::{Address, Trust};
use dnode_spec::dialect::Dialect;
use humantime::format_duration;
use std::path::Path;
use std::time::Duration;

/// The name by which the user called the program, quoted for a shell.
pub(super) fn program() -> String {
    quote(&std::env::args().next().unwrap_or_else(|| "dnode-conform".to_owned()))
}

/// The command that repeats a case on this target.
pub(super) fn command(target: &Target, ping: Option<&str>, dialect: Dialect) -> Command {
    let ping = ping.map(|ping| format!("--ping {}", quote(ping)));
    let dialect = (dialect != Dialect::default()).then(|| format!("--dialect {dialect}"));
    let arguments = join([of_target(target), ping.unwrap_or_default(), dialect.unwrap_or_default()]);
    Command { program: program(), arguments }
}

/// The arguments that name this target.
fn of_target(target: &Target) -> String {
    match target {
        Target::Reference(_) => String::new(),
        Target::Address(address, time) => join([of_address(address), of_start(*time)]),
        Target::Exec(command, at, time) => {
            let at = (*at != Template::tcp())
                .then(|| join([format!("--at {}", quote(at.text())), of_trust(at.trust())]));
            let time = Some(*time).filter(|time| *time != START);
            join([format!("--exec {}", quote(command)), at.unwrap_or_default(), of_start(time)])
        }
        Target::Client(host) => of_listen(host.listen()),
    }
}

fn of_address(address: &Address) -> String {
    let trust = address.trust().map(of_trust);
    join([quote(&address.to_string()), trust.unwrap_or_default()])
}

/// The argument that says how long the peer may take to listen.
fn of_start(time: Option<Duration>) -> String {
    let format =
        |time| format!("--start-timeout {}", quote(&format_duration(time).to_string().replace(' ', "")));
    time.map(format).unwrap_or_default()
}

/// The arguments that name the address at which a client connects.
pub(super) fn of_listen(listen: &Listen) -> String {
    let file = |path: &Path| quote(&path.to_string_lossy());
    let identity = listen.identity.as_ref();
    let identity =
        identity.map(|it| format!("--tls-cert {} --tls-key {}", file(&it.certificate), file(&it.key)));
    let exec = listen.exec.as_ref().map(|command| format!("--exec {}", quote(command)));
    join([format!("--listen {}", quote(&listen.at)), identity.unwrap_or_default(), exec.unwrap_or_default()])
}

/// The arguments that choose the accepted certificates.
pub(super) fn of_trust(trust: &Trust) -> String {
    match trust {
        Trust::System => String::new(),
        Trust::Authority(file) => format!("--tls-ca {}", quote(&file.to_string_lossy())),
        Trust::Anything => "--tls-insecure".to_owned(),
    }
}

/// Joins the words that are not empty with spaces.
fn join<const N: usize>(words: [String; N]) -> String {
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_the_target() {
        let target = Target::parse("tcp://localhost:5050").unwrap();
        assert_eq!(of_target(&target), "tcp://localhost:5050");
        let insecure = Address::parse("tls://localhost:1", &Trust::Anything).unwrap();
        assert_eq!(of_target(&Target::Address(insecure, None)), "tls://localhost:1 --tls-insecure");
        let at = Template::parse("tls://localhost:{port}", &Trust::Anything).unwrap();
        assert_eq!(
            of_target(&Target::Exec("node x.js {port}".to_owned(), at, START)),
            "--exec 'node x.js {port}' --at 'tls://localhost:{port}' --tls-insecure"
        );
        assert_eq!(of_target(&Target::exec("perl x.pl")), "--exec 'perl x.pl'");
        let slow = Target::Exec("perl x.pl".to_owned(), Template::tcp(), Duration::from_secs(90));
        assert_eq!(of_target(&slow), "--exec 'perl x.pl' --start-timeout 1m30s");
    }
}
