//! PLT-8: what each tenant holds in a database, seen by the relay's role and by nobody else.

use kernel::TenantId;

use crate::shelf::{ANN, BOB, act_as, code, databases};

fn id(text: &str) -> TenantId {
    TenantId(text.parse().unwrap())
}

async fn fill(app: &tokio_postgres::Client, tenant: &str, books: i32) {
    act_as(app, tenant).await;
    let insert =
        "insert into shelf.book (tenant_id, id, title) select $1::text::uuid, gen_random_uuid(), 'one'
        from generate_series(1, $2)";
    app.execute(insert, &[&tenant, &books]).await.unwrap();
}

// PLT-8
#[tokio::test]
async fn rows_are_counted_by_tenant_and_bytes_are_shared_out_by_them() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    fill(&app, ANN, 300).await;
    fill(&app, BOB, 100).await;
    app.execute("insert into shelf.loan (tenant_id, id) values ($1::text::uuid, gen_random_uuid())", &[&BOB])
        .await
        .unwrap();
    let db = db::Db::new(databases.config()).unwrap();
    let held = db.measure(&databases.shared_placement()).await.unwrap();
    let rows: Vec<_> = held.iter().map(|held| (held.tenant, held.rows)).collect();
    assert_eq!(rows, [(id(ANN), 300), (id(BOB), 101)]);
    let sizes = "select pg_total_relation_size('shelf.book') + pg_total_relation_size('shelf.loan')";
    let all: i64 = databases.look().await.unwrap().query_one(sizes, &[]).await.unwrap().get(0);
    assert_eq!(held.iter().map(|held| held.bytes).sum::<i64>(), all);
    assert!(held[0].bytes > held[1].bytes, "{held:?}");

    // A database of one's own is one's own with all that is in it.
    act_as(&app, ANN).await;
    app.batch_execute("delete from shelf.book").await.unwrap();
    let placement = kernel::Placement { dedicated: true, ..databases.shared_placement() };
    let held = db.measure(&placement).await.unwrap();
    let size = "select pg_database_size(current_database())";
    let all: i64 = databases.look().await.unwrap().query_one(size, &[]).await.unwrap().get(0);
    assert_eq!((held.len(), held[0].rows), (1, 101));
    assert!(held[0].bytes > all / 2 && held[0].bytes < all * 2, "{held:?} of {all}");
}

// PLT-8
#[tokio::test]
async fn of_a_large_table_a_part_stands_for_the_rest() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    fill(&app, ANN, 20_000).await;
    let relay = testkit::connect(&databases_relay(&databases)).await.unwrap();
    // The relay's role may not even name the table.
    let found = databases.look().await.unwrap().query_one("select 'shelf.book'::regclass::oid", &[]).await;
    let book: u32 = found.unwrap().get(0);
    let ask = "select held from db.measure($1::oid::regclass, $2)";
    let exact: i64 = relay.query_one(ask, &[&book, &100_000_i64]).await.unwrap().get(0);
    assert_eq!(exact, 20_000);
    // Half of the pages, give or take: which ones is left to chance, so that the bounds are wide.
    let pages: i64 = databases
        .look()
        .await
        .unwrap()
        .query_one("select pg_relation_size('shelf.book') / 8192", &[])
        .await
        .unwrap()
        .get(0);
    let sampled: i64 = relay.query_one(ask, &[&book, &(pages / 2)]).await.unwrap().get(0);
    assert!((8_000..32_000).contains(&sampled), "{sampled}");
}

fn databases_relay(databases: &testkit::TestDatabases) -> db::ConnectionConfig {
    let db = db::Db::new(databases.config()).unwrap();
    db.relay_config(&databases.shared_placement()).unwrap()
}

// DPR-6, PLT-8
#[tokio::test]
async fn requests_cannot_measure_and_nobody_measures_what_is_not_of_tenants() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    let error = app.query("select held from db.measure('shelf.book', 100)", &[]).await.unwrap_err();
    assert_eq!(code(&error), &tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE);
    let relay = testkit::connect(&databases_relay(&databases)).await.unwrap();
    for table in ["db.migration", "pg_catalog.pg_authid"] {
        let refused = relay.query(&format!("select held from db.measure('{table}', 100)"), &[]).await;
        assert!(refused.is_err(), "{table}");
    }
    assert!(relay.query("select title from shelf.book", &[]).await.is_err());
}
