//! The outbound worker against a server that says what the test wants.

use congvu_smtp::{Outbound as Worker, OutboundOptions, Route};
use congvu_storage::Actor;
use congvu_transport::{Draft, Envelope, Outbound, Site, Submitted, Via, queue, submit};
use std::{sync::Arc, time::Duration};
use testkit::agency::{Agency, DIRECTOR, each_agency};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::Mutex,
};
use tokio_util::sync::CancellationToken;

/// A server that writes down what it hears and refuses one recipient.
async fn remote(heard: Arc<Mutex<Vec<String>>>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let heard = heard.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(socket);
                let mut in_text = false;
                stream.write_all(b"220 remote ESMTP\r\n").await.unwrap();
                let mut line = String::new();
                while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
                    let text = line.trim_end().to_owned();
                    line.clear();
                    let answer = match text.get(..4).unwrap_or(&text) {
                        "." if in_text => {
                            in_text = false;
                            "250 2.0.0 taken\r\n"
                        }
                        _ if in_text => "",
                        "EHLO" => {
                            "250-remote\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SIZE 1000000\r\n"
                        }
                        "RCPT" if text.contains("nobody") => "550 5.1.1 no such user\r\n",
                        "RCPT" if text.contains("later") => "450 4.2.1 greylisted\r\n",
                        "DATA" => {
                            in_text = true;
                            "354 go\r\n"
                        }
                        "QUIT" => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    };
                    heard.lock().await.push(text);
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

async fn send(agency: &Agency, site: &Site, to: &[&str]) {
    let who = agency.person("hung").await;
    let raw =
        format!("From: {DIRECTOR}\r\nSubject: ra ngoai\r\nMessage-ID: <1@khanhhoa.example>\r\n\r\n.cham\r\n");
    let to: Vec<_> = to.iter().map(|a| a.parse().unwrap()).collect();
    let draft = Draft::prepare(raw.as_bytes(), Envelope::new(Some(DIRECTOR.parse().unwrap()), to), Via::Smtp)
        .unwrap();
    let site = site.clone();
    let sent =
        agency.db.write(Actor::System("test"), move |tx| submit(tx, &site, &who, &draft)).await.unwrap();
    assert!(matches!(sent, Submitted::Sent(_)));
}

#[tokio::test]
async fn queued_mail_leaves_and_failures_come_back() {
    each_agency(|agency| async move {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let address = remote(heard.clone()).await;
        let site = Site::new("mail.khanhhoa.example", Outbound::Send);
        let stop = CancellationToken::new();
        let worker = Worker::new(OutboundOptions {
            db: agency.db.clone(),
            site: site.clone(),
            node: 1,
            route: Route::Smarthost(address.to_string()),
            tls: None,
            per_domain: 2,
            at_once: 4,
        });
        let running = tokio::spawn(worker.run(stop.clone()));
        send(&agency, &site, &["a@gov.example", "nobody@gov.example", "later@gov.example"]).await;
        let mut left = Vec::new();
        for _ in 0..200 {
            left = agency.db.read(|s| queue::list(s, None, 10)).await.unwrap();
            if left.len() == 1 && left[0].attempts == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // One was taken, one bounced, one waits for its next turn.
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!((left[0].address.as_str(), left[0].status.as_str()), ("later@gov.example", "4.2.1"));
        let heard = heard.lock().await.join("\n");
        assert!(heard.contains("MAIL FROM:<giamdoc@khanhhoa.example> SIZE="), "{heard}");
        assert!(heard.contains("RCPT TO:<a@gov.example> NOTIFY=FAILURE,DELAY"), "{heard}");
        assert!(heard.contains("\n..cham\n.\n"), "{heard}");
        // RFC 3464: the author hears of the one that will never arrive.
        let account = agency.account(DIRECTOR).await;
        let report = agency.db.read(move |s| {
            let inbox = congvu_mail::mailbox_by_role(s, account, congvu_mail::Role::Inbox)?.unwrap();
            let row =
                congvu_mail::message(s, account, inbox.id, congvu_types::Uid(inbox.uidnext - 1))?.unwrap();
            congvu_mail::raw(s, &row)
        });
        let report = String::from_utf8(report.await.unwrap()).unwrap();
        assert!(report.contains("Final-Recipient: rfc822; nobody@gov.example"), "{report}");
        assert!(report.contains("Status: 5.1.1") && !report.contains("later@gov.example"), "{report}");
        stop.cancel();
        running.await.unwrap();
    })
    .await;
}
