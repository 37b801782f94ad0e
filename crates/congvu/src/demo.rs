//! `congvu demo`: a sample agency on 127.0.0.1, all its data in one directory.

use crate::{
    cli::DemoOptions,
    commands,
    config::{Config, Limits, Listen, Outbound, SignIn, Tls, Web},
    output::{self, Failure},
    serve, site,
};
use congvu_directory::{RightKind, Rights};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// The sample agency: invented people under a domain that does not exist.
const SAMPLE: &str = include_str!("demo/sample.toml");
const HOST: &str = "mail.khanhhoa.example";

/// The doors of the demo: each listens on the port base plus its standard port.
const PORTS: [(&str, u16); 8] = [
    ("smtp", 25),
    ("lmtp", 24),
    ("submission", 587),
    ("submissions", 465),
    ("imap", 143),
    ("imaps", 993),
    ("http", 80),
    ("https", 443),
];

/// What scripts read: `demo.json`.
#[derive(Debug, Serialize)]
struct Described {
    ready: bool,
    http: String,
    https: String,
    ports: BTreeMap<&'static str, u16>,
    ca: PathBuf,
    people: Vec<Person>,
    accounts: Vec<Account>,
}

#[derive(Debug, Serialize)]
struct Person {
    username: String,
    password: String,
    name: String,
    roles: Vec<&'static str>,
    must_change_password: bool,
}

#[derive(Debug, Serialize)]
struct Account {
    address: String,
    kind: &'static str,
}

/// Runs the demo until it is interrupted.
pub(crate) async fn run(options: &DemoOptions) -> Result<(), Failure> {
    fs::create_dir_all(&options.data)
        .map_err(|e| Failure(format!("{} cannot be made: {e}", options.data.display())))?;
    let directory = fs::canonicalize(&options.data)?;
    let _ = fs::remove_file(directory.join("demo.json"));
    let ports = ports(options.port_base)?;
    let config_file = directory.join("congvu.toml");
    write_config(options, &config_file, &ports)?;
    let config = Config::load(&config_file)?;
    let db = site::open_as_server(&config).await?;
    let mut fixtures = Vec::new();
    if !options.empty {
        fixtures.push((SAMPLE.to_owned(), directory.clone()));
    }
    for file in &options.fixture {
        fixtures.push(commands::read_fixture(file)?);
    }
    let is_new = db.read(congvu_directory::people).await?.is_empty();
    let taking = commands::Passwords { may_be_fixed: true, replace: false };
    for (place, (text, beside)) in fixtures.iter().enumerate() {
        // A second start goes on with the data: what was changed in the sample stays changed.
        if is_new || options.empty || place > 0 {
            commands::apply_text(&db, text, beside, taking).await?;
        }
    }
    let running = serve::start(&config, db.clone()).await?;
    let (_, _, ca) = serve::certificate(&config)?;
    let http = format!("http://127.0.0.1:{}", ports["http"]);
    let described = Described {
        ready: true,
        http: http.clone(),
        https: format!("https://127.0.0.1:{}", ports["https"]),
        people: people(&db, &passwords(&fixtures)?).await?,
        accounts: accounts(&db).await?,
        ports,
        ca: ca.unwrap_or_default(),
    };
    let text = serde_json::to_string_pretty(&described).map_err(|e| Failure(format!("writing JSON: {e}")))?;
    // Whoever waits for the file sees all of it or nothing.
    fs::write(directory.join("demo.json.new"), text)?;
    fs::rename(directory.join("demo.json.new"), directory.join("demo.json"))?;
    output::line(&format!("ready {http}"))?;
    running.until_signal().await
}

fn ports(base: u16) -> Result<BTreeMap<&'static str, u16>, Failure> {
    let port = |offset: u16| base.checked_add(offset);
    PORTS
        .into_iter()
        .map(|(name, offset)| port(offset).map(|p| (name, p)))
        .collect::<Option<_>>()
        .ok_or_else(|| Failure("--port-base: at most 64000, since ports end at 65535".to_owned()))
}

fn write_config(
    options: &DemoOptions,
    file: &Path,
    ports: &BTreeMap<&'static str, u16>,
) -> Result<(), Failure> {
    let at = |name: &str| vec![SocketAddr::from((Ipv4Addr::LOCALHOST, ports[name]))];
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let config = Config {
        hostname: HOST.to_owned(),
        database: options.database.clone().unwrap_or_else(|| "sqlite:main.db".to_owned()),
        blobs: options.blobs.as_deref().map_or_else(|| PathBuf::from("blobs"), absolute),
        node: 1,
        listen: Listen {
            smtp: at("smtp"),
            lmtp: at("lmtp"),
            submission: at("submission"),
            submissions: at("submissions"),
            imap: at("imap"),
            imaps: at("imaps"),
            http: at("http"),
            https: at("https"),
        },
        tls: Tls { certificate: None, key: None, own_authority: Some(PathBuf::from("tls")) },
        outbound: Outbound {
            smarthost: options.smarthost.clone(),
            resolver: options.resolver,
            // The demo never sends to the outside: to the host that was named, or nowhere.
            capture: options.smarthost.is_none(),
            without_dns: options.resolver.is_none(),
        },
        sign_in: SignIn { without_tls: true, clients_may_use_password: true },
        limits: Limits { connections_per_address: 20_000, ..Limits::default() },
        web: Web::default(),
        trusted_networks: Vec::new(),
        postmaster: None,
        demo: true,
    };
    let text = toml::to_string(&config).map_err(|e| Failure(format!("writing {}: {e}", file.display())))?;
    let head =
        "# Written by `congvu demo` at each start; for commands such as `congvu review list --config`.\n";
    fs::write(file, format!("{head}{text}"))?;
    Ok(())
}

/// The passwords of the fixtures by login, and whether they must be changed.
fn passwords(fixtures: &[(String, PathBuf)]) -> Result<BTreeMap<String, (String, bool)>, Failure> {
    let mut found = BTreeMap::new();
    for (text, _) in fixtures {
        let table: toml::Table = toml::from_str(text).map_err(|e| Failure(e.message().to_owned()))?;
        let people = table.get("person").and_then(toml::Value::as_array);
        for person in people.into_iter().flatten() {
            let field = |name: &str| person.get(name).and_then(toml::Value::as_str);
            let (Some(username), Some(agency)) = (field("username"), field("agency")) else { continue };
            let must_change = field("password").is_none();
            if let Some(password) = field("password").or_else(|| field("initial_password")) {
                let login = format!("{username}@{agency}").to_lowercase();
                found.insert(login, (password.to_owned(), must_change));
            }
        }
    }
    Ok(found)
}

async fn people(
    db: &congvu_storage::Db,
    passwords: &BTreeMap<String, (String, bool)>,
) -> Result<Vec<Person>, Failure> {
    let found = db
        .read(|s| {
            let people = congvu_directory::people(s)?;
            people
                .into_iter()
                .map(|p| Ok((congvu_directory::rights_of_person(s, p.id)?, p)))
                .collect::<congvu_types::Result<Vec<_>>>()
        })
        .await?;
    Ok(found
        .into_iter()
        .filter_map(|(rights, person)| {
            let (password, must_change) = passwords.get(&person.login())?.clone();
            Some(Person {
                username: person.login(),
                password,
                name: person.name.clone(),
                roles: roles(&rights, must_change),
                must_change_password: must_change,
            })
        })
        .collect())
}

/// Words for test suites: what a person can do in the demo.
fn roles(rights: &[(Rights, bool)], must_change: bool) -> Vec<&'static str> {
    let shared = |right| rights.iter().any(|(r, own)| !own && r.has(right));
    let mut roles = Vec::new();
    if must_change {
        return vec!["new"];
    }
    if rights.iter().any(|(_, own)| *own) {
        roles.push("owner");
    }
    if shared(RightKind::Review) {
        roles.push(if shared(RightKind::Submit) { "reviewer" } else { "deputy" });
    } else if shared(RightKind::Submit) {
        roles.push("staff");
    } else if shared(RightKind::Read) {
        roles.push("reader");
    }
    if shared(RightKind::Manage) {
        roles.push("manager");
    }
    roles
}

async fn accounts(db: &congvu_storage::Db) -> Result<Vec<Account>, Failure> {
    let found = db.read(congvu_directory::accounts).await?;
    Ok(found.into_iter().map(|a| Account { address: a.address.to_string(), kind: a.kind.as_str() }).collect())
}
