//! Review of outgoing mail in a plain mail client (S9.1, Điều 9): moving the message is the decision.

use crate::door::{open, signed_in};
use congvu_storage::Actor;
use congvu_transport::{Draft, Envelope, Submitted, Via, captured, submit};
use testkit::agency::{AGENCY, Agency, each_agency};

const WAITING: &str = "\"Shared/bqlctgt@khanhhoa.example/Ch&Ht0- duy&Hsc-t\"";
const APPROVED: &str = "\"Shared/bqlctgt@khanhhoa.example/&ARAA4w- duy&Hsc-t\"";
const RETURNED: &str = "\"Shared/bqlctgt@khanhhoa.example/Tr&HqM- l&HqE-i\"";

async fn hold(agency: &Agency, subject: &str) {
    let who = agency.person("an").await;
    let raw = format!(
        "From: {AGENCY}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@khanhhoa.example>\r\n\r\nx\r\n"
    );
    let to = ["sonoivu@gov.example".parse().unwrap()];
    let draft =
        Draft::prepare(raw.as_bytes(), Envelope::new(Some(AGENCY.parse().unwrap()), to), Via::Smtp).unwrap();
    let site = agency.site.clone();
    let held =
        agency.db.write(Actor::System("test"), move |tx| submit(tx, &site, &who, &draft)).await.unwrap();
    assert!(matches!(held, Submitted::AwaitingReview(..)));
}

async fn left(agency: &Agency) -> usize {
    agency.db.read(|s| captured(s, 10)).await.unwrap().len()
}

#[tokio::test]
async fn moving_a_message_decides_on_it() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai", "ba"] {
            hold(&agency, subject).await;
        }
        let address = open(&agency).await;
        // Its author cannot decide, neither by MOVE nor by COPY, nor change what is held.
        signed_in(address, "an@bqlctgt")
            .await
            .play(&format!(
                "
            C: a SELECT {WAITING}
            S~ * 3 EXISTS
            S~ a OK *
            C: a MOVE 1 {APPROVED}
            S: a NO [NOPERM] *(Dieu 9)
            C: a COPY 1 {APPROVED}
            S: a NO [NOPERM] *(Dieu 9)
            C: a STORE 1 +FLAGS (\\Deleted)
            S: a NO [NOPERM] *
            C: a EXPUNGE
            S: a OK *
            C: a APPEND {APPROVED} {{1+}}
            C: x
            S: a NO [NOPERM] *
        "
            ))
            .await;
        assert_eq!(left(&agency).await, 0);
        signed_in(address, "mai@bqlctgt")
            .await
            .play(&format!(
                "
            C: a SELECT {WAITING}
            S~ a OK *
            C: a FETCH 1:2 BODY.PEEK[]
            S~ a OK *
            C: a UID MOVE 1 {APPROVED}
            S: * OK [COPYUID * 1 1] *
            S: * 1 EXPUNGE
            S: a OK *
            # What clients without MOVE do: the copy decides, the rest is a matter of form.
            C: a UID COPY 2 {APPROVED}
            S: * 1 EXPUNGE
            S: a OK [COPYUID * 2 2] *
            C: a UID STORE 2 +FLAGS (\\Deleted)
            S: a OK *
            C: a UID MOVE 3 {RETURNED}
            S: * OK [COPYUID * 3 1] *
            S: * 1 EXPUNGE
            S: a OK *
            C: a UID MOVE 3 {APPROVED}
            S: a OK *
        "
            ))
            .await;
        assert_eq!(left(&agency).await, 2);
    })
    .await;
}

/// S9.1 (Điều 9): what was not opened cannot be approved; neither a header, nor the beginning of it, nor a piece behind its end is the message.
#[tokio::test]
async fn a_message_is_opened_before_it_is_approved() {
    each_agency(|agency| async move {
        hold(&agency, "mot").await;
        let address = open(&agency).await;
        signed_in(address, "mai@bqlctgt")
            .await
            .play(&format!(
                "
            C: a SELECT {WAITING}
            S~ a OK *
            C: a UID FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[]<0.10> BODY.PEEK[]<999999.1>)
            S~ a OK *
            C: a UID MOVE 1 {APPROVED}
            S: a NO [CANNOT] Not opened yet: \"mot\". *(Dieu 9)
            C: a UID COPY 1 {APPROVED}
            S: a NO [CANNOT] *
            C: a UID FETCH 1 BODY.PEEK[TEXT]
            S~ a OK *
            C: a UID MOVE 1 {APPROVED}
            S~ a OK *
        "
            ))
            .await;
        assert_eq!(left(&agency).await, 1);
    })
    .await;
}

/// The author takes their message back by moving it to Drafts.
#[tokio::test]
async fn the_author_takes_a_message_back() {
    each_agency(|agency| async move {
        hold(&agency, "mot").await;
        let address = open(&agency).await;
        signed_in(address, "an@bqlctgt")
            .await
            .play(&format!(
                "
            C: a SELECT {WAITING}
            S~ a OK *
            C: a MOVE 1 \"Shared/bqlctgt@khanhhoa.example/Trash\"
            S: a NO [NOPERM] *
            C: a MOVE 1 \"Shared/bqlctgt@khanhhoa.example/Drafts\"
            S: * OK [COPYUID * 1 1] *
            S: * 1 EXPUNGE
            S: a OK *
        "
            ))
            .await;
        assert_eq!(left(&agency).await, 0);
    })
    .await;
}

/// RFC 9051 §6.3.3: what is open for reading alone decides nothing.
#[tokio::test]
async fn an_examined_mailbox_decides_nothing() {
    each_agency(|agency| async move {
        hold(&agency, "mot").await;
        let address = open(&agency).await;
        signed_in(address, "mai@bqlctgt")
            .await
            .play(&format!(
                "
            C: a EXAMINE {WAITING}
            S~ a OK [READ-ONLY] *
            C: a MOVE 1 {APPROVED}
            S: a NO [NOPERM] *
            C: a COPY 1 {APPROVED}
            S: a NO [NOPERM] *
        "
            ))
            .await;
        assert_eq!(left(&agency).await, 0);
    })
    .await;
}
