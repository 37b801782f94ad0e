//! Mail from people: sign-in, senders, the review of what leaves.

use crate::door::{open, play};
use congvu_directory::{AuthPolicy, Authenticator, disable_person};
use congvu_net::sasl::encode;
use congvu_smtp::Service;
use congvu_storage::{Actor, Tx};
use congvu_transport::captured;
use testkit::{
    agency::{INITIAL, PASSWORD, each_agency},
    transcript::Client,
};

fn plain(user: &str, password: &str) -> String {
    encode(format!("\0{user}\0{password}").as_bytes())
}

#[tokio::test]
async fn people_sign_in_and_write_from_what_is_theirs() {
    each_agency(|agency| async move {
        let (hung, wrong) = (plain("hung@bqlctgt", PASSWORD), plain("hung@bqlctgt", "wrong"));
        play(
            &agency,
            Service::Submission,
            &format!(
                "
            S: 220 *
            C: EHLO x
            S~ 250 AUTH PLAIN LOGIN SCRAM-SHA-256
            C: MAIL FROM:<giamdoc@khanhhoa.example>
            S: 530 5.7.0 *
            C: AUTH PLAIN {wrong}
            S: 535 5.7.8 *
            C: AUTH PLAIN
            S: 334*
            C: *
            S: 501 5.7.0 *
            C: AUTH PLAIN {hung}
            S: 235 2.7.0 *
            C: MAIL FROM:<bqlctgt@khanhhoa.example>
            S: 550 5.7.1 *
            C: MAIL FROM:<giamdoc@khanhhoa.example>
            S: 250 *
            C: RCPT TO:<sonoivu@gov.example>
            S: 250 *
            C: DATA
            S: 354 *
            C: From: bqlctgt@khanhhoa.example
            C: Subject: gia mao
            C:
            C: .
            S: 550 5.7.1 *
            C: MAIL FROM:<giamdoc@khanhhoa.example>
            S: 250 *
            C: RCPT TO:<sonoivu@gov.example>
            S: 250 *
            C: DATA
            S: 354 *
            C: From: giamdoc@khanhhoa.example
            C: Bcc: secret@gov.example
            C: Subject: that
            C:
            C: .
            S: 250 2.0.0 Sent *
        "
            ),
        )
        .await;
        let sent = agency.db.read(|s| captured(s, 10)).await.unwrap();
        assert_eq!(sent.len(), 1);
        let id = sent[0].id;
        let raw = agency.db.read(move |s| congvu_transport::captured_message(s, id)).await.unwrap();
        let text = String::from_utf8(raw).unwrap();
        assert!(text.contains("Received: from x\r\n\tby mail.khanhhoa.example with ESMTPA id "), "{text}");
        assert!(!text.contains("127.0.0.1") && !text.contains("Bcc"), "{text}");
        assert!(text.contains("Message-ID: <") && text.contains("Date: "), "{text}");
    })
    .await;
}

/// S8.3c (Điều 8): the author whose right is asked is the author whom every program shows, whoever resent it.
#[tokio::test]
async fn authors_that_could_be_read_in_two_ways_are_refused() {
    each_agency(|agency| async move {
        let address = open(&agency, Service::Submission).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *\nC: EHLO x\nS~ 250 AUTH *").await;
        client.send(&format!("AUTH PLAIN {}", plain("hung@bqlctgt", PASSWORD))).await;
        client.play("S: 235 *").await;
        let own = "giamdoc@khanhhoa.example";
        for (header, answer) in [
            (format!("From: <bqlctgt@khanhhoa.example> <{own}>"), "550 5.6.0 The header must be *"),
            (format!("From: {own}\r\nFrom: bqlctgt@khanhhoa.example"), "550 5.6.0 *"),
            (format!("Fr om: bqlctgt@khanhhoa.example\r\nFrom: {own}"), "550 5.6.0 *"),
            (format!("From: Ban: {own};"), "550 5.6.0 *"),
            (format!("From: {own}\r\nResent-From: bqlctgt@khanhhoa.example"), "550 5.7.1 *"),
            (format!("From: {own}\r\nResent-Sender: bqlctgt@khanhhoa.example"), "550 5.7.1 *"),
            (format!("From: Giam doc (Ban) <{own}> (x)\r\nSender: {own}"), "250 2.0.0 Sent *"),
        ] {
            client
                .play(&format!(
                    "C: MAIL FROM:<{own}>\nS: 250 *\nC: RCPT TO:<sonoivu@gov.example>\nS: 250 *\nC: DATA\nS: 354 *"
                ))
                .await;
            client.send_raw(format!("{header}\r\nSubject: x\r\n\r\n.\r\n").as_bytes()).await;
            client.play(&format!("S: {answer}")).await;
        }
    })
    .await;
}

/// S9.1 (Điều 9): what the agency's account sends is held; the reply says so with its article.
#[tokio::test]
async fn what_the_agency_sends_is_held() {
    each_agency(|agency| async move {
        play(
            &agency,
            Service::Submission,
            &format!(
                "
            S: 220 *
            C: EHLO x
            S~ 250 AUTH *
            C: AUTH LOGIN
            S: 334 {}
            C: {}
            S: 334 {}
            C: {}
            S: 235 *
            C: MAIL FROM:<bqlctgt@khanhhoa.example>
            S: 250 *
            C: RCPT TO:<sonoivu@gov.example>
            S: 250 *
            C: DATA
            S: 354 *
            C: From: bqlctgt@khanhhoa.example
            C: Subject: bao cao
            C:
            C: .
            S: 250 2.0.0 Held for review * before it leaves (Dieu 9).
        ",
                encode(b"Username:"),
                encode(b"an@bqlctgt"),
                encode(b"Password:"),
                encode(PASSWORD.as_bytes())
            ),
        )
        .await;
        assert!(agency.db.read(|s| captured(s, 10)).await.unwrap().is_empty());
    })
    .await;
}

/// RFC 6409: a person's computer may be called anything; the trace is of ASCII.
#[tokio::test]
async fn a_computer_may_have_any_name() {
    each_agency(|agency| async move {
        let address = open(&agency, Service::Submission).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *\nC: EHLO máy-tính của Hùng\nS~ 250 AUTH *").await;
        client.send(&format!("AUTH PLAIN {}", plain("hung@bqlctgt", PASSWORD))).await;
        client
            .play(
                "
            S: 235 *
            C: MAIL FROM:<giamdoc@khanhhoa.example>
            S: 250 *
            C: RCPT TO:<giamdoc@khanhhoa.example>
            S: 250 *
            C: DATA
            S: 354 *
            C: From: giamdoc@khanhhoa.example
            C: Authentication-Results: \"mail.khanhhoa\\.example\"; dmarc=pass
            C:
            C: .
            S: 250 2.0.0 Sent *
        ",
            )
            .await;
        let account = agency.account(testkit::agency::DIRECTOR).await;
        let text = agency.db.read(move |s| {
            let inbox = congvu_mail::mailbox_by_role(s, account, congvu_mail::Role::Inbox)?.unwrap();
            congvu_mail::raw(s, &congvu_mail::message(s, account, inbox.id, congvu_types::Uid(1))?.unwrap())
        });
        let text = String::from_utf8(text.await.unwrap()).unwrap();
        assert!(text.contains("Received: from unknown\r\n") && !text.contains("dmarc=pass"), "{text}");
        let mut stranger = Client::connect(open(&agency, Service::Receive).await).await;
        stranger.play("S: 220 *\nC: EHLO máy-tính\nS: 501 5.5.4 *").await;
    })
    .await;
}

/// S4.2d (khoản 2 Điều 4): the password given out opens nothing but its change.
#[tokio::test]
async fn an_initial_password_sends_nothing() {
    each_agency(|agency| async move {
        let address = open(&agency, Service::Submission).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *\nC: EHLO x\nS~ 250 AUTH *").await;
        client.send(&format!("AUTH PLAIN {}", plain("moi@bqlctgt", INITIAL))).await;
        client.play("S: 534 5.7.9 *(khoan 2 Dieu 4)").await;
    })
    .await;
}

/// S4.2 (Điều 4): a connection that was signed in sends nothing once the person is closed out.
#[tokio::test]
async fn nothing_is_taken_from_who_was_closed_out() {
    each_agency(|agency| async move {
        let mut client = Client::connect(open(&agency, Service::Submission).await).await;
        let hung = plain("hung@bqlctgt", PASSWORD);
        let begun = format!(
            "
            S: 220 *
            C: EHLO x
            S~ 250 AUTH *
            C: AUTH PLAIN {hung}
            S: 235 *
            C: MAIL FROM:<giamdoc@khanhhoa.example>
            S: 250 *
            C: RCPT TO:<sonoivu@gov.example>
            S: 250 *
            C: DATA
            S: 354 *
        "
        );
        client.play(&begun).await;
        let close = |tx: &mut Tx| disable_person(tx, "hung@bqlctgt", false);
        agency.db.write(Actor::System("test"), close).await.unwrap();
        let end = "C: From: giamdoc@khanhhoa.example\nC:\nC: .\nS: 421 4.7.0 This sign-in has ended. Sign in again.";
        client.play(end).await;
        assert_eq!(client.receive().await, "");
        assert!(agency.db.read(|s| captured(s, 10)).await.unwrap().is_empty());
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
            S: 220 *
            C: EHLO x
            S~ 250 AUTH PLAIN LOGIN
            C: AUTH SCRAM-SHA-256
            S: 504 *
        ";
        play(&agency, Service::Submission, script).await;
    })
    .await;
}
