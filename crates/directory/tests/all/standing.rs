//! How long a sign-in stands: sessions, devices, connections.

use crate::world::{PEER, drop_proof, is_open, may, open};
use congvu_directory::{
    AuthPolicy, Authenticator, Door, RightKind, SignedIn, app_passwords, create_app_password, disable_person,
    end_session, reset_password, revoke_app_password, sender,
};
use congvu_storage::{Actor, Tx};
use congvu_types::{AccountId, EmailAddress, RefusalKind};
use testkit::agency::{Agency, DIRECTOR, PASSWORD, each_agency};

/// What a sign-in that a connection has kept may still do.
async fn standing(agency: &Agency, who: &SignedIn, account: AccountId) -> Option<RefusalKind> {
    let (who, asked) = (who.clone(), who.clone());
    let address = DIRECTOR.parse::<EmailAddress>().unwrap();
    let (read, send) = agency
        .db
        .read(move |s| {
            let send = sender(s, &asked, &address).map(drop_proof).err();
            Ok((may(s, &who, account, RightKind::Read), send.map(|e| e.refusal().unwrap().kind)))
        })
        .await
        .unwrap();
    assert_eq!(read, send);
    read
}

/// S4.2 (Điều 4): a connection that is open ends with the password, the device or the person it rests on.
#[tokio::test]
async fn a_sign_in_ends_with_what_it_rests_on() {
    each_agency(|agency| async move {
        let (auth, own) = (&agency.authenticator, agency.account(DIRECTOR).await);
        let sign_in =
            async |secret: &str| auth.sign_in("hung@bqlctgt", secret, Door::Imap, PEER).await.unwrap();
        let by_password = sign_in(PASSWORD).await;
        let who = by_password.clone();
        let made = agency.db.write(Actor::System("test"), move |tx| create_app_password(tx, &who, "iPhone"));
        let (phone, secret) = made.await.unwrap();
        let by_phone = sign_in(&secret).await;
        // The person's own change of password ends what it opened, and leaves their devices alone.
        auth.change_password(&by_password, PASSWORD, "cau xom bong 2026", PEER).await.unwrap();
        assert_eq!(standing(&agency, &by_password, own).await, Some(RefusalKind::SignedOut));
        assert_eq!(standing(&agency, &by_phone, own).await, None);
        let by_password = sign_in("cau xom bong 2026").await;
        for active in [false, true] {
            let close = move |tx: &mut Tx| disable_person(tx, "hung@bqlctgt", active);
            agency.db.write(Actor::System("test"), close).await.unwrap();
            assert_eq!(standing(&agency, &by_password, own).await, Some(RefusalKind::SignedOut));
            let device = (!active).then_some(RefusalKind::SignedOut);
            assert_eq!(standing(&agency, &by_phone, own).await, device);
        }
        let (who, id) = (by_phone.clone(), phone.id);
        agency.db.write(Actor::System("test"), move |tx| revoke_app_password(tx, &who, id)).await.unwrap();
        assert_eq!(standing(&agency, &by_phone, own).await, Some(RefusalKind::SignedOut));
        // A session that was closed out leaves no secret behind, and undoes no reset.
        let by_password = sign_in("cau xom bong 2026").await;
        reset_password(&agency.db, Actor::System("test"), "hung@bqlctgt").await.unwrap();
        let who = by_password.clone();
        let late = agency.db.write(Actor::System("test"), move |tx| create_app_password(tx, &who, "late"));
        assert!(late.await.unwrap_err().is(RefusalKind::SignedOut));
        assert_eq!(standing(&agency, &by_password, own).await, Some(RefusalKind::SignedOut));
    })
    .await;
}

/// S4.2 (Điều 4): a new password, a closed person, a sign-out: each ends the sessions.
#[tokio::test]
async fn sessions_end_with_what_they_rest_on() {
    each_agency(|agency| async move {
        let token = open(&agency, "hung").await;
        assert!(is_open(&agency, &token).await && !is_open(&agency, "other").await);
        let ended = token.clone();
        agency.db.write(Actor::System("test"), move |tx| end_session(tx, &ended)).await.unwrap();
        assert!(!is_open(&agency, &token).await);
        let token = open(&agency, "mai").await;
        let initial =
            reset_password(&agency.db, Actor::Operator("root".into()), "mai@bqlctgt").await.unwrap();
        assert!(!is_open(&agency, &token).await);
        let auth = &agency.authenticator;
        assert!(auth.sign_in("mai@bqlctgt", PASSWORD, Door::Web, PEER).await.is_err());
        assert!(auth.sign_in("mai@bqlctgt", &initial, Door::Web, PEER).await.unwrap().must_change_password());
        let token = open(&agency, "an").await;
        agency.db.write(Actor::System("test"), |tx| disable_person(tx, "an@bqlctgt", false)).await.unwrap();
        assert!(!is_open(&agency, &token).await);
        assert!(auth.sign_in("an@bqlctgt", PASSWORD, Door::Imap, PEER).await.is_err());
    })
    .await;
}

/// A mail client has a secret of its own, which opens no other door and ends alone.
#[tokio::test]
async fn an_app_password_opens_mail_doors_until_it_is_revoked() {
    each_agency(|agency| async move {
        let auth =
            Authenticator::new(agency.db.clone(), AuthPolicy { clients_may_use_password: false }).unwrap();
        let refused = auth.sign_in("hung@bqlctgt", PASSWORD, Door::Imap, PEER).await.unwrap_err();
        assert_eq!(refused.refusal().map(|r| r.kind), Some(RefusalKind::SignInFailed));
        let hung = agency.person("hung").await;
        let who = hung.clone();
        let made =
            agency.db.write(Actor::System("test"), move |tx| create_app_password(tx, &who, " iPhone "));
        let (phone, secret) = made.await.unwrap();
        assert_eq!((phone.name.as_str(), phone.last_used_at), ("iPhone", None));
        // Typed as a telephone does it.
        let typed = secret.replace('-', " ").to_uppercase();
        for login in ["hung@bqlctgt", DIRECTOR] {
            assert_eq!(auth.sign_in(login, &typed, Door::Imap, PEER).await.unwrap().person(), hung.person());
        }
        assert!(auth.sign_in("hung@bqlctgt", &secret, Door::Web, PEER).await.is_err());
        assert!(auth.sign_in("mai@bqlctgt", &secret, Door::Imap, PEER).await.is_err());
        let who = hung.clone();
        let held = agency.db.read(move |s| app_passwords(s, &who)).await.unwrap();
        assert_eq!(held.len(), 1);
        assert!(held[0].last_used_at.is_some());
        // Somebody else cannot take it away, its owner can.
        for (name, taken) in [("mai", false), ("hung", true)] {
            let (who, id) = (agency.person(name).await, phone.id);
            let revoked = agency.db.write(Actor::System("test"), move |tx| revoke_app_password(tx, &who, id));
            assert_eq!(revoked.await.is_ok(), taken, "{name}");
        }
        assert!(auth.sign_in("hung@bqlctgt", &secret, Door::Imap, PEER).await.is_err());
    })
    .await;
}

/// S4.2d (Điều 4): a new initial password ends the app passwords too; until it is changed no client signs in.
#[tokio::test]
async fn a_reset_ends_app_passwords() {
    each_agency(|agency| async move {
        let hung = agency.person("hung").await;
        let made =
            agency.db.write(Actor::System("test"), move |tx| create_app_password(tx, &hung, "Outlook"));
        let (_, secret) = made.await.unwrap();
        let initial = reset_password(&agency.db, Actor::System("test"), "hung@bqlctgt").await.unwrap();
        let auth = &agency.authenticator;
        let who = auth.sign_in("hung@bqlctgt", &initial, Door::Web, PEER).await.unwrap();
        auth.change_password(&who, &initial, "cau xom bong 2026", PEER).await.unwrap();
        assert!(auth.sign_in("hung@bqlctgt", &secret, Door::Imap, PEER).await.is_err());
    })
    .await;
}
