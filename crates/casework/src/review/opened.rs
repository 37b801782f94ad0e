//! Which parts of a held message each person opened: who approves has opened all of them (S9.1, Điều 9: the review covers
//! "thông tin, nội dung hồ sơ gửi đi, kể cả tệp tin đính kèm").

use super::{
    decide,
    read::{self, Review},
    state::ReviewState,
};
use congvu_directory::{SignedIn, act_for, right};
use congvu_message::{Part, attached, attachment_name, html_of_its_own, parse_structure, text_parts};
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, EmailId, Error, PersonId, Refusal, RefusalKind, Result, ReviewId};
use std::{collections::BTreeSet, ops::Range};

/// Parts of a message that are opened one by one: its text, the HTML form of that, and each attachment. A form that says
/// the same as the other, or that there is not, is opened with the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(BTreeSet<usize>);

impl Parts {
    /// Where the text stands, and its HTML form; the attachments follow.
    const TEXT: usize = 0;
    const HTML: usize = 1;
    const ATTACHMENTS: usize = 2;

    /// The text in all its forms.
    #[must_use]
    pub fn text() -> Self {
        Self(BTreeSet::from([Self::TEXT, Self::HTML]))
    }

    /// The text as plain text.
    #[must_use]
    pub fn plain(raw: &[u8], root: &Part) -> Self {
        Self::form(raw, root, Self::TEXT)
    }

    /// The text as HTML.
    #[must_use]
    pub fn html(raw: &[u8], root: &Part) -> Self {
        Self::form(raw, root, Self::HTML)
    }

    fn form(raw: &[u8], root: &Part, shown: usize) -> Self {
        match html_of_its_own(raw, root) {
            Some(_) => Self(BTreeSet::from([shown])),
            None => Self::text(),
        }
    }

    /// Attachments alone, by their places among the attachments.
    pub fn attachments(places: impl IntoIterator<Item = usize>) -> Self {
        Self(places.into_iter().map(|place| place + Self::ATTACHMENTS).collect())
    }

    /// Everything.
    #[must_use]
    pub fn all(root: &Part) -> Self {
        let mut all = Self::attachments(0..attached(root).len());
        all.add(&Self::text());
        all
    }

    /// The parts that lie wholly within one of these pieces of the message. A message without any text has it in every part.
    #[must_use]
    pub fn within(raw: &[u8], root: &Part, pieces: &[Range<u32>]) -> Self {
        let is_within = |part: &&Part| {
            pieces.iter().any(|piece| piece.start <= part.body.start && part.body.end <= piece.end)
        };
        let attached = attached(root);
        let mut found =
            Self::attachments((0..attached.len()).filter(|n| attached.get(*n).is_some_and(is_within)));
        let text = text_parts(root);
        if text.is_empty() && !found.0.is_empty() {
            found.add(&Self::text());
        }
        for form in text.into_iter().filter(is_within) {
            found.add(&if form.subtype == "html" { Self::html(raw, root) } else { Self::plain(raw, root) });
        }
        found
    }

    /// Adds others.
    pub fn add(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    /// Returns whether the text is among them, in all its forms.
    #[must_use]
    pub fn has_text(&self) -> bool {
        Self::text().is_within(self)
    }

    /// Returns whether an attachment is among them.
    #[must_use]
    pub fn has_attachment(&self, place: usize) -> bool {
        self.0.contains(&(place + Self::ATTACHMENTS))
    }

    /// Returns whether all of them are among others.
    #[must_use]
    pub fn is_within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns the parts of a held message that a person opened.
pub fn parts_opened(snapshot: &Snapshot, review: &Review, person: PersonId) -> Result<Parts> {
    let found = snapshot.query(
        "SELECT part FROM review_opened WHERE account_id = ?1 AND review_id = ?2 AND person_id = ?3 LIMIT 20000",
        &params![review.account.get(), review.id.get(), person.get()],
        |r| usize::try_from(r.i64(0)?).map_err(|e| Error::fault("reading an opened part", e)),
    )?;
    Ok(Parts(found.into_iter().collect()))
}

/// Notes that a person opened parts of a message that they may see, before the parts are shown: under their name in the
/// history, once; part by part while the message waits; and as a reading of the shared account (S3.1b, Điều 3). What
/// authors look at is their own.
pub fn record_opened(tx: &mut Tx, who: &SignedIn, id: ReviewId, parts: &Parts) -> Result<()> {
    let review = read::open(tx, who, id)?;
    match act_for::<right::Read>(tx, who, review.account) {
        Ok(reading) if reading.is_shared() => congvu_mail::record_read(tx, &reading, &[review.email])?,
        // A deputy may read what was passed on to them, and nothing else: the history names them.
        Ok(_) | Err(Error::Refused(_)) => {}
        Err(fault) => return Err(fault),
    }
    if review.author == who.person() {
        return Ok(());
    }
    decide::viewed(tx, who, &review)?;
    if review.state != ReviewState::Awaiting {
        return Ok(());
    }
    let now = tx.now();
    for part in &parts.0 {
        tx.execute(
            "INSERT INTO review_opened (account_id, review_id, person_id, part, opened_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account_id, review_id, person_id, part) DO NOTHING",
            &params![review.account.get(), id.get(), who.person().get(), *part, now],
        )?;
    }
    Ok(())
}

/// Like [`record_opened`], for a message that was read in its mailbox.
pub fn record_opened_email(
    tx: &mut Tx,
    who: &SignedIn,
    (account, email): (AccountId, EmailId),
    parts: &Parts,
) -> Result<()> {
    match read::id_of_email(tx, account, email)? {
        Some(id) => record_opened(tx, who, id, parts),
        None => Ok(()),
    }
}

/// S9.1 (Điều 9): a part that was not opened stands against the approval. The refusal names what is missing.
pub(super) fn check_all_opened(tx: &Tx, review: &Review, person: PersonId) -> Result<()> {
    let opened = parts_opened(tx, review, person)?;
    let count = review.digest.attachments.len();
    if opened.has_text() && (0..count).all(|place| opened.has_attachment(place)) {
        return Ok(());
    }
    let raw = tx.blob(&review.blob)?;
    let root = parse_structure(&raw);
    let text = (!opened.0.contains(&Parts::TEXT)).then(|| format!("\"{}\"", review.subject));
    let is_html_missing = text.is_none() && !opened.0.contains(&Parts::HTML);
    let html = is_html_missing.then(|| format!("\"{}\" (HTML)", review.subject));
    let attachments = attached(&root).into_iter().enumerate();
    let missing = attachments.filter(|(place, _)| !opened.has_attachment(*place));
    let names: Vec<String> = text
        .into_iter()
        .chain(html)
        .chain(missing.map(|(_, part)| attachment_name(part)))
        .map(|name| name.chars().take(LONGEST_NAME).collect())
        .collect();
    let mut told = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST_NAMES {
        told.push_str(", …");
    }
    let mut refusal = Refusal::new(RefusalKind::NotOpened).citing(&review.citation).with("parts", told);
    for name in names {
        refusal = refusal.with("unopened", name);
    }
    Err(refusal.into())
}

/// Characters of a name that a refusal tells, and how many names its sentence has.
const LONGEST_NAME: usize = 80;
const MOST_NAMES: usize = 10;
