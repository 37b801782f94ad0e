//! Many people in IDLE on one account: when they are told of a delivery, and what it costs the server.

use crate::{Outcome, imap::Client, server::Server, smtp};
use std::time::{Duration, Instant};

const DELIVERIES: usize = 50;

/// Delivers into an empty account without watchers, into the large one without, and into the large one with.
pub(crate) fn measure(server: &Server, count: usize) -> Outcome<()> {
    let alone = cost(server, true)?;
    let large = cost(server, false)?;
    println!("a delivery costs {alone:.2} ms of CPU into small accounts, {large:.2} ms into the large one");
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let mut client = Client::open(&server.at("imap"), None, 1)?;
        client.idle()?;
        client.socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        held.push(client);
    }
    let mut times = Vec::with_capacity(DELIVERIES);
    let before = server.fine_cpu_seconds()?;
    for _ in 0..DELIVERIES {
        deliver(server, 1, false)?;
        let stored = Instant::now();
        for client in &mut held {
            while !client.line()?.contains("EXISTS") {}
        }
        times.push(stored.elapsed().as_secs_f64() * 1000.0);
    }
    let each = (server.fine_cpu_seconds()? - before) * 1000.0 / DELIVERIES as f64;
    times.sort_by(f64::total_cmp);
    println!(
        "{count} watchers of one account told after {:.1} ms, at worst {:.1} ms; {each:.2} ms of CPU a delivery with their notices",
        times[DELIVERIES / 2],
        times[DELIVERIES - 1]
    );
    Ok(())
}

/// CPU milliseconds of one delivery, each on a session of its own as with watchers.
fn cost(server: &Server, everyone: bool) -> Outcome<f64> {
    deliver(server, 1, everyone)?;
    let before = server.fine_cpu_seconds()?;
    for _ in 0..DELIVERIES {
        deliver(server, 1, everyone)?;
    }
    Ok((server.fine_cpu_seconds()? - before) * 1000.0 / DELIVERIES as f64)
}

fn deliver(server: &Server, count: usize, everyone: bool) -> Outcome<()> {
    let address = server.at("lmtp");
    let load = smtp::Load { address: &address, lmtp: true, sessions: 1, count, size: 4_096, everyone };
    smtp::run(&load).map(drop)
}
