//! The sample agency of these tests, and the door over it.

use crate::browser::Browser;
use axum::Router;
use congvu_casework::review::{Draft, Envelope, Via};
use congvu_directory::{AuthPolicy, Authenticator, Door, account_by_address, act_for, fixture, right};
use congvu_mail::{DeliverOptions, Role, Target, deliver};
use congvu_storage::{Actor, Db};
use congvu_transport::{Outbound, Site, Submitted, submit};
use congvu_web::{ClientSettings, WebOptions};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
};
use testkit::store::TestStore;

pub(crate) const PASSWORD: &str = "mot mat khau dai 1";
pub(crate) const AGENCY: &str = "bqlctgt@khanhhoa.example";

const FIXTURE: &str = r#"
[[agency]]
code = "bqlctgt"
name = "Ban Quản lý dự án"
domain = "khanhhoa.example"
regulation = "regulations/bqlctgt.toml"

[[person]]
agency = "bqlctgt"
username = "mai"
name = "Lê Thị Mai"
position = "truong-phong"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "an"
name = "Nguyễn Văn An"
position = "chuyen-vien"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "lan"
name = "Võ Thị Lan"
position = "chuyen-vien"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "moi"
name = "Hồ Văn Mới"
position = "chuyen-vien"
initial_password = "mat khau duoc cap 1"

[[account]]
address = "bqlctgt@khanhhoa.example"
kind = "agency"
agency = "bqlctgt"

[[account]]
address = "khth@khanhhoa.example"
kind = "unit"
agency = "bqlctgt"

[[grant]]
person = "mai"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "submit", "review", "manage"]

[[grant]]
person = "an"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "submit"]

[[grant]]
person = "moi"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft"]

[[grant]]
person = "lan"
account = "khth@khanhhoa.example"
rights = ["read"]
"#;

/// The agency at work, and its web door.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) db: Db,
    site: Site,
    auth: Authenticator,
    demo: bool,
}

/// Runs a test over the agency's demo, on each engine.
pub(crate) async fn each_world<F, Fut>(test: F)
where
    F: Fn(World) -> Fut,
    Fut: Future<Output = ()>,
{
    each(true, test).await;
}

/// Runs a test over the agency, on each engine; as the demo or not.
pub(crate) async fn each<F, Fut>(demo: bool, test: F)
where
    F: Fn(World) -> Fut,
    Fut: Future<Output = ()>,
{
    let all = [
        &congvu_directory::MIGRATIONS,
        &congvu_mail::MIGRATIONS,
        &congvu_casework::MIGRATIONS,
        &congvu_transport::MIGRATIONS,
    ];
    let test = &test;
    testkit::store::each_engine(&all, |store| async move { test(World::new(&store, demo).await).await })
        .await;
}

impl World {
    async fn new(store: &TestStore, demo: bool) -> Self {
        let db = store.db.clone();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let parsed = fixture::parse(FIXTURE, &root, |_| None, true).unwrap();
        let fixture = parsed.clone();
        let prepared = db.read(move |snap| fixture::prepare(snap, &fixture)).await.unwrap();
        db.write(Actor::System("test"), move |tx| fixture::apply(tx, &parsed, &prepared)).await.unwrap();
        let auth = Authenticator::new(db.clone(), AuthPolicy { clients_may_use_password: true }).unwrap();
        let site = Site::new("mail.khanhhoa.example", Outbound::Capture);
        let options = WebOptions {
            db: db.clone(),
            authenticator: auth.clone(),
            site: site.clone(),
            client_settings: ClientSettings {
                host: "mail.khanhhoa.example".to_owned(),
                imap_port: 993,
                submission_port: 465,
            },
            allow_plain_sign_in: demo,
            https_port: Some(8443),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            metrics_token: Some("so-lieu-7".to_owned()),
            demo,
        };
        let router = congvu_web::router(options, crate::clients::mounted());
        Self { router, db, site, auth, demo }
    }

    /// Who signs people in, at any door.
    pub(crate) fn auth(&self) -> &Authenticator {
        &self.auth
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// A browser in which a person is signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        browser.peer.tls = !self.demo;
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser
    }

    /// A letter comes to the agency's account; returns its conversation.
    pub(crate) async fn receive(&self, subject: &str) -> String {
        let raw = format!(
            "From: so@gov.example\r\nMessage-ID: <{subject}@gov.example>\r\nSubject: {subject}\r\n\r\nx\r\n"
        );
        let message = congvu_mail::prepare(raw.as_bytes()).unwrap();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let who = self.auth.sign_in("an@bqlctgt", PASSWORD, Door::Smtp, peer).await.unwrap();
        let stored = self.db.write(Actor::System("test"), move |tx| {
            let account = account_by_address(tx, &AGENCY.parse().unwrap())?.unwrap().id;
            let inbox = Target::Role(Role::Inbox);
            let delivered = deliver(tx, account, inbox, &message, &DeliverOptions::default())?;
            let reading = act_for::<right::Read>(tx, &who, account)?;
            Ok((account, congvu_mail::emails(tx, &reading, &[delivered.email])?[0].thread))
        });
        let (account, thread) = stored.await.unwrap();
        format!("/api/v1/accounts/a{account}/conversations/t{thread}")
    }

    /// An sends a message from the agency's account; returns the id of the review that holds it.
    pub(crate) async fn hold(&self, raw: &[u8]) -> String {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let who = self.auth.sign_in("an@bqlctgt", PASSWORD, Door::Smtp, peer).await.unwrap();
        let to = ["sonoivu@gov.example", "dan@gmail.com"].map(|a| a.parse().unwrap());
        let draft = Draft::prepare(raw, Envelope::new(Some(AGENCY.parse().unwrap()), to), Via::Smtp).unwrap();
        let site = self.site.clone();
        let submitted = self.db.write(Actor::System("test"), move |tx| submit(tx, &site, &who, &draft));
        match submitted.await.unwrap() {
            Submitted::AwaitingReview(id, _) => id.to_string(),
            sent @ Submitted::Sent(_) => panic!("{sent:?}"),
        }
    }
}

/// A message with hostile HTML, a picture of its own and an attachment whose name lies.
pub(crate) fn letter(subject: &str) -> Vec<u8> {
    format!(
        "From: Ban QLDA <{AGENCY}>\r\nTo: =?utf-8?B?U+G7nyBO4buZaSB24bul?= <sonoivu@gov.example>\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@khanhhoa.example>\r\nDate: Mon, 23 Nov 2026 08:00:00 +0700\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
         --c\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nKính gửi quý Sở\r\n--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p onclick=alert(1)>Kính gửi</p><script>alert(2)</script><img src=\"https://tracker.example/x.png\">\r\n--c--\r\n\
         --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"bao-cao.pdf.exe\"\r\n\r\n\
         %PDF-1.4 report\r\n--b--\r\n"
    )
    .into_bytes()
}
