//! The measurements, in groups that share their seeding.

mod checkout;
mod cost;
mod crowd;
mod history;
mod messages;
mod orders;
mod read;
mod search;
mod sell;
mod start;
mod tenants;

pub(super) use checkout::checkout;
pub(super) use cost::cost;
pub(super) use crowd::crowd;
pub(super) use history::history;
pub(super) use messages::messages;
pub(super) use orders::orders;
pub(super) use read::read;
pub(super) use search::search;
pub(super) use sell::sell;
pub(super) use start::start;
pub(super) use tenants::tenants;

use anyhow::Result;

use super::{
    Bench,
    database::Database,
    generator::{Rounds, generate},
    seed::{CURRENCY, SKU_PREFIX},
};
use crate::load::{Get, Plan, Sales, Till, Work};

impl Bench {
    /// A plan against the market, at the scale's length.
    fn plan(&self, connections: usize, rate: Option<f64>, work: Work) -> Result<Plan> {
        Ok(Plan {
            address: self.market.address()?.to_string(),
            connections,
            rate,
            warmup_ms: 1000,
            duration_ms: self.scale.seconds * 1000,
            work,
        })
    }

    /// Sales of three lines at `tills`.
    fn sales(&self, database: &Database, tills: Vec<Till>, sku_count: u32) -> Result<Work> {
        let now = r#"select to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#;
        Ok(Work::Sales(Sales {
            tills,
            sku_prefix: SKU_PREFIX.to_owned(),
            sku_count,
            lines: 3,
            currency: CURRENCY.to_owned(),
            cash: 1_000_000,
            occurred_at: database.ask("postgres", now)?,
        }))
    }

    /// Shorter, and thrown away.
    fn warm_up(&self, plan: &Plan) -> Result<()> {
        generate(&Plan { duration_ms: self.scale.warmup * 1000, ..plan.clone() }).map(drop)
    }

    fn rounds(&self, plan: &Plan) -> Result<Rounds> {
        self.warm_up(plan)?;
        Ok(Rounds((0..self.scale.rounds).map(|_| generate(plan)).collect::<Result<_>>()?))
    }
}

fn get(path: String, headers: Vec<(String, String)>) -> Get {
    Get { path, headers }
}
