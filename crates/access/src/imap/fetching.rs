//! FETCH (RFC 9051 §6.4.5): from the view alone where that suffices, else from rows by pages and bytes one by one.

use super::{
    codec::{
        command::{Fetch, GivenFlags, Store},
        fetch::{BodyForm, Item},
        set::Set,
    },
    fetching_answer::{self, Asked, End, Page, Piece},
    reply::{Answer, Failed},
    session::Session,
};
use congvu_casework::review::{Parts, record_opened_email};
use congvu_mail::{Entry, FlagOperation, Role};
use congvu_storage::Actor;
use congvu_types::{EmailId, Flags, Uid};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Messages of a page.
const PAGE: usize = 500;
/// So few messages are read on the connection's own task.
const FEW: usize = 4;
/// While memory is short an answer waits in steps of this length, …
const WAIT: Duration = Duration::from_millis(100);
/// … so many of them at most for one message.
const MOST_WAITS: u32 = 600;
/// How many messages a session remembers to have recorded as read.
const REMEMBERED: usize = 4096;

/// How much of each message must be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    View,
    Facts,
    Summary,
    Bytes,
}

fn depth(items: &[Item]) -> Depth {
    items
        .iter()
        .map(|item| match item {
            Item::Flags | Item::Uid | Item::ModSeq => Depth::View,
            Item::InternalDate | Item::Size => Depth::Facts,
            Item::Envelope | Item::Body | Item::BodyStructure => Depth::Summary,
            Item::Bytes(_) => Depth::Bytes,
        })
        .max()
        .unwrap_or(Depth::View)
}

fn sets_seen(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item, Item::Bytes(b) if !b.peek && b.form != BodyForm::BinarySize))
}

impl Session {
    pub(super) async fn fetch(&mut self, by_uid: bool, set: &Set, fetch: Fetch) -> Answer {
        let mut items = fetch.items;
        let asks_modseq = items.contains(&Item::ModSeq);
        if asks_modseq || fetch.changed_since.is_some() {
            self.enabled.condstore = true;
        }
        if by_uid && !items.contains(&Item::Uid) {
            items.insert(0, Item::Uid);
        }
        // RFC 7162 §3.1.4.1
        if fetch.changed_since.is_some() && !asks_modseq {
            items.push(Item::ModSeq);
        }
        let depth = depth(&items);
        let mut told = Vec::new();
        if depth == Depth::View {
            let ranges = self.at()?.ranges(set, by_uid)?;
            self.answer_by_view(&ranges, fetch.changed_since, &items).await?;
        } else {
            let mut wanted = self.at()?.entries(set, by_uid)?;
            if let Some(since) = fetch.changed_since {
                wanted.retain(|(_, entry)| entry.modseq > since);
            }
            if sets_seen(&items) {
                told = self.mark_seen(&mut wanted, &mut items).await?;
            }
            self.answer_by_rows(&wanted, items, depth).await?;
        }
        self.poll_but(by_uid, &told).await?;
        Ok("Done.".to_owned())
    }

    /// Straight from the view, however many messages there are.
    async fn answer_by_view(
        &mut self,
        ranges: &[(u32, u32)],
        changed_since: Option<u64>,
        items: &[Item],
    ) -> Result<(), Failed> {
        let view = self.at()?.view.clone();
        let since = changed_since.unwrap_or(0);
        let mut out = Vec::new();
        for (first, last) in ranges {
            for (seq, entry) in view.range(*first, *last).filter(|(_, e)| e.modseq > since) {
                fetching_answer::from_view(&mut out, seq, entry, items, &view.keywords);
                if out.len() > 32 * 1024 {
                    self.connection.send(&out).await?;
                    out.clear();
                }
            }
        }
        self.connection.write(&out);
        Ok(())
    }

    /// Sets `\Seen` where it is not set and may be, and adds FLAGS to what is told (RFC 9051 §6.4.5), with MODSEQ once the
    /// client speaks CONDSTORE (RFC 7162 §3.2). Then the messages are those of the newest view; returns them as the client
    /// is going to know them.
    async fn mark_seen(
        &mut self,
        wanted: &mut [(u32, Entry)],
        items: &mut Vec<Item>,
    ) -> Result<Vec<Entry>, Failed> {
        let unseen: Vec<Uid> = wanted
            .iter()
            .filter(|(_, e)| !e.flags.system().contains(Flags::SEEN))
            .map(|(_, e)| e.uid)
            .collect();
        if unseen.is_empty() || self.at()?.changing.is_none() {
            return Ok(Vec::new());
        }
        let given = GivenFlags { flags: Flags::SEEN, keywords: Vec::new() };
        let store = Store { operation: FlagOperation::Add, silent: true, unchanged_since: None, given };
        self.change_flags(&unseen, &store).await?;
        let now = self.newest().await?;
        self.tell_keywords(&now);
        for (_, entry) in wanted.iter_mut() {
            if let Some((_, fresh)) = now.by_uid(entry.uid) {
                *entry = *fresh;
            }
        }
        let also = [Some(Item::Flags), self.enabled.condstore.then_some(Item::ModSeq)];
        for item in also.into_iter().flatten() {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Ok(wanted.iter().map(|(_, entry)| *entry).collect())
    }

    async fn answer_by_rows(
        &mut self,
        wanted: &[(u32, Entry)],
        items: Vec<Item>,
        depth: Depth,
    ) -> Result<(), Failed> {
        let selected = self.at()?;
        let asked = Arc::new(Asked {
            reading: selected.reading.clone(),
            mailbox: selected.mailbox.id,
            reads_bytes: depth == Depth::Bytes,
            is_held: depth == Depth::Bytes && selected.mailbox.role == Role::Awaiting,
            keywords: selected.view.keywords.clone(),
            items,
            largest: self.server.options.max_message_bytes,
        });
        let mut rest = wanted;
        let mut renewed = Instant::now();
        let mut waits = 0;
        while !rest.is_empty() {
            self.renew_now_and_then(&mut renewed).await?;
            let page = self.page(&asked, &rest[..rest.len().min(PAGE)]).await?;
            rest = &rest[page.done..];
            if asked.reading.is_shared() {
                self.record_reading(&page.read).await?;
            }
            if !page.opened.is_empty() {
                self.record_opening(&page.opened).await?;
            }
            waits = if page.done == 0 { waits + 1 } else { 0 };
            if waits > MOST_WAITS {
                return Err(Failed::no("[UNAVAILABLE] Too much is under way here. Try again in a moment."));
            }
            let is_crowded = page.end == End::Crowded;
            self.send_page(&page).await?;
            drop(page);
            if is_crowded {
                tokio::time::sleep(WAIT).await;
            }
        }
        Ok(())
    }

    /// Reads a page: a few small messages at once, all else aside.
    async fn page(&self, asked: &Arc<Asked>, wanted: &[(u32, Entry)]) -> Result<Page, Failed> {
        let purse = self.answers.as_ref().ok_or_else(|| Failed::bad("Sign in first."))?;
        let db = &self.server.options.db;
        if wanted.len() <= FEW {
            let (work, run, portion) = (asked.clone(), wanted.to_vec(), purse.begin());
            let page = db.read_quick(move |s| fetching_answer::page(s, &work, &run, portion, true)).await?;
            if page.end != End::Large || page.done > 0 {
                return Ok(page);
            }
        }
        let (work, run, portion) = (asked.clone(), wanted.to_vec(), purse.begin());
        Ok(db.read(move |s| fetching_answer::page(s, &work, &run, portion, false)).await?)
    }

    async fn send_page(&mut self, page: &Page) -> Result<(), Failed> {
        for piece in &page.pieces {
            match piece {
                Piece::Own(bytes) => {
                    self.connection.write(bytes);
                    self.relieve().await?;
                }
                Piece::Lent(message, range) => {
                    self.connection.send(message.get(range.clone()).unwrap_or_default()).await?;
                }
            }
        }
        Ok(())
    }

    /// S3.1b (Điều 3): who reads a message of a shared account is recorded under their name, before the bytes leave.
    async fn record_reading(&mut self, emails: &[EmailId]) -> Result<(), Failed> {
        let fresh: Vec<EmailId> =
            emails.iter().filter(|e| !self.recorded.contains(&e.get())).copied().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let reading = self.at()?.reading.clone();
        let (actor, emails) = (Actor::Person(reading.person()), fresh.clone());
        let db = &self.server.options.db;
        db.write(actor, move |tx| congvu_mail::record_read(tx, &reading, &emails)).await?;
        if self.recorded.len() > REMEMBERED {
            self.recorded.clear();
        }
        self.recorded.extend(fresh.iter().map(|e| e.get()));
        Ok(())
    }

    /// S9.1 (Điều 9): who approves a message has opened every part of it; here too, before the bytes leave.
    async fn record_opening(&mut self, opened: &[(EmailId, Parts)]) -> Result<(), Failed> {
        let is_fresh = |(email, parts): &&(EmailId, Parts)| {
            self.opened.get(&email.get()).is_none_or(|known| !parts.is_within(known))
        };
        let fresh: Vec<(EmailId, Parts)> = opened.iter().filter(is_fresh).cloned().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let (who, account) = (self.signed_in()?, self.at()?.reading.account());
        let (actor, written) = (Actor::Person(who.person()), fresh.clone());
        let recorded = self.server.options.db.write(actor, move |tx| {
            written
                .iter()
                .try_for_each(|(email, parts)| record_opened_email(tx, &who, (account, *email), parts))
        });
        recorded.await?;
        if self.opened.len() > REMEMBERED {
            self.opened.clear();
        }
        for (email, parts) in fresh {
            self.opened.entry(email.get()).or_default().add(&parts);
        }
        Ok(())
    }
}
