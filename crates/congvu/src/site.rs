//! The database and what hangs on it, opened from the configuration.

use crate::{config::Config, output::Failure};
use congvu_directory::{AuthPolicy, Authenticator};
use congvu_storage::{Db, MigrationSet, Node, OpenOptions};
use congvu_transport::{Outbound, Site};
use congvu_types::SystemClock;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

/// Every table, in the order of the floors.
const MIGRATIONS: [&MigrationSet; 4] = [
    &congvu_directory::MIGRATIONS,
    &congvu_mail::MIGRATIONS,
    &congvu_casework::MIGRATIONS,
    &congvu_transport::MIGRATIONS,
];

/// Opens the database and brings its schema up to date.
async fn open(config: &Config, node: Node) -> Result<Db, Failure> {
    let database = config.database_url()?;
    let db =
        Db::open(OpenOptions { database, blobs: config.blobs.clone(), node, clock: Arc::new(SystemClock) })?;
    db.migrate(&MIGRATIONS).await?;
    Ok(db)
}

/// Opens the database for the server.
pub(crate) async fn open_as_server(config: &Config) -> Result<Db, Failure> {
    open(config, Node::Server(config.node)).await
}

/// Opens the database for one command.
pub(crate) async fn open_for_command(config: &Config) -> Result<Db, Failure> {
    open(config, Node::Command).await
}

/// The place that transport must know.
pub(crate) fn site(config: &Config) -> Site {
    let outbound = if config.outbound.capture { Outbound::Capture } else { Outbound::Send };
    // Who listens everywhere listens on the loopback too; which other addresses are its own, its name says.
    let addresses: Vec<IpAddr> = config
        .listen
        .smtp
        .iter()
        .map(|listen| match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        })
        .collect();
    let postmaster = config.postmaster.as_deref().and_then(|address| address.parse().ok());
    Site::new(config.hostname.clone(), outbound).at(&addresses).with_postmaster(postmaster)
}

/// Who signs people in.
pub(crate) fn authenticator(db: &Db, config: &Config) -> Result<Authenticator, Failure> {
    let policy = AuthPolicy { clients_may_use_password: config.sign_in.clients_may_use_password };
    Ok(Authenticator::new(db.clone(), policy)?)
}
