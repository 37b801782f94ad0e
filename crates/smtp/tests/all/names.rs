//! What DNS says, asked of a real name server: where mail goes, and whether the sender's domain vouches for it.

use congvu_net::{Gate, MailHost, MxAnswer, mail_hosts, resolver};
use congvu_smtp::{Service, SmtpOptions, SmtpServer};
use congvu_transport::{
    Rules,
    facts::{Inspector, MessageAuthenticator},
};
use testkit::{agency::each_agency, dns, transcript::Client};
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
    plain.example A 192.0.2.3
    1.0.0.127.in-addr.arpa PTR mx.gov.example
    mx.gov.example A 127.0.0.1
";

#[tokio::test]
async fn hosts_are_found_in_their_order() {
    let resolver = resolver(Some(dns::serve(ZONE).await)).unwrap();
    let ask = async |domain: &str| mail_hosts(&resolver, &domain.parse().unwrap()).await;
    let host =
        |name: &str, address: &str| MailHost { name: name.into(), addresses: vec![address.parse().unwrap()] };
    let both = vec![host("early.gov.example", "192.0.2.1"), host("late.gov.example", "192.0.2.2")];
    assert_eq!(ask("gov.example").await, MxAnswer::Hosts(both));
    // RFC 5321 §5.1: without MX the domain itself; RFC 7505: a null MX takes no mail.
    assert_eq!(ask("plain.example").await, MxAnswer::Hosts(vec![host("plain.example", "192.0.2.3")]));
    assert_eq!(ask("null.example").await, MxAnswer::NullMx);
    assert_eq!(ask("nowhere.example").await, MxAnswer::NoDomain);
}

/// RFC 7489 §6.6, RFC 8601: what passes says so in the message; what its domain disowns is refused.
#[tokio::test]
async fn senders_are_believed_as_their_domains_say() {
    each_agency(|agency| async move {
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
        let account = agency.account(testkit::agency::DIRECTOR).await;
        let stored = agency.db.read(move |s| {
            let inbox = congvu_mail::mailbox_by_role(s, account, congvu_mail::Role::Inbox)?.unwrap();
            assert_eq!(inbox.total, 1);
            congvu_mail::raw(s, &congvu_mail::message(s, account, inbox.id, congvu_types::Uid(1))?.unwrap())
        });
        let text = String::from_utf8(stored.await.unwrap()).unwrap();
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
