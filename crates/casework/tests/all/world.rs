//! The sample agency of these tests: its people, its accounts, its regulation, a clock to move.

use congvu_casework::review::{Draft, Envelope, Via};
use congvu_directory::{AuthPolicy, Authenticator, Door, SignedIn, account_by_address, fixture};
use congvu_mail::Role;
use congvu_storage::{Actor, Db, MigrationSet, Tx};
use congvu_types::{AccountId, Result, Uid};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};
use testkit::{clock::HandClock, store::TestStore};

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
username = "duc"
name = "Phạm Văn Đức"
position = "pho-phong"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "an"
name = "Nguyễn Văn An"
position = "chuyen-vien"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "hung"
name = "Trần Quốc Hùng"
position = "giam-doc"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "lan"
name = "Võ Thị Lan"
position = "chuyen-vien"
password = "mot mat khau dai 1"

[[account]]
address = "bqlctgt@khanhhoa.example"
kind = "agency"
agency = "bqlctgt"

[[account]]
address = "khth@khanhhoa.example"
kind = "unit"
agency = "bqlctgt"

[[account]]
address = "giamdoc@khanhhoa.example"
kind = "personal"
agency = "bqlctgt"
owner = "hung"

[[grant]]
person = "mai"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "submit", "review", "manage"]

[[grant]]
person = "duc"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "review"]

[[grant]]
person = "an"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "submit"]

[[grant]]
person = "an"
account = "khth@khanhhoa.example"
rights = ["read", "draft", "submit"]
"#;

/// The agency at work.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) clock: HandClock,
    auth: Authenticator,
}

/// Runs a test over the agency, on each engine.
pub(crate) async fn each_world<F, Fut>(sets: &[&MigrationSet], test: F)
where
    F: Fn(World) -> Fut,
    Fut: Future<Output = ()>,
{
    let clock = HandClock::new();
    let mut all = vec![&congvu_directory::MIGRATIONS, &congvu_mail::MIGRATIONS, &congvu_casework::MIGRATIONS];
    all.extend(sets);
    let test = &test;
    testkit::store::each_engine_at(Arc::new(clock.clone()), &all, |store| {
        let clock = clock.clone();
        async move {
            let world = World::new(&store, clock).await;
            test(world).await;
        }
    })
    .await;
}

impl World {
    async fn new(store: &TestStore, clock: HandClock) -> Self {
        let db = store.db.clone();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let parsed = fixture::parse(FIXTURE, &root, |_| None, true).unwrap();
        let fixture = parsed.clone();
        let prepared = db.read(move |snap| fixture::prepare(snap, &fixture)).await.unwrap();
        db.write(Actor::System("test"), move |tx| fixture::apply(tx, &parsed, &prepared)).await.unwrap();
        let policy = AuthPolicy { clients_may_use_password: true };
        let auth = Authenticator::new(db.clone(), policy).unwrap();
        Self { db, clock, auth }
    }

    /// Signs a person in.
    pub(crate) async fn person(&self, name: &str) -> SignedIn {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let login = format!("{name}@bqlctgt");
        self.auth.sign_in(&login, "mot mat khau dai 1", Door::Smtp, peer).await.unwrap()
    }

    /// Runs a transaction.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.db.write(Actor::System("test"), f).await
    }

    /// Returns the id of an account.
    pub(crate) async fn account(&self, name: &str) -> AccountId {
        let address = format!("{name}@khanhhoa.example").parse().unwrap();
        self.db.read(move |snap| account_by_address(snap, &address)).await.unwrap().unwrap().id
    }

    /// Returns the texts of a mailbox's messages, oldest first; none when there is no such mailbox.
    pub(crate) async fn texts(&self, account: AccountId, role: Role) -> Vec<String> {
        self.db
            .read(move |snap| {
                let Some(found) = congvu_mail::mailbox_by_role(snap, account, role)? else {
                    return Ok(Vec::new());
                };
                let mut texts = Vec::new();
                for uid in 1..found.uidnext {
                    if let Some(row) = congvu_mail::message(snap, account, found.id, Uid(uid))? {
                        texts.push(String::from_utf8_lossy(&congvu_mail::raw(snap, &row)?).into_owned());
                    }
                }
                Ok(texts)
            })
            .await
            .unwrap()
    }

    /// Returns the events of an account's audit chain.
    pub(crate) async fn audit(&self, account: AccountId) -> Vec<String> {
        let chain = format!("account/{account}");
        let rows = self.db.read(move |snap| congvu_storage::audit_rows(snap, &chain, 0, 1000)).await.unwrap();
        rows.into_iter().map(|row| row.event).collect()
    }
}

/// A message from an address to others.
pub(crate) fn draft(from: &str, to: &[&str], subject: &str) -> Draft {
    let raw = format!(
        "From: {from}\r\nTo: {}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@khanhhoa.example>\r\n\
         Date: Mon, 23 Nov 2026 08:00:00 +0700\r\n\r\nNoi dung {subject}\r\n",
        to.join(", ")
    );
    let envelope = Envelope::new(Some(from.parse().unwrap()), to.iter().map(|t| t.parse().unwrap()));
    Draft::prepare(raw.as_bytes(), envelope, Via::Smtp).unwrap()
}
