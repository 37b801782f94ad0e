//! What happens without anybody asking: mail leaves, deadlines pass, what nobody names is swept.

use crate::{anchors, indexing};
use congvu_casework::assignment::forget_absent;
use congvu_smtp::Outbound;
use congvu_storage::{Actor, BlobReference, Db, Tx};
use congvu_transport::{Site, fanout, queue, submission, vacation};
use std::{path::PathBuf, sync::LazyLock, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Overdue reviews are looked for this often.
const DEADLINES_EVERY: Duration = Duration::from_secs(10);
/// Overdue reviews passed on in one transaction.
const DEADLINES_AT_ONCE: usize = 50;
/// Blobs that no row names are swept this often …
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// … when they are older than a day.
const SWEEP_AFTER_SECONDS: u64 = 24 * 3600;
/// Jobs are looked for this often even when nothing is told of.
const JOBS_EVERY: Duration = Duration::from_secs(5);
/// What waits for its time is looked for at its time, and this often: it may have been sent a moment ago.
const SCHEDULED_EVERY: Duration = Duration::from_secs(1);
/// Messages to be answered for who is away are looked for this often.
const VACATIONS_EVERY: Duration = Duration::from_secs(10);
/// Rows removed in one transaction.
const FORGOTTEN_AT_ONCE: usize = 100;

/// Messages of deleted mailboxes are looked for this often.
const PURGE_EVERY: Duration = Duration::from_secs(5);

/// Tombstones and keys that had their time are looked for this often.
const RETENTION_EVERY: Duration = Duration::from_secs(6 * 3600);
/// The audit log is anchored this often, when it grew.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

static REFERENCES: LazyLock<Vec<BlobReference>> = LazyLock::new(|| {
    [congvu_mail::BLOB_REFERENCES, congvu_casework::BLOB_REFERENCES, congvu_transport::BLOB_REFERENCES]
        .concat()
});

/// Starts every worker.
pub(crate) fn start(
    tasks: &TaskTracker,
    stop: &CancellationToken,
    db: &Db,
    site: &Site,
    outbound: Option<Outbound>,
    anchors: PathBuf,
) {
    if let Some(outbound) = outbound {
        tasks.spawn(outbound.run(stop.clone()));
    }
    tasks.spawn(jobs(db.clone(), site.clone(), stop.clone()));
    tasks.spawn(scheduled(db.clone(), site.clone(), stop.clone()));
    tasks.spawn(vacations(db.clone(), site.clone(), stop.clone()));
    tasks.spawn(deadlines(db.clone(), stop.clone()));
    tasks.spawn(indexing::run(db.clone(), stop.clone()));
    tasks.spawn(sweep(db.clone(), stop.clone()));
    tasks.spawn(purge(db.clone(), stop.clone()));
    tasks.spawn(retention(db.clone(), stop.clone()));
    tasks.spawn(anchor(db.clone(), anchors, stop.clone()));
}

/// Delivers to accounts beyond those that fit one transaction.
async fn jobs(db: Db, site: Site, stop: CancellationToken) {
    let mut wake = db.feed().watch(queue::TOPIC);
    while !stop.is_cancelled() {
        wake.mark_unchanged();
        match fanout::step(&db, &site).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "delivering to many accounts"),
        }
        tokio::select! {
            () = tokio::time::sleep(JOBS_EVERY) => {}
            _ = wake.changed() => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Releases what waited for its time, by the gate that everything passes (S9.1, Điều 9).
async fn scheduled(db: Db, site: Site, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match submission::step(&db, &site).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "releasing what is due"),
        }
        let next = db.read_quick(submission::next_due).await.ok().flatten();
        let until = next.map(|at| at.since(db.clock().now()).max(Duration::from_millis(50)));
        if !wait(until.map_or(SCHEDULED_EVERY, |until| until.min(SCHEDULED_EVERY)), &stop).await {
            break;
        }
    }
}

/// Answers for who is away.
async fn vacations(db: Db, site: Site, stop: CancellationToken) {
    while wait(VACATIONS_EVERY, &stop).await {
        while !stop.is_cancelled() {
            match vacation::step(&db, &site).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "answering for who is away");
                    break;
                }
            }
        }
    }
}

/// S9.1 (Điều 9): a decision that takes too long passes to a deputy, never to sending.
async fn deadlines(db: Db, stop: CancellationToken) {
    while wait(DEADLINES_EVERY, &stop).await {
        loop {
            let step = |tx: &mut congvu_storage::Tx| congvu_transport::pass_overdue_on(tx, DEADLINES_AT_ONCE);
            match db.write(Actor::System("review"), step).await {
                Ok(DEADLINES_AT_ONCE) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "passing overdue reviews on");
                    break;
                }
            }
        }
    }
}

async fn sweep(db: Db, stop: CancellationToken) {
    while wait(SWEEP_EVERY, &stop).await {
        match db.collect_blobs(&REFERENCES, SWEEP_AFTER_SECONDS).await {
            Ok(done) => tracing::info!(examined = done.examined, removed = done.removed, "swept blobs"),
            Err(error) => tracing::error!(%error, "sweeping blobs"),
        }
    }
}

async fn retention(db: Db, stop: CancellationToken) {
    while wait(RETENTION_EVERY, &stop).await {
        match congvu_mail::remove_outdated(&db).await {
            Ok(removed) => tracing::info!(removed, "removed tombstones and keys that had their time"),
            Err(error) => tracing::error!(%error, "removing tombstones and keys"),
        }
        forget(&db, "submissions", submission::forget_old).await;
        forget(&db, "answered senders", vacation::forget_answered).await;
        forget(&db, "who had a conversation open", forget_absent).await;
    }
}

/// Removes what has had its time, some at a time.
async fn forget(db: &Db, what: &str, step: fn(&mut Tx, usize) -> congvu_types::Result<usize>) {
    loop {
        match db.write_bulk(Actor::System("retention"), move |tx| step(tx, FORGOTTEN_AT_ONCE)).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, what, "removing what has had its time");
                break;
            }
        }
    }
}

/// Removes the messages of deleted mailboxes, a few at a time; goes on after a restart.
async fn purge(db: Db, stop: CancellationToken) {
    while wait(PURGE_EVERY, &stop).await {
        if let Err(error) = purge_all(&db, &stop).await {
            tracing::error!(%error, "removing the messages of deleted mailboxes");
        }
    }
}

async fn purge_all(db: &Db, stop: &CancellationToken) -> congvu_types::Result<()> {
    if db.read_quick(congvu_mail::is_purge_due).await? {
        while !stop.is_cancelled() && db.write_bulk(Actor::System("purge"), congvu_mail::purge_step).await? {}
    }
    Ok(())
}

/// Anchors the audit log: in the database, in a file beside it, and in the log, which an operator keeps elsewhere.
async fn anchor(db: Db, file: PathBuf, stop: CancellationToken) {
    let mut known = None;
    while wait(ANCHOR_EVERY, &stop).await {
        let anchor = match congvu_storage::anchor_audit(&db).await {
            Ok(anchor) if anchor == known => continue,
            Ok(anchor) => anchor,
            Err(error) => {
                tracing::error!(%error, "anchoring the audit log");
                continue;
            }
        };
        if let Some(found) = &anchor {
            let hash = anchors::digits(&found.hash);
            tracing::info!(seq = found.seq, hash, "anchored the audit log");
            if let Err(error) = anchors::append(&file, db.clock().now(), found) {
                tracing::error!(%error, file = %file.display(), "keeping an anchor of the audit log");
            }
        }
        known = anchor;
    }
}

/// Waits; returns whether to go on.
async fn wait(duration: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(duration) => true,
        () = stop.cancelled() => false,
    }
}
