//! Batches of several tenants: nobody pays for another's locks, crowds or defects.

use db::{Batch, BatchTx, Combiner, CombinerLimits, DbError, Stmt};
use futures::{future::join_all, poll};
use jiff::Timestamp;
use kernel::{Ctx, Tenant};
use std::{pin::pin, sync::Arc, task::Poll};
use testkit::TestDatabases;
use tokio_postgres::Client;

use crate::shelf;

/// Gives all of a tenant's books a title.
struct Entitle;

impl Batch for Entitle {
    type Input = &'static str;
    type Output = ();

    async fn run(&self, tx: &BatchTx, jobs: &[(Ctx, &'static str)]) -> Result<Vec<()>, DbError> {
        assert!(jobs.iter().all(|(_, title)| *title != "panic"), "as asked for");
        let entitle = |(ctx, title): &(Ctx, &'static str)| {
            Stmt::new("update shelf.book set title = $2 where tenant_id = $1")
                .bind(ctx.tenant_id())
                .bind(*title)
        };
        let work: Vec<_> = jobs
            .chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id())
            .map(|part| (part[0].0.tenant_id(), part.iter().map(entitle).collect()))
            .collect();
        tx.run(&work).await?;
        Ok(vec![(); jobs.len()])
    }
}

struct Library {
    databases: TestDatabases,
    combiner: Combiner<Entitle>,
    ann: Arc<Tenant>,
    bob: Arc<Tenant>,
    look: Client,
}

impl Library {
    async fn open(queue: usize) -> Self {
        let databases = shelf::databases().await;
        let look = databases.look().await.unwrap();
        let (ann, bob) = (databases.tenant("ann"), databases.tenant("bob"));
        for tenant in [&ann, &bob] {
            let sql = "insert into shelf.book (tenant_id, id, title) values ($1, $1, 'none')";
            look.execute(sql, &[&tenant.id]).await.unwrap();
        }
        let limits = CombinerLimits { workers: 1, queue, ..CombinerLimits::default() };
        let combiner = Combiner::new(databases.db().unwrap(), Entitle, limits);
        Self { databases, combiner, ann, bob, look }
    }

    fn entitle(
        &self,
        tenant: &Arc<Tenant>,
        title: &'static str,
    ) -> impl Future<Output = Result<(), DbError>> + use<> {
        let (combiner, ctx) = (self.combiner.clone(), self.databases.ctx(tenant, Timestamp::UNIX_EPOCH));
        async move { combiner.submit(ctx, title).await }
    }

    async fn title(&self, tenant: &Arc<Tenant>) -> String {
        let row =
            self.look.query_one("select title from shelf.book where tenant_id = $1", &[&tenant.id]).await;
        row.unwrap().get(0)
    }

    /// Holds Ann's rows until it is rolled back.
    async fn lock_ann(&self) -> Client {
        let holder = self.databases.look().await.unwrap();
        holder.batch_execute("begin").await.unwrap();
        let sql = "select id from shelf.book where tenant_id = $1 for update";
        holder.execute(sql, &[&self.ann.id]).await.unwrap();
        holder
    }
}

// HTTP-11: somebody's long transaction delays its own tenant only.
#[tokio::test]
async fn a_tenant_whose_rows_are_locked_waits_alone_and_in_order() {
    let library = Library::open(2048).await;
    let holder = library.lock_ann().await;
    let first = tokio::spawn(library.entitle(&library.ann, "first"));
    library.entitle(&library.bob, "beside").await.unwrap();
    let second = tokio::spawn(library.entitle(&library.ann, "second"));
    for _ in 0..3 {
        library.entitle(&library.bob, "after").await.unwrap();
    }
    assert!(!first.is_finished() && !second.is_finished());
    assert_eq!(library.title(&library.bob).await, "after");
    holder.batch_execute("rollback").await.unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(library.title(&library.ann).await, "second");
}

// HTTP-11
#[tokio::test]
async fn a_tenant_that_crowds_the_queue_is_refused_before_others_are() {
    let library = Library::open(16).await;
    let holder = library.lock_ann().await;
    let waiting: Vec<_> = (0..4).map(|_| tokio::spawn(library.entitle(&library.ann, "waits"))).collect();
    library.entitle(&library.bob, "beside").await.unwrap();
    // All four were queued before Bob's answer came, as tasks of one thread start in turn.
    let mut fifth = pin!(library.entitle(&library.ann, "too many"));
    let Poll::Ready(Err(DbError::Unavailable(_))) = poll!(&mut fifth) else { panic!("not refused") };
    library.entitle(&library.bob, "still").await.unwrap();
    holder.batch_execute("rollback").await.unwrap();
    for waited in join_all(waiting).await {
        waited.unwrap().unwrap();
    }
    library.entitle(&library.ann, "free").await.unwrap();
    assert_eq!(library.title(&library.ann).await, "free");
}

// HTTP-11
#[tokio::test]
async fn a_defect_loses_one_batch_and_not_the_worker() {
    let library = Library::open(2048).await;
    let lost = library.entitle(&library.ann, "panic").await;
    assert!(matches!(lost, Err(DbError::Unavailable(_))), "{lost:?}");
    library.entitle(&library.ann, "fine").await.unwrap();
    assert_eq!(library.title(&library.ann).await, "fine");
}
