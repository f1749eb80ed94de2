//! How long and how large.

/// Numbers of the measurements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) rounds: usize,
    /// Of one round, in seconds.
    pub(super) seconds: u64,
    /// Before the first round, in seconds.
    pub(super) warmup: u64,
    /// pgbench's scale.
    pub(super) tpcb: u32,
    /// Tenants that sell.
    pub(super) tenants: usize,
    /// Tenants with a web shop.
    pub(super) shops: usize,
    /// Registers of each.
    pub(super) registers: usize,
    /// SKUs of each.
    pub(super) products: u32,
    /// Connections of the till rush.
    pub(super) connections: usize,
    /// Sales that a tenant with a history has.
    pub(super) history: u64,
    /// Tenants of a large platform.
    pub(super) many: usize,
    /// SKUs of each of those.
    pub(super) many_products: u32,
    /// Sales per second where latencies are compared at constant load.
    pub(super) steady_rate: f64,
}

impl Scale {
    /// To be quoted.
    pub(super) fn full() -> Self {
        Self {
            rounds: 3,
            seconds: 30,
            warmup: 10,
            tpcb: 20,
            tenants: 50,
            shops: 10,
            registers: 5,
            products: 10_000,
            connections: 256,
            history: 5_000_000,
            many: 1000,
            many_products: 100,
            steady_rate: 500.0,
        }
    }

    /// To see that everything works.
    pub(super) fn quick() -> Self {
        Self {
            rounds: 1,
            seconds: 3,
            warmup: 1,
            tpcb: 2,
            tenants: 4,
            shops: 2,
            registers: 5,
            products: 500,
            history: 20_000,
            many: 20,
            steady_rate: 200.0,
            ..Self::full()
        }
    }
}
