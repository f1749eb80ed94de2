//! Staleness without removal: what is cached remembers the epochs it was read under; a change moves the epoch on.
//!
//! An epoch is read before the database is: whatever commits after that makes the entry stale, also when it is put
//! into the cache later. Many keys share a slot; a change to one then costs the others a reload, never correctness.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

const SLOTS: usize = 4096;

/// Counters of changes, by hash of what changed.
pub struct Epochs {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Epochs {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epochs").finish_non_exhaustive()
    }
}

impl Epochs {
    /// No changes yet.
    #[must_use]
    pub fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    fn slot(&self, key: &impl Hash) -> &AtomicU64 {
        let place = self.hasher.hash_one(key) as usize % SLOTS;
        &self.slots[place]
    }

    /// The present epoch of `key`; read it before reading what is to be cached.
    #[must_use]
    pub fn of(&self, key: &impl Hash) -> u64 {
        self.slot(key).load(Ordering::Acquire)
    }

    /// Makes everything cached under `key` stale.
    pub fn move_on(&self, key: &impl Hash) {
        self.slot(key).fetch_add(1, Ordering::AcqRel);
    }

    /// Makes everything stale.
    pub fn move_all_on(&self) {
        for slot in &self.slots {
            slot.fetch_add(1, Ordering::AcqRel);
        }
    }
}
