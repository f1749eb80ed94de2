//! What waits for a combiner's next batches: per tenant in the order of arrival, tenants in turn.
//!
//! A batch serves few tenants at a time, but all that each of them has waiting: a statement costs the most for being
//! started, so that five sales of one tenant are far cheaper together than one by one. Tenants take turns, so that one
//! in a rush delays the others by at most its share of a batch.

use std::collections::{HashMap, VecDeque};

use kernel::TenantId;

/// Jobs by tenant, and whose turn it is.
pub(super) struct Waiting<T> {
    jobs: HashMap<TenantId, VecDeque<T>>,
    turns: VecDeque<TenantId>,
    count: usize,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { jobs: HashMap::new(), turns: VecDeque::new(), count: 0 }
    }
}

impl<T> Waiting<T> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, tenant: TenantId, job: T) {
        let jobs = self.jobs.entry(tenant).or_default();
        if jobs.is_empty() {
            self.turns.push_back(tenant);
        }
        jobs.push_back(job);
        self.count += 1;
    }

    /// Takes at most `most` jobs of at most `tenants` tenants, those longest without a turn first.
    ///
    /// One tenant's jobs lie together, in the order they came; tenants in one order in every process, so that two
    /// batches never wait for each other in a circle.
    pub(super) fn take(&mut self, tenants: usize, most: usize) -> Vec<T> {
        let mut taken: Vec<(TenantId, VecDeque<T>)> = Vec::with_capacity(tenants.min(self.turns.len()));
        let mut room = most;
        while taken.len() < tenants && room > 0 {
            let Some(tenant) = self.turns.pop_front() else { break };
            let Some(mut jobs) = self.jobs.remove(&tenant) else { continue };
            if jobs.len() > room {
                self.jobs.insert(tenant, jobs.split_off(room));
                self.turns.push_back(tenant);
            }
            room -= jobs.len();
            taken.push((tenant, jobs));
        }
        self.count -= most - room;
        taken.sort_unstable_by_key(|(tenant, _)| *tenant);
        taken.into_iter().flat_map(|(_, jobs)| jobs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(count: usize) -> Vec<TenantId> {
        let mut tenants: Vec<_> = (0..count).map(|_| TenantId::new()).collect();
        tenants.sort_unstable();
        tenants
    }

    #[test]
    fn a_batch_takes_all_of_few_tenants_in_the_order_of_their_arrival() {
        let all = tenants(3);
        let mut waiting = Waiting::default();
        for job in 0..9 {
            waiting.push(all[2 - job % 3], job);
        }
        assert_eq!(waiting.take(2, 100), [1, 4, 7, 0, 3, 6]);
        assert_eq!(waiting.len(), 3);
        assert_eq!(waiting.take(2, 100), [2, 5, 8]);
        assert_eq!(waiting.take(2, 100), Vec::<usize>::new());
        assert_eq!(waiting.len(), 0);
    }

    #[test]
    fn a_tenant_in_a_rush_leaves_their_turn_to_others() {
        let all = tenants(2);
        let mut waiting = Waiting::default();
        for job in 0..10 {
            waiting.push(all[0], job);
        }
        waiting.push(all[1], 100);
        assert_eq!(waiting.take(8, 4), [0, 1, 2, 3]);
        assert_eq!(waiting.take(8, 4), [4, 5, 6, 100]);
        assert_eq!(waiting.take(8, 4), [7, 8, 9]);
        assert_eq!((waiting.len(), waiting.jobs.len(), waiting.turns.len()), (0, 0, 0));
    }
}
