//! Who may do what, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

use congvu_directory::{
    Acting, AuthPolicy, Authenticator, Door, RightKind, SignedIn, act_for, app_passwords,
    create_app_password, disable_person, end_session, fixture, open_session, reset_password,
    revoke_app_password, right, sender, session,
};
use congvu_storage::{Actor, Snapshot, Tx};
use congvu_types::{AccountId, EmailAddress, RefusalKind};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
};
use testkit::agency::{AGENCY, Agency, DIRECTOR, INITIAL, PASSWORD, each_agency};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn may(s: &Snapshot, who: &SignedIn, account: AccountId, kind: RightKind) -> Option<RefusalKind> {
    let outcome = match kind {
        RightKind::Read => act_for::<right::Read>(s, who, account).map(drop_proof),
        RightKind::Draft => act_for::<right::Draft>(s, who, account).map(drop_proof),
        RightKind::Submit => act_for::<right::Submit>(s, who, account).map(drop_proof),
        RightKind::Review => act_for::<right::Review>(s, who, account).map(drop_proof),
        RightKind::Manage => act_for::<right::Manage>(s, who, account).map(drop_proof),
    };
    outcome.err().map(|e| e.refusal().unwrap().kind)
}

fn drop_proof<R>(_: Acting<R>) {}

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

/// S4.2d (khoản 2 Điều 4).
#[tokio::test]
async fn an_initial_password_opens_only_its_change() {
    each_agency(|agency| async move {
        let auth = &agency.authenticator;
        for door in [Door::Imap, Door::Smtp] {
            let refused = auth.sign_in("moi@bqlctgt", INITIAL, door, PEER).await.unwrap_err();
            let refusal = refused.refusal().unwrap();
            assert_eq!(refusal.kind, RefusalKind::PasswordMustChange);
            assert_eq!(refusal.citation.as_ref().unwrap().to_string(), "khoản 2 Điều 4");
        }
        let who = auth.sign_in("moi@bqlctgt", INITIAL, Door::Web, PEER).await.unwrap();
        assert!(who.must_change_password());
        for weak in ["ngan", INITIAL, "moi moi moi moi", "123456789012"] {
            let refused = auth.change_password(&who, INITIAL, weak, PEER).await.unwrap_err();
            assert_eq!(refused.refusal().unwrap().kind, RefusalKind::WeakPassword, "{weak}");
        }
        assert!(auth.change_password(&who, "wrong", "cau xom bong 2026", PEER).await.is_err());
        auth.change_password(&who, INITIAL, "cau xom bong 2026", PEER).await.unwrap();
        assert!(auth.sign_in("moi@bqlctgt", INITIAL, Door::Web, PEER).await.is_err());
        let who = auth.sign_in("moi@bqlctgt", "cau xom bong 2026", Door::Imap, PEER).await.unwrap();
        assert!(!who.must_change_password());
    })
    .await;
}

/// Who has no credential, or may not use it at a door, is let in by nothing: not by what stands in for their hash either.
#[tokio::test]
async fn no_secret_opens_what_has_no_credential() {
    each_agency(|agency| async move {
        agency
            .apply("[[person]]\nagency = \"bqlctgt\"\nusername = \"trong\"\nname = \"Không Mật Khẩu\"")
            .await;
        let auth =
            Authenticator::new(agency.db.clone(), AuthPolicy { clients_may_use_password: false }).unwrap();
        for secret in ["decoy", ""] {
            for door in [Door::Web, Door::Smtp, Door::Imap] {
                for login in ["trong@bqlctgt", "hung@bqlctgt", "niemand@bqlctgt"] {
                    let refused = auth.sign_in(login, secret, door, PEER).await.unwrap_err();
                    let kind = refused.refusal().map(|r| r.kind);
                    assert_eq!(kind, Some(RefusalKind::SignInFailed), "{login} {secret} {door:?}");
                }
            }
        }
    })
    .await;
}

/// RFC 5802 §3, from the client's side.
#[tokio::test]
async fn scram_proves_the_password_both_ways() {
    each_agency(|agency| async move {
        let mac = |key: &[u8], text: &[u8]| -> [u8; 32] {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            mac.update(text);
            mac.finalize().into_bytes().into()
        };
        let keys = agency.authenticator.scram_keys("hung@bqlctgt").await.unwrap();
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(PASSWORD.as_bytes(), &keys.salt, keys.iterations, &mut salted);
        let client_key = mac(&salted, b"Client Key");
        let message = b"n=hung,r=1,r=12,s=x,i=1,c=biws,r=12";
        let signature = mac(&Sha256::digest(client_key), message);
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let auth = &agency.authenticator;
        let (who, server) =
            auth.sign_in_scram("hung@bqlctgt", message, &proof, Door::Imap, PEER).await.unwrap();
        assert_eq!(who.username(), "hung");
        assert_eq!(server, mac(&mac(&salted, b"Server Key"), message));
        let refused =
            auth.sign_in_scram("hung@bqlctgt", b"other", &proof, Door::Imap, PEER).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().kind, RefusalKind::SignInFailed);
        // Nobody learns who exists: a stranger has keys too, always the same.
        let stranger = auth.scram_keys("nobody@bqlctgt").await.unwrap();
        assert_eq!(stranger.salt, auth.scram_keys("nobody@bqlctgt").await.unwrap().salt);
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down() {
    each_agency(|agency| async move {
        let auth = &agency.authenticator;
        let mut kinds = Vec::new();
        for _ in 0..30 {
            let refused = auth.sign_in("hung@bqlctgt", "wrong", Door::Web, PEER).await.unwrap_err();
            kinds.push(refused.refusal().unwrap().kind);
        }
        assert_eq!(kinds.first(), Some(&RefusalKind::SignInFailed));
        assert_eq!(kinds.last(), Some(&RefusalKind::TooManyAttempts));
        // The right one is not heard either until the time is over.
        let refused = auth.sign_in("hung@bqlctgt", PASSWORD, Door::Web, PEER).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().kind, RefusalKind::TooManyAttempts);
    })
    .await;
}

async fn is_open(agency: &Agency, token: &str) -> bool {
    let token = token.to_owned();
    agency.db.read(move |s| session(s, &token)).await.unwrap().is_some()
}

async fn open(agency: &Agency, name: &str) -> String {
    let who = agency.person(name).await;
    agency.db.write(Actor::System("test"), move |tx| open_session(tx, &who)).await.unwrap().0
}

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

const REGULATED: &str = r#"
[[agency]]
code = "khac"
name = "Ban khác"
domain = "khac.example"
regulation = "regulations/bqlctgt.toml"

[[person]]
agency = "khac"
username = "nv"
name = "Nhân viên"
position = "vien-chuc"
initial_password = "mat khau duoc cap 1"

[[account]]
address = "nv@khac.example"
kind = "personal"
agency = "khac"
owner = "nv"
"#;

/// S3.2 (Điều 3): personal accounts for the positions that the regulation names; a second run changes nothing.
#[tokio::test]
async fn fixtures_obey_the_regulation_and_repeat_without_effect() {
    each_agency(|agency| async move {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let apply = |text: &str| {
            let parsed = fixture::parse(text, &root, |_| None, false).unwrap();
            let db = agency.db.clone();
            async move {
                let copy = parsed.clone();
                let prepared = db.read(move |s| fixture::prepare(s, &copy)).await.unwrap();
                db.write(Actor::System("test"), move |tx| fixture::apply(tx, &parsed, &prepared)).await
            }
        };
        let refused = apply(REGULATED).await.unwrap_err();
        let refusal = refused.refusal().unwrap();
        assert_eq!(
            (refusal.kind, refusal.citation.as_ref().unwrap().rule.as_str()),
            (RefusalKind::NotEntitled, "S3.2")
        );
        let entitled = REGULATED.replace("vien-chuc", "giam-doc");
        assert!(apply(&entitled).await.unwrap().created > 0);
        let again = apply(&entitled).await.unwrap();
        assert_eq!((again.created, again.updated), (0, 0));
        // Nobody is made for an agency that does not exist; a slip of the pen is told with its line.
        let unknown = entitled.replace("agency = \"khac\"", "agency = \"la\"");
        assert!(apply(&unknown).await.is_err());
        let slip = entitled.replace("kind = \"personal\"", "kind = \"personel\"");
        let line = slip.lines().position(|l| l.contains("personel")).unwrap() + 1;
        let problems = fixture::parse(&slip, &root, |_| None, false).unwrap_err();
        assert!(problems.iter().any(|p| p.line == line), "{problems:?}");
        let fixed = fixture::parse(&entitled.replace("initial_password", "password"), &root, |_| None, false);
        assert!(fixed.unwrap_err()[0].message.contains("password"));
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
