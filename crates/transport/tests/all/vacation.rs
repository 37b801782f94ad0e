//! The automatic answer: RFC 8621 §8, RFC 3834, RFC 5230; and who signs how: RFC 8621 §6.

use crate::place::{Place, each_place};
use congvu_casework::review::Envelope;
use congvu_directory::{act_for, right};
use congvu_storage::Actor;
use congvu_transport::{
    Action, Arrival, Reason, Verdict,
    identity::{
        IdentityChange, NamedAddress, change_identity, create_identity, destroy_identity, identities,
    },
    receive,
    vacation::{self, Vacation, set_vacation},
};
use congvu_types::{Error, IdentityId, RefusalKind, Timestamp};
use std::time::Duration;
use testkit::agency::{AGENCY, DIRECTOR};

async fn set(place: &Place, name: &str, address: &str, to: Vacation) -> Result<(), Error> {
    let (who, account) = (place.agency.person(name).await, place.account(address).await);
    let db = &place.agency.db;
    db.write(Actor::Person(who.person()), move |tx| {
        let acting = act_for::<right::Manage>(tx, &who, account)?;
        set_vacation(tx, &acting, &to)
    })
    .await
}

/// A message arrives, to Junk or not.
async fn arrive(place: &Place, from: &str, to: &str, header: &str, action: Action) {
    let raw = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: hoi\r\n{header}Message-ID: <q@gov.example>\r\n\r\nx\r\n"
    );
    let mail_from = (!from.is_empty()).then(|| from.parse().unwrap());
    let envelope = Envelope::new(mail_from, [to.parse().unwrap()]);
    let verdict = Verdict { action, reason: Reason::Clean, domain: None, claim: None };
    let message = congvu_mail::prepare(raw.as_bytes()).unwrap();
    let arrival = Arrival::new("x".into(), envelope, message, &verdict);
    let site = place.site.clone();
    place.write(move |tx| receive(tx, &site, &arrival)).await;
}

async fn answer(place: &Place) -> Vec<String> {
    while vacation::step(&place.agency.db, &place.site).await.unwrap() {}
    place.leaving().await
}

fn away() -> Vacation {
    Vacation { is_enabled: true, text: Some("Toi di vang".into()), ..Vacation::default() }
}

#[tokio::test]
async fn a_person_is_answered_once_in_seven_days() {
    each_place("", |place| async move {
        arrive(&place, "a@gov.example", DIRECTOR, "", Action::Accept).await;
        assert!(answer(&place).await.is_empty(), "nobody is away");
        set(&place, "hung", DIRECTOR, away()).await.unwrap();
        for _ in 0..3 {
            arrive(&place, "a@gov.example", DIRECTOR, "References: <p@gov.example>\r\n", Action::Accept)
                .await;
            arrive(&place, "b@gov.example", DIRECTOR, "", Action::Accept).await;
        }
        let sent = answer(&place).await;
        assert_eq!(sent.len(), 2);
        let first = &sent[0];
        for field in [
            "Auto-Submitted: auto-replied\r\n",
            "In-Reply-To: <q@gov.example>\r\n",
            "References: <p@gov.example> <q@gov.example>\r\n",
            "Toi di vang",
        ] {
            assert!(first.contains(field), "{field}: {first}");
        }
        // RFC 3834 §3.3: the reverse-path is null, so that no report comes back.
        assert!(place.queued().await.iter().all(|row| row.mail_from.is_empty()));
        place.clock.wait(Duration::from_secs(7 * 24 * 3600));
        arrive(&place, "a@gov.example", DIRECTOR, "", Action::Accept).await;
        assert_eq!(answer(&place).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn lists_junk_reports_and_other_times_are_not_answered() {
    each_place("", |place| async move {
        let now = place.agency.db.clock().now();
        set(&place, "hung", DIRECTOR, Vacation { to: Some(now.after(Duration::from_secs(60))), ..away() })
            .await
            .unwrap();
        arrive(&place, "a@gov.example", DIRECTOR, "List-Id: <l.gov.example>\r\n", Action::Accept).await;
        arrive(&place, "b@gov.example", DIRECTOR, "Auto-Submitted: auto-replied\r\n", Action::Accept).await;
        arrive(&place, "c@gov.example", DIRECTOR, "", Action::Junk).await;
        arrive(&place, "", DIRECTOR, "", Action::Accept).await;
        arrive(&place, "mailer-daemon@gov.example", DIRECTOR, "", Action::Accept).await;
        place.clock.wait(Duration::from_secs(60));
        arrive(&place, "d@gov.example", DIRECTOR, "", Action::Accept).await;
        assert!(answer(&place).await.is_empty());
        let backwards = Vacation { from: Some(now), to: Some(Timestamp(1)), ..away() };
        let refused = set(&place, "hung", DIRECTOR, backwards).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().kind, RefusalKind::InvalidValue);
    })
    .await;
}

/// S9.1 (Điều 9): nothing leaves an account under review without a decision, an automatic answer neither.
#[tokio::test]
async fn an_account_under_review_does_not_answer_by_itself() {
    each_place("", |place| async move {
        let refused = set(&place, "mai", AGENCY, away()).await.unwrap_err();
        let refusal = refused.refusal().unwrap();
        assert_eq!(refusal.kind, RefusalKind::NeedsReview);
        assert_eq!(refusal.citation.as_ref().unwrap().to_string(), "Điều 9");
        // A text may be kept; and even an account that came under review afterwards stays silent.
        set(&place, "mai", AGENCY, Vacation { is_enabled: false, ..away() }).await.unwrap();
        place.spoil("UPDATE vacation SET enabled = 1", []).await;
        arrive(&place, "a@gov.example", AGENCY, "", Action::Accept).await;
        assert!(answer(&place).await.is_empty());
        // It is for who manages the account.
        let refused = set(&place, "an", AGENCY, Vacation::default()).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().kind, RefusalKind::NoRight);
    })
    .await;
}

#[tokio::test]
async fn an_account_signs_alike_whoever_writes() {
    each_place("", |place| async move {
        let (db, account) = (place.agency.db.clone(), place.account(AGENCY).await);
        let read = |name: &'static str, address: &'static str| {
            let place = place.clone();
            async move {
                let (who, account) = (place.agency.person(name).await, place.account(address).await);
                let read =
                    place.agency.db.read(move |s| identities(s, &act_for::<right::Read>(s, &who, account)?));
                read.await.unwrap()
            }
        };
        let first = read("an", AGENCY).await;
        assert_eq!((first[0].name.as_str(), first[0].email.as_str()), ("Ban Quản lý dự án", AGENCY));
        assert!(!first[0].may_delete);
        assert_eq!(read("hung", DIRECTOR).await[0].name, "Trần Văn Hùng");
        let (who, default) = (place.agency.person("mai").await, IdentityId::new(account.get()));
        let change = IdentityChange { text_signature: Some("-- \nBan".into()), ..IdentityChange::default() };
        let second = IdentityChange {
            name: Some("Văn thư".into()),
            reply_to: Some(Some(vec![NamedAddress { name: None, email: AGENCY.into() }])),
            ..IdentityChange::default()
        };
        let made = db.write(Actor::Person(who.person()), move |tx| {
            let acting = act_for::<right::Manage>(tx, &who, account)?;
            change_identity(tx, &acting, default, change.clone())?;
            let made = create_identity(tx, &acting, &AGENCY.parse().unwrap(), second.clone())?;
            let foreign = create_identity(tx, &acting, &DIRECTOR.parse().unwrap(), IdentityChange::default());
            assert_eq!(foreign.unwrap_err().refusal().unwrap().kind, RefusalKind::SenderNotAllowed);
            let bad = IdentityChange { name: Some("a\r\nBcc: x".into()), ..IdentityChange::default() };
            assert!(change_identity(tx, &acting, default, bad).is_err());
            assert!(destroy_identity(tx, &acting, default).is_err());
            Ok(made.id)
        });
        let made = made.await.unwrap();
        let found = read("an", AGENCY).await;
        assert_eq!(found.iter().map(|i| i.id).collect::<Vec<_>>(), [default, made]);
        assert_eq!(found[0].text_signature, "-- \nBan");
        let who = place.agency.person("mai").await;
        let gone = db.write(Actor::Person(who.person()), move |tx| {
            destroy_identity(tx, &act_for::<right::Manage>(tx, &who, account)?, made)
        });
        gone.await.unwrap();
        assert_eq!(read("an", AGENCY).await.len(), 1);
        // Whoever writes and does not manage keeps the signature as it is.
        let who = place.agency.person("an").await;
        let no = db.read(move |s| act_for::<right::Manage>(s, &who, account)).await.unwrap_err();
        assert_eq!(no.refusal().unwrap().kind, RefusalKind::NoRight);
    })
    .await;
}
