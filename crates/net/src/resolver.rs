//! Which hosts take mail for a domain (RFC 5321 §5.1).

use congvu_types::Domain;
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
    proto::rr::RData,
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// No domain has more hosts tried than this.
const MAX_HOSTS: usize = 8;

/// The resolver of names; cheap to clone.
pub type Resolver = TokioResolver;

/// Makes a resolver that asks one server, or the system's own.
pub fn resolver(server: Option<SocketAddr>) -> io::Result<Resolver> {
    let failed =
        |e: hickory_resolver::net::NetError| io::Error::other(format!("setting up the resolver: {e}"));
    let Some(server) = server else {
        return TokioResolver::builder_tokio().map_err(failed)?.build().map_err(failed);
    };
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())];
    let config =
        ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, connections)]);
    let mut options = ResolverOpts::default();
    options.timeout = Duration::from_secs(5);
    options.attempts = 2;
    options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .map_err(failed)
}

/// A host that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailHost {
    /// How far it is: the lowest is tried first.
    pub preference: u16,
    /// Its name.
    pub name: String,
    /// Its addresses, in the order to try.
    pub addresses: Vec<IpAddr>,
}

/// What DNS says about a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MxAnswer {
    /// These hosts, in the order to try.
    Hosts(Vec<MailHost>),
    /// The domain takes no mail (RFC 7505).
    NullMx,
    /// There is no such domain.
    NoDomain,
    /// DNS failed for now.
    Failed(String),
}

/// Returns the hosts that take mail for a domain: those of its MX records by preference, else the domain itself.
pub async fn mail_hosts(resolver: &Resolver, domain: &Domain) -> MxAnswer {
    let name = format!("{domain}.");
    let mut named: Vec<(u16, String)> = match resolver.mx_lookup(name.as_str()).await {
        Ok(found) => found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
                _ => None,
            })
            .collect(),
        Err(error) if error.is_nx_domain() => return MxAnswer::NoDomain,
        Err(error) if error.is_no_records_found() => Vec::new(),
        Err(error) => return MxAnswer::Failed(error.to_string()),
    };
    if matches!(&named[..], [(_, host)] if host == ".") {
        return MxAnswer::NullMx;
    }
    if named.is_empty() {
        named.push((0, name));
    }
    named.sort();
    named.truncate(MAX_HOSTS);
    let mut hosts = Vec::new();
    let mut failure = None;
    for (preference, host) in named {
        match resolver.lookup_ip(host.as_str()).await {
            Ok(found) => {
                let addresses: Vec<IpAddr> = found.iter().collect();
                let name = host.trim_end_matches('.').to_ascii_lowercase();
                hosts.push(MailHost { preference, name, addresses });
            }
            Err(error) if error.is_nx_domain() || error.is_no_records_found() => {}
            Err(error) => failure = Some(error.to_string()),
        }
    }
    match (hosts.is_empty(), failure) {
        (false, _) => MxAnswer::Hosts(hosts),
        (true, Some(error)) => MxAnswer::Failed(error),
        (true, None) => MxAnswer::NoDomain,
    }
}

/// Leaves out this server and those that are no nearer than it is, to whom nothing is passed on in a circle (RFC 5321
/// §5.1); `None` when nobody is left.
#[must_use]
pub fn nearer_than_us(mut hosts: Vec<MailHost>, is_us: impl Fn(&MailHost) -> bool) -> Option<Vec<MailHost>> {
    if let Some(ours) = hosts.iter().filter(|host| is_us(host)).map(|host| host.preference).min() {
        hosts.retain(|host| host.preference < ours);
    }
    (!hosts.is_empty()).then_some(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_only_to_who_is_nearer_than_we_are() {
        let host = |preference, name: &str| MailHost { preference, name: name.into(), addresses: Vec::new() };
        let all = vec![host(5, "near"), host(10, "us"), host(10, "beside"), host(20, "far")];
        let is_us = |host: &MailHost| host.name == "us";
        assert_eq!(nearer_than_us(all.clone(), is_us), Some(vec![host(5, "near")]));
        assert_eq!(nearer_than_us(all[1..].to_vec(), is_us), None);
        assert_eq!(nearer_than_us(all.clone(), |_| false), Some(all));
    }
}
