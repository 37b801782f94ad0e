//! A small agency: an account under review, one person with an account of their own, a reviewer, a newcomer.

use crate::store::TestStore;
use congvu_directory::{AuthPolicy, Authenticator, Door, SignedIn, account_by_address, fixture};
use congvu_mail::Views;
use congvu_storage::{Actor, Db, MigrationSet};
use congvu_transport::{Outbound, Site};
use congvu_types::AccountId;
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};

/// Everybody's password, but the newcomer's.
pub const PASSWORD: &str = "mot mat khau dai 1";
/// The newcomer's, which must be changed.
pub const INITIAL: &str = "mat khau duoc cap 1";
/// The account under review.
pub const AGENCY: &str = "bqlctgt@khanhhoa.example";
/// The director's own account.
pub const DIRECTOR: &str = "giamdoc@khanhhoa.example";

/// Every table of the product.
pub const MIGRATIONS: [&MigrationSet; 4] = [
    &congvu_directory::MIGRATIONS,
    &congvu_mail::MIGRATIONS,
    &congvu_casework::MIGRATIONS,
    &congvu_transport::MIGRATIONS,
];

const FIXTURE: &str = r#"
[[agency]]
code = "bqlctgt"
name = "Ban Quản lý dự án"
domain = "khanhhoa.example"
regulation = "regulations/bqlctgt.toml"

[[person]]
agency = "bqlctgt"
username = "hung"
name = "Trần Văn Hùng"
position = "giam-doc"
password = "mot mat khau dai 1"

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
position = "vien-chuc"
password = "mot mat khau dai 1"

[[person]]
agency = "bqlctgt"
username = "moi"
name = "Hồ Văn Mới"
position = "vien-chuc"
initial_password = "mat khau duoc cap 1"

[[account]]
address = "bqlctgt@khanhhoa.example"
kind = "agency"
agency = "bqlctgt"

[[account]]
address = "giamdoc@khanhhoa.example"
kind = "personal"
agency = "bqlctgt"
owner = "hung"
quota = "1 MiB"

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
"#;

/// The agency at work. Its store lives as long as it does.
#[derive(Debug, Clone)]
pub struct Agency {
    /// The database.
    pub db: Db,
    /// Who signs people in.
    pub authenticator: Authenticator,
    /// The place; mail for other domains is captured.
    pub site: Site,
    /// The mailboxes in use.
    pub views: Views,
    store: Arc<TestStore>,
}

impl Agency {
    /// Makes the agency in a store whose schema is up to date.
    pub async fn new(store: TestStore) -> Self {
        Self::with(store, "").await
    }

    /// Makes the agency with more people and accounts, written as in a fixture.
    pub async fn with(store: TestStore, more: &str) -> Self {
        let db = store.db.clone();
        apply(&db, &format!("{FIXTURE}{more}")).await;
        let authenticator =
            Authenticator::new(db.clone(), AuthPolicy { clients_may_use_password: true }).unwrap();
        let site = Site::new("mail.khanhhoa.example", Outbound::Capture);
        let views = Views::new(db.clone());
        Self { db, authenticator, site, views, store: Arc::new(store) }
    }

    /// Where its data are.
    #[must_use]
    pub fn store(&self) -> &TestStore {
        &self.store
    }

    /// Signs somebody in.
    pub async fn person(&self, name: &str) -> SignedIn {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.authenticator.sign_in(&format!("{name}@bqlctgt"), PASSWORD, Door::Smtp, peer).await.unwrap()
    }

    /// Applies another fixture.
    pub async fn apply(&self, text: &str) {
        apply(&self.db, text).await;
    }

    /// Takes all rights on an account from somebody.
    pub async fn withdraw(&self, name: &str, address: &str) {
        self.apply(&format!("[[grant]]\nperson = {name:?}\naccount = {address:?}\nrights = []\n")).await;
    }

    /// Returns the id of an account.
    pub async fn account(&self, address: &str) -> AccountId {
        let address = address.parse().unwrap();
        self.db.read(move |s| account_by_address(s, &address)).await.unwrap().unwrap().id
    }
}

async fn apply(db: &Db, text: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let parsed = fixture::parse(text, &root, |_| None, true).unwrap();
    let fixture = parsed.clone();
    let prepared = db.read(move |s| fixture::prepare(s, &fixture)).await.unwrap();
    db.write(Actor::System("test"), move |tx| fixture::apply(tx, &parsed, &prepared)).await.unwrap();
}

/// Runs a test over the agency, on each engine.
pub async fn each_agency<F, Fut>(test: F)
where
    F: Fn(Agency) -> Fut,
    Fut: Future<Output = ()>,
{
    let test = &test;
    crate::store::each_engine(&MIGRATIONS, |store| async move { test(Agency::new(store).await).await }).await;
}
