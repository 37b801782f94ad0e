//! Messages: APPEND, FETCH, STORE, SEARCH, COPY, MOVE, EXPUNGE.

use crate::door::{arrive, arrive_often, letter, open, signed_in};
use testkit::agency::{DIRECTOR, each_agency};

#[tokio::test]
async fn messages_are_fetched_in_every_form() {
    each_agency(|agency| async move {
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client.play(r#"
            C: a SELECT INBOX
            S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
            S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] *
            S: * 1 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 1] *
            S: * OK [UIDVALIDITY *] *
            S: * OK [UIDNEXT 2] *
            S: * OK [HIGHESTMODSEQ *] *
            S: a OK [READ-WRITE] *
            C: a FETCH 1 (FLAGS UID RFC822.SIZE INTERNALDATE)
            S: * 1 FETCH (FLAGS () UID 1 RFC822.SIZE 241 INTERNALDATE "*")
            S: a OK *
            C: a FETCH 1 ENVELOPE
            S: * 1 FETCH (ENVELOPE ("Mon, 23 Nov 2026 08:00:00 +0700" "mot" (("=?utf-8?B?U+G7nyBO4buZaSB24bul?=" NIL "sonoivu" "gov.example")) * "<mot@gov.example>"))
            S: a OK *
            C: a FETCH 1 BODYSTRUCTURE
            S: * 1 FETCH (BODYSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 22 1 NIL NIL NIL NIL))
            S: a OK *
            C: a UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject)])
            S: * 1 FETCH (UID 1 BODY[HEADER.FIELDS (Subject)] {16}
            S: Subject: mot
            S: 
            S: )
            S: a OK *
            C: a FETCH 1 BODY.PEEK[TEXT]<0.4>
            S: * 1 FETCH (BODY[TEXT]<0> {4}
            S: Kín)
            S: a OK *
            C: a FETCH 1 BINARY.SIZE[1]
            S: * 1 FETCH (BINARY.SIZE[1] 22)
            S: a OK *
            C: a FETCH 1 BODY[1]
            S: * 1 FETCH (BODY[1] {22}
            S: Kính gửi quý Ban
            S:  FLAGS (\Seen))
            S: a OK *
            C: a FETCH 2 FLAGS
            S: a BAD *
            C: a UID FETCH 7:9 FLAGS
            S: a OK *
            C: a FETCH 1 (FLAGS
            S: a BAD *
        "#).await;
    })
    .await;
}

#[tokio::test]
async fn messages_are_appended_marked_and_found() {
    each_agency(|agency| async move {
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client.play("C: a APPEND Drafts (\\Draft $Work) \"23-Nov-2026 08:00:00 +0700\" {55}\nS: + *").await;
        client.send_raw(b"From: giamdoc@khanhhoa.example\r\nSubject: nhap\r\n\r\ntext\r\n\r\n").await;
        client
            .play(
                r#"
            S: a OK [APPENDUID * 1] *
            C: a APPEND Nothing {1+}
            C: x
            S: a NO [TRYCREATE] *
            C: a APPEND Drafts {300000}
            S: a NO [TOOBIG] *
            C: a SELECT Drafts
            S~ * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Work)
            S~ a OK *
            C: a FETCH 1 (FLAGS INTERNALDATE)
            S: * 1 FETCH (FLAGS (\Draft $Work) INTERNALDATE "23-Nov-2026 08:00:00 +0700")
            S: a OK *
            C: a STORE 1 +FLAGS (\Flagged $Other)
            S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Work $Other)
            S: * 1 FETCH (UID 1 FLAGS (\Flagged \Draft $Work $Other))
            S: a OK *
            C: a STORE 1 FLAGS.SILENT (\Seen)
            S: a OK *
            C: a SEARCH SEEN UNFLAGGED SUBJECT nhap ON 23-Nov-2026
            S: * SEARCH 1
            S: a OK *
            C: a UID SEARCH RETURN (MIN MAX COUNT) OR LARGER 1000 BODY "text"
            S: * ESEARCH (TAG "a") UID MIN 1 MAX 1 COUNT 1
            S: a OK *
            C: a SEARCH RETURN (SAVE) ALL
            S: a OK *
            C: a FETCH $ UID
            S: * 1 FETCH (UID 1)
            S: a OK *
            C: a SEARCH RETURN (SAVE) CHARSET KOI8-R ALL
            S: a NO [BADCHARSET *
            C: a FETCH $ UID
            S: a OK *
            C: a SEARCH FROM nobody
            S: * SEARCH
            S: a OK *
            C: a SEARCH CHARSET KOI8-R ALL
            S: a NO [BADCHARSET (UTF-8 US-ASCII)] *
        "#,
            )
            .await;
    })
    .await;
}

/// What Vietnamese readers type: without accents, in any case.
#[tokio::test]
async fn searches_disregard_accents() {
    each_agency(|agency| async move {
        arrive(&agency, DIRECTOR, &letter("mot")).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client
            .play(
                r#"
            C: a SELECT INBOX
            S~ a OK *
            C: a SEARCH FROM "so noi vu"
            S: * SEARCH 1
            S: a OK *
            C: a SEARCH TEXT "KINH GUI"
            S: * SEARCH 1
            S: a OK *
            C: a SEARCH CHARSET UTF-8 BODY "kính gửi"
            S: * SEARCH 1
            S: a OK *
            C: a SEARCH HEADER Message-ID "<MOT@gov.example>" SENTON 23-Nov-2026
            S: * SEARCH 1
            S: a OK *
            C: a SEARCH SENTON 24-Nov-2026
            S: * SEARCH
            S: a OK *
        "#,
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn messages_are_copied_moved_and_removed() {
    each_agency(|agency| async move {
        for subject in ["mot", "hai", "ba", "bon"] {
            arrive(&agency, DIRECTOR, &letter(subject)).await;
        }
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client
            .play(
                r#"
            C: a SELECT INBOX
            S~ a OK *
            C: a COPY 1:2 Archive
            S: a OK [COPYUID * 1:2 1:2] *
            C: a MOVE 3 Trash
            S: * OK [COPYUID * 3 1] *
            S: * 3 EXPUNGE
            S: a OK *
            C: a STORE 1,3 +FLAGS.SILENT (\Deleted)
            S: a OK *
            C: a UID EXPUNGE 4
            S: * 3 EXPUNGE
            S: a OK *
            C: a EXPUNGE
            S: * 1 EXPUNGE
            S: a OK *
            C: a COPY 1 Nothing
            S: a NO [TRYCREATE] *
            C: a STORE 1 +FLAGS.SILENT (\Deleted)
            S: a OK *
            C: a CLOSE
            S: a OK *
            C: a STATUS INBOX (MESSAGES UIDNEXT)
            S: * STATUS "INBOX" (MESSAGES 0 UIDNEXT 5)
            S: a OK *
            C: a EXAMINE Archive
            S~ a OK *
            C: a STORE 1 +FLAGS (\Deleted)
            S: a NO [NOPERM] *
            C: a EXPUNGE
            S: a NO [NOPERM] *
            C: a UNSELECT
            S: a OK *
            C: a FETCH 1 FLAGS
            S: a BAD *
        "#,
            )
            .await;
    })
    .await;
}

/// RFC 9051 §6.4.7: all or nothing, also where one batch would have found room (S8.1, Điều 8).
#[tokio::test]
async fn a_large_copy_is_all_or_nothing() {
    each_agency(|agency| async move {
        let raw = format!("Subject: x\r\n\r\n{}\r\n", "x".repeat(900));
        arrive_often(&agency, DIRECTOR, &raw, 600).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client
            .play(
                r#"
            C: a SELECT INBOX
            S~ a OK *
            C: a COPY 1:600 Archive
            S: a NO [OVERQUOTA] *
            C: a STATUS Archive (MESSAGES)
            S: * STATUS "Archive" (MESSAGES 0)
            S: a OK *
            C: a COPY 1:510 Archive
            S: a OK [COPYUID * 1:510 1:510] *
            C: a UID MOVE 1:* Trash
            S: * OK [COPYUID * 1:600 1:600] *
            S~ * 1 EXPUNGE
            S: a OK *
        "#,
            )
            .await;
    })
    .await;
}

/// Large literals are lent from the message; a FETCH does not multiply them without end.
#[tokio::test]
async fn large_messages_are_fetched_piece_by_piece() {
    each_agency(|agency| async move {
        let lines = 2_000;
        let raw = format!("Subject: lon\r\n\r\n{}", format!("{}\r\n", "x".repeat(70)).repeat(lines));
        arrive_often(&agency, DIRECTOR, &raw, 3).await;
        let mut client = signed_in(open(&agency).await, "hung@bqlctgt").await;
        client.play("C: a SELECT INBOX\nS~ a OK *").await;
        client.play("C: a FETCH 1:3 (UID BODY.PEEK[] BODY[TEXT])").await;
        for seq in 1..=3 {
            client
                .play(&format!("S: * {seq} FETCH (UID {seq} BODY[] {{{}}}\nS: Subject: lon\nS: *", raw.len()))
                .await;
            for _ in 0..lines {
                assert_eq!(client.receive().await.len(), 70);
            }
            client.play(&format!("S:  BODY[TEXT] {{{}}}", lines * 72)).await;
            for _ in 0..lines {
                assert_eq!(client.receive().await.len(), 70);
            }
            client.play("S:  FLAGS (\\Seen))").await;
        }
        client
            .play(
                "
            S: a OK *
            C: a FETCH 1 (BODY[] BODY[TEXT] RFC822 RFC822.TEXT)
            S: a NO [LIMIT] *
            C: a FETCH 1 (BODY[]<0.1> BODY[]<1.1> BODY[]<0.1>)
            S: * 1 FETCH (BODY[]<0> {1}
            S: S BODY[]<1> {1}
            S: u)
            S: a OK *
        ",
            )
            .await;
    })
    .await;
}
