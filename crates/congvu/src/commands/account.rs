//! `congvu account`: accounts (hộp thư) and what they hold.

use super::{Place, operator};
use crate::{cli::AccountVerb, output::Failure};
use congvu_directory::{accounts, fixture::bytes, set_quota};
use congvu_types::EmailAddress;
use serde::Serialize;

#[derive(Serialize)]
struct Account {
    id: String,
    address: String,
    kind: &'static str,
    messages: u64,
    bytes: u64,
    quota_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Quota {
    address: String,
    quota_bytes: u64,
}

pub(super) async fn run(at: &Place, verb: AccountVerb) -> Result<(), Failure> {
    let (_, db) = at.open().await?;
    match verb {
        AccountVerb::List => {
            let found = db
                .read(|s| {
                    let all = accounts(s)?;
                    all.into_iter()
                        .map(|a| Ok((congvu_mail::usage(s, a.id)?, a)))
                        .collect::<congvu_types::Result<Vec<_>>>()
                })
                .await?;
            let shown: Vec<Account> = found
                .into_iter()
                .map(|(usage, a)| Account {
                    id: a.id.to_string(),
                    address: a.address.to_string(),
                    kind: a.kind.as_str(),
                    messages: usage.messages,
                    bytes: usage.bytes,
                    quota_bytes: a.quota_bytes,
                })
                .collect();
            at.printer.print(&shown, |all| all.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        AccountVerb::SetQuota { address, quota } => {
            let quota_bytes = bytes(&quota).ok_or_else(|| {
                Failure(format!("{quota:?} is no size; write one as `20 GiB` or `500 MiB`"))
            })?;
            let parsed: EmailAddress = address.parse().map_err(|e| Failure(format!("{address:?}: {e}")))?;
            db.write(operator(), move |tx| set_quota(tx, &parsed, Some(quota_bytes))).await?;
            at.printer.print(&Quota { address, quota_bytes }, |q| {
                format!("{} may hold {} bytes", q.address, q.quota_bytes)
            })
        }
    }
}

fn line(a: &Account) -> String {
    let quota = a.quota_bytes.map_or_else(|| "no limit".to_owned(), |q| format!("of {q}"));
    format!("{}  {}  {} messages, {} bytes {quota}", a.address, a.kind, a.messages, a.bytes)
}
