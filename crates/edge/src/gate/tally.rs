//! Who does something again and again that a well-behaved caller does not (IDN-9): asks for what is not there, as one
//! does who tries out identifiers, or goes on beyond a rate limit.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use kernel::{Actor, Timestamp};

/// Things not found within a minute that are worth an event.
pub(super) const MANY_GUESSES: u32 = 30;
/// Calls refused by a rate limit within a minute that are worth an event.
pub(super) const MANY_REFUSALS: u32 = 100;
/// Callers that are counted within a minute; more of them are not.
const MOST_CALLERS: usize = 10_000;

/// Counts of the present minute, by caller: a user, or an address where nobody has signed in.
pub(super) struct Tally {
    many: u32,
    hasher: RandomState,
    minute: Mutex<(i64, HashMap<u64, u32>)>,
}

impl Tally {
    /// Of things of which `many` are worth an event.
    pub(super) fn new(many: u32) -> Self {
        Self { many, hasher: RandomState::new(), minute: Mutex::default() }
    }

    /// Counts one; true for the one with which it becomes many, so once a minute for each caller.
    pub(super) fn count(&self, actor: Option<&Actor>, address: Option<IpAddr>, now: Timestamp) -> bool {
        let caller = match actor {
            Some(actor) => self.hasher.hash_one(actor.to_string()),
            None => self.hasher.hash_one(address),
        };
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let present = now.as_second().div_euclid(60);
        if minute.0 != present {
            *minute = (present, HashMap::new());
        }
        let counts = &mut minute.1;
        if counts.len() >= MOST_CALLERS && !counts.contains_key(&caller) {
            return false;
        }
        let count = counts.entry(caller).or_insert(0);
        *count = count.saturating_add(1);
        *count == self.many
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-9
    #[test]
    fn a_caller_is_noted_once_a_minute() {
        let guesses = Tally::new(30);
        let minute = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let (ann, nobody) = (Actor::User("ann".into()), "203.0.113.9".parse().ok());
        let noted = |actor: Option<&Actor>, at| (0..100).filter(|_| guesses.count(actor, nobody, at)).count();
        assert_eq!(noted(Some(&ann), minute(1)), 1);
        assert_eq!(noted(None, minute(1)), 1);
        assert_eq!((1..30).filter(|_| guesses.count(Some(&ann), nobody, minute(2))).count(), 0);
        assert!(guesses.count(Some(&ann), nobody, minute(2)));
    }
}
