//! What one session does, another hears of: NOOP, IDLE, CONDSTORE.

use crate::door::{arrive, letter, open, signed_in};
use congvu_directory::{create_app_password, disable_person, revoke_app_password};
use congvu_storage::{Actor, Tx};
use testkit::{
    agency::{AGENCY, Agency, DIRECTOR, each_agency},
    transcript::Client,
};

#[tokio::test]
async fn an_idle_session_hears_of_what_is_committed() {
    each_agency(|agency| async move {
        let address = open(&agency).await;
        let mut watcher = signed_in(address, "hung@bqlctgt").await;
        watcher.play("C: a SELECT INBOX\nS~ a OK *\nC: i IDLE\nS: + *").await;
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        watcher.play("S: * 1 EXISTS").await;
        let mut other = signed_in(address, "hung@bqlctgt").await;
        other
            .play("C: a SELECT INBOX\nS~ a OK *\nC: a STORE 1 +FLAGS (\\Deleted)\nS: * 1 FETCH *\nS: a OK *")
            .await;
        watcher.play("S: * 1 FETCH (UID 1 FLAGS (\\Deleted))").await;
        other.play("C: a EXPUNGE\nS: * 1 EXPUNGE\nS: a OK *").await;
        watcher.play("S: * 1 EXPUNGE\nC: DONE\nS: i OK *").await;
    })
    .await;
}

/// RFC 9051 §7.5.1: a message that is gone keeps its number until the client may hear of it.
#[tokio::test]
async fn numbers_stand_until_the_client_may_hear() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai", "ba"] {
            arrive(&agency, DIRECTOR, &letter(subject)).await;
        }
        let address = open(&agency).await;
        let mut reader = signed_in(address, "hung@bqlctgt").await;
        reader.play("C: a SELECT INBOX\nS~ a OK *").await;
        let mut other = signed_in(address, "hung@bqlctgt").await;
        other
            .play(
                "
            C: a SELECT INBOX
            S~ a OK *
            C: a STORE 1 +FLAGS.SILENT (\\Deleted)
            S: a OK *
            C: a EXPUNGE
            S: * 1 EXPUNGE
            S: a OK *
        ",
            )
            .await;
        reader
            .play(
                "
            C: a FETCH 3 (UID)
            S: * 3 FETCH (UID 3)
            S: a OK *
            C: a SEARCH SUBJECT hai
            S: * SEARCH 2
            S: a OK *
            C: a NOOP
            S: * 1 EXPUNGE
            S: a OK *
            C: a FETCH 2 (UID)
            S: * 2 FETCH (UID 3)
            S: a OK *
        ",
            )
            .await;
    })
    .await;
}

/// RFC 7162.
#[tokio::test]
async fn changes_have_a_sequence() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai"] {
            arrive(&agency, DIRECTOR, &letter(subject)).await;
        }
        let address = open(&agency).await;
        let mut client = signed_in(address, "hung@bqlctgt").await;
        client
            .play(
                "
            C: a ENABLE CONDSTORE FOO
            S: * ENABLED CONDSTORE
            S: a OK *
            C: a SELECT INBOX (CONDSTORE)
            S~ a OK *
        ",
            )
            .await;
        client.send("a FETCH 2 (MODSEQ)").await;
        let line = client.receive().await;
        let modseq: u64 = line.split("MODSEQ (").nth(1).unwrap().trim_end_matches(')').parse().unwrap();
        client
            .play(&format!(
                "
            S: a OK *
            C: a STORE 1 +FLAGS.SILENT (\\Seen)
            S: * 1 FETCH (UID 1 MODSEQ ({}))
            S: a OK *
            C: a UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})
            S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ ({}))
            S: a OK *
            C: a STORE 1:2 (UNCHANGEDSINCE {modseq}) +FLAGS (\\Flagged)
            S: * 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ ({}))
            S: a OK [MODIFIED 1] *
            C: a SEARCH MODSEQ {}
            S: * SEARCH 2 (MODSEQ {})
            S: a OK *
        ",
                modseq + 1,
                modseq + 1,
                modseq + 2,
                modseq + 2,
                modseq + 2
            ))
            .await;
    })
    .await;
}

async fn set_active(agency: &Agency, login: &'static str, active: bool) {
    let set = move |tx: &mut Tx| disable_person(tx, login, active);
    agency.db.write(Actor::System("test"), set).await.unwrap();
}

/// S4.2 (Điều 4): whoever was closed out is told so, whatever they ask of the mailbox that was open to them.
#[tokio::test]
async fn a_session_ends_with_the_sign_in() {
    each_agency(|agency| async move {
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        let address = open(&agency).await;
        for command in [
            "FETCH 1 (FLAGS)",
            "FETCH 1 (BODY.PEEK[])",
            "STORE 1 +FLAGS (\\Flagged)",
            "SEARCH ALL",
            "EXPUNGE",
            "COPY 1 Drafts",
            "NOOP",
            "LIST \"\" *",
            "STATUS INBOX (MESSAGES)",
        ] {
            let mut client = signed_in(address, "hung@bqlctgt").await;
            client.play("C: a SELECT INBOX\nS~ a OK *").await;
            set_active(&agency, "hung@bqlctgt", false).await;
            client.play(&format!("C: b {command}\nS: * BYE This sign-in has ended. Sign in again.")).await;
            assert_eq!(client.receive().await, "");
            set_active(&agency, "hung@bqlctgt", true).await;
        }
    })
    .await;
}

/// A device that was revoked is signed in no more, be it idle (S4.2, Điều 4).
#[tokio::test]
async fn an_idle_session_ends_with_its_device() {
    each_agency(|agency| async move {
        let hung = agency.person("hung").await;
        let who = hung.clone();
        let made = agency.db.write(Actor::System("test"), move |tx| create_app_password(tx, &who, "phone"));
        let (phone, secret) = made.await.unwrap();
        let mut client = Client::connect(open(&agency).await).await;
        client.play(&format!("S: * OK *\nC: a LOGIN hung@bqlctgt {secret}\nS: a OK *")).await;
        client.play("C: a SELECT INBOX\nS~ a OK *\nC: i IDLE\nS: + *").await;
        let revoke = move |tx: &mut Tx| revoke_app_password(tx, &hung, phone.id);
        agency.db.write(Actor::System("test"), revoke).await.unwrap();
        // The proofs are made anew once a second at most.
        let mut line = String::new();
        for _ in 0..10_000 {
            arrive(&agency, DIRECTOR, &letter("mot")).await;
            line = client.receive().await;
            if !line.ends_with("EXISTS") {
                break;
            }
        }
        assert_eq!(line, "* BYE This sign-in has ended. Sign in again.");
    })
    .await;
}

/// S3.1b (Điều 3): a shared mailbox that was selected closes with the grant.
#[tokio::test]
async fn a_selected_mailbox_closes_with_the_grant() {
    each_agency(|agency| async move {
        arrive(&agency, AGENCY, &letter("mot")).await;
        let mut client = signed_in(open(&agency).await, "an@bqlctgt").await;
        client.play("C: a SELECT INBOX\nS~ a OK *").await;
        agency.withdraw("an", AGENCY).await;
        client.play("C: b FETCH 1 (BODY.PEEK[])\nS: * BYE The mailbox is not open to you any more.").await;
    })
    .await;
}

/// RFC 9051 §6.4.6: silence is for what the client can work out for itself, and no more.
#[tokio::test]
async fn what_others_changed_is_told_beside_ones_own_change() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai", "ba"] {
            arrive(&agency, DIRECTOR, &letter(subject)).await;
        }
        let address = open(&agency).await;
        let mut ours = signed_in(address, "hung@bqlctgt").await;
        let mut other = signed_in(address, "hung@bqlctgt").await;
        ours.play("C: a SELECT INBOX\nS~ a OK *").await;
        other.play("C: a SELECT INBOX\nS~ a OK *\nC: a STORE 1:3 +FLAGS.SILENT (\\Flagged)\nS: a OK *").await;
        ours.play(
            "
            C: a STORE 1 +FLAGS.SILENT (\\Answered)
            S: * 1 FETCH (UID 1 FLAGS (\\Answered \\Flagged))
            S: * 2 FETCH (UID 2 FLAGS (\\Flagged))
            S: * 3 FETCH (UID 3 FLAGS (\\Flagged))
            S: a OK *
            C: a STORE 1 +FLAGS.SILENT (\\Draft)
            S: a OK *
        ",
        )
        .await;
        other.play("C: a STORE 2 -FLAGS.SILENT (\\Flagged)\nS~ a OK *").await;
        // The implicit \Seen is answered from what is stored now.
        ours.play(
            "
            C: a FETCH 2 BODY[HEADER.FIELDS (X)]
            S: * 2 FETCH (BODY[HEADER.FIELDS (X)] {2}
            S: *
            S:  FLAGS (\\Seen))
            S: a OK *
            C: a NOOP
            S: a OK *
        ",
        )
        .await;
        other.play("C: a STORE 3 +FLAGS.SILENT (\\Seen)\nS~ a OK *\nC: a NOOP\nS: a OK *").await;
        ours.play(
            "
            C: a STORE 3 -FLAGS.SILENT (\\Seen)
            S: a OK *
            C: a FETCH 3 FLAGS
            S: * 3 FETCH (FLAGS (\\Flagged))
            S: a OK *
        ",
        )
        .await;
    })
    .await;
}

/// RFC 7162 §3.2: whoever speaks CONDSTORE gets the modseq of every change, and of what STORE left alone.
#[tokio::test]
async fn changes_of_others_come_with_their_modseq() {
    each_agency(|agency| async move {
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        let address = open(&agency).await;
        let mut ours = signed_in(address, "hung@bqlctgt").await;
        let mut other = signed_in(address, "hung@bqlctgt").await;
        ours.play("C: a SELECT INBOX (CONDSTORE)\nS~ a OK *").await;
        other.play("C: a SELECT INBOX\nS~ a OK *\nC: a STORE 1 +FLAGS.SILENT (\\Flagged)\nS: a OK *").await;
        ours.play(
            "
            C: a STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Answered)
            S: * 1 FETCH (UID 1 FLAGS (\\Flagged) MODSEQ (*))
            S: a OK [MODIFIED 1] *
        ",
        )
        .await;
        other.play("C: a STORE 1 -FLAGS.SILENT (\\Flagged)\nS: a OK *").await;
        ours.play(
            "
            C: a STORE 1 +FLAGS.SILENT (\\Answered)
            S: * 1 FETCH (UID 1 FLAGS (\\Answered) MODSEQ (*))
            S: a OK *
            C: a FETCH 1 (UID BODY[TEXT]<0.1>)
            S: * 1 FETCH (UID 1 BODY[TEXT]<0> {1}
            S: K FLAGS (\\Answered \\Seen) MODSEQ (*))
            S: a OK *
            C: a STORE 1 +FLAGS.SILENT (\\Draft)
            S: * 1 FETCH (UID 1 MODSEQ (*))
            S: a OK *
        ",
        )
        .await;
    })
    .await;
}

/// RFC 9051 §7.5.1 withholds EXPUNGE and nothing else.
#[tokio::test]
async fn changes_are_told_while_a_removal_is_withheld() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai", "ba"] {
            arrive(&agency, DIRECTOR, &letter(subject)).await;
        }
        let address = open(&agency).await;
        let mut reader = signed_in(address, "hung@bqlctgt").await;
        let mut other = signed_in(address, "hung@bqlctgt").await;
        reader.play("C: a SELECT INBOX\nS~ a OK *").await;
        other
            .play("C: a SELECT INBOX\nS~ a OK *\nC: a STORE 1,3 +FLAGS.SILENT (\\Deleted)\nS: a OK *\nC: a EXPUNGE\nS~ a OK *")
            .await;
        arrive(&agency, DIRECTOR, &letter("bon")).await;
        reader
            .play(
                "
            C: a STORE 2 +FLAGS (\\Flagged)
            S: * 2 FETCH (UID 2 FLAGS (\\Flagged))
            S: * 4 EXISTS
            S: a OK *
            C: a FETCH 4 (UID FLAGS)
            S: * 4 FETCH (UID 4 FLAGS ())
            S: a OK *
        ",
            )
            .await;
        other.play("C: a STORE 1 +FLAGS.SILENT (\\Answered)\nS~ a OK *").await;
        reader
            .play(
                "
            C: a SEARCH FLAGGED
            S: * SEARCH 2
            S: * 2 FETCH (UID 2 FLAGS (\\Answered \\Flagged))
            S: a OK *
            C: a NOOP
            S: * 3 EXPUNGE
            S: * 1 EXPUNGE
            S: a OK *
            C: a FETCH 1:2 (UID FLAGS)
            S: * 1 FETCH (UID 2 FLAGS (\\Answered \\Flagged))
            S: * 2 FETCH (UID 4 FLAGS ())
            S: a OK *
        ",
            )
            .await;
    })
    .await;
}
