//! The full-text index: which messages hold which words. Derived from mail and rebuildable: nothing in it is the only copy of
//! anything, and no failure of it fails mail.
//!
//! Beside an SQLite database it is a second file, `search.db` (FTS5), with a writer of its own; in PostgreSQL it is a table of
//! its own (tsvector and GIN). Both are made when they are first used: a command at the console that does not search opens
//! neither. Words come in as they are compared, without accents and in lower case; what a word is, this file does not know.
//!
//! INVARIANT: documents and the watermark up to which an account is indexed are one commit, so that a crash in the middle
//! leaves work to be done again and never a gap (test: `what_was_not_finished_is_done_again`).

mod expression;
mod fts;
mod tsvector;

pub(crate) use fts::Fts;

use crate::Db;
use congvu_types::{AccountId, EmailId, ModSeq, Result, Timestamp};
use std::time::Duration;

/// A set of the fields that a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fields(u8);

impl Fields {
    /// The subject.
    pub const SUBJECT: Self = Self(1);
    /// Names and addresses of authors.
    pub const FROM: Self = Self(1 << 1);
    /// Names and addresses of recipients.
    pub const TO: Self = Self(1 << 2);
    /// Names and addresses of those who get a copy.
    pub const CC: Self = Self(1 << 3);
    /// Names and addresses of those who get a copy that nobody sees.
    pub const BCC: Self = Self(1 << 4);
    /// The text.
    pub const BODY: Self = Self(1 << 5);
    /// Names and text of attachments.
    pub const ATTACHMENT: Self = Self(1 << 6);
    /// All of them.
    pub const ALL: Self = Self(0x7f);
    /// How many there are.
    pub const COUNT: usize = 7;

    /// Returns the fields of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether every field of `other` is one of these.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the places of the fields in a document, in order.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..Self::COUNT).filter(move |place| self.0 & (1 << place) != 0)
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Every document.
    All,
    /// Those with these words, one after the other, in one of these fields.
    Words {
        /// Where.
        fields: Fields,
        /// The words, as they were indexed.
        words: Vec<String>,
        /// Whether the last may be the beginning of a longer word.
        is_prefix: bool,
    },
    /// Those with an attachment.
    HasAttachment,
    /// Those with more words than were kept.
    IsCut,
    /// Those that fit all.
    And(Vec<Self>),
    /// Those that fit one.
    Or(Vec<Self>),
    /// Those that do not fit.
    Not(Box<Self>),
}

/// A message as the index sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Words of each field, a space between two.
    pub fields: [String; Fields::COUNT],
    /// Whether it has an attachment.
    pub has_attachment: bool,
    /// Whether it has more words than these.
    pub is_cut: bool,
    /// What the caller wants back with a hit.
    pub note: Vec<u8>,
}

/// A document's place in the order of an account, newest first: to go on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub(crate) i64, pub(crate) i64);

/// A document that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The message.
    pub email: EmailId,
    /// Its internal date.
    pub received_at: Timestamp,
    /// Where to go on.
    pub place: Place,
    /// [`Document::note`].
    pub note: Vec<u8>,
}

/// Which documents of an account, newest first.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The account. No other account's documents are ever seen.
    pub account: AccountId,
    /// What they hold.
    pub query: Query,
    /// Behind this one, where an earlier answer ended.
    pub behind: Option<Place>,
    /// Received at this instant or later.
    pub since: Option<Timestamp>,
    /// Received earlier than this.
    pub before: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The documents, newest first. Some may be of messages that are gone.
    pub hits: Vec<Hit>,
    /// Messages created at a later modseq are not in the index yet.
    pub upto: ModSeq,
}

/// What goes into the index in one commit.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The account.
    pub account: AccountId,
    /// Documents; one whose message is known already takes its place.
    pub add: Vec<(EmailId, Timestamp, Document)>,
    /// Messages that are gone.
    pub remove: Vec<EmailId>,
    /// The new watermark, when everything up to it is done.
    pub upto: Option<ModSeq>,
}

/// The full-text index of a database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SearchIndex(Db);

impl SearchIndex {
    pub(crate) const fn of(db: Db) -> Self {
        Self(db)
    }

    /// Adds and removes documents and moves the watermark, in one commit.
    pub async fn write(&self, batch: Batch) -> Result<()> {
        match self.0.search_engine() {
            Engine::Fts(fts) => fts.write(batch).await,
            Engine::Postgres(postgres) => tsvector::write(postgres, batch).await,
        }
    }

    /// Finds documents.
    pub async fn find(&self, ask: Ask) -> Result<Answer> {
        match self.0.search_engine() {
            Engine::Fts(fts) => fts.find(ask).await,
            Engine::Postgres(postgres) => tsvector::find(postgres, ask).await,
        }
    }

    /// Counts documents, at most up to [`Ask::limit`].
    pub async fn count(&self, ask: Ask) -> Result<u64> {
        match self.0.search_engine() {
            Engine::Fts(fts) => fts.count(ask).await,
            Engine::Postgres(postgres) => tsvector::count(postgres, ask).await,
        }
    }

    /// Returns the watermarks of up to `limit` accounts with ids greater than `after`, in order.
    pub async fn watermarks(&self, after: AccountId, limit: usize) -> Result<Vec<(AccountId, ModSeq)>> {
        match self.0.search_engine() {
            Engine::Fts(fts) => fts.watermarks(after, limit).await,
            Engine::Postgres(postgres) => tsvector::watermarks(postgres, after, limit).await,
        }
    }

    /// Returns an account's watermark.
    pub async fn watermark(&self, account: AccountId) -> Result<ModSeq> {
        match self.0.search_engine() {
            Engine::Fts(fts) => fts.watermark(account).await,
            Engine::Postgres(postgres) => tsvector::watermark(postgres, account).await,
        }
    }

    /// Takes, or makes longer, the right to write to the index, so that of several processes one does the work. Returns
    /// whether this process has it.
    pub async fn lease(&self, lasts: Duration) -> Result<bool> {
        let owner = self.0.process();
        match self.0.search_engine() {
            Engine::Fts(fts) => fts.lease(owner, self.0.clock().now(), lasts).await,
            Engine::Postgres(postgres) => tsvector::lease(postgres, owner, lasts).await,
        }
    }
}

/// Where the index is kept.
pub(crate) enum Engine<'db> {
    Fts(&'db std::sync::Arc<Fts>),
    Postgres(&'db crate::postgres::Postgres),
}
