//! The sample agency that sends to other servers, and what the tests ask of it.

use congvu_mail::Role;
use congvu_storage::{Actor, Tx, Value};
use congvu_transport::{
    Draft, Envelope, Outbound, Site, Submitted, Via,
    queue::{self, Attempt, AttemptOutcome, Lease},
    submit,
};
use congvu_types::{AccountId, QueueId, Result, Uid};
use std::sync::Arc;
use testkit::{
    agency::{Agency, DIRECTOR, MIGRATIONS},
    clock::HandClock,
    store::each_engine_at,
};

/// The agency, and its clock.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) agency: Agency,
    pub(crate) site: Site,
    pub(crate) clock: HandClock,
}

/// Runs a test over the agency with more accounts, on each engine.
pub(crate) async fn each_place<F, Fut>(more: &str, test: F)
where
    F: Fn(Place) -> Fut,
    Fut: Future<Output = ()>,
{
    let clock = HandClock::new();
    let test = &test;
    each_engine_at(Arc::new(clock.clone()), &MIGRATIONS, |store| {
        let clock = clock.clone();
        async move {
            let agency = Agency::with(store, more).await;
            let site = Site::new("mail.khanhhoa.example", Outbound::Send);
            test(Place { agency, site, clock }).await;
        }
    })
    .await;
}

impl Place {
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> R {
        self.agency.db.write(Actor::System("test"), f).await.unwrap()
    }

    /// Runs a statement that no program runs.
    pub(crate) async fn spoil(&self, sql: &'static str, values: impl Into<Vec<Value>>) {
        let values = values.into();
        self.write(move |tx| tx.execute(sql, &values)).await;
    }

    /// Sends from the director's own account, which nobody reviews.
    pub(crate) async fn send(&self, to: &[&str], subject: &str) {
        let who = self.agency.person("hung").await;
        let raw = format!(
            "From: {DIRECTOR}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@khanhhoa.example>\r\n\r\nthan\r\n"
        );
        let to: Vec<_> = to.iter().map(|a| a.parse().unwrap()).collect();
        let envelope = Envelope::new(Some(DIRECTOR.parse().unwrap()), to);
        let draft = Draft::prepare(raw.as_bytes(), envelope, Via::Smtp).unwrap();
        let site = self.site.clone();
        let sent = self.write(move |tx| submit(tx, &site, &who, &draft)).await;
        assert!(matches!(sent, Submitted::Sent(_)));
    }

    pub(crate) async fn claim(&self) -> Vec<Lease> {
        self.write(|tx| queue::claim_due(tx, 1, 10)).await
    }

    /// Reports the same outcome for each recipient of a lease.
    pub(crate) async fn report(
        &self,
        lease: &Lease,
        outcome: AttemptOutcome,
        answer: &str,
    ) -> queue::Reported {
        let attempts: Vec<Attempt> = lease
            .recipients
            .iter()
            .map(|r| Attempt {
                recipient: r.id,
                outcome: outcome.clone(),
                remote: "mx.example".into(),
                answer: answer.into(),
            })
            .collect();
        let (site, lease) = (self.site.clone(), lease.clone());
        self.write(move |tx| queue::report(tx, &site, &lease, &attempts)).await
    }

    pub(crate) async fn queued(&self) -> Vec<queue::QueueRow> {
        self.agency.db.read(|s| queue::list(s, None, 2000)).await.unwrap()
    }

    pub(crate) async fn cancel(&self, group: QueueId) {
        let site = self.site.clone();
        self.write(move |tx| queue::cancel(tx, &site, group)).await;
    }

    pub(crate) async fn account(&self, address: &str) -> AccountId {
        self.agency.account(address).await
    }

    /// Returns the texts of an account's INBOX, oldest first.
    pub(crate) async fn inbox(&self, address: &str) -> Vec<String> {
        self.texts(address, Role::Inbox).await
    }

    /// The messages of an account's mailbox, the oldest first.
    pub(crate) async fn texts(&self, address: &str, role: Role) -> Vec<String> {
        let account = self.account(address).await;
        let texts = self.agency.db.read(move |s| {
            let mut texts = Vec::new();
            let Some(inbox) = congvu_mail::mailbox_by_role(s, account, role)? else {
                return Ok(texts);
            };
            for uid in 1..inbox.uidnext {
                if let Some(row) = congvu_mail::message(s, account, inbox.id, Uid(uid))? {
                    texts.push(String::from_utf8_lossy(&congvu_mail::raw(s, &row)?).into_owned());
                }
            }
            Ok(texts)
        });
        texts.await.unwrap()
    }
}
