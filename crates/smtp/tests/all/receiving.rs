//! Mail from other servers, and from relays over LMTP.

use crate::door::{open, play};
use congvu_mail::{Role, mailbox_by_role, message, raw};
use congvu_smtp::Service;
use congvu_types::Uid;
use testkit::{
    agency::{AGENCY, Agency, DIRECTOR, each_agency},
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

/// S9.1 (Điều 9), S8.3c (Điều 8): who writes as one of us signs in; on port 25 and from relays nobody vouches for it.
#[tokio::test]
async fn our_own_addresses_are_not_believed_of_strangers() {
    each_agency(|agency| async move {
        for (service, mail_from, header, answer) in [
            (Service::Receive, "a@gov.example", "bqlctgt@khanhhoa.example", "550 5.7.1 *port (587)*(Dieu 9)"),
            (Service::Receive, "giamdoc@khanhhoa.example", "a@gov.example", "550 5.7.1 Mail from giamdoc@*"),
            (Service::Receive, "", "nobody@khanhhoa.example", "550 5.7.1 *"),
            (Service::Receive, "", "postmaster@mail.khanhhoa.example", "550 5.7.1 *"),
            (Service::Receive, "", "mailer-daemon@gov.example", "250 2.0.0 *"),
            (Service::Lmtp, "a@gov.example", "bqlctgt@khanhhoa.example", "550 5.7.1 *(Dieu 9)"),
            (Service::Lmtp, "giamdoc@khanhhoa.example", "giamdoc@khanhhoa.example", "250 2.0.0 *"),
        ] {
            let hello = if service == Service::Lmtp { "LHLO" } else { "EHLO" };
            play(
                &agency,
                service,
                &format!(
                    "
                S: 220 *
                C: {hello} x
                S~ 250 *
                C: MAIL FROM:<{mail_from}>
                S: 250 *
                C: RCPT TO:<giamdoc@khanhhoa.example>
                S: 250 *
                C: DATA
                S: 354 *
                C: From: <{header}>
                C:
                C: .
                S: {answer}
            "
                ),
            )
            .await;
        }
        assert_eq!(inbox(&agency).await.len(), 2);
    })
    .await;
}

/// RFC 5321 §4.5.1: the postmaster is always there, of the host and of each domain; nobody else is at the host's name.
#[tokio::test]
async fn the_postmaster_is_always_there() {
    each_agency(|agency| async move {
        play(
            &agency,
            Service::Receive,
            "
            S: 220 *
            C: EHLO x
            S~ 250 *
            C: MAIL FROM:<>
            S: 250 *
            C: RCPT TO:<Postmaster>
            S: 250 *
            C: RCPT TO:<postMaster@mail.khanhhoa.example>
            S: 250 *
            C: RCPT TO:<postmaster@khanhhoa.example>
            S: 250 *
            C: RCPT TO:<postmaster@gov.example>
            S: 550 5.7.1 *
            C: RCPT TO:<nobody@mail.khanhhoa.example>
            S: 550 5.1.1 *
            C: DATA
            S: 354 *
            C: From: mailer-daemon@gov.example
            C:
            C: .
            S: 250 2.0.0 *
        ",
        )
        .await;
        let account = agency.account(AGENCY).await;
        let found = agency.db.read(move |s| mailbox_by_role(s, account, Role::Inbox)).await.unwrap();
        assert_eq!(found.map(|inbox| inbox.total), Some(1), "the account that somebody manages, once");
    })
    .await;
}

/// RFC 3461 §4.1: news of success goes to nobody who may have been named by another.
#[tokio::test]
async fn good_news_is_not_sent_to_senders_nobody_vouches_for() {
    each_agency(|agency| async move {
        for (service, hello, expected) in [(Service::Receive, "EHLO", 0), (Service::Lmtp, "LHLO", 1)] {
            play(
                &agency,
                service,
                &format!(
                    "
                S: 220 *
                C: {hello} x
                S~ 250 *
                C: MAIL FROM:<victim@gov.example> RET=FULL
                S: 250 *
                C: RCPT TO:<giamdoc@khanhhoa.example> NOTIFY=SUCCESS
                S: 250 *
                C: DATA
                S: 354 *
                C: From: victim@gov.example
                C:
                C: buy
                C: .
                S: 250 2.0.0 *
            "
                ),
            )
            .await;
            let sent = agency.db.read(|s| congvu_transport::captured(s, 10)).await.unwrap();
            assert_eq!(sent.len(), expected, "{service:?}");
        }
    })
    .await;
}

/// Old lists are no attack: only strangers who try names are sent away, and a message that is taken begins anew.
#[tokio::test]
async fn refused_recipients_end_the_sessions_of_strangers_alone() {
    each_agency(|agency| async move {
        let unknown = "C: RCPT TO:<nobody@khanhhoa.example>\nS: 550 5.1.1 *\n";
        let begin = |hello: &str| format!("S: 220 *\nC: {hello} x\nS~ 250 *\n");
        let take = "C: MAIL FROM:<a@gov.example>\nS: 250 *\nC: RCPT TO:<giamdoc@khanhhoa.example>\nS: 250 *\nC: DATA\n\
                    S: 354 *\nC: From: a@gov.example\nC:\nC: .\nS: 250 2.0.0 *\n";
        let open = "C: MAIL FROM:<a@gov.example>\nS: 250 *\n";
        let lmtp = format!("{}{open}{}C: NOOP\nS: 250 *", begin("LHLO"), unknown.repeat(40));
        play(&agency, Service::Lmtp, &lmtp).await;
        let again = format!("{open}{}C: RSET\nS: 250 *\n{take}", unknown.repeat(15));
        play(&agency, Service::Receive, &format!("{}{again}{again}", begin("EHLO"))).await;
        let enough = format!("{}{open}{}S: 421 4.7.0 *", begin("EHLO"), unknown.repeat(20));
        play(&agency, Service::Receive, &enough).await;
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
                b"MAIL FROM:<>\r\nRCPT TO:<giamdoc@khanhhoa.example>\r\nBDAT 25\r\nFrom: a@x\r\nSubject: x\r\n\r\nBDAT 4 LAST\r\nhi\r\nNOOP\r\n",
            )
            .await;
        client
            .play("
                S: 250 2.1.0 *
                S: 250 2.1.5 *
                S: 250 2.0.0 25 bytes taken.
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
