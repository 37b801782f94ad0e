//! Keys that sign what leaves (RFC 6376).

use crate::output::Failure;
use congvu_storage::{Actor, Db};
use congvu_transport::dkim;
use congvu_types::{Domain, EmailAddress};
use std::collections::BTreeSet;

/// Every domain that we send from signs: one without a key gets one, and its record is logged. Asked when the server starts,
/// and after a fixture, which may bring the first account of a domain.
pub(crate) async fn ensure(db: &Db) -> Result<(), Failure> {
    let (accounts, keys) = db.read(|s| Ok((congvu_directory::accounts(s)?, dkim::keys(s)?))).await?;
    let domains: BTreeSet<Domain> =
        accounts.iter().map(|a| &a.address).map(EmailAddress::domain).cloned().collect();
    for domain in domains.into_iter().filter(|d| !keys.iter().any(|k| k.domain == d.as_str())) {
        let made = tokio::task::spawn_blocking(|| dkim::generate(dkim::Algorithm::Rsa2048));
        let key = made.await.map_err(|e| Failure(format!("making a DKIM key: {e}")))??;
        let stored =
            db.write(Actor::System("dkim"), move |tx| dkim::create_key(tx, &domain, "congvu", &key)).await?;
        tracing::info!(name = stored.record_name, record = stored.record, "publish this DNS record (DKIM)");
    }
    Ok(())
}
