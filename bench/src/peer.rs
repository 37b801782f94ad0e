//! Another mail server under the same load, for figures side by side.
//!
//! The peer has the accounts user1@bench.test … user100@bench.test with this crate's password.

use crate::{Outcome, fill, imap, report_load, server::PEOPLE, smtp};
use clap::Args;
use std::{
    thread,
    time::{Duration, Instant},
};

#[derive(Args)]
pub(crate) struct Addresses {
    /// Measures how another server takes mail, `HOST:PORT`, and until when it is delivered, if `--peer-imap` is given.
    #[arg(long)]
    peer_smtp: Option<String>,
    /// The same for its LMTP; with `--peer-imap` the large mailbox is filled through it.
    #[arg(long)]
    peer_lmtp: Option<String>,
    /// Where it is read.
    #[arg(long)]
    peer_imap: Option<String>,
}

impl Addresses {
    pub(crate) fn any(&self) -> bool {
        self.peer_smtp.is_some() || self.peer_lmtp.is_some() || self.peer_imap.is_some()
    }

    pub(crate) fn measure(&self, messages: usize) -> Outcome<()> {
        for (name, address) in [("smtp", &self.peer_smtp), ("lmtp", &self.peer_lmtp)] {
            let Some(address) = address else { continue };
            for (size, count) in [(4 * 1024, 5_000), (100 * 1024, 1_000)] {
                let load =
                    smtp::Load { address, lmtp: name == "lmtp", sessions: 10, count, size, everyone: true };
                let before = self.stored()?;
                let began = Instant::now();
                report_load(name, &load, smtp::run(&load)?, None);
                if let Some(before) = before {
                    self.await_stored(before + count)?;
                    println!("  delivered: {:.0} a second", count as f64 / began.elapsed().as_secs_f64());
                }
            }
        }
        if let (Some(lmtp), Some(imap)) = (&self.peer_lmtp, &self.peer_imap) {
            fill(lmtp, messages)?;
            imap::large_mailbox(imap, messages)?;
        }
        Ok(())
    }

    /// How many messages all people have.
    fn stored(&self) -> Outcome<Option<usize>> {
        let Some(address) = &self.peer_imap else { return Ok(None) };
        (1..=PEOPLE)
            .map(|user| imap::Client::open(address, None, user)?.messages())
            .sum::<Outcome<usize>>()
            .map(Some)
    }

    fn await_stored(&self, wanted: usize) -> Outcome<()> {
        while self.stored()?.is_some_and(|stored| stored < wanted) {
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
