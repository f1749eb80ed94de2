//! Who asks for what is not there, again and again: somebody trying out identifiers (IDN-9).

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use kernel::{Actor, Timestamp};

/// Things not found within a minute that are worth an event.
const MANY: u32 = 30;
/// Callers that are counted within a minute; more of them are not.
const MOST_CALLERS: usize = 10_000;

/// Counts of the present minute, by caller: a user, or an address where nobody has signed in.
#[derive(Default)]
pub(super) struct Guesses {
    hasher: RandomState,
    minute: Mutex<(i64, HashMap<u64, u32>)>,
}

impl Guesses {
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
        *count == MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-9
    #[test]
    fn a_caller_is_noted_once_a_minute() {
        let guesses = Guesses::default();
        let minute = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let (ann, nobody) = (Actor::User("ann".into()), "203.0.113.9".parse().ok());
        let noted = |actor: Option<&Actor>, at| (0..100).filter(|_| guesses.count(actor, nobody, at)).count();
        assert_eq!(noted(Some(&ann), minute(1)), 1);
        assert_eq!(noted(None, minute(1)), 1);
        assert_eq!((1..MANY).filter(|_| guesses.count(Some(&ann), nobody, minute(2))).count(), 0);
        assert!(guesses.count(Some(&ann), nobody, minute(2)));
    }
}
