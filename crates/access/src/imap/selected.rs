//! The selected mailbox: an immutable view, brought forward when the client may be told (RFC 9051 §6.3.2, §7).

use super::{
    codec::{
        set::{self, Set},
        write,
    },
    names,
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{Acting, act_for, right};
use congvu_mail::{Entry, FlagSet, MAX_KEYWORDS, MailboxRow, View};
use congvu_types::{Flags, ModSeq, RefusalKind, Uid};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a command goes on by the proofs of its beginning.
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// A selected mailbox.
pub(super) struct Selected {
    pub(super) mailbox: MailboxRow,
    /// The right to read, made anew for each command ([`Session::renew`]).
    pub(super) reading: Acting<right::Read>,
    /// The right to change things; `None` when the mailbox is open for reading alone.
    pub(super) changing: Option<Acting<right::Draft>>,
    /// EXAMINE opened it: nothing is changed through this session, whatever the rights.
    pub(super) is_examined: bool,
    /// What the client has been told of.
    pub(super) view: Arc<View>,
    /// The newest view, while removals of it are withheld from the client.
    behind: Option<Arc<View>>,
    /// How many keywords the client has been told of.
    keywords_told: usize,
    /// What the last search saved (RFC 9051 §6.4.4.1).
    pub(super) saved: Vec<Uid>,
}

impl Selected {
    /// The newest view that the session had: what is withheld from the client is gone from it.
    pub(super) fn base(&self) -> &Arc<View> {
        self.behind.as_ref().unwrap_or(&self.view)
    }

    /// Returns the sequence numbers, as ascending ranges, that a set means.
    pub(super) fn ranges(&self, set: &Set, by_uid: bool) -> Result<Vec<(u32, u32)>, Failed> {
        let total = self.view.len();
        let ranges = match set {
            Set::Saved => {
                let found =
                    self.saved.iter().filter_map(|uid| self.view.by_uid(*uid).map(|(seq, _)| (seq, seq)));
                return Ok(set::resolve(&found.collect::<Vec<_>>(), total));
            }
            Set::Ranges(ranges) => ranges,
        };
        if by_uid {
            let last = self.view.by_seq(total).map_or(0, |e| e.uid.0);
            let by_seq = set::resolve(ranges, last)
                .into_iter()
                .filter_map(|(a, b)| self.view.seq_range(Uid(a), Uid(b)));
            return Ok(by_seq.collect());
        }
        let resolved = set::resolve(ranges, total);
        // RFC 9051 §9: a sequence number that does not exist is an error of the client.
        match resolved.last() {
            Some((first, last)) if *last > total || *first == 0 => {
                Err(Failed::bad("There is no message of this number."))
            }
            _ => Ok(resolved),
        }
    }

    /// Returns the messages of a set in order.
    pub(super) fn entries(&self, set: &Set, by_uid: bool) -> Result<Vec<(u32, Entry)>, Failed> {
        let ranges = self.ranges(set, by_uid)?;
        Ok(ranges.into_iter().flat_map(|(a, b)| self.view.range(a, b)).map(|(seq, e)| (seq, *e)).collect())
    }
}

impl Session {
    /// Returns the selected mailbox.
    pub(super) fn at(&self) -> Result<&Selected, Failed> {
        self.selected.as_deref().ok_or_else(|| Failed::bad("Select a mailbox first."))
    }

    pub(super) async fn select(&mut self, name: &str, read_only: bool, condstore: bool) -> Answer {
        let was_selected = self.selected.take().is_some();
        if was_selected && self.enabled.rev2 {
            // RFC 9051 §7.1: what follows is of the new mailbox.
            self.tell("OK [CLOSED] The other mailbox is closed.");
        }
        self.enabled.condstore |= condstore;
        let (who, wanted) = (self.signed_in()?, name.to_owned());
        let options = self.server.options.clone();
        let (mailbox, reading) = options
            .db
            .read_quick(move |s| {
                let mailbox = names::find_mailbox(s, &who, &wanted)?;
                let reading = act_for::<right::Read>(s, &who, mailbox.account)?;
                Ok((mailbox, reading))
            })
            .await?;
        let changing = reading.with::<right::Draft>().filter(|_| !read_only);
        let view = options.views.current(mailbox.account, mailbox.id, None).await?;
        let is_writable = changing.is_some();
        self.describe(name, &view, is_writable);
        self.selected = Some(Box::new(Selected {
            mailbox,
            reading,
            changing,
            is_examined: read_only,
            keywords_told: view.keywords.len(),
            view,
            behind: None,
            saved: Vec::new(),
        }));
        Ok(if is_writable { "[READ-WRITE] Selected." } else { "[READ-ONLY] Open for reading." }.to_owned())
    }

    /// Makes the proofs of what the person may do in the selected mailbox anew: a connection lives for days, and grants, devices and people do
    /// not (S3.1b, Điều 3; S4.2, Điều 4).
    pub(super) async fn renew(&mut self) -> Result<(), Failed> {
        let Some(selected) = &self.selected else { return Ok(()) };
        let (who, account) = (self.signed_in()?, selected.mailbox.account);
        let renewed =
            self.server.options.db.read_quick(move |s| act_for::<right::Read>(s, &who, account)).await;
        let reading = match renewed {
            Ok(reading) => reading,
            Err(error) if error.is(RefusalKind::NotFound) || error.is(RefusalKind::NoRight) => {
                self.tell("BYE The mailbox is not open to you any more.");
                return Err(Failed::Gone);
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(selected) = &mut self.selected {
            selected.changing = reading.with().filter(|_| !selected.is_examined);
            selected.reading = reading;
        }
        Ok(())
    }

    fn describe(&mut self, name: &str, view: &View, is_writable: bool) {
        let mut list = Vec::new();
        write::flags(&mut list, FlagSet(u64::MAX), &view.keywords);
        let flags = String::from_utf8_lossy(&list).into_owned();
        self.tell(&format!("FLAGS {flags}"));
        // RFC 9051 §7.1: `\*` promises that a new keyword is kept.
        let permanent = match is_writable {
            true if view.keywords.len() < MAX_KEYWORDS => format!("{} \\*)", flags.trim_end_matches(')')),
            true => flags.clone(),
            false => "()".to_owned(),
        };
        self.tell(&format!("OK [PERMANENTFLAGS {permanent}] What is kept."));
        self.tell(&format!("{} EXISTS", view.len()));
        if !self.enabled.rev2 {
            self.tell("0 RECENT");
            if view.unseen > 0 {
                let first = view.range(1, view.len()).find(|(_, e)| !e.flags.system().contains(Flags::SEEN));
                if let Some((seq, _)) = first {
                    self.tell(&format!("OK [UNSEEN {seq}] The first unread message."));
                }
            }
        }
        self.tell(&format!("OK [UIDVALIDITY {}] Valid.", view.uidvalidity));
        self.tell(&format!("OK [UIDNEXT {}] The next.", view.uidnext));
        self.tell(&format!("OK [HIGHESTMODSEQ {}] The newest change.", view.modseq.max(1)));
        if self.enabled.rev2 {
            let shown = self.shown_name(name);
            self.connection.write(b"* LIST () \"/\" ");
            self.connection.write(&shown);
            self.connection.write(b"\r\n");
        }
    }

    /// Like [`Session::renew`], for a command that takes long: once a second.
    pub(super) async fn renew_now_and_then(&mut self, last: &mut Instant) -> Result<(), Failed> {
        if last.elapsed() < RENEW_EVERY {
            return Ok(());
        }
        *last = Instant::now();
        self.renew().await
    }

    /// Tells what changed since the client was last told. Without `expunges` removals are withheld: those messages keep
    /// their numbers until the client may hear of it (RFC 9051 §7.5.1).
    pub(super) async fn poll(&mut self, expunges: bool) -> Result<(), Failed> {
        self.poll_but(expunges, &[]).await
    }

    /// Like [`Session::poll`]; what stands in `told` (ascending by UID) the client knows already. A message that changed
    /// once more since is told of again.
    pub(super) async fn poll_but(&mut self, expunges: bool, told: &[Entry]) -> Result<(), Failed> {
        if self.selected.is_none() {
            return Ok(());
        }
        let now = self.newest().await?;
        self.tell_changes(now, expunges, told).await
    }

    /// Tells what came up to a change that the feed told of; sessions that watch one mailbox share the look at it.
    pub(super) async fn tell_news(&mut self, told: ModSeq) -> Result<(), Failed> {
        let Some(selected) = &self.selected else { return Ok(()) };
        let found = self.server.options.views.since(selected.base(), told).await;
        let now = self.still_there(found)?;
        self.tell_changes(now, true, &[]).await
    }

    async fn tell_changes(&mut self, now: Arc<View>, expunges: bool, told: &[Entry]) -> Result<(), Failed> {
        let selected = self.at()?;
        if Arc::ptr_eq(&now, selected.base()) && (selected.behind.is_none() || !expunges) {
            return Ok(());
        }
        let before = selected.view.clone();
        let mut changes = now.changes_since(&before);
        let withholds = !expunges && !changes.expunged.is_empty();
        let shown = if withholds { Arc::new(now.withholding(&before, &changes)) } else { now.clone() };
        self.tell_keywords(&now);
        if !withholds {
            // From the last to the first, each number is still right when it is told.
            for seq in changes.expunged.iter().rev() {
                self.tell(&format!("{seq} EXPUNGE"));
            }
        }
        if changes.has_new {
            self.tell(&format!("{} EXISTS", shown.len()));
        }
        let knows = |e: &Entry| told.binary_search_by_key(&e.uid, |t| t.uid).is_ok_and(|at| told[at] == *e);
        changes.changed.retain(|entry| !knows(entry));
        for entry in &changes.changed {
            let is_flagged_alike = before.by_uid(entry.uid).is_some_and(|(_, b)| b.flags == entry.flags);
            if let Some((seq, _)) =
                shown.by_uid(entry.uid).filter(|_| self.enabled.condstore || !is_flagged_alike)
            {
                self.tell_flags(seq, entry, &now.keywords);
                self.relieve().await?;
            }
        }
        if let Some(selected) = &mut self.selected {
            selected.view = shown;
            selected.behind = withholds.then_some(now);
        }
        Ok(())
    }

    /// Returns the newest view of the selected mailbox.
    pub(super) async fn newest(&mut self) -> Result<Arc<View>, Failed> {
        let selected = self.at()?;
        let (account, mailbox) = (selected.mailbox.account, selected.mailbox.id);
        let found = self.server.options.views.current(account, mailbox, Some(selected.base())).await;
        self.still_there(found)
    }

    /// Somebody deleted the mailbox: that ends the session, for there is nothing that its commands could mean.
    fn still_there(&mut self, found: congvu_types::Result<Arc<View>>) -> Result<Arc<View>, Failed> {
        if found.as_ref().is_err_and(|error| error.is(RefusalKind::NotFound)) {
            self.tell("BYE The mailbox is gone.");
            return Err(Failed::Gone);
        }
        Ok(found?)
    }

    /// `* FLAGS (…)` when keywords came since it was last told (RFC 9051 §7.3.5).
    pub(super) fn tell_keywords(&mut self, now: &View) {
        let Some(selected) = &mut self.selected else { return };
        if selected.keywords_told == now.keywords.len() {
            return;
        }
        selected.keywords_told = now.keywords.len();
        let mut list = b"FLAGS ".to_vec();
        write::flags(&mut list, FlagSet(u64::MAX), &now.keywords);
        self.tell(&String::from_utf8_lossy(&list));
    }

    /// `* n FETCH (UID … FLAGS (…))`, with MODSEQ once the client speaks CONDSTORE (RFC 7162 §3.2).
    pub(super) fn tell_flags(&mut self, seq: u32, entry: &Entry, keywords: &[String]) {
        let mut line = format!("* {seq} FETCH (UID {} FLAGS ", entry.uid).into_bytes();
        write::flags(&mut line, entry.flags, keywords);
        if self.enabled.condstore {
            line.extend_from_slice(format!(" MODSEQ ({})", entry.modseq).as_bytes());
        }
        line.extend_from_slice(b")\r\n");
        self.connection.write(&line);
    }
}
