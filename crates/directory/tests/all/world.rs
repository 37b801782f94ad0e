//! What the tests share.

use congvu_directory::{Acting, RightKind, SignedIn, act_for, open_session, right, session};
use congvu_storage::{Actor, Snapshot, audit_rows};
use congvu_types::{AccountId, RefusalKind};
use std::net::{IpAddr, Ipv4Addr};
use testkit::agency::Agency;

pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) fn may(s: &Snapshot, who: &SignedIn, account: AccountId, kind: RightKind) -> Option<RefusalKind> {
    let outcome = match kind {
        RightKind::Read => act_for::<right::Read>(s, who, account).map(drop_proof),
        RightKind::Draft => act_for::<right::Draft>(s, who, account).map(drop_proof),
        RightKind::Submit => act_for::<right::Submit>(s, who, account).map(drop_proof),
        RightKind::Review => act_for::<right::Review>(s, who, account).map(drop_proof),
        RightKind::Manage => act_for::<right::Manage>(s, who, account).map(drop_proof),
    };
    outcome.err().map(|e| e.refusal().unwrap().kind)
}

pub(crate) fn drop_proof<R>(_: Acting<R>) {}

pub(crate) async fn audited(agency: &Agency, event: &'static str) -> Vec<String> {
    let agencies = agency.person("mai").await.agency();
    let rows = agency.db.read(move |s| {
        let mut rows = audit_rows(s, &format!("agency/{agencies}"), 0, 1000)?;
        rows.extend(audit_rows(s, "system", 0, 1000)?);
        Ok(rows)
    });
    let of_it = rows.await.unwrap().into_iter().filter(|r| r.event == event);
    of_it.map(|r| format!("{} {}", r.subject, r.details)).collect()
}

pub(crate) async fn is_open(agency: &Agency, token: &str) -> bool {
    let token = token.to_owned();
    agency.db.read(move |s| session(s, &token)).await.unwrap().is_some()
}

pub(crate) async fn open(agency: &Agency, name: &str) -> String {
    let who = agency.person(name).await;
    agency.db.write(Actor::System("test"), move |tx| open_session(tx, &who)).await.unwrap().0
}
