//! The command line: `dnode-conform`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dnode_conform::cli::main()
}
