//! Random sequences of everything that changes stock, against a model in memory.

use std::{collections::BTreeMap, time::Duration};

use inventory::{
    AdjustReason, AdjustStock, ChangeStockError, CountStock, Guard, HoldLine, Movement, ReservationId,
    ReserveStock, ReserveStockError, Restock, StockLine, Threshold, TransferStock,
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::fixture::{Fixture, SKUS, units};

const SHOPS: usize = 2;
/// Few shelves, so that steps meet.
const PRODUCTS: usize = 2;

/// A shelf: shop and SKU by number.
type Shelf = (usize, usize);

#[derive(Debug, Clone)]
enum Step {
    Restock(Shelf, i64),
    Adjust(Shelf, i64),
    Transfer { from: usize, sku: usize, count: i64 },
    Count(Shelf, i64),
    Threshold(Shelf, Option<i64>),
    Sell(Vec<(Shelf, i64)>),
    Reserve(Vec<(Shelf, i64)>, i64),
    Confirm(prop::sample::Index),
    Release(prop::sample::Index),
    Wait(i64),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let shelf = || (0..SHOPS, 0..PRODUCTS);
    let cart = || prop::collection::vec((shelf(), 1..5_i64), 1..4);
    prop_oneof![
        3 => (shelf(), 1..20_i64).prop_map(|(shelf, count)| Step::Restock(shelf, count)),
        2 => (shelf(), prop_oneof![-6..0_i64, 1..4_i64]).prop_map(|(shelf, count)| Step::Adjust(shelf, count)),
        2 => (0..SHOPS, 0..PRODUCTS, 1..6_i64)
            .prop_map(|(from, sku, count)| Step::Transfer { from, sku, count }),
        1 => (shelf(), 0..10_i64).prop_map(|(shelf, count)| Step::Count(shelf, count)),
        3 => (shelf(), prop::option::of(0..15_i64)).prop_map(|(shelf, level)| Step::Threshold(shelf, level)),
        4 => cart().prop_map(Step::Sell),
        6 => (cart(), 1..100_i64).prop_map(|(cart, seconds)| Step::Reserve(cart, seconds)),
        3 => any::<prop::sample::Index>().prop_map(Step::Confirm),
        3 => any::<prop::sample::Index>().prop_map(Step::Release),
        2 => (1..60_i64).prop_map(Step::Wait),
        2 => Just(Step::Expire),
    ]
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Row {
    on_hand: i64,
    reserved: i64,
    tracked: bool,
    threshold: Option<i64>,
}

impl Row {
    fn available(self) -> i64 {
        self.on_hand - self.reserved
    }

    fn is_low(self) -> bool {
        self.threshold.is_some_and(|threshold| self.available() <= threshold)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    Open { until: i64 },
    Confirmed,
    GivenBack,
}

/// What the database should say.
#[derive(Default)]
struct Model {
    now: i64,
    rows: BTreeMap<Shelf, Row>,
    held: Vec<(ReservationId, Held, BTreeMap<Shelf, i64>)>,
    alerts: i64,
}

fn sums(cart: &[(Shelf, i64)]) -> BTreeMap<Shelf, i64> {
    let mut sums = BTreeMap::new();
    for (shelf, count) in cart {
        *sums.entry(*shelf).or_insert(0) += count;
    }
    sums
}

impl Model {
    fn change(&mut self, shelf: Shelf, change: impl FnOnce(&mut Row)) {
        let row = self.rows.entry(shelf).or_default();
        let was_low = row.is_low();
        change(row);
        self.alerts += i64::from(row.is_low() && !was_low);
    }

    fn row(&self, shelf: Shelf) -> Row {
        self.rows.get(&shelf).copied().unwrap_or_default()
    }

    /// Whether a guarded change would be taken.
    fn lets(&self, shelf: Shelf, quantity: i64) -> bool {
        let row = self.row(shelf);
        quantity >= 0 || !row.tracked || row.available() + quantity >= 0
    }

    fn end(&mut self, index: usize, ending: Held) {
        let lines = self.held[index].2.clone();
        for (shelf, count) in lines {
            let leaves = if ending == Held::Confirmed { count } else { 0 };
            self.change(shelf, |row| {
                row.reserved -= count;
                row.on_hand -= leaves;
            });
        }
        self.held[index].1 = ending;
    }
}

struct World {
    fixture: Fixture,
    model: Model,
}

impl World {
    fn line(&self, (shop, sku): Shelf, count: i64) -> StockLine {
        self.fixture.line(shop, SKUS[sku], count)
    }

    async fn apply(&mut self, step: Step) {
        let at = self.fixture.later(self.model.now);
        match step {
            Step::Wait(seconds) => self.model.now += seconds,
            Step::Restock(shelf, count) => {
                let tx = at.begin().await;
                let lines = vec![self.line(shelf, count)];
                inventory::restock(&tx, Restock { lines, note: None }).await.unwrap();
                tx.commit().await.unwrap();
                self.model.change(shelf, |row| {
                    row.on_hand += count;
                    row.tracked = true;
                });
            }
            Step::Adjust(shelf, count) => self.adjust(&at, shelf, count).await,
            Step::Transfer { from, sku, count } => self.transfer(&at, from, sku, count).await,
            Step::Count(shelf, count) => {
                let tx = at.begin().await;
                let lines = vec![self.line(shelf, count)];
                inventory::count_stock(&tx, CountStock { lines, note: None }).await.unwrap();
                tx.commit().await.unwrap();
                self.model.change(shelf, |row| {
                    row.on_hand = count;
                    row.tracked = true;
                });
            }
            Step::Threshold(shelf, level) => {
                let tx = at.begin().await;
                let line = self.line(shelf, 0);
                let line = Threshold { shop: line.shop, sku: line.sku, threshold: level.map(units) };
                inventory::set_thresholds(&tx, &[line]).await.unwrap();
                tx.commit().await.unwrap();
                self.model.change(shelf, |row| row.threshold = level);
            }
            Step::Sell(cart) => self.sell(&at, &cart).await,
            Step::Reserve(cart, seconds) => self.reserve(&at, &cart, seconds).await,
            Step::Confirm(index) => self.confirm(&at, index).await,
            Step::Release(index) => self.release(&at, index).await,
            Step::Expire => {
                let due = |held: &Held| matches!(held, Held::Open { until } if *until <= self.model.now);
                let due: Vec<usize> =
                    (0..self.model.held.len()).filter(|index| due(&self.model.held[*index].1)).collect();
                assert_eq!(at.expire().await, due.len());
                due.into_iter().for_each(|index| self.model.end(index, Held::GivenBack));
            }
        }
    }

    async fn adjust(&mut self, at: &Fixture, shelf: Shelf, count: i64) {
        let tx = at.begin().await;
        let lines = vec![self.line(shelf, count)];
        let input = AdjustStock { reason: AdjustReason::Correction, lines, note: None };
        let taken = inventory::adjust_stock(&tx, input).await;
        if self.model.lets(shelf, count) {
            taken.unwrap();
            tx.commit().await.unwrap();
            self.model.change(shelf, |row| row.on_hand += count);
        } else {
            assert!(matches!(taken, Err(ChangeStockError::OutOfStock(_))), "{taken:?}");
        }
    }

    async fn transfer(&mut self, at: &Fixture, from: usize, sku: usize, count: i64) {
        let to = 1 - from;
        let tx = at.begin().await;
        let input = TransferStock {
            from: at.shops[from],
            to: at.shops[to],
            lines: vec![(SKUS[sku].to_owned(), units(count))],
            note: None,
        };
        let taken = inventory::transfer_stock(&tx, input).await;
        if self.model.lets((from, sku), -count) {
            taken.unwrap();
            tx.commit().await.unwrap();
            self.model.change((from, sku), |row| row.on_hand -= count);
            self.model.change((to, sku), |row| {
                row.on_hand += count;
                row.tracked = true;
            });
        } else {
            assert!(matches!(taken, Err(ChangeStockError::OutOfStock(_))), "{taken:?}");
        }
    }

    async fn sell(&mut self, at: &Fixture, cart: &[(Shelf, i64)]) {
        let movements: Vec<Movement> =
            cart.iter().map(|((shop, sku), count)| at.sold(*shop, SKUS[*sku], *count)).collect();
        let tx = at.begin().await;
        let applied = inventory::post_movements(&tx, &movements, Guard::Refuse).await.unwrap();
        let sums = sums(cart);
        let fits = sums.iter().all(|(shelf, count)| self.model.lets(*shelf, -count));
        assert_eq!(applied.len() == sums.len(), fits);
        if fits {
            messages::publish(&tx, &inventory::low_stock_alerts(&applied)).await.unwrap();
            tx.commit().await.unwrap();
            sums.into_iter().for_each(|(shelf, count)| self.model.change(shelf, |row| row.on_hand -= count));
        }
    }

    async fn reserve(&mut self, at: &Fixture, cart: &[(Shelf, i64)], seconds: i64) {
        let lines: Vec<HoldLine> =
            cart.iter().map(|((shop, sku), count)| at.hold_line(*shop, SKUS[*sku], *count)).collect();
        let hold_for = Duration::from_secs(seconds.unsigned_abs());
        let tx = at.begin().await;
        let taken = inventory::reserve_stock(&tx, ReserveStock { reference: None, hold_for, lines }).await;
        let sums = sums(cart);
        let fits = sums.iter().all(|(shelf, count)| self.model.row(*shelf).available() >= *count);
        if !fits {
            assert!(matches!(taken, Err(ReserveStockError::OutOfStock(_))), "{taken:?}");
            return;
        }
        let held = taken.unwrap();
        tx.commit().await.unwrap();
        for (shelf, count) in &sums {
            self.model.change(*shelf, |row| row.reserved += count);
        }
        let until = self.model.now + seconds;
        self.model.held.push((held.id, Held::Open { until }, sums));
    }

    async fn confirm(&mut self, at: &Fixture, index: prop::sample::Index) {
        if self.model.held.is_empty() {
            return;
        }
        let index = index.index(self.model.held.len());
        let (id, held, _) = self.model.held[index].clone();
        let confirmed = at.confirm(id).await.is_ok();
        match held {
            Held::Open { until } if until > self.model.now => {
                assert!(confirmed);
                self.model.end(index, Held::Confirmed);
            }
            other => assert_eq!(confirmed, other == Held::Confirmed),
        }
    }

    async fn release(&mut self, at: &Fixture, index: prop::sample::Index) {
        if self.model.held.is_empty() {
            return;
        }
        let index = index.index(self.model.held.len());
        let (id, held, _) = self.model.held[index].clone();
        assert_eq!(at.release(id).await.is_ok(), held != Held::Confirmed);
        if matches!(held, Held::Open { .. }) {
            self.model.end(index, Held::GivenBack);
        }
    }

    async fn compare(&self) {
        for (shelf, row) in &self.model.rows {
            let level = self.fixture.level(shelf.0, SKUS[shelf.1]).await.unwrap();
            let found = Row {
                on_hand: level.on_hand / 1000,
                reserved: level.reserved / 1000,
                tracked: level.tracked,
                threshold: level.threshold.map(|threshold| threshold / 1000),
            };
            assert_eq!(found, *row, "{shelf:?}");
        }
        assert_eq!(self.fixture.published("LowStockAlert").await, self.model.alerts);
        assert_eq!(self.fixture.invariants().await, []);
    }
}

// INV-1, INV-2, INV-3
#[test]
fn whatever_happens_in_whatever_order_stock_is_what_the_model_says_and_the_invariants_hold() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime.block_on(Fixture::new());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() });
    let steps = prop::collection::vec(step(), 1..80);
    let outcome = runner.run(&steps, |steps| {
        runtime.block_on(async {
            let fixture = first.neighbour("model").await;
            let mut world = World { fixture, model: Model::default() };
            for step in steps {
                world.apply(step).await;
            }
            world.compare().await;
        });
        Ok(())
    });
    outcome.unwrap();
}
