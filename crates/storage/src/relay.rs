//! The change feed between the processes on one PostgreSQL: LISTEN and NOTIFY, outside the transactions.
//!
//! A notice inside a transaction would hold PostgreSQL's one lock for notices until that commit is on disk, and so undo group
//! commit. It is sent right after instead, many changes at once under load. A notice that is lost with its process is made up
//! for: whoever connects anew looks at everything again, by modseq.

use crate::feed::Feed;
use congvu_types::{AccountId, Error, ModSeq, Result};
use deadpool_postgres::Pool;
use parking_lot::Mutex;
use std::{fmt::Write as _, future::poll_fn, sync::Arc, time::Duration};
use tokio_postgres::{AsyncMessage, Config, NoTls};

/// PostgreSQL takes notices of less than 8,000 bytes; a change is written in at most 41.
const AT_ONCE: usize = 180;
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// Sends this process's changes to the others.
#[derive(Debug)]
pub(crate) struct Relay {
    pool: Pool,
    config: Config,
    /// Tells this process's own notices from those of others.
    origin: String,
    pending: Mutex<Vec<(AccountId, ModSeq)>>,
    sending: tokio::sync::Mutex<()>,
}

impl Relay {
    pub(crate) fn new(pool: Pool, config: Config) -> Self {
        let origin = format!("{:016x}", crate::ids::random());
        Self { pool, config, origin, pending: Mutex::default(), sending: tokio::sync::Mutex::default() }
    }

    /// Keeps changes for the next [`Relay::send`].
    pub(crate) fn keep(&self, changes: &[(AccountId, ModSeq)]) {
        self.pending.lock().extend_from_slice(changes);
    }

    /// Sends what was kept; under load one call sends for many.
    pub(crate) async fn send(&self) {
        let _turn = self.sending.lock().await;
        let changes = std::mem::take(&mut *self.pending.lock());
        for some in changes.chunks(AT_ONCE) {
            if let Err(error) = self.notify(some).await {
                tracing::warn!(%error, "other nodes were not told of a change; they see it at the next one");
            }
        }
    }

    async fn notify(&self, changes: &[(AccountId, ModSeq)]) -> Result<()> {
        let client = self.pool.get().await.map_err(|e| Error::fault("connecting to PostgreSQL", e))?;
        // A channel is the database's, its name the schema's.
        let statement = client
            .prepare_cached("SELECT pg_notify('congvu_' || current_schema(), $1)")
            .await
            .map_err(|e| Error::fault("telling other nodes", e))?;
        let text = write(&self.origin, changes);
        client.execute(&statement, &[&text]).await.map_err(|e| Error::fault("telling other nodes", e))?;
        Ok(())
    }

    /// Publishes what other processes commit, for as long as it is polled; connects again when the connection is lost.
    pub(crate) async fn hear(&self, feed: &Arc<Feed>) {
        loop {
            if let Err(error) = self.listen(feed).await {
                tracing::warn!(%error, "not hearing of other nodes' changes; connecting again");
            }
            tokio::time::sleep(RECONNECT_AFTER).await;
        }
    }

    async fn listen(&self, feed: &Feed) -> Result<()> {
        let fault = |e| Error::fault("listening to other nodes", e);
        let (client, mut connection) = self.config.connect(NoTls).await.map_err(fault)?;
        let begin = async {
            let row = client.query_one("SELECT quote_ident('congvu_' || current_schema())", &[]).await?;
            client.batch_execute(&format!("LISTEN {}", row.get::<_, String>(0))).await
        };
        tokio::pin!(begin);
        let mut is_listening = false;
        loop {
            tokio::select! {
                begun = &mut begin, if !is_listening => {
                    begun.map_err(fault)?;
                    is_listening = true;
                    // Whatever was committed while nobody listened.
                    feed.wake_all();
                }
                message = poll_fn(|cx| connection.poll_message(cx)) => match message {
                    Some(Ok(AsyncMessage::Notification(notice))) => {
                        feed.publish(&read(&self.origin, notice.payload()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(fault(error)),
                    None => return Ok(()),
                }
            }
        }
    }
}

/// `ORIGIN account:modseq account:modseq …`
fn write(origin: &str, changes: &[(AccountId, ModSeq)]) -> String {
    changes.iter().fold(origin.to_owned(), |mut text, (account, modseq)| {
        let _ = write!(text, " {}:{}", account.get(), modseq.0);
        text
    })
}

/// Reads a notice; nothing from one's own.
fn read(origin: &str, text: &str) -> Vec<(AccountId, ModSeq)> {
    let mut words = text.split(' ');
    if words.next() == Some(origin) {
        return Vec::new();
    }
    words
        .filter_map(|word| {
            let (account, modseq) = word.split_once(':')?;
            Some((AccountId::new(account.parse().ok()?), ModSeq(modseq.parse().ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_it_was_written_and_never_by_its_sender() {
        let changes: Vec<_> =
            (0..AT_ONCE as u64).map(|n| (AccountId::new(i64::MAX), ModSeq(u64::MAX - n))).collect();
        let text = write("0123456789abcdef", &changes);
        assert!(text.len() < 8_000, "{}", text.len());
        assert_eq!(read("another", &text), changes);
        assert_eq!(read("0123456789abcdef", &text), []);
        assert_eq!(read("another", "x 1:2 rubbish 3:x :"), [(AccountId::new(1), ModSeq(2))]);
    }
}
