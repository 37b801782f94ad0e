//! The sample agency of these tests, and the door over it.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use congvu_directory::{AuthPolicy, Authenticator, Door, SignedIn, account_by_address, fixture};
use congvu_jmap::JmapOptions;
use congvu_mail::{DeliverOptions, Delivered, Role, Target, deliver, prepare};
use congvu_storage::{Actor, Db};
use congvu_transport::{Outbound, Site};
use congvu_types::{AccountId, Language};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};
use testkit::{
    clock::HandClock,
    json::{Names, Piece, pieces},
    store::TestStore,
};
use tower::ServiceExt;

const PASSWORD: &str = "mot mat khau dai 1";
/// The account that mai and an share; what it sends is reviewed.
pub(crate) const AGENCY: &str = "bqlctgt@khanhhoa.example";
/// Mai's own account.
pub(crate) const MAI: &str = "mai@khanhhoa.example";

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
position = "giam-doc"
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

[[account]]
address = "bqlctgt@khanhhoa.example"
kind = "agency"
agency = "bqlctgt"

[[account]]
address = "mai@khanhhoa.example"
kind = "personal"
agency = "bqlctgt"
owner = "mai"

[[grant]]
person = "mai"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "submit", "review", "manage"]

[[grant]]
person = "an"
account = "bqlctgt@khanhhoa.example"
rights = ["read", "draft", "submit"]

[[grant]]
person = "lan"
account = "bqlctgt@khanhhoa.example"
rights = ["read"]
"#;

/// Every capability that a transcript uses.
pub(crate) const USING: [&str; 9] = [
    "urn:ietf:params:jmap:core",
    "urn:ietf:params:jmap:mail",
    "urn:ietf:params:jmap:submission",
    "urn:ietf:params:jmap:vacationresponse",
    "https://congvu.example/jmap/review",
    "https://congvu.example/jmap/recipients",
    "https://congvu.example/jmap/view",
    "urn:ietf:params:jmap:quota",
    "urn:ietf:params:jmap:blob",
];

/// The agency, and its JMAP door.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) db: Db,
    pub(crate) auth: Authenticator,
    pub(crate) site: Site,
    pub(crate) clock: HandClock,
}

/// A person at the door.
pub(crate) struct Client {
    router: Router,
    pub(crate) who: SignedIn,
    /// What transcripts captured.
    pub(crate) names: Names,
}

/// Runs a test over the agency, on each engine.
pub(crate) async fn each_world<F, Fut>(test: F)
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
    let clock = HandClock::new();
    testkit::store::each_engine_at(Arc::new(clock.clone()), &all, |store| {
        let clock = clock.clone();
        async move { test(World::new(&store, clock).await).await }
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
        let auth = Authenticator::new(db.clone(), AuthPolicy { clients_may_use_password: true }).unwrap();
        let site = Site::new("mail.khanhhoa.example", Outbound::Capture);
        let router = congvu_jmap::router(JmapOptions {
            site: site.clone(),
            db: db.clone(),
            hostname: "mail.khanhhoa.example".to_owned(),
            max_message_bytes: 1_000_000,
            max_memory_bytes: 64 * 1024 * 1024,
        });
        Self { router, db, auth, site, clock }
    }

    /// A person's client. `$own` and `$shared` are the ids of their accounts in transcripts.
    pub(crate) async fn client(&self, name: &str) -> Client {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let who = self.auth.sign_in(&format!("{name}@bqlctgt"), PASSWORD, Door::Jmap, peer).await.unwrap();
        let mut names = Names::default();
        names.set("own", format!("a{}", self.account(MAI).await));
        names.set("shared", format!("a{}", self.account(AGENCY).await));
        Client { router: self.router.clone(), who, names }
    }

    pub(crate) async fn account(&self, address: &str) -> AccountId {
        let address = address.parse().unwrap();
        self.db.read(move |s| account_by_address(s, &address)).await.unwrap().unwrap().id
    }

    /// Delivers a message.
    pub(crate) async fn deliver(&self, address: &str, raw: &[u8]) -> Delivered {
        let (account, prepared) = (self.account(address).await, prepare(raw).unwrap());
        let options = DeliverOptions::default();
        self.db
            .write(Actor::System("test"), move |tx| {
                deliver(tx, account, Target::Role(Role::Inbox), &prepared, &options)
            })
            .await
            .unwrap()
    }
}

/// An answer's body.
pub(crate) async fn body(response: Response<Body>) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

impl Client {
    /// Sends a request as it is.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(self.who.clone());
        request.extensions_mut().insert(Language::English);
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response<Body> {
        self.send(Request::get(path).header("host", "mail.example").body(Body::empty()).unwrap()).await
    }

    /// Posts to the API; returns status and document.
    pub(crate) async fn post(&self, text: impl Into<Body>) -> (StatusCode, Value) {
        let request =
            Request::post("/jmap/api").header(header::CONTENT_TYPE, "application/json").body(text.into());
        let response = self.send(request.unwrap()).await;
        let status = response.status();
        (status, serde_json::from_slice(&body(response).await).unwrap())
    }

    /// Runs method calls; returns the responses.
    pub(crate) async fn call(&self, calls: Value) -> Value {
        let request = json!({ "using": USING, "methodCalls": calls });
        let (status, mut document) = self.post(request.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{document}");
        document["methodResponses"].take()
    }

    /// Plays a transcript of method calls and responses.
    pub(crate) async fn play(&mut self, script: &str) {
        let mut came = Value::Null;
        for piece in pieces(script) {
            match piece {
                Piece::Send(calls) => came = self.call(self.names.fill(&calls)).await,
                Piece::Expect(pattern) => {
                    if let Some(why) = self.names.mismatch(&pattern, &came) {
                        panic!("{why}\nwhat came:\n{came:#}");
                    }
                }
            }
        }
    }

    /// Uploads bytes; returns the blob's id.
    pub(crate) async fn upload(&self, account: &str, kind: &str, bytes: &[u8]) -> String {
        let request = Request::post(format!("/jmap/upload/{account}/")).header(header::CONTENT_TYPE, kind);
        let response = self.send(request.body(Body::from(bytes.to_vec())).unwrap()).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let told: Value = serde_json::from_slice(&body(response).await).unwrap();
        assert_eq!(told["size"], bytes.len());
        told["blobId"].as_str().unwrap().to_owned()
    }
}
