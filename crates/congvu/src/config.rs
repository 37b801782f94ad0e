//! `congvu.toml`: one struct, each field documented; the manual's page is made from these comments.

use congvu_storage::DatabaseUrl;
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The server's configuration. Paths are relative to the file's own directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The host's own name: greets peers, names us in Received and Authentication-Results.
    pub(crate) hostname: String,
    /// `sqlite:main.db` or `postgres://user@host/name`.
    pub(crate) database: String,
    /// The directory of large message bodies.
    pub(crate) blobs: PathBuf,
    /// This node's number, 0 to 959; two nodes on one database must differ.
    #[serde(default = "one")]
    pub(crate) node: u16,
    /// Where to listen.
    pub(crate) listen: Listen,
    /// Certificates.
    pub(crate) tls: Tls,
    /// How mail leaves.
    #[serde(default)]
    pub(crate) outbound: Outbound,
    /// How people sign in.
    #[serde(default)]
    pub(crate) sign_in: SignIn,
    /// The web door.
    #[serde(default)]
    pub(crate) web: Web,
    /// What is too much.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// Networks whose mail is taken without inspection (internal relays), such as `10.0.0.0/8`.
    #[serde(default)]
    pub(crate) trusted_networks: Vec<String>,
    /// The address of the account that gets the postmaster's mail, of this host and of every domain; when absent, one of
    /// the agency's that somebody manages.
    #[serde(default)]
    pub(crate) postmaster: Option<String>,
    /// Runs as the sample: shows captured mail in the web application. Never set by hand.
    #[serde(default)]
    pub(crate) demo: bool,
}

/// Addresses to listen on; an empty list leaves a service out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    /// Mail from other servers (port 25).
    pub(crate) smtp: Vec<SocketAddr>,
    /// LMTP (port 24), for trusted relays on the same host.
    pub(crate) lmtp: Vec<SocketAddr>,
    /// Submission with STARTTLS (port 587).
    pub(crate) submission: Vec<SocketAddr>,
    /// Submission over TLS (port 465).
    pub(crate) submissions: Vec<SocketAddr>,
    /// IMAP with STARTTLS (port 143).
    pub(crate) imap: Vec<SocketAddr>,
    /// IMAP over TLS (port 993).
    pub(crate) imaps: Vec<SocketAddr>,
    /// HTTP (port 80).
    pub(crate) http: Vec<SocketAddr>,
    /// HTTPS (port 443).
    pub(crate) https: Vec<SocketAddr>,
}

/// Certificates: files in PEM, or a directory in which an own authority is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Tls {
    /// The certificate chain in PEM.
    pub(crate) certificate: Option<PathBuf>,
    /// The private key in PEM.
    pub(crate) key: Option<PathBuf>,
    /// A directory for an own certificate authority, used when no certificate is given.
    pub(crate) own_authority: Option<PathBuf>,
}

/// How mail leaves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Outbound {
    /// Hands everything for other domains to this host, `host:port`.
    pub(crate) smarthost: Option<String>,
    /// The DNS server to ask, `address:port`; the system's own when absent.
    pub(crate) resolver: Option<SocketAddr>,
    /// Keeps mail for other domains instead of sending it (the demo).
    pub(crate) capture: bool,
    /// Asks no DNS at all: inbound mail is not inspected (the demo without a resolver).
    pub(crate) without_dns: bool,
}

/// The web door.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Web {
    /// Proxies before the web door, as networks: their `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub(crate) trusted_proxies: Vec<String>,
    /// Opens `/metrics` to who brings it as a bearer token; without one the figures are for this machine alone.
    pub(crate) metrics_token: Option<String>,
}

/// How people sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct SignIn {
    /// Allows passwords over connections without TLS. Only for tests on loopback.
    pub(crate) without_tls: bool,
    /// Allows the person's password in mail clients; else only app passwords.
    pub(crate) clients_may_use_password: bool,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { without_tls: false, clients_may_use_password: true }
    }
}

/// What is too much.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Limits {
    /// The largest message, in bytes.
    pub(crate) message_bytes: usize,
    /// Connections at once to each of SMTP, IMAP and the web.
    pub(crate) connections: usize,
    /// Connections at once from one address.
    pub(crate) connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 50 * 1024 * 1024, connections: 20_000, connections_per_address: 1_000 }
    }
}

/// Larger messages would not fit into the memory that one peer's messages may take while they are under way.
const MOST_MESSAGE_BYTES: usize = 80 * 1024 * 1024;
/// Faults that one look tells of.
const MOST_FAULTS: usize = 50;

const fn one() -> u16 {
    1
}

impl Config {
    /// Reads a file; every fault is one line `FILE:LINE: what`.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("{} cannot be read ({e}); give its path with --config", path.display()))?;
        let (config, mut faults) = read(&text);
        if let Some(mut config) = config {
            config.resolve(path.parent().unwrap_or(Path::new(".")));
            faults.extend(config.faults().into_iter().map(|fault| (line_of(&text, &fault), fault)));
            if faults.is_empty() {
                return Ok(config);
            }
        }
        faults.sort();
        let lines = faults.iter().map(|(line, what)| format!("{}:{line}: {what}", path.display()));
        Err(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Makes paths absolute, as seen from the file's directory.
    fn resolve(&mut self, directory: &Path) {
        let join = |path: &Path| if path.is_absolute() { path.to_owned() } else { directory.join(path) };
        self.blobs = join(&self.blobs);
        for path in
            [&mut self.tls.certificate, &mut self.tls.key, &mut self.tls.own_authority].into_iter().flatten()
        {
            *path = join(path);
        }
        if let Some(file) = self.database.strip_prefix("sqlite:") {
            self.database = format!("sqlite:{}", join(Path::new(file)).display());
        }
    }

    /// Says what is wrong beyond the grammar.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.hostname.parse::<congvu_types::Domain>().is_err() {
            faults.push(format!("hostname: {:?} is not a host name", self.hostname));
        }
        if let Some(address) = &self.postmaster
            && let Err(reason) = address.parse::<congvu_types::EmailAddress>()
        {
            faults.push(format!("postmaster: {reason}"));
        }
        if let Err(reason) = DatabaseUrl::parse(&self.database) {
            faults.push(format!("database: {reason}"));
        }
        if self.node >= congvu_storage::Node::FIRST_OF_COMMANDS {
            faults.push("node: must be 0 to 959".to_owned());
        }
        if self.limits.message_bytes > MOST_MESSAGE_BYTES {
            faults.push(format!("limits.message-bytes: at most {MOST_MESSAGE_BYTES}"));
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            faults.push("tls: certificate and key are given together or not at all".to_owned());
        }
        if self.tls.certificate.is_none() && self.tls.own_authority.is_none() {
            faults.push("tls: give certificate and key, or own-authority".to_owned());
        }
        if let Some(host) = &self.outbound.smarthost
            && host
                .rsplit_once(':')
                .is_none_or(|(name, port)| name.is_empty() || port.parse::<u16>().is_err())
        {
            faults.push(format!("outbound.smarthost: {host:?} is not host:port"));
        }
        let networks = [
            ("trusted-networks", &self.trusted_networks),
            ("web.trusted-proxies", &self.web.trusted_proxies),
        ];
        for (setting, network) in
            networks.into_iter().flat_map(|(name, all)| all.iter().map(move |n| (name, n)))
        {
            if network.parse::<congvu_transport::facts::Network>().is_err() {
                faults.push(format!("{setting}: {network:?} is not a network such as 10.0.0.0/8"));
            }
        }
        faults
    }

    /// Returns where the data are; checked when the file was read.
    pub(crate) fn database_url(&self) -> Result<DatabaseUrl, String> {
        DatabaseUrl::parse(&self.database)
    }
}

/// Reads a configuration as far as it goes. The parser stops at the first fault: its lines are passed over and the rest is read
/// again, so that one look tells all of them.
fn read(text: &str) -> (Option<Config>, Vec<(usize, String)>) {
    let mut rest = text.to_owned();
    let mut faults = Vec::new();
    while faults.len() < MOST_FAULTS {
        let error = match toml::from_str(&rest) {
            Ok(config) => return (Some(config), faults),
            Err(error) => error,
        };
        let is_missing = error.message().starts_with("missing field");
        // What is missing may be what was passed over.
        if is_missing && !faults.is_empty() {
            break;
        }
        let span = error.span().unwrap_or(0..0);
        faults.push((line_at(text, span.start), error.message().to_owned()));
        if is_missing || span.is_empty() && span.start == 0 {
            break;
        }
        let from = rest[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let until = rest[span.end..].find('\n').map_or(rest.len(), |at| span.end + at);
        let blank: String = rest[from..until].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        if blank == rest[from..until] {
            break;
        }
        rest.replace_range(from..until, &blank);
    }
    (None, faults)
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// The line of the key that a fault begins with, such as `outbound.smarthost: …`; where the key is not written, that of its
/// table, or the first.
fn line_of(text: &str, fault: &str) -> usize {
    let path = fault.split(':').next().unwrap_or_default();
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut found = None;
    let mut inside = "";
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            inside = name.trim();
            if inside == path || inside == table {
                found = found.or(Some(at + 1));
            }
        } else if inside == table
            && line.split('=').next().is_some_and(|k| k.trim() == key)
            && line.contains('=')
        {
            return at + 1;
        }
    }
    found.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "hostname = \"mail.khanhhoa.example\"\ndatabase = \"sqlite:main.db\"\nblobs = \"blobs\"\n\
                        [listen]\nsmtp = [\"127.0.0.1:25\"]\n[tls]\nown-authority = \"tls\"\n";

    fn load(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("congvu.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn paths_are_seen_from_the_file() {
        let config = load(GOOD).unwrap();
        assert!(config.blobs.is_absolute());
        assert!(config.database.starts_with("sqlite:/"));
    }

    #[test]
    fn the_example_of_the_manual_is_sound() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/congvu.toml");
        let config = Config::load(&file).unwrap();
        assert!(
            !config.sign_in.without_tls && !config.outbound.capture && config.limits.connections == 20_000
        );
    }

    #[test]
    fn a_fault_names_its_line() {
        let error = load(&GOOD.replace("blobs =", "blob =")).unwrap_err();
        assert!(error.contains("congvu.toml:3: ") || error.contains("missing field `blobs`"), "{error}");
        let error = load(&format!("{GOOD}[outbound]\nsmarthost = \"relay\"\n")).unwrap_err();
        assert!(error.contains("is not host:port"), "{error}");
        assert!(error.contains("congvu.toml:9: outbound.smarthost"), "{error}");
        let error = load(&format!("postmaster = \"nobody\"\n{GOOD}")).unwrap_err();
        assert!(error.contains("postmaster: "), "{error}");
        let error = load(&format!("trusted-networks = [\"10.0.0.0/99\"]\n{GOOD}")).unwrap_err();
        assert!(
            error.contains("congvu.toml:1: trusted-networks") && error.contains("10.0.0.0/99"),
            "{error}"
        );
        let error = load(&format!("node = 1023\n{GOOD}")).unwrap_err();
        assert!(error.contains("congvu.toml:1: node"), "{error}");
    }

    #[test]
    fn one_look_tells_every_fault() {
        let text = format!(
            "colour = \"red\"\n{}[outbound]\nsmarthost = \"relay\"\n[limits]\nconnections = \"many\"\n",
            GOOD.replace("127.0.0.1:25", "localhost")
        );
        let error = load(&text).unwrap_err();
        let lines: Vec<_> =
            error.lines().filter_map(|l| l.split("congvu.toml:").nth(1)?.split(':').next()).collect();
        assert_eq!(lines, ["1", "6", "10", "12"], "{error}");
    }
}
