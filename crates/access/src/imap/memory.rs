//! Memory of commands and answers under way: a budget over all connections, and of it no more than a part for one person.

use congvu_net::{Budget, Share};
use congvu_types::PersonId;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

/// The dead are swept out when so many more people came.
const SWEEP: usize = 1024;

/// The server's memory. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    all: Budget,
    people: Arc<Mutex<HashMap<PersonId, Weak<Budget>>>>,
    for_each: usize,
}

impl Memory {
    /// `all` bytes together, `for_each` bytes for one person over all their connections.
    pub(super) fn new(all: usize, for_each: usize) -> Self {
        Self { all: Budget::new(all), people: Arc::default(), for_each }
    }

    /// Returns a person's purse; the same one while any of their sessions holds it.
    pub(super) fn of(&self, person: PersonId) -> Purse {
        let mut people = self.people.lock();
        let own = people.get(&person).and_then(Weak::upgrade).unwrap_or_else(|| {
            if people.len() >= SWEEP && people.len() == people.capacity() {
                people.retain(|_, budget| budget.strong_count() > 0);
            }
            let own = Arc::new(Budget::new(self.for_each));
            people.insert(person, Arc::downgrade(&own));
            own
        });
        Purse { all: self.all.clone(), own }
    }
}

/// What one person may use. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Purse {
    all: Budget,
    own: Arc<Budget>,
}

impl Purse {
    /// Begins a portion, empty at first.
    pub(super) fn begin(&self) -> Portion {
        Portion { all: self.all.begin(), own: self.own.begin() }
    }
}

/// What one command or answer holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Portion {
    all: Share,
    own: Share,
}

impl Portion {
    /// Makes the portion at least `bytes`; returns whether there was room.
    pub(super) fn cover(&mut self, bytes: usize) -> bool {
        self.own.cover(bytes) && self.all.cover(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn one_person_cannot_take_what_is_for_all() {
        let memory = Memory::new(2048 * KIB, 1024 * KIB);
        let (mai, an) = (memory.of(PersonId::new(1)), memory.of(PersonId::new(2)));
        let mut first = mai.begin();
        assert!(first.cover(1024 * KIB));
        assert!(!memory.of(PersonId::new(1)).begin().cover(1), "another connection of the same person");
        assert!(an.begin().cover(1024 * KIB));
        drop(first);
        assert!(mai.begin().cover(1024 * KIB));
    }
}
