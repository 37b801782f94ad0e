//! The worker of the search index: awake when something changed, off the path of delivery.

use congvu_mail::search::{Indexer, Step};
use congvu_storage::Db;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// What comes within this time is indexed together.
const GATHER: Duration = Duration::from_millis(50);
/// Everything is compared with the index this often, should news have been lost.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Whether the other process still does the work is asked this often.
const ELSEWHERE_EVERY: Duration = Duration::from_secs(5);
const AFTER_ERROR: Duration = Duration::from_secs(5);
/// The worker rests for so many times as long as it worked: whoever delivers or reads mail has the processors first, and
/// what is not indexed yet is found all the same.
const RESTS: u32 = 4;
/// No rest is longer.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// Keeps the index until the server stops.
pub(crate) async fn run(db: Db, stop: CancellationToken) {
    let news = db.feed().watch_all();
    let mut indexer = Indexer::new(db);
    while !stop.is_cancelled() {
        indexer.hear(news.take());
        let began = Instant::now();
        let stepped = indexer.step().await;
        let rest = began.elapsed().saturating_mul(RESTS).min(LONGEST_REST);
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => break,
        }
        let pause = match stepped {
            Ok(Step::More) => continue,
            Ok(Step::Done) => None,
            Ok(Step::Elsewhere) => Some(ELSEWHERE_EVERY),
            Err(error) => {
                tracing::error!(%error, "keeping the search index");
                Some(AFTER_ERROR)
            }
        };
        let waiting = async {
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
                return;
            }
            match tokio::time::timeout(LOOK_EVERY, news.next()).await {
                Ok(changed) => {
                    indexer.hear(changed);
                    tokio::time::sleep(GATHER).await;
                }
                Err(_) => indexer.look(),
            }
        };
        tokio::select! {
            () = waiting => {}
            () = stop.cancelled() => {}
        }
    }
    // The next process goes on at once.
    if let Err(error) = indexer.give_back().await {
        tracing::warn!(%error, "giving the search index back");
    }
}
