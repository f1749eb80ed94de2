//! What waits for a combiner's next batches: per tenant in the order of arrival, tenants in turn.
//!
//! A batch serves few tenants at a time, but all that each of them has waiting: a statement costs the most for being
//! started, so that five sales of one tenant are far cheaper together than one by one. Tenants take turns, so that one
//! in a rush delays the others by at most its share of a batch.

use std::collections::{HashMap, HashSet, VecDeque};

use kernel::TenantId;

/// Jobs by tenant, and whose turn it is.
pub(super) struct Waiting<T> {
    jobs: HashMap<TenantId, VecDeque<(usize, T)>>,
    turns: VecDeque<TenantId>,
    aside: HashSet<TenantId>,
    count: usize,
}

/// How much one batch takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion {
    pub(super) tenants: usize,
    pub(super) jobs: usize,
    /// Ends the batch once it is reached.
    pub(super) weight: usize,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { jobs: HashMap::new(), turns: VecDeque::new(), aside: HashSet::new(), count: 0 }
    }
}

impl<T> Waiting<T> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether a batch could be taken now.
    pub(super) fn is_ready(&self) -> bool {
        !self.turns.is_empty()
    }

    pub(super) fn push(&mut self, tenant: TenantId, weight: usize, job: T) {
        let jobs = self.jobs.entry(tenant).or_default();
        if jobs.is_empty() && !self.aside.contains(&tenant) {
            self.turns.push_back(tenant);
        }
        jobs.push_back((weight, job));
        self.count += 1;
    }

    /// Gives a tenant no turns until it is called back.
    pub(super) fn put_aside(&mut self, tenant: TenantId) {
        self.aside.insert(tenant);
        self.turns.retain(|waiting| *waiting != tenant);
    }

    /// How many tenants are aside.
    pub(super) fn aside(&self) -> usize {
        self.aside.len()
    }

    pub(super) fn call_back(&mut self, tenant: TenantId) {
        self.aside.remove(&tenant);
        if self.jobs.contains_key(&tenant) {
            self.turns.push_back(tenant);
        }
    }

    /// Takes the next batch, the tenants longest without a turn first.
    ///
    /// One tenant's jobs lie together, in the order they came; tenants in one order in every process, so that two
    /// batches never wait for each other in a circle.
    pub(super) fn take(&mut self, portion: Portion) -> Vec<T> {
        let mut taken: Vec<(TenantId, Vec<T>)> = Vec::with_capacity(portion.tenants.min(self.turns.len()));
        let (mut count, mut weight) = (0, 0);
        let is_full = |count: usize, weight: usize| count >= portion.jobs || weight >= portion.weight;
        while taken.len() < portion.tenants && !is_full(count, weight) {
            let Some(tenant) = self.turns.pop_front() else { break };
            let Some(mut jobs) = self.jobs.remove(&tenant) else { continue };
            let mut own = Vec::with_capacity(jobs.len().min(portion.jobs));
            while !is_full(count, weight)
                && let Some((weighs, job)) = jobs.pop_front()
            {
                (count, weight) = (count + 1, weight + weighs);
                own.push(job);
            }
            if !jobs.is_empty() {
                self.jobs.insert(tenant, jobs);
                self.turns.push_back(tenant);
            }
            taken.push((tenant, own));
        }
        self.count -= count;
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

    fn portion(tenants: usize, jobs: usize) -> Portion {
        Portion { tenants, jobs, weight: 1000 }
    }

    #[test]
    fn a_batch_takes_all_of_few_tenants_in_the_order_of_their_arrival() {
        let all = tenants(3);
        let mut waiting = Waiting::default();
        for job in 0..9 {
            waiting.push(all[2 - job % 3], 1, job);
        }
        assert_eq!(waiting.take(portion(2, 100)), [1, 4, 7, 0, 3, 6]);
        assert_eq!(waiting.len(), 3);
        assert_eq!(waiting.take(portion(2, 100)), [2, 5, 8]);
        assert_eq!(waiting.take(portion(2, 100)), Vec::<usize>::new());
        assert_eq!(waiting.len(), 0);
    }

    #[test]
    fn a_tenant_in_a_rush_leaves_their_turn_to_others() {
        let all = tenants(2);
        let mut waiting = Waiting::default();
        for job in 0..10 {
            waiting.push(all[0], 1, job);
        }
        waiting.push(all[1], 1, 100);
        assert_eq!(waiting.take(portion(8, 4)), [0, 1, 2, 3]);
        assert_eq!(waiting.take(portion(8, 4)), [4, 5, 6, 100]);
        assert_eq!(waiting.take(portion(8, 4)), [7, 8, 9]);
        assert_eq!((waiting.len(), waiting.jobs.len(), waiting.turns.len()), (0, 0, 0));
    }

    #[test]
    fn heavy_jobs_fill_a_batch_sooner_and_one_always_fits() {
        let tenant = TenantId::new();
        let mut waiting = Waiting::default();
        for (job, weight) in [600, 600, 5000, 1].into_iter().enumerate() {
            waiting.push(tenant, weight, job);
        }
        assert_eq!(waiting.take(portion(8, 100)), [0, 1]);
        assert_eq!(waiting.take(portion(8, 100)), [2]);
        assert_eq!(waiting.take(portion(8, 100)), [3]);
    }

    #[test]
    fn who_is_aside_has_no_turn_until_called_back_and_keeps_the_order() {
        let all = tenants(2);
        let mut waiting = Waiting::default();
        waiting.push(all[0], 1, 0);
        waiting.put_aside(all[0]);
        waiting.push(all[0], 1, 1);
        waiting.push(all[1], 1, 2);
        assert_eq!(waiting.take(portion(8, 100)), [2]);
        assert!(!waiting.is_ready() && waiting.len() == 2 && waiting.aside() == 1);
        waiting.call_back(all[0]);
        assert_eq!(waiting.take(portion(8, 100)), [0, 1]);
        waiting.put_aside(all[1]);
        waiting.call_back(all[1]);
        assert!(!waiting.is_ready() && waiting.aside() == 0);
    }
}
