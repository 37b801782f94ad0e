//! A door of the sample agency, open on a port of its own.

use congvu_access::{ImapOptions, ImapServer};
use congvu_mail::{DeliverOptions, Role, Target, deliver, prepare};
use congvu_net::Gate;
use congvu_storage::Actor;
use std::net::SocketAddr;
use testkit::{
    agency::{Agency, PASSWORD},
    transcript::Client,
};
use tokio_util::sync::CancellationToken;

/// Opens a door; it closes with the test.
pub(crate) async fn open(agency: &Agency) -> SocketAddr {
    let listener = congvu_net::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let server = ImapServer::new(ImapOptions {
        db: agency.db.clone(),
        authenticator: agency.authenticator.clone(),
        site: agency.site.clone(),
        views: agency.views.clone(),
        tls: None,
        allow_plain_sign_in: true,
        max_message_bytes: 200_000,
        max_memory_bytes: 8 * 1024 * 1024,
    });
    let handle = move |connection| server.clone().connection(connection, CancellationToken::new());
    tokio::spawn(congvu_net::serve(listener, Gate::new(100, 100), CancellationToken::new(), None, handle));
    address
}

/// Signs somebody in.
pub(crate) async fn signed_in(address: SocketAddr, login: &str) -> Client {
    let mut client = Client::connect(address).await;
    client.play("S: * OK [CAPABILITY IMAP4rev1 IMAP4rev2 *AUTH=SCRAM-SHA-256*] *").await;
    client.play(&format!("C: a LOGIN {login} \"{PASSWORD}\"\nS: a OK [CAPABILITY *IDLE*] Signed in.")).await;
    client
}

/// Delivers a message to an account's INBOX.
pub(crate) async fn arrive(agency: &Agency, address: &str, raw: &str) {
    arrive_often(agency, address, raw, 1).await;
}

/// Delivers a message so many times.
pub(crate) async fn arrive_often(agency: &Agency, address: &str, raw: &str, times: usize) {
    let account = agency.account(address).await;
    let message = prepare(raw.as_bytes()).unwrap();
    agency
        .db
        .write(Actor::System("test"), move |tx| {
            for _ in 0..times {
                deliver(tx, account, Target::Role(Role::Inbox), &message, &DeliverOptions::default())?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

/// A small message.
pub(crate) fn letter(subject: &str) -> String {
    format!(
        "From: =?utf-8?B?U+G7nyBO4buZaSB24bul?= <sonoivu@gov.example>\r\nTo: giamdoc@khanhhoa.example\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 08:00:00 +0700\r\nMessage-ID: <{subject}@gov.example>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nKính gửi quý Ban\r\n"
    )
}
