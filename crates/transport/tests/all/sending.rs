//! The tools of the tests of submissions: who sends what, and what left.

use crate::place::Place;
use congvu_casework::review::{Parts, ReadAhead, record_opened};
use congvu_directory::{act_for, right};
use congvu_storage::Actor;
use congvu_transport::{
    Decision, DecisionKind, Envelope, Seen, decide,
    submission::{self, Hold, NewSubmission, Submission},
};
use congvu_types::{EmailId, Error, IdentityId, ReviewId, SubmissionId, ThreadId};

/// The usual bytes of a message.
pub(crate) fn letter(from: &str, to: &str, subject: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nBcc: blind@gov.example\r\nSubject: {subject}\r\n\r\nthan cua {subject}\r\n"
    )
}

impl Place {
    /// Sends bytes as somebody from an account.
    pub(crate) async fn try_create(
        &self,
        name: &str,
        from: &str,
        raw: &str,
        hold: Hold,
    ) -> Result<Submission, Error> {
        self.try_create_to(name, from, raw, hold, None).await
    }

    /// The same with an envelope.
    pub(crate) async fn try_create_to(
        &self,
        name: &str,
        from: &str,
        raw: &str,
        hold: Hold,
        envelope: Option<Envelope>,
    ) -> Result<Submission, Error> {
        let (who, account) = (self.agency.person(name).await, self.account(from).await);
        let db = &self.agency.db;
        let envelope = match envelope {
            Some(envelope) => envelope,
            None => submission::default_envelope(raw.as_bytes())?,
        };
        let at = (db.clock().now(), "unique", self.site.host());
        let draft = submission::prepare(raw.as_bytes(), envelope, 1 << 20, at)?;
        let new = NewSubmission {
            account,
            email: EmailId::new(77),
            thread: ThreadId::new(78),
            identity: IdentityId::new(account.get()),
            hold,
            draft,
        };
        let site = self.site.clone();
        db.write(Actor::Person(who.person()), move |tx| submission::create(tx, &site, &who, &new)).await
    }

    /// The same, of which nothing stands in the way.
    pub(crate) async fn create(&self, name: &str, from: &str, raw: &str, hold: Hold) -> Submission {
        self.try_create(name, from, raw, hold).await.unwrap()
    }

    /// Lets the worker do what is due; returns how many steps.
    pub(crate) async fn release(&self) -> usize {
        let mut steps = 0;
        while submission::step(&self.agency.db, &self.site).await.unwrap() {
            steps += 1;
            assert!(steps < 50, "the worker does not come to an end");
        }
        steps
    }

    /// Reads a submission as somebody who may read its account.
    pub(crate) async fn look(&self, name: &str, of: &Submission) -> Submission {
        let (who, account, id) = (self.agency.person(name).await, of.account, of.id);
        let found = self.agency.db.read(move |s| {
            let acting = act_for::<right::Read>(s, &who, account)?;
            submission::get(s, &acting, &[id])
        });
        found.await.unwrap().pop().unwrap()
    }

    /// Takes a submission back.
    pub(crate) async fn cancel_submission(&self, name: &str, of: &Submission) -> Result<Submission, Error> {
        let (who, account, id) = (self.agency.person(name).await, of.account, of.id);
        self.agency.db.write(Actor::System("test"), move |tx| submission::cancel(tx, &who, account, id)).await
    }

    /// Decides as somebody who opened everything.
    pub(crate) async fn decide(
        &self,
        name: &str,
        id: ReviewId,
        kind: DecisionKind,
        comment: Option<&str>,
    ) -> Result<(), Error> {
        let who = self.agency.person(name).await;
        let (db, reader) = (&self.agency.db, who.clone());
        let opener = who.clone();
        db.write(Actor::System("test"), move |tx| record_opened(tx, &opener, id, &Parts::text())).await?;
        let digest = db.read(move |s| congvu_casework::review::open(s, &reader, id)).await?.digest.whole;
        let decision = Decision { kind, comment: comment.map(Into::into), seen: Seen::Digest(digest) };
        let ahead = db.read(move |s| ReadAhead::of(s, id)).await?;
        let site = self.site.clone();
        db.write(Actor::Person(who.person()), move |tx| {
            decide(tx, &site, &who, id, &decision, &ahead).map(drop)
        })
        .await
    }

    /// Returns the bytes of everything that waits to leave for other servers, once a message.
    pub(crate) async fn leaving(&self) -> Vec<String> {
        let hashes = self.agency.db.read(|s| {
            s.query("SELECT blob_hash FROM queue_message ORDER BY id LIMIT 100", &[], |r| {
                congvu_storage::BlobHash::from_slice(&r.bytes(0)?)
            })
        });
        let mut found = Vec::new();
        for hash in hashes.await.unwrap() {
            let bytes = self.agency.db.read_blob(&hash).await.unwrap();
            found.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        found
    }

    /// Returns what changed of submissions since a state, as somebody sees it.
    pub(crate) async fn changes(
        &self,
        name: &str,
        from: &str,
        since: u64,
        most: usize,
    ) -> congvu_transport::Changed<SubmissionId> {
        let (who, account) = (self.agency.person(name).await, self.account(from).await);
        let found = self.agency.db.read(move |s| {
            let acting = act_for::<right::Read>(s, &who, account)?;
            submission::changes(s, &acting, congvu_types::ModSeq(since), most)
        });
        found.await.unwrap().unwrap()
    }
}
