//! The change feed: tells who watches an account that something of it changed, after the commit.

use congvu_types::{AccountId, ModSeq};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};
use tokio::sync::{Notify, watch};

/// Accounts that are remembered for one who hears of all; beyond it they are told that any may have changed.
const MOST_PENDING: usize = 100_000;

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
    /// Those who hear of every account.
    all: Mutex<Vec<Weak<Pending>>>,
}

/// Hears which accounts changed, of all there are.
#[derive(Debug)]
pub struct AllNews(Arc<Pending>);

#[derive(Debug, Default)]
struct Pending {
    changed: Mutex<Changed>,
    wake: Notify,
}

/// Which accounts changed since it was asked last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// These.
    pub accounts: HashSet<AccountId>,
    /// And maybe others: somebody else wrote, and nobody knows what.
    pub any: bool,
}

impl AllNews {
    /// Waits until something changed, and returns what. Nothing is lost when it is given up.
    pub async fn next(&self) -> Changed {
        loop {
            let woken = self.0.wake.notified();
            let changed = self.take();
            if changed.any || !changed.accounts.is_empty() {
                return changed;
            }
            woken.await;
        }
    }

    /// Returns what changed since it was asked last.
    #[must_use]
    pub fn take(&self) -> Changed {
        std::mem::take(&mut self.0.changed.lock())
    }
}

impl Pending {
    fn note(&self, change: impl FnOnce(&mut Changed)) {
        let mut changed = self.changed.lock();
        change(&mut changed);
        if changed.accounts.len() > MOST_PENDING {
            changed.accounts.clear();
            changed.any = true;
        }
        drop(changed);
        self.wake.notify_one();
    }
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

    /// Hears of every account from now on.
    pub fn watch_all(&self) -> AllNews {
        let pending = Arc::new(Pending::default());
        self.all.lock().push(Arc::downgrade(&pending));
        AllNews(pending)
    }

    fn tell_all(&self, note: impl Fn(&mut Changed)) {
        self.all.lock().retain(|pending| match pending.upgrade() {
            Some(pending) => {
                pending.note(&note);
                true
            }
            None => false,
        });
    }

    /// Makes every watcher look again: somebody else wrote, and nobody knows what.
    pub(crate) fn wake_all(&self) {
        self.tell_all(|changed| changed.any = true);
        self.accounts.lock().retain(|_, sender| {
            sender.send_modify(|news| news.looks += 1);
            !sender.is_closed()
        });
    }

    pub(crate) fn publish(&self, changes: &[(AccountId, ModSeq)]) {
        if changes.is_empty() {
            return;
        }
        self.tell_all(|changed| changed.accounts.extend(changes.iter().map(|(account, _)| *account)));
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

    #[tokio::test]
    async fn one_who_hears_of_all_is_told_which_accounts_changed() {
        let feed = Feed::default();
        let news = feed.watch_all();
        feed.publish(&[(AccountId::new(7), ModSeq(5))]);
        feed.publish(&[(AccountId::new(8), ModSeq(2)), (AccountId::new(7), ModSeq(6))]);
        let changed = news.next().await;
        assert_eq!((changed.accounts.len(), changed.any), (2, false));
        assert_eq!(news.take(), Changed::default());
        feed.wake_all();
        assert!(news.next().await.any);
        drop(news);
        feed.wake_all();
        assert!(feed.all.lock().is_empty());
    }
}
