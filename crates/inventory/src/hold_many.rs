//! Holding for many at once, of many tenants: the loop that every combiner of holds shares.

use std::collections::HashMap;

use db::{BatchTx, DbError};
use kernel::Ctx;
use messages::Draft;

use crate::{
    change_stock::Shortage,
    events::low_stock_alerts,
    hold_stock::{Held, Hold, HoldLine, decode_held, hold_stmt},
    model::{Applied, ShopId},
};

/// Those of one tenant in a batch who want units.
pub trait Holding {
    /// The tenant's context.
    fn ctx(&self) -> &Ctx;

    /// What is still wanted, in the order of arrival.
    fn wanted(&self) -> Vec<Hold>;

    /// All that is wanted is held; `alerts` are to be published.
    fn held(&mut self, alerts: Vec<Draft>);

    /// Of each of the wanted the lines of which there is too little, none for those that fit: who goes without must not
    /// be among the wanted any more.
    fn refuse(&mut self, short: Vec<Vec<Shortage>>);
}

/// Holds the units of all groups; where there is too little, those that came first get what there is.
///
/// # Errors
/// [`DbError`]; nothing is held then.
pub async fn hold_many<G: Holding + Send>(tx: &BatchTx, groups: &mut [G]) -> Result<(), DbError> {
    let mut waiting: Vec<(&mut G, Vec<Hold>)> = groups.iter_mut().filter_map(with_wanted).collect();
    // The second round is for those who were short in the first: the rows are locked since then.
    for _ in 0..2 {
        if waiting.is_empty() {
            return Ok(());
        }
        let stmt = |(group, wanted): &(&mut G, Vec<Hold>)| {
            let ctx = group.ctx();
            (ctx.tenant_id(), vec![hold_stmt(ctx, wanted)])
        };
        let holds: Vec<_> = waiting.iter().map(stmt).collect();
        let answers = tx.run(&holds).await?;
        let mut again = Vec::new();
        for ((group, wanted), rows) in waiting.into_iter().zip(answers) {
            let held = rows.first().map(|rows| decode_held(rows)).transpose()?.unwrap_or_default();
            if held.iter().all(|row| row.granted) {
                let changes: Vec<Applied> = held.into_iter().map(|row| row.applied).collect();
                group.held(low_stock_alerts(&changes));
            } else {
                group.refuse(share_out(&held, &wanted));
                again.extend(with_wanted(group));
            }
        }
        waiting = again;
    }
    match waiting.is_empty() {
        true => Ok(()),
        false => Err(DbError::Other("stock changed under its lock".to_owned())),
    }
}

fn with_wanted<G: Holding>(group: &mut G) -> Option<(&mut G, Vec<Hold>)> {
    let wanted = group.wanted();
    (!wanted.is_empty()).then_some((group, wanted))
}

/// Who goes without where a hold for all of `holds` together was refused with `held`: in their order each gets all of its
/// lines or none; of each the lines of which there is too little, none for those that fit.
fn share_out(held: &[Held], holds: &[Hold]) -> Vec<Vec<Shortage>> {
    let levels = held.iter().map(|row| &row.applied.level);
    let mut left: HashMap<(ShopId, &str), i64> =
        levels.map(|level| ((level.shop, level.sku.as_str()), level.available())).collect();
    holds.iter().map(|hold| take_lines(&mut left, hold)).collect()
}

fn take_lines<'a>(left: &mut HashMap<(ShopId, &'a str), i64>, hold: &'a Hold) -> Vec<Shortage> {
    let mut wanted: HashMap<(ShopId, &str), i64> = HashMap::new();
    for line in &hold.lines {
        *wanted.entry((line.shop, &line.sku)).or_default() += line.quantity.thousandths();
    }
    let short = |(place, line): (usize, &HoldLine)| {
        let key = (line.shop, line.sku.as_str());
        let there = left.get(&key).copied().unwrap_or(0);
        (there < wanted[&key]).then(|| Shortage {
            line: place,
            shop: line.shop,
            sku: line.sku.clone(),
            left: there,
        })
    };
    let short: Vec<Shortage> = hold.lines.iter().enumerate().filter_map(short).collect();
    if short.is_empty() {
        for (key, units) in wanted {
            *left.entry(key).or_default() -= units;
        }
    }
    short
}
