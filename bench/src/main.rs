//! Measures a Congvu of its own and prints the README's figures. Nothing is asserted: figures are read by people.
//!
//! The load is what any mail server understands: `--peer-smtp`, `--peer-lmtp` and `--peer-imap` put the same on another server.
#![allow(clippy::print_stdout, reason = "a program that prints figures")]

mod approval;
mod imap;
mod peer;
mod search;
mod server;
mod smtp;
mod watchers;

use clap::Parser;
use server::Server;
use std::path::PathBuf;

/// What goes wrong is told and ends the measurement.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
struct Options {
    /// The program to measure; not needed for a peer.
    #[arg(long, default_value = "congvu")]
    program: PathBuf,
    /// Only the measurements whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Messages in the large mailbox.
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// The database, such as an empty one of a PostgreSQL; SQLite beside the data when absent.
    #[arg(long)]
    database: Option<String>,
    /// Where the data lie; a temporary directory when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    peer: peer::Addresses,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    if options.peer.any() {
        return options.peer.measure(options.messages);
    }
    let temporary = tempfile::tempdir()?;
    let data = options.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let wanted = |name: &str| name.contains(options.only.as_str());
    if wanted("search") {
        search::measure(options.messages, &data.join("search"), options.database.as_deref())?;
        if options.only == "search" {
            return Ok(());
        }
    }
    let mut server = Server::start(&options.program, &data, options.database.as_deref())?;
    if wanted("smtp") {
        smtp_figures(&server)?;
    }
    for tls in [false, true] {
        if wanted("idle") {
            // A fresh process each time: memory that an earlier load left behind would hide the cost.
            server.restart()?;
            imap::idle(&server, 1_000, tls)?;
        }
    }
    if wanted("approval") {
        approval::measure(&options.program)?;
    }
    if ["imap", "watchers", "start"].into_iter().any(wanted) {
        fill(&server.at("lmtp"), options.messages)?;
    }
    if wanted("imap") {
        imap::large_mailbox(&server.at("imap"), options.messages)?;
    }
    if wanted("watchers") {
        watchers::measure(&server, 200)?;
    }
    if wanted("start") {
        let took = server.restart()?;
        println!("start with {} messages: {:.0} ms", options.messages, took.as_secs_f64() * 1000.0);
    }
    Ok(())
}

/// Gives user1 very many messages.
fn fill(lmtp: &str, messages: usize) -> Outcome<()> {
    let load = smtp::Load {
        address: lmtp,
        lmtp: true,
        sessions: 10,
        count: messages,
        size: 4 * 1024,
        everyone: false,
    };
    let (seconds, _) = smtp::run(&load)?;
    println!("filled one mailbox with {messages} messages in {seconds:.1} s");
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
pub(crate) fn report_load(
    name: &str,
    load: &smtp::Load<'_>,
    (seconds, mut times): (f64, Vec<f64>),
    cpu: Option<f64>,
) {
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
