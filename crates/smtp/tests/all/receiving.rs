//! Mail from other servers, and from relays over LMTP.

use crate::door::{open, play};
use congvu_mail::{Role, mailbox_by_role, message, raw};
use congvu_smtp::Service;
use congvu_types::Uid;
use testkit::{
    agency::{Agency, DIRECTOR, each_agency},
    transcript::Client,
};

/// The texts of the director's INBOX.
async fn inbox(agency: &Agency) -> Vec<String> {
    let account = agency.account(DIRECTOR).await;
    let found = agency.db.read(move |s| {
        let Some(inbox) = mailbox_by_role(s, account, Role::Inbox)? else { return Ok(Vec::new()) };
        let mut texts = Vec::new();
        for uid in 1..inbox.uidnext {
            if let Some(row) = message(s, account, inbox.id, Uid(uid))? {
                texts.push(String::from_utf8_lossy(&raw(s, &row)?).into_owned());
            }
        }
        Ok(texts)
    });
    found.await.unwrap()
}

#[tokio::test]
async fn mail_comes_in() {
    each_agency(|agency| async move {
        play(
            &agency,
            Service::Receive,
            "
            S: 220 mail.khanhhoa.example ESMTP *
            C: EHLO mx.gov.example
            S: 250-mail.khanhhoa.example
            S: 250-PIPELINING
            S: 250-SIZE 200000
            S~ 250 LIMITS *
            C: MAIL FROM:<sonoivu@gov.example> SIZE=100 BODY=8BITMIME
            S: 250 2.1.0 OK
            C: RCPT TO:<giamdoc+du-an@khanhhoa.example>
            S: 250 2.1.5 OK
            C: DATA
            S: 354 *
            C: From: sonoivu@gov.example
            C: Subject: xin
            C:
            C: ..cham
            C: .
            S: 250 2.0.0 Stored *
            C: QUIT
            S: 221 2.0.0 *
        ",
        )
        .await;
        let texts = inbox(&agency).await;
        assert_eq!(texts.len(), 1);
        assert!(texts[0].starts_with(
            "Return-Path: <sonoivu@gov.example>\r\nAuthentication-Results: mail.khanhhoa.example;"
        ));
        assert!(texts[0].contains(
            "Received: from mx.gov.example ([127.0.0.1])\r\n\tby mail.khanhhoa.example with ESMTP id "
        ));
        assert!(texts[0].ends_with("\r\n\r\n.cham\r\n"), "{}", texts[0]);
    })
    .await;
}

#[tokio::test]
async fn nobody_relays_without_signing_in() {
    each_agency(|agency| async move {
        play(
            &agency,
            Service::Receive,
            "
            S: 220 *
            C: RCPT TO:<a@gov.example>
            S: 503 5.5.1 *
            C: MAIL FROM:<sonoivu@gov.example>
            S: 503 5.5.1 Say EHLO first.
            C: EHLO x
            S~ 250 *
            C: MAIL FROM:<sonoivu@gov.example>
            S: 250 *
            C: RCPT TO:<a@gov.example>
            S: 550 5.7.1 *
            C: RCPT TO:<nobody@khanhhoa.example>
            S: 550 5.1.1 *
            C: RCPT TO:<a%gov.example@khanhhoa.example>
            S: 550 5.1.1 *
            C: DATA
            S: 554 5.5.1 No valid recipients.
            C: AUTH PLAIN AGEAYg==
            S: 538 5.7.11 *
            C: VRFY giamdoc
            S: 252 *
        ",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn pipelining_and_chunks() {
    each_agency(|agency| async move {
        let address = open(&agency, Service::Receive).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *\nC: EHLO x\nS~ 250 *").await;
        client
            .send_raw(
                b"MAIL FROM:<>\r\nRCPT TO:<giamdoc@khanhhoa.example>\r\nBDAT 14\r\nSubject: x\r\n\r\nBDAT 4 LAST\r\nhi\r\nNOOP\r\n",
            )
            .await;
        client
            .play("
                S: 250 2.1.0 *
                S: 250 2.1.5 *
                S: 250 2.0.0 14 bytes taken.
                S: 250 2.0.0 Stored *
                S: 250 2.0.0 OK
            ")
            .await;
        assert!(inbox(&agency).await[0].ends_with("Subject: x\r\n\r\nhi\r\n"));
        // Without binary parts chunks are text (RFC 3030 §2), and a size is a promise (RFC 1870).
        client.play("
            C: MAIL FROM:<> SIZE=9999999
            S: 552 5.3.4 *
            C: MAIL FROM:<>
            S: 250 *
            C: RCPT TO:<giamdoc@khanhhoa.example>
            S: 250 *
        ").await;
        client.send_raw(b"BDAT 3 LAST\r\na\nb").await;
        client.play("S: 550 5.6.0 *\nC: NOOP\nS: 250 *").await;
    })
    .await;
}

/// RFC 2920 §3.2: a reply does not wait for the rest of a command that the client has only begun.
#[tokio::test]
async fn a_command_cut_in_two_holds_no_reply_back() {
    each_agency(|agency| async move {
        let address = open(&agency, Service::Receive).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *").await;
        client.send_raw(b"EHLO x\r\nNO").await;
        client.play("S~ 250 *").await;
        client.send_raw(b"OP\r\n").await;
        client.play("S: 250 2.0.0 OK").await;
    })
    .await;
}

#[tokio::test]
async fn commands_without_end_and_without_a_message_end_the_session() {
    each_agency(|agency| async move {
        let address = open(&agency, Service::Receive).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *").await;
        client.send_raw(&b"EHLO x\r\nRSET\r\n".repeat(600)).await;
        client.play("S~ 421 4.7.0 Too many commands *").await;
    })
    .await;
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    each_agency(|agency| async move {
        let big = "x".repeat(70);
        let body = format!("{big}\r\n").repeat(2_000);
        let address = open(&agency, Service::Lmtp).await;
        let mut client = Client::connect(address).await;
        client
            .play(
                "
            S: 220 * LMTP *
            C: EHLO x
            S: 500 5.5.1 *
            C: LHLO x
            S~ 250 *
        ",
            )
            .await;
        for turn in 0..8 {
            client
                .play(
                    "
                C: MAIL FROM:<a@gov.example>
                S: 250 *
                C: RCPT TO:<bqlctgt@khanhhoa.example>
                S: 250 *
                C: RCPT TO:<giamdoc@khanhhoa.example>
                S: 25*
                C: DATA
                S: 354 *
            ",
                )
                .await;
            client.send_raw(format!("Subject: {turn}\r\n\r\n{body}.\r\n").as_bytes()).await;
            client.play("S: 250 2.0.0 *").await;
            let second = client.receive().await;
            if second.starts_with("452 4.2.2") {
                // S8.1 (Điều 8): the full account refuses, the other has its message.
                assert!(turn > 3);
                client
                    .play(
                        "
                    C: MAIL FROM:<a@gov.example>
                    S: 250 *
                    C: RCPT TO:<giamdoc@khanhhoa.example>
                    S: 2*
                ",
                    )
                    .await;
                return;
            }
        }
        panic!("the account was never full");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_command_is_told_and_then_ends() {
    each_agency(|agency| async move {
        play(
            &agency,
            Service::Receive,
            "
            S: 220 *
            C: HELLO
            S: 500 5.5.1 *
            C: EHLO
            S: 501 5.5.4 *
            C: EHLO x
            S~ 250 *
            C: MAIL FROM:<a@gov.example> FOO=1
            S: 555 5.5.4 *
            C: MAIL FROM:<đặng@gov.example>
            S: 553 5.6.7 *
            C: MAIL FROM:<đặng@gov.example> SMTPUTF8
            S: 250 *
            C: RSET
            S: 250 *
            C: GET / HTTP/1.1
            S: 500 *
            C: Host: x
            S: 500 *
            C: a
            S: 500 *
            C: b
            S: 500 *
            C: c
            S: 500 *
            S: 421 4.7.0 Too many errors. Goodbye.
        ",
        )
        .await;
    })
    .await;
}
