//! PLT-15: what transactions cost is known of the tenant whose callers caused it.

use std::time::Duration;

use db::{Batch, BatchTx, Combiner, CombinerLimits, Db, DbError, Stmt};
use kernel::{Ctx, Spent, Timestamp};

use crate::shelf::databases;

const NOW: &str = "2026-11-21T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

// PLT-15
#[tokio::test]
async fn a_transaction_costs_its_time_and_its_rows_however_it_ends() {
    let databases = databases().await;
    let db = Db::new(databases.config()).unwrap();
    let tenant = databases.tenant("acme");
    let ctx = databases.ctx(&tenant, now());
    let tx = db.begin(&ctx).await.unwrap();
    tx.query("select n from generate_series(1, 5) as s (n)", &[]).await.unwrap();
    let insert = "insert into shelf.book (tenant_id, id, title) select $1, gen_random_uuid(), 'one' from generate_series(1, 3)";
    tx.execute(insert, &[&tenant.id]).await.unwrap();
    assert_eq!(tenant.spending.take(), Spent::default());
    tx.commit().await.unwrap();
    let spent = tenant.spending.take();
    assert!(spent.rows == 8 && spent.database > Duration::ZERO, "{spent:?}");

    let tx = db.begin_read(&ctx).await.unwrap();
    tx.query("select pg_sleep(0.05)", &[]).await.unwrap();
    assert!(tx.query("select 1 / 0", &[]).await.is_err());
    drop(tx);
    let spent = tenant.spending.take();
    assert!(spent.rows == 1 && spent.database >= Duration::from_millis(50), "{spent:?}");

    // What Markethall does by itself is nobody's bill.
    let tx = db.begin_read(&Ctx::system(tenant.clone(), "job", now())).await.unwrap();
    tx.query("select 1", &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tenant.spending.take(), Spent::default());
}

struct Reads;

impl Batch for Reads {
    type Input = i32;
    type Output = ();

    async fn run(&self, tx: &BatchTx, jobs: &[(Ctx, i32)]) -> Result<Vec<()>, DbError> {
        let read = |rows: i32| Stmt::new("select n from generate_series(1, $1) as s (n)").bind(rows);
        let work: Vec<_> = jobs.iter().map(|(ctx, rows)| (ctx.tenant_id(), vec![read(*rows)])).collect();
        tx.run(&work).await?;
        Ok(vec![(); jobs.len()])
    }
}

// PLT-15
#[tokio::test]
async fn what_a_batch_costs_is_shared_out_among_its_requests() {
    let databases = databases().await;
    let db = Db::new(databases.config()).unwrap();
    let combiner = Combiner::new(db, Reads, CombinerLimits::default());
    let (acme, bolt) = (databases.tenant("acme"), databases.tenant("bolt"));
    let all = [(&acme, 10), (&bolt, 20)];
    let asked = all.map(|(tenant, rows)| combiner.submit(databases.ctx(tenant, now()), rows));
    for done in futures::future::join_all(asked).await {
        done.unwrap();
    }
    let (of_acme, of_bolt) = (acme.spending.take(), bolt.spending.take());
    assert!(of_acme.database > Duration::ZERO && of_bolt.database > Duration::ZERO);
    assert_eq!(of_acme.rows + of_bolt.rows, 30);
}
