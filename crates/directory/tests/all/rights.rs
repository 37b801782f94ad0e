//! Who may do what.

use crate::world::{PEER, may};
use congvu_directory::{Door, RightKind, sender};
use congvu_types::{EmailAddress, RefusalKind};
use testkit::agency::{AGENCY, DIRECTOR, PASSWORD, each_agency};

/// S3.1b (Điều 3): each right of each person on each account; what one may not read does not exist.
#[tokio::test]
async fn nobody_acts_without_a_grant() {
    each_agency(|agency| async move {
        let (shared, own) = (agency.account(AGENCY).await, agency.account(DIRECTOR).await);
        for (name, account, granted) in [
            ("mai", shared, "read draft submit review manage"),
            ("an", shared, "read draft submit"),
            ("hung", own, "read draft submit manage"),
            ("hung", shared, ""),
            ("mai", own, ""),
        ] {
            let who = agency.person(name).await;
            let found = agency
                .db
                .read(move |s| Ok(RightKind::ALL.map(|kind| (kind.as_str(), may(s, &who, account, kind)))));
            for (right, refused) in found.await.unwrap() {
                let expected = match (granted.contains(right), granted.is_empty()) {
                    (true, _) => None,
                    (false, true) => Some(RefusalKind::NotFound),
                    (false, false) => Some(RefusalKind::NoRight),
                };
                assert_eq!(refused, expected, "{name} {right}");
            }
        }
        let an = agency.person("an").await;
        let senders = agency.db.read(move |s| {
            let ask = |text: &str| sender(s, &an, &text.parse::<EmailAddress>().unwrap()).is_ok();
            Ok([ask(AGENCY), ask(DIRECTOR), ask("an@gov.example")])
        });
        assert_eq!(senders.await.unwrap(), [true, false, false]);
        // Signed in for one account, that is the only one.
        let login = format!("an@bqlctgt/{AGENCY}");
        let scoped = agency.authenticator.sign_in(&login, PASSWORD, Door::Imap, PEER).await.unwrap();
        assert_eq!(scoped.scope(), Some(shared));
        let login = format!("an@bqlctgt/{DIRECTOR}");
        assert!(agency.authenticator.sign_in(&login, PASSWORD, Door::Imap, PEER).await.is_err());
    })
    .await;
}

/// S3.1b (Điều 3): a right that is taken away is gone for connections that are open too.
#[tokio::test]
async fn a_withdrawn_grant_ends_at_once() {
    each_agency(|agency| async move {
        let (an, shared) = (agency.person("an").await, agency.account(AGENCY).await);
        agency.withdraw("an", AGENCY).await;
        let refused = agency.db.read(move |s| Ok(may(s, &an, shared, RightKind::Read))).await.unwrap();
        assert_eq!(refused, Some(RefusalKind::NotFound));
    })
    .await;
}
