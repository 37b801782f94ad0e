//! SEARCH (RFC 9051 §6.4.4; RFC 4731 ESEARCH).

use super::{
    codec::{
        search::{Return, Search},
        set,
    },
    indexed,
    matching::{Context, Depth, Message, Ready, ready},
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{Acting, right};
use congvu_mail::{Entry, Want, messages, raw};
use congvu_storage::Snapshot;
use congvu_types::{MailboxId, Result, Uid};
use std::{sync::Arc, time::Instant};

/// Messages looked at in one read.
const PAGE: usize = 500;

/// A message that fits.
type Hit = (u32, Entry);

impl Session {
    pub(super) async fn search(&mut self, by_uid: bool, search: &Search) -> Answer {
        let answer = self.find(by_uid, search).await;
        if matches!(answer, Err(Failed::No(_))) {
            self.forget_saved(search.returns.is_some_and(|r| r.save));
        }
        answer
    }

    /// RFC 9051 §6.4.4.1: a search that was to save its result and fails leaves none.
    pub(super) fn forget_saved(&mut self, saves: bool) {
        if let Some(selected) = self.selected.as_mut().filter(|_| saves) {
            selected.saved.clear();
        }
    }

    async fn find(&mut self, by_uid: bool, search: &Search) -> Answer {
        let selected = self.at()?;
        let (view, reading, mailbox) = (selected.view.clone(), selected.reading.clone(), selected.mailbox.id);
        let saved: Vec<(u32, u32)> =
            set::resolve(&selected.saved.iter().map(|u| (u.0, u.0)).collect::<Vec<_>>(), u32::MAX - 1);
        let context = Context {
            keywords: &view.keywords,
            total: view.len(),
            last_uid: view.by_seq(view.len()).map_or(0, |e| e.uid.0),
            saved: &saved,
        };
        let key = ready(&search.key, &context);
        let (mut hits, mut open) = (Vec::new(), Vec::new());
        decide(&key, view.range(1, view.len()).map(|(seq, entry)| (seq, *entry)), &mut hits, &mut open);
        let db = &self.server.options.db;
        let key = Arc::new(indexed::ask(db, &reading, mailbox, key, open.len()).await?);
        decide(&key, std::mem::take(&mut open).into_iter(), &mut hits, &mut open);
        let mut renewed = Instant::now();
        for page in pages(&open) {
            self.renew_now_and_then(&mut renewed).await?;
            let (key, reading, page) = (key.clone(), reading.clone(), page.to_vec());
            let db = &self.server.options.db;
            hits.extend(db.read(move |s| look(s, &reading, mailbox, &key, &page)).await?);
        }
        hits.sort_unstable_by_key(|(seq, _)| *seq);
        let uses_modseq = uses_modseq(&search.key);
        self.enabled.condstore |= uses_modseq;
        self.tell_hits(by_uid, search.returns, &hits, uses_modseq)?;
        self.poll(by_uid).await?;
        Ok("Done.".to_owned())
    }

    fn tell_hits(
        &mut self,
        by_uid: bool,
        returns: Option<Return>,
        hits: &[Hit],
        uses_modseq: bool,
    ) -> std::result::Result<(), Failed> {
        let number = |(seq, entry): &Hit| if by_uid { entry.uid.0 } else { *seq };
        let newest = hits.iter().map(|(_, e)| e.modseq).max().filter(|_| uses_modseq);
        if returns.is_some_and(|r| r.save) {
            self.save(returns, hits);
        }
        if returns == Some(Return { save: true, ..Return::default() }) {
            // RFC 5182 §2.1: saved and nothing else is told of by the tagged OK alone.
            return Ok(());
        }
        let esearch = returns.is_some() || self.enabled.rev2;
        let mut line = if esearch { format!("ESEARCH (TAG \"{}\")", self.tag) } else { "SEARCH".to_owned() };
        if !esearch {
            for hit in hits {
                line.push_str(&format!(" {}", number(hit)));
            }
            // RFC 7162 §3.1.5
            if let Some(newest) = newest {
                line.push_str(&format!(" (MODSEQ {newest})"));
            }
            self.tell(&line);
            return Ok(());
        }
        let returns = returns.unwrap_or(Return { all: true, ..Return::default() });
        if by_uid {
            line.push_str(" UID");
        }
        if let (Some(first), Some(last)) = (hits.first(), hits.last()) {
            if returns.min {
                line.push_str(&format!(" MIN {}", number(first)));
            }
            if returns.max {
                line.push_str(&format!(" MAX {}", number(last)));
            }
            if returns.all {
                line.push_str(&format!(" ALL {}", set::show(hits.iter().map(number))));
            }
        }
        if returns.count {
            line.push_str(&format!(" COUNT {}", hits.len()));
        }
        if let Some(newest) = newest {
            line.push_str(&format!(" MODSEQ {newest}"));
        }
        self.tell(&line);
        Ok(())
    }

    /// RFC 9051 §6.4.4.1: MIN and MAX alone save what they show, everything else saves all.
    fn save(&mut self, returns: Option<Return>, hits: &[Hit]) {
        let Some(selected) = &mut self.selected else { return };
        let returns = returns.unwrap_or_default();
        let ends_only = (returns.min || returns.max) && !returns.all && !returns.count;
        let uid = |hit: &Hit| hit.1.uid;
        selected.saved = if ends_only {
            let first = hits.first().filter(|_| returns.min).map(uid);
            let last = hits.last().filter(|_| returns.max).map(uid);
            let mut ends: Vec<Uid> = first.into_iter().chain(last).collect();
            ends.dedup();
            ends
        } else {
            hits.iter().map(uid).collect()
        };
    }
}

fn uses_modseq(key: &super::codec::search::Key) -> bool {
    use super::codec::search::Key;
    match key {
        Key::ModSeq(_) => true,
        Key::And(keys) => keys.iter().any(uses_modseq),
        Key::Or(a, b) => uses_modseq(a) || uses_modseq(b),
        Key::Not(inner) => uses_modseq(inner),
        _ => false,
    }
}

/// Tells those that fit, by what is known without reading them, from those that must be looked at.
fn decide(key: &Ready, some: impl Iterator<Item = Hit>, hits: &mut Vec<Hit>, open: &mut Vec<Hit>) {
    for (seq, entry) in some {
        match key.by_view(seq, &entry) {
            Some(true) => hits.push((seq, entry)),
            Some(false) => {}
            None => open.push((seq, entry)),
        }
    }
}

/// Cuts messages into pages: each spans few messages that are not asked for, so that a page is one query.
fn pages(open: &[Hit]) -> Vec<&[Hit]> {
    let span = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let mut pages = Vec::new();
    let mut from = 0;
    for at in 1..=open.len() {
        if at == open.len() || open[at].0 - open[from].0 >= span {
            pages.push(&open[from..at]);
            from = at;
        }
    }
    pages
}

/// Looks at one page of messages.
fn look(
    snapshot: &Snapshot,
    reading: &Acting<right::Read>,
    mailbox: MailboxId,
    key: &Ready,
    page: &[Hit],
) -> Result<Vec<Hit>> {
    let (Some((first_seq, first)), Some((last_seq, last))) = (page.first(), page.last()) else {
        return Ok(Vec::new());
    };
    let count = (last_seq - first_seq + 1) as usize;
    let want = if key.needs_envelope() { Want::Summary } else { Want::Facts };
    let rows = messages(snapshot, reading, mailbox, (first.uid, last.uid), want, count)?;
    let mut rows = rows.iter().peekable();
    let mut hits = Vec::new();
    for (seq, entry) in page {
        while rows.peek().is_some_and(|row| row.uid < entry.uid) {
            rows.next();
        }
        let Some(row) = rows.next_if(|row| row.uid == entry.uid) else { continue };
        let bytes = if key.depth_for(*seq, entry) == Depth::Bytes { raw(snapshot, row)? } else { Vec::new() };
        if key.fits(*seq, entry, &Message::new(row, &bytes)) {
            hits.push((*seq, *entry));
        }
    }
    Ok(hits)
}
