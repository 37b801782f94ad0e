//! Measures a Congvu of its own and prints the README's figures. Nothing is asserted: figures are read by people.
//!
//! The load is the same that any mail server understands; `--smtp HOST:PORT` measures another server's acceptance beside ours.
#![allow(clippy::print_stdout, reason = "a program that prints figures")]

mod imap;
mod server;
mod smtp;

use clap::Parser;
use server::Server;
use std::{path::PathBuf, time::Instant};

/// What goes wrong is told and ends the measurement.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
struct Options {
    /// The program to measure.
    #[arg(long)]
    program: PathBuf,
    /// Only the measurements whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Messages in the large mailbox.
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// Where the data lie; a temporary directory when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Measures how another server accepts mail for user1@bench.test …, `HOST:PORT`, and nothing else.
    #[arg(long)]
    smtp: Option<String>,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    if let Some(other) = &options.smtp {
        for (size, count) in [(4 * 1024, 3_000), (100 * 1024, 500)] {
            let load = smtp::Load { address: other, lmtp: false, sessions: 10, count, size, everyone: true };
            report_load("accepted", &load, smtp::run(&load)?, None);
        }
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let data = options.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let wanted = |name: &str| name.contains(options.only.as_str());
    let mut server = Server::start(&options.program, &data)?;
    if wanted("smtp") {
        smtp_figures(&server)?;
    }
    if wanted("idle") {
        imap::idle(&server, 1_000, false)?;
        imap::idle(&server, 1_000, true)?;
    }
    if wanted("imap") || wanted("watchers") || wanted("start") {
        let filled = Instant::now();
        let address = server.at("lmtp");
        let load = smtp::Load {
            address: &address,
            lmtp: true,
            sessions: 10,
            count: options.messages,
            size: 4 * 1024,
            everyone: false,
        };
        smtp::run(&load)?;
        println!(
            "filled one mailbox with {} messages in {:.1} s",
            options.messages,
            filled.elapsed().as_secs_f64()
        );
    }
    if wanted("imap") {
        imap::large_mailbox(&server, options.messages)?;
    }
    if wanted("watchers") {
        imap::watchers(&server, 200)?;
    }
    if wanted("start") {
        let began = Instant::now();
        server.restart()?;
        println!("start with {} messages: {:.2} s", options.messages, began.elapsed().as_secs_f64());
    }
    Ok(())
}

fn smtp_figures(server: &Server) -> Outcome<()> {
    for (service, size, count) in [
        ("smtp", 4 * 1024, 15_000),
        ("lmtp", 4 * 1024, 15_000),
        ("smtp", 100 * 1024, 2_000),
        ("lmtp", 100 * 1024, 2_000),
    ] {
        let address = server.at(service);
        let load = smtp::Load {
            address: &address,
            lmtp: service == "lmtp",
            sessions: 10,
            count,
            size,
            everyone: true,
        };
        let before = server.cpu_seconds()?;
        let times = smtp::run(&load)?;
        report_load(service, &load, times, Some(server.cpu_seconds()? - before));
    }
    Ok(())
}

/// Prints a load's figures: its duration and the times of single messages, in seconds.
fn report_load(name: &str, load: &smtp::Load<'_>, (seconds, mut times): (f64, Vec<f64>), cpu: Option<f64>) {
    times.sort_by(f64::total_cmp);
    let rate = times.len() as f64 / seconds;
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default() * 1000.0;
    let cpu = cpu.map_or_else(String::new, |c| {
        format!(", {:.2} ms of CPU a message", c * 1000.0 / times.len() as f64)
    });
    println!(
        "{name}, {} KB, {} sessions: {rate:.0} a second, p99 {p99:.1} ms{cpu}",
        load.size / 1024,
        load.sessions
    );
}
