//! What one session does, another hears of: NOOP, IDLE, CONDSTORE.

use crate::door::{arrive, letter, open, signed_in};
use testkit::agency::{DIRECTOR, each_agency};

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
