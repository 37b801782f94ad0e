//! Names, lists, status.

use crate::door::{arrive, letter, open, signed_in};
use congvu_directory::{AuthPolicy, Authenticator};
use testkit::{
    agency::{AGENCY, DIRECTOR, INITIAL, each_agency},
    transcript::Client,
};

#[tokio::test]
async fn mailboxes_are_listed_made_and_removed() {
    each_agency(|agency| async move {
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client
            .play(
                r#"
            C: a LIST "" ""
            S: * LIST (\Noselect) "/" ""
            S: a OK *
            C: a LIST "" "%" RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))
            S: * LIST (\HasNoChildren \Subscribed) "/" "INBOX"
            S: * STATUS "INBOX" (MESSAGES 1 UNSEEN 1)
            S~ * LIST (*\Drafts) "/" "Drafts"
            S~ * LIST (*\Sent) "/" "Sent"
            S~ a OK *
            C: a CREATE "D&HvE- &AOE-n/2026"
            S: a OK [MAILBOXID (*)] *
            C: a CREATE "D&HvE- &AOE-n/2026"
            S: a NO [ALREADYEXISTS] *
            C: a LIST "" "D*"
            S: * LIST (\HasNoChildren \Drafts) "/" "Drafts"
            S: * LIST (\HasChildren) "/" "D&HvE- &AOE-n"
            S: * LIST (\HasNoChildren) "/" "D&HvE- &AOE-n/2026"
            S: a OK *
            C: a DELETE "D&HvE- &AOE-n"
            S: a NO [INUSE] *
            C: a RENAME "D&HvE- &AOE-n/2026" Xong
            S: a OK *
            C: a UNSUBSCRIBE Xong
            S: a OK *
            C: a LSUB "" "X*"
            S: a OK *
            C: a DELETE Xong
            S: a OK *
            C: a DELETE INBOX
            S: a NO [INUSE] *
            C: a STATUS inbox (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE DELETED HIGHESTMODSEQ)
            S: * STATUS "inbox" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY * UNSEEN 1 SIZE * DELETED 0 HIGHESTMODSEQ *)
            S: a OK *
            C: a STATUS Nothing (MESSAGES)
            S: a NO [NONEXISTENT] *
            C: a NAMESPACE
            S: * NAMESPACE (("" "/")) NIL (("Shared/" "/"))
            S: a OK *
            C: a LIST (SPECIAL-USE) "" "*"
            S~ * LIST (*\Archive) "/" "Archive"
            S~ a OK *
        "#,
            )
            .await;
    })
    .await;
}

/// S3.1b (Điều 3): people share an account under their own names; who has none of their own still finds an INBOX.
#[tokio::test]
async fn shared_accounts_stand_in_a_namespace_of_their_own() {
    each_agency(|agency| async move {
        arrive(&agency, AGENCY, &letter("chung")).await;
        let address = open(&agency).await;
        signed_in(address, "an@bqlctgt")
            .await
            .play(
                r#"
            C: a LIST "" *
            S: * LIST (\HasNoChildren) "/" "INBOX"
            S: * LIST (\Noselect \HasChildren) "/" "Shared"
            S: * LIST (\Noselect \HasChildren) "/" "Shared/bqlctgt@khanhhoa.example"
            S~ * LIST (\HasNoChildren) "/" "Shared/bqlctgt@khanhhoa.example/INBOX"
            S~ a OK *
            C: a SELECT "Shared/bqlctgt@khanhhoa.example/INBOX"
            S~ * 1 EXISTS
            S~ a OK [READ-WRITE] *
            C: a EXAMINE INBOX
            S~ * 1 EXISTS
            S~ a OK [READ-ONLY] *
        "#,
            )
            .await;
        // Signed in for one account, that is all there is, and it is the personal one.
        signed_in(address, "an@bqlctgt/bqlctgt@khanhhoa.example")
            .await
            .play(
                r#"
            C: a LIST "" "S*"
            S: * LIST (\HasNoChildren \Sent) "/" "Sent"
            S: a OK *
        "#,
            )
            .await;
    })
    .await;
}

/// S3.1b (Điều 3): whoever gets more of a shared message than its header is on record, and whoever takes a copy.
#[tokio::test]
async fn who_reads_a_shared_message_is_on_record() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai", "ba"] {
            arrive(&agency, AGENCY, &letter(subject)).await;
        }
        let address = open(&agency).await;
        let readers = || async {
            let found = agency.db.read(|s| {
                s.query("SELECT person_id, email_id FROM email_read ORDER BY email_id", &[], |r| r.i64(0))
            });
            found.await.unwrap()
        };
        let an = agency.person("an").await.person().get();
        let mut client = signed_in(address, "an@bqlctgt").await;
        client.play("C: a SELECT INBOX\nS~ a OK *").await;
        for header in [
            "BODY.PEEK[HEADER]",
            "BODY.PEEK[HEADER.FIELDS (Subject)]",
            "BODY.PEEK[1.MIME]",
            "BINARY.SIZE[1]",
            "BODY.PEEK[7]",
        ] {
            client.play(&format!("C: a FETCH 1:* ({header} ENVELOPE BODYSTRUCTURE)\nS~ a OK *")).await;
        }
        assert!(readers().await.is_empty(), "headers and sizes alone are not reading");
        client.play("C: a FETCH 1 BODY.PEEK[TEXT]\nS~ a OK *\nC: a FETCH 1 BINARY.PEEK[1]\nS~ a OK *").await;
        assert_eq!(readers().await, [an]);
        client.play("C: a FETCH 1:2 BODY.PEEK[1]<0.10>\nS~ a OK *").await;
        assert_eq!(readers().await, [an, an]);
    })
    .await;
}

/// Where clients may not use the person's password, SCRAM (RFC 5802), which proves nothing else, is not offered.
#[tokio::test]
async fn scram_is_offered_only_for_passwords_that_open_this_door() {
    each_agency(|mut agency| async move {
        let policy = AuthPolicy { clients_may_use_password: false };
        agency.authenticator = Authenticator::new(agency.db.clone(), policy).unwrap();
        let script = "
            S- * SCRAM *
            S~ * OK [CAPABILITY *AUTH=LOGIN] *
            C: a AUTHENTICATE SCRAM-SHA-256
            S: a NO Use a mechanism that is offered.
        ";
        Client::connect(open(&agency).await).await.play(script).await;
    })
    .await;
}

/// S4.2d (khoản 2 Điều 4).
#[tokio::test]
async fn sign_in_is_refused_in_words() {
    each_agency(|agency| async move {
        let address = open(&agency).await;
        let mut client = Client::connect(address).await;
        client
            .play(&format!(
                "
            S: * OK [CAPABILITY *] *
            C: a SELECT INBOX
            S: a BAD Sign in first.
            C: a LOGIN moi@bqlctgt \"{INITIAL}\"
            S: a NO [EXPIRED] *(khoan 2 Dieu 4)
            C: a LOGIN hung@bqlctgt wrong
            S: a NO [AUTHENTICATIONFAILED] *
            C: a AUTHENTICATE FOO
            S: a NO Use a mechanism that is offered.
            C: a LOGIN {{70000}}
            S: a NO [TOOBIG] *
            C: a FOO
            S: a BAD Expected *.
            C: a LOGOUT
            S: * BYE *
            S: a OK *
        "
            ))
            .await;
    })
    .await;
}

/// S3.1b (Điều 3): whoever may read a shared account arranges it for nobody but themselves.
#[tokio::test]
async fn a_subscription_in_a_shared_account_is_ones_own() {
    each_agency(|agency| async move {
        arrive(&agency, AGENCY, &letter("chung")).await;
        let address = open(&agency).await;
        let lsub = r#"C: a LSUB "" "Shared/*/Trash""#;
        let mut an = signed_in(address, "an@bqlctgt").await;
        an.play(&format!(
            r#"
            {lsub}
            S: * LSUB (*) "/" "Shared/bqlctgt@khanhhoa.example/Trash"
            S: a OK *
            C: a UNSUBSCRIBE "Shared/bqlctgt@khanhhoa.example/Trash"
            S: a OK *
            {lsub}
            S: a OK *
        "#
        ))
        .await;
        let mut mai = signed_in(address, "mai@bqlctgt").await;
        mai.play(&format!(
            r#"
            {lsub}
            S: * LSUB (*) "/" "Shared/bqlctgt@khanhhoa.example/Trash"
            S: a OK *
            # Who walks down level by level finds the way (RFC 3501 §6.3.9, RFC 5258 §3.5).
            C: a LSUB "" "S%"
            S: * LSUB (\Noselect \HasChildren) "/" "Shared"
            S: a OK *
            C: a LIST (SUBSCRIBED) "" "S%"
            S: a OK *
            C: a LIST (SUBSCRIBED RECURSIVEMATCH) "" "S%"
            S: * LIST (\Noselect \HasChildren) "/" "Shared" ("CHILDINFO" ("SUBSCRIBED"))
            S: a OK *
            C: a LIST (SPECIAL-USE) "" "*"
            S: a OK *
        "#
        ))
        .await;
    })
    .await;
}

/// RFC 9051 §5.1, §6.3.4, §6.3.6; RFC 6154 §3.
#[tokio::test]
async fn names_that_mean_something_are_kept_apart() {
    each_agency(|agency| async move {
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client
            .play(
                r#"
            C: a CREATE Shared/mine
            S: a NO [*
            C: a RENAME Archive shared
            S: a NO [*
            C: a CREATE inbox/Viec
            S: a OK *
            C: a CREATE InBox/viec/X (USE (\Junk))
            S: a NO [USEATTR] *
            C: a LIST "" "inbox/%"
            S: * LIST (\HasNoChildren) "/" "INBOX/Viec"
            S: a OK *
            C: a LIST "D&HvE- &AOE-n/" "%"
            S: a OK *
            C: a CREATE "D&HvE- &AOE-n/2026"
            S: a OK *
            C: a LIST "D&HvE- &AOE-n/" "%"
            S: * LIST (\HasNoChildren) "/" "D&HvE- &AOE-n/2026"
            S: a OK *
            C: a RENAME INBOX Cu
            S: a OK *
            C: a STATUS Cu (MESSAGES)
            S: * STATUS "Cu" (MESSAGES 1)
            S: a OK *
            C: a STATUS INBOX (MESSAGES)
            S: * STATUS "INBOX" (MESSAGES 0)
            S: a OK *
        "#,
            )
            .await;
    })
    .await;
}
