//! The project's own commands: `cargo xtask demo|test|bench|fuzz|lint|tidy`.
#![allow(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

mod bench;
mod demo;
mod fuzz;
mod lint;
mod needs;
mod postgres;
mod steps;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Builds, runs, checks and measures Congvu")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds Congvu and starts the sample agency; further arguments go to `congvu demo`.
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Installs what is needed and runs every check and test.
    Test(test::Options),
    /// Measures and prints the figures of the README; nothing is asserted.
    Bench(bench::Options),
    /// Fuzzes what reads bytes from outside.
    Fuzz(fuzz::Options),
    /// Formatting, clippy, documentation, front end: without tests.
    Lint,
    /// The house rules: arrows between crates, sizes, citations, no machine's paths.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Lint => lint::run(),
        Command::Tidy => tidy::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
