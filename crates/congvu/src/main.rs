//! Congvu: official email for public agencies. The command line, the configuration and the wiring.

mod anchors;
mod cli;
mod commands;
mod config;
mod demo;
mod dkim_keys;
mod indexing;
mod logs;
mod output;
mod serve;
mod site;
mod workers;

use clap::Parser;
use cli::{Cli, Command};
use output::Failure;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let noisy = matches!(cli.command, Command::Serve | Command::Demo(_));
    logs::start(if noisy { "info" } else { "warn" });
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            eprintln!("congvu: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure(format!("the runtime does not start: {e}")))?;
    let outcome = runtime.block_on(commands::run(cli));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}
