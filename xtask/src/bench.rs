//! Measures and prints the README's figures (`bench/`). Nothing is asserted: figures are read by people.

use crate::{
    needs,
    steps::{Outcome, cargo, command, root, step},
};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Only the measurements whose name contains this: smtp, idle, imap, watchers, start.
    #[arg(long, default_value = "")]
    only: String,
    /// Messages in the large mailbox.
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
}

pub(crate) fn run(options: &Options) -> Outcome {
    needs::build_webapp()?;
    let packages = ["--package", "congvu", "--package", "congvu-bench"];
    step("build congvu", cargo(&["build", "--release"]).args(packages))?;
    let programs = root().join("target/release");
    let bench = programs.join("congvu-bench");
    let bench = bench.to_str().ok_or("the checkout's path is not UTF-8")?;
    let mut measure = command(bench, &["--only", &options.only, "--messages", &options.messages.to_string()]);
    step("bench", measure.arg("--program").arg(programs.join("congvu")))
}
