//! The change feed: tells who watches an account that something of it changed, after the commit.

use congvu_types::{AccountId, ModSeq};
use parking_lot::Mutex;
use std::collections::HashMap;
use tokio::sync::watch;

/// What a watcher of an account knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct News {
    /// The newest modseq published since the first watcher came.
    pub modseq: ModSeq,
    /// How often everybody was told to look, since somebody else wrote: what `modseq` says is then too little.
    pub looks: u64,
}

/// Publishes, after each commit, the newest modseq of each account that changed.
#[derive(Debug, Default)]
pub struct Feed {
    accounts: Mutex<HashMap<AccountId, watch::Sender<News>>>,
}

impl Feed {
    /// Watches an account. A watcher compares the value with what it has seen itself.
    pub fn watch(&self, account: AccountId) -> watch::Receiver<News> {
        self.accounts.lock().entry(account).or_default().subscribe()
    }

    /// Returns how many accounts are watched, for metrics.
    pub fn watched_accounts(&self) -> usize {
        self.accounts.lock().len()
    }

    /// Makes every watcher look again: somebody else wrote, and nobody knows what.
    pub(crate) fn wake_all(&self) {
        self.accounts.lock().retain(|_, sender| {
            sender.send_modify(|news| news.looks += 1);
            !sender.is_closed()
        });
    }

    pub(crate) fn publish(&self, changes: &[(AccountId, ModSeq)]) {
        if changes.is_empty() {
            return;
        }
        let mut accounts = self.accounts.lock();
        for (account, modseq) in changes {
            let Some(sender) = accounts.get(account) else { continue };
            if sender.is_closed() {
                accounts.remove(account);
                continue;
            }
            sender.send_if_modified(|known| {
                let newer = *modseq > known.modseq;
                if newer {
                    known.modseq = *modseq;
                }
                newer
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_hear_of_newer_changes_only() {
        let feed = Feed::default();
        let account = AccountId::new(7);
        let mut watcher = feed.watch(account);
        feed.publish(&[(account, ModSeq(5)), (AccountId::new(8), ModSeq(9))]);
        assert!(watcher.has_changed().unwrap());
        assert_eq!(*watcher.borrow_and_update(), News { modseq: ModSeq(5), looks: 0 });
        feed.publish(&[(account, ModSeq(4))]);
        assert!(!watcher.has_changed().unwrap());
        feed.wake_all();
        assert!(watcher.has_changed().unwrap());
        assert_eq!(*watcher.borrow_and_update(), News { modseq: ModSeq(5), looks: 1 });
        drop(watcher);
        feed.publish(&[(account, ModSeq(6))]);
        assert_eq!(feed.watched_accounts(), 0);
    }
}
