//! `dnode-conform completions SHELL`

use super::failure::Failure;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a completion script.
pub(super) fn completions(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut super::Cli::command(), "dnode-conform", &mut script);
    super::print("the script", script)?;
    Ok(0)
}
