//! Sign-in: passwords, SCRAM, guessing, what is recorded.

use crate::world::{PEER, audited};
use congvu_directory::{AuthPolicy, Authenticator, Door};
use congvu_types::RefusalKind;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr};
use testkit::agency::{Agency, DIRECTOR, INITIAL, PASSWORD, each_agency};

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
        let keys = agency.authenticator.scram_keys("hung@bqlctgt", Door::Imap, PEER).await.unwrap();
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
        assert!(keys.iterations >= 100_000);
        // Nobody learns who exists: a stranger has keys too, always the same, however the login is written, and after a
        // restart.
        let policy = AuthPolicy { clients_may_use_password: true };
        let restarted = Authenticator::new(agency.db.clone(), policy).unwrap();
        for (login, same_as) in [
            ("nobody@bqlctgt", " Nobody@BQLCTGT "),
            ("nobody@bqlctgt", "nobody@bqlctgt/x@gov.example"),
            ("hung@bqlctgt", "HUNG@bqlctgt/bqlctgt@khanhhoa.example"),
        ] {
            let one = auth.scram_keys(login, Door::Imap, PEER).await.unwrap();
            let other = restarted.scram_keys(same_as, Door::Imap, PEER).await.unwrap();
            assert_eq!((one.salt, one.iterations), (other.salt, other.iterations), "{login}");
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down() {
    each_agency(|agency| async move {
        let auth = &agency.authenticator;
        let mut kinds = Vec::new();
        for n in 0..30 {
            // A mail client with an old password tries without end, and guesses nothing.
            let old = auth.sign_in("hung@bqlctgt", "old", Door::Imap, PEER).await.unwrap_err();
            assert!(old.is(RefusalKind::SignInFailed), "{n}");
            let wrong = format!("wrong {n}");
            let refused = auth.sign_in("hung@bqlctgt", &wrong, Door::Web, PEER).await.unwrap_err();
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

/// However the login is written it is one person's; and whoever is wrong far away locks nobody out.
#[tokio::test]
async fn tries_are_counted_by_person_and_network() {
    each_agency(|agency| async move {
        let auth = &agency.authenticator;
        let forms = ["hung@bqlctgt", " HUNG@BQLCTGT", DIRECTOR, "hung@bqlctgt/x@gov.example"];
        let secrets: Vec<_> = (0..12).map(|n| format!("wrong {n}")).collect();
        let tries = forms.iter().cycle().zip(&secrets);
        let tries = tries.map(|(login, secret)| auth.sign_in(login, secret, Door::Imap, PEER));
        // All at once: none of them passes before the others are counted.
        let kinds: Vec<_> = join_all(tries).await.into_iter().map(|r| r.unwrap_err()).collect();
        let refused = kinds.iter().filter(|e| e.is(RefusalKind::TooManyAttempts)).count();
        assert_eq!(refused, 2);
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        assert!(auth.sign_in("hung@bqlctgt", PASSWORD, Door::Web, elsewhere).await.is_ok());
        // The web is another door, here too.
        assert!(auth.sign_in("hung@bqlctgt", PASSWORD, Door::Web, PEER).await.is_ok());
        let keys = auth.scram_keys("hung@bqlctgt", Door::Imap, PEER).await;
        assert!(keys.unwrap_err().is(RefusalKind::TooManyAttempts));
        let long = format!("{}@bqlctgt", "x".repeat(64 * 1024));
        assert!(
            auth.sign_in(&long, "x", Door::Web, elsewhere).await.unwrap_err().is(RefusalKind::SignInFailed)
        );
    })
    .await;
}

/// Sign-ins are in the audit log: each session of the web, a mail client once an hour, failures at a bounded rate.
#[tokio::test]
async fn sign_ins_are_recorded() {
    each_agency(|agency| async move {
        let auth = &agency.authenticator;
        for (door, times) in [(Door::Web, 2), (Door::Imap, 3)] {
            for _ in 0..times {
                auth.sign_in("mai@bqlctgt", PASSWORD, door, PEER).await.unwrap();
            }
        }
        let mut found = audited(&agency, "person.signed_in").await;
        found.retain(|row| row.starts_with("mai@bqlctgt") && !row.contains("smtp"));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[2].contains("\"door\":\"imap\"") && found[2].contains("127.0.0.1"), "{found:?}");
        for login in ["an@bqlctgt", "nobody@bqlctgt"] {
            for n in 0..12 {
                auth.sign_in(login, &format!("wrong {n}"), Door::Imap, PEER).await.unwrap_err();
            }
        }
        for event in ["person.sign_in_failed", "person.sign_in_throttled"] {
            let found = audited(&agency, event).await;
            assert_eq!(found.len(), 2, "{event} {found:?}");
            assert!(found[0].starts_with("an@bqlctgt ") && found[1].starts_with(' '), "{found:?}");
        }
    })
    .await;
}

async fn keys_kept(agency: &Agency) -> i64 {
    let count = "SELECT CAST(COUNT(*) AS BIGINT) FROM credential WHERE scram_salt IS NOT NULL OR stored_key IS NOT NULL";
    agency.db.read(move |s| s.query_one(count, &[], |r| r.i64(0))).await.unwrap()
}

/// RFC 5802 keys are quicker to guess at than Argon2id: they are kept where mail clients may use the password, and only there.
#[tokio::test]
async fn scram_keys_are_kept_only_where_they_are_of_use() {
    each_agency(|agency| async move {
        let policy = |clients_may_use_password| AuthPolicy { clients_may_use_password };
        let closed = Authenticator::new(agency.db.clone(), policy(false)).unwrap();
        assert!(agency.authenticator.offers_scram() && !closed.offers_scram());
        assert_eq!(keys_kept(&agency).await, 3);
        agency.authenticator.forget_unused_keys().await.unwrap();
        assert_eq!(keys_kept(&agency).await, 3);
        closed.forget_unused_keys().await.unwrap();
        assert_eq!(keys_kept(&agency).await, 0);
        let who = closed.sign_in("moi@bqlctgt", INITIAL, Door::Web, PEER).await.unwrap();
        closed.change_password(&who, INITIAL, "cau xom bong 2026", PEER).await.unwrap();
        assert_eq!(keys_kept(&agency).await, 0);
        // Where the policy changed, a sign-in with the password makes them.
        let open = Authenticator::new(agency.db.clone(), policy(true)).unwrap();
        open.sign_in("moi@bqlctgt", "cau xom bong 2026", Door::Imap, PEER).await.unwrap();
        assert_eq!(keys_kept(&agency).await, 1);
    })
    .await;
}
