//! All breakers of a process, for whoever looks at its health.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Breaker, State};

/// The breakers of a process, by name. Cheap to clone; clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Breakers(Arc<Mutex<Vec<Breaker>>>);

impl Breakers {
    /// The breaker of that name, made if there is none yet. Names are of things that the configuration names, so that
    /// there are not many.
    #[must_use]
    pub fn find_or_add(&self, name: &str, make: impl FnOnce(&str) -> Breaker) -> Breaker {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|breaker| &**breaker.name() == name) {
            return known.clone();
        }
        let made = make(name);
        all.push(made.clone());
        made
    }

    /// Every breaker's name and state, in order of name.
    #[must_use]
    pub fn states(&self) -> Vec<(Arc<str>, State)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut states: Vec<_> = all.iter().map(|it| (it.name().clone(), it.state())).collect();
        states.sort_by(|a, b| a.0.cmp(&b.0));
        states
    }
}
