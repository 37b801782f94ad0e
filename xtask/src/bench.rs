//! Measures and prints the README's figures. Nothing is asserted: figures are read by people.

use crate::{
    needs,
    steps::{Outcome, cargo, command, root, search_path, step},
};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Measures Postfix and Dovecot beside Congvu (as root; installs them).
    #[arg(long)]
    peers: bool,
    /// Only the measurements whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

pub(crate) fn run(options: &Options) -> Outcome {
    needs::build_webapp()?;
    step("build congvu", &mut cargo(&["build", "--release", "--package", "congvu"]))?;
    let mut python = command("python3", &["bench/bench.py", "--only", &options.only]);
    if options.peers {
        python.arg("--peers");
    }
    python
        .env("CONGVU", root().join("target/release/congvu"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PATH", search_path());
    step("bench", &mut python)
}
