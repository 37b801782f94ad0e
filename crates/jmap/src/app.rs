//! What requests share, and who is being served.

use crate::{blobs::Recorded, capabilities};
use congvu_net::Budget;
use congvu_storage::Db;
use congvu_transport::Site;
use congvu_types::{AccountId, PersonId};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What the door needs.
#[derive(Debug, Clone)]
pub struct JmapOptions {
    /// The database.
    pub db: Db,
    /// The place, which decides where what is sent goes.
    pub site: Site,
    /// Our name, which Message-IDs of what is composed here end with.
    pub hostname: String,
    /// The largest message, and the largest upload.
    pub max_message_bytes: usize,
    /// Memory that requests and uploads under way may take together.
    pub max_memory_bytes: usize,
}

/// What requests share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: JmapOptions,
    pub(crate) memory: Budget,
    pub(crate) requests: Crowd,
    pub(crate) uploads: Crowd,
    pub(crate) streams: Crowd,
    pub(crate) recorded: Recorded,
    /// Accounts that have their standard mailboxes.
    pub(crate) ready: Arc<Mutex<HashSet<AccountId>>>,
}

/// Streams and web sockets at once for one person: some windows, some devices.
const MOST_STREAMS: usize = 10;

impl App {
    pub(crate) fn new(options: JmapOptions) -> Self {
        Self(Arc::new(Shared {
            memory: Budget::new(options.max_memory_bytes),
            requests: Crowd::new(capabilities::MAX_CONCURRENT_REQUESTS),
            uploads: Crowd::new(capabilities::MAX_CONCURRENT_UPLOADS),
            streams: Crowd::new(MOST_STREAMS),
            recorded: Recorded::default(),
            ready: Arc::default(),
            options,
        }))
    }
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// How much each person has under way of something.
#[derive(Debug, Clone)]
pub(crate) struct Crowd {
    most: usize,
    counts: Arc<Mutex<HashMap<PersonId, usize>>>,
}

/// One that is under way; counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    crowd: Crowd,
    person: PersonId,
}

impl Crowd {
    fn new(most: usize) -> Self {
        Self { most, counts: Arc::default() }
    }

    /// Counts one more; `None` when the person has enough.
    pub(crate) fn enter(&self, person: PersonId) -> Option<Held> {
        let mut counts = self.counts.lock();
        let count = counts.entry(person).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Held { crowd: self.clone(), person })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts.lock();
        if let Some(count) = counts.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.person);
            }
        }
    }
}
