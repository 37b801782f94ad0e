//! What DNS says, asked of a real name server: where mail goes, and whether the sender's domain vouches for it.

use congvu_mail::{Role, mailbox_by_role, message, raw};
use congvu_net::{Gate, MailHost, MxAnswer, mail_hosts, resolver};
use congvu_smtp::{Service, SmtpOptions, SmtpServer};
use congvu_transport::{
    Rules,
    facts::{Inspector, MessageAuthenticator},
};
use congvu_types::Uid;
use std::net::SocketAddr;
use testkit::{
    agency::{Agency, each_agency},
    dns,
    transcript::Client,
};
use tokio_util::sync::CancellationToken;

const ZONE: &str = "
    gov.example MX 20 late.gov.example
    gov.example MX 10 early.gov.example
    gov.example TXT v=spf1 ip4:127.0.0.1 -all
    _dmarc.gov.example TXT v=DMARC1; p=reject
    early.gov.example A 192.0.2.1
    late.gov.example A 192.0.2.2
    strict.example TXT v=spf1 -all
    strict.example A 192.0.2.9
    _dmarc.strict.example TXT v=DMARC1; p=reject
    null.example MX 0 .
    slow.example SERVFAIL -
    broken.example TXT v=spf1 ip4:127.0.0.1 -all
    _dmarc.broken.example SERVFAIL -
    khanhhoa.example TXT v=spf1 ip4:192.0.2.50 -all
    plain.example A 192.0.2.3
    1.0.0.127.in-addr.arpa PTR mx.gov.example
    mx.gov.example A 127.0.0.1
";

#[tokio::test]
async fn hosts_are_found_in_their_order() {
    let resolver = resolver(Some(dns::serve(ZONE).await)).unwrap();
    let ask = async |domain: &str| mail_hosts(&resolver, &domain.parse().unwrap()).await;
    let host = |preference, name: &str, address: &str| MailHost {
        preference,
        name: name.into(),
        addresses: vec![address.parse().unwrap()],
    };
    let both = vec![host(10, "early.gov.example", "192.0.2.1"), host(20, "late.gov.example", "192.0.2.2")];
    assert_eq!(ask("gov.example").await, MxAnswer::Hosts(both));
    // RFC 5321 §5.1: without MX the domain itself; RFC 7505: a null MX takes no mail.
    assert_eq!(ask("plain.example").await, MxAnswer::Hosts(vec![host(0, "plain.example", "192.0.2.3")]));
    assert_eq!(ask("null.example").await, MxAnswer::NullMx);
    assert_eq!(ask("nowhere.example").await, MxAnswer::NoDomain);
}

/// Opens port 25 of a server that asks the zone.
async fn open_with_names(agency: &Agency) -> SocketAddr {
    let asked = MessageAuthenticator(resolver(Some(dns::serve(ZONE).await)).unwrap());
    let listener = congvu_net::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let server = SmtpServer::new(SmtpOptions {
        service: Service::Receive,
        db: agency.db.clone(),
        authenticator: agency.authenticator.clone(),
        site: agency.site.clone(),
        inspector: Inspector::new("mail.khanhhoa.example", Some(asked), Vec::new()),
        rules: Rules::default(),
        tls: None,
        allow_plain_sign_in: false,
        max_message_bytes: 200_000,
        max_memory_bytes: 64 * 1024 * 1024,
    });
    let handle = move |connection| server.clone().connection(connection, CancellationToken::new());
    tokio::spawn(congvu_net::serve(listener, Gate::new(9, 9), CancellationToken::new(), None, handle));
    address
}

/// Says a message from `mail_from` with this header; the answer to it must fit.
async fn bring(client: &mut Client, mail_from: &str, header: &str, answer: &str) {
    let envelope =
        format!("C: MAIL FROM:<{mail_from}>\nS: 250 *\nC: RCPT TO:<giamdoc@khanhhoa.example>\nS: 250 *");
    client.play(&format!("{envelope}\nC: DATA\nS: 354 *")).await;
    client.send_raw(format!("{header}\r\nSubject: xin\r\n\r\ntext\r\n.\r\n").as_bytes()).await;
    client.play(&format!("S: {answer}")).await;
}

/// The messages of a folder of the director's.
async fn folder(agency: &Agency, role: Role) -> Vec<String> {
    let account = agency.account(testkit::agency::DIRECTOR).await;
    let found = agency.db.read(move |s| {
        let Some(found) = mailbox_by_role(s, account, role)? else { return Ok(Vec::new()) };
        let mut texts = Vec::new();
        for uid in 1..found.uidnext {
            if let Some(row) = message(s, account, found.id, Uid(uid))? {
                texts.push(String::from_utf8_lossy(&raw(s, &row)?).into_owned());
            }
        }
        Ok(texts)
    });
    found.await.unwrap()
}

/// RFC 7489 §6.6.1, RFC 5322 §3.6: a policy is asked of the author whom people see, or the message is junk.
#[tokio::test]
async fn an_author_who_can_be_read_in_two_ways_never_reaches_the_inbox() {
    each_agency(|agency| async move {
        let mut client = Client::connect(open_with_names(&agency).await).await;
        client.play("S: 220 *\nC: EHLO mx.gov.example\nS~ 250 *").await;
        let from = "a@gov.example";
        let headers = [
            "From: a@gov.example, a@strict.example",
            "From: <a@gov.example> <a@strict.example>",
            "no colon\r\nFrom: a@strict.example",
            "Fr om: a@gov.example\r\nFrom: a@gov.example",
            "To: x@gov.example",
        ];
        for header in headers {
            bring(&mut client, from, header, "250 2.0.0 *").await;
        }
        bring(&mut client, from, "From: a@gov.example\r\nFrom: a@strict.example", "550 5.6.0 *").await;
        assert_eq!(folder(&agency, Role::Inbox).await.len(), 0);
        let junk = folder(&agency, Role::Junk).await;
        assert_eq!(junk.len(), headers.len());
        assert!(junk[4].contains("dmarc=permerror reason=\"no From field\""), "{}", junk[4]);
    })
    .await;
}

/// RFC 9989 §5.3.6: neither a sender's broken servers nor the author's own make an unknown policy a pass.
#[tokio::test]
async fn a_policy_that_cannot_be_asked_is_no_pass() {
    each_agency(|agency| async move {
        let mut client = Client::connect(open_with_names(&agency).await).await;
        client.play("S: 220 *\nC: EHLO mx.slow.example\nS~ 250 *").await;
        bring(&mut client, "a@slow.example", "From: a@strict.example", "550 5.7.26 *").await;
        for _ in 0..2 {
            bring(&mut client, "a@broken.example", "From: a@broken.example", "451 4.7.0 *").await;
        }
        assert_eq!(folder(&agency, Role::Inbox).await.len() + folder(&agency, Role::Junk).await.len(), 0);
    })
    .await;
}

/// RFC 7489 §6.6, RFC 8601: what passes says so in the message; what its domain disowns is refused.
#[tokio::test]
async fn senders_are_believed_as_their_domains_say() {
    each_agency(|agency| async move {
        let address = open_with_names(&agency).await;
        let mut client = Client::connect(address).await;
        client.play("S: 220 *\nC: EHLO mx.gov.example\nS~ 250 *").await;
        for (domain, answer) in [("gov.example", "250 2.0.0 *"), ("strict.example", "550 5.7.26 *")] {
            client
                .play(&format!(
                    "
                    C: MAIL FROM:<a@{domain}>
                    S: 250 *
                    C: RCPT TO:<giamdoc@khanhhoa.example>
                    S: 250 *
                    C: DATA
                    S: 354 *
                    C: From: a@{domain}
                    C: Subject: xin
                    C: Date: Mon, 23 Nov 2026 08:00:00 +0700
                    C:
                    C: text
                    C: .
                    S: {answer}
                "
                ))
                .await;
        }
        let stored = folder(&agency, Role::Inbox).await;
        let [text] = &stored[..] else { panic!("{stored:?}") };
        for result in [
            "iprev=pass",
            "spf=pass smtp.mailfrom=a@gov.example",
            "dkim=none",
            "dmarc=pass header.from=gov.example",
        ] {
            assert!(text.contains(result), "{result}: {text}");
        }
    })
    .await;
}
