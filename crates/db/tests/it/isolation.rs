//! What one tenant can see, change and guess of another's rows, asked as the application's role (DPR-6).

use db::{
    DomainMigrations, Migration, Migrations,
    migrate::{drop_database, isolation_findings, up},
};
use testkit::{TestCluster, connect};
use tokio_postgres::error::SqlState;

use crate::shelf::{ANN, BOB, act_as, code, count, databases, empty_database};

#[tokio::test]
async fn a_tenant_sees_and_changes_its_own_rows_only() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    let insert = |tenant: &str| {
        format!("insert into shelf.book (tenant_id, id, title) values ('{tenant}', gen_random_uuid(), 'one')")
    };
    // Without a tenant there is nothing, and nothing can be written.
    assert_eq!(count(&app, "shelf.book").await, 0);
    assert_eq!(code(&app.batch_execute(&insert(ANN)).await.unwrap_err()), &SqlState::INSUFFICIENT_PRIVILEGE);
    act_as(&app, ANN).await;
    app.batch_execute(&insert(ANN)).await.unwrap();
    assert_eq!(code(&app.batch_execute(&insert(BOB)).await.unwrap_err()), &SqlState::INSUFFICIENT_PRIVILEGE);
    act_as(&app, BOB).await;
    assert_eq!(count(&app, "shelf.book").await, 0);
    for sql in ["update shelf.book set title = 'mine'", "delete from shelf.book"] {
        assert_eq!(app.execute(sql, &[]).await.unwrap(), 0, "{sql}");
    }
    let theft = format!("update shelf.book set tenant_id = '{ANN}'");
    app.batch_execute(&insert(BOB)).await.unwrap();
    assert_eq!(code(&app.batch_execute(&theft).await.unwrap_err()), &SqlState::INSUFFICIENT_PRIVILEGE);
    act_as(&app, "").await;
    assert_eq!(count(&app, "shelf.book").await, 0);
    // Superusers see what really is there; the owner is as blind as everybody, unless it migrates.
    assert_eq!(count(&databases.look().await.unwrap(), "shelf.book").await, 2);
    let owner = connect(&databases.cluster().owner_of(&databases.shared)).await.unwrap();
    assert_eq!(count(&owner, "shelf.book").await, 0);
    owner.batch_execute("set app.migrating = 'on'").await.unwrap();
    assert_eq!(count(&owner, "shelf.book").await, 2);
}

#[tokio::test]
async fn the_application_cannot_lift_its_own_restrictions() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    for sql in [
        "alter table shelf.book disable row level security",
        "alter table shelf.book no force row level security",
        "drop policy tenant_isolation on shelf.book",
        "create policy all_rows on shelf.book using (true)",
        "set role markethall_owner",
        "alter role markethall_app bypassrls",
        "truncate shelf.book",
        "create table shelf.mine (id int)",
        "create table public.mine (id int)",
        "select db.protect('shelf.book')",
        "delete from db.migration",
    ] {
        let error = app.batch_execute(sql).await.unwrap_err();
        assert_eq!(code(&error), &SqlState::INSUFFICIENT_PRIVILEGE, "{sql}");
    }
    // With row_security off PostgreSQL refuses to answer rather than show everything.
    app.batch_execute("set row_security = off").await.unwrap();
    assert!(app.query("select id from shelf.book", &[]).await.is_err());
    // Setting what only migrations set opens nothing for the application.
    app.batch_execute("reset row_security; set app.migrating = 'on'").await.unwrap();
    assert_eq!(count(&app, "shelf.book").await, 0);
}

#[tokio::test]
async fn books_that_are_append_only_refuse_update_and_delete() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    act_as(&app, ANN).await;
    let insert = format!("insert into shelf.loan (tenant_id, id) values ('{ANN}', gen_random_uuid())");
    app.batch_execute(&insert).await.unwrap();
    for sql in
        ["update shelf.loan set id = gen_random_uuid()", "delete from shelf.loan", "truncate shelf.loan"]
    {
        let error = app.batch_execute(sql).await.unwrap_err();
        assert_eq!(code(&error), &SqlState::INSUFFICIENT_PRIVILEGE, "{sql}");
    }
    assert_eq!(count(&app, "shelf.loan").await, 1);
}

#[tokio::test]
async fn a_plan_made_for_small_tenants_goes_by_the_whole_key_for_a_large_one() {
    let databases = databases().await;
    let look = databases.look().await.unwrap();
    look.batch_execute(&format!(
        "insert into shelf.book (tenant_id, id, title)
         select md5('tenant' || tenant)::uuid, gen_random_uuid(), 'one'
         from generate_series(1, 300) as tenant, generate_series(1, 3)
         union all
         select '{BOB}', gen_random_uuid(), 'one' from generate_series(1, 600);
         analyze shelf.book",
    ))
    .await
    .unwrap();
    let app = databases.as_app().await.unwrap();
    act_as(&app, ANN).await;
    app.batch_execute(
        "set enable_seqscan = off; set enable_bitmapscan = off; set plan_cache_mode = force_generic_plan;
         prepare rename (uuid, uuid[]) as
         update shelf.book set title = 'other' from unnest($2) as given (id)
         where book.tenant_id = $1 and book.id = given.id",
    )
    .await
    .unwrap();
    let explain = format!("explain (costs off) execute rename ('{ANN}', '{{}}')");
    let plan: Vec<String> =
        app.query(&explain, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Cond: ((tenant_id = $1) AND (id = given.id))"), "{plan}");
}

#[tokio::test]
async fn other_roles_do_not_get_into_a_database() {
    let databases = databases().await;
    let control = databases.db().unwrap().control_config();
    assert!(connect(&control).await.is_ok());
    let mut astray = control.clone();
    astray.dbname(&databases.shared);
    assert!(connect(&astray).await.is_err());
    let mut app = databases.cluster().admin_of(&databases.control);
    use secrecy::ExposeSecret as _;
    app.user(db::APP_ROLE).password(databases.cluster().passwords().roles.app.expose_secret());
    assert!(connect(&app).await.is_err());
}

#[tokio::test]
async fn every_gap_in_the_isolation_is_found() {
    let databases = databases().await;
    let config = databases.cluster().admin_of(&databases.shared);
    assert_eq!(isolation_findings(&config).await.unwrap(), Vec::<String>::new());
    let look = databases.look().await.unwrap();
    look.batch_execute(include_str!("planted_gaps.sql")).await.unwrap();
    let found = isolation_findings(&config).await.unwrap();
    let expected = [
        "function shelf.peek(): runs with its owner's rights for markethall_app",
        "shelf.book: policy generous shows markethall_app more than its tenant",
        "shelf.book: row-level security is not forced",
        "shelf.book: unique index shelf.book_title_everywhere spans tenants",
        "shelf.loan: foreign key loan_of_any_book may point to another tenant",
        "shelf.open: no column tenant_id uuid not null",
        "shelf.open: no policy for markethall_app",
        "shelf.open: row-level security is not enabled",
        "shelf.open: row-level security is not forced",
        "shelf.owned: markethall_app owns it",
        "shelf.owned: no policy for markethall_app",
        "shelf.owned: row-level security is not enabled",
        "shelf.owned: row-level security is not forced",
        "shelf.pane: a view that does not run with its reader's rights",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_table_without_tenant_is_not_protected_but_refused() {
    let (name, owner) = empty_database().await;
    const NO_TENANT: Migration = Migration {
        version: 1,
        name: "none",
        sql: "create schema shelf; create table shelf.open (id uuid primary key); select db.protect('shelf.open')",
    };
    const LATE_TENANT: Migration = Migration {
        version: 1,
        name: "late",
        sql: "create schema shelf;
            create table shelf.open (tenant_id uuid not null, id uuid not null, primary key (id, tenant_id));
            select db.protect('shelf.open')",
    };
    for (steps, said) in
        [(&[NO_TENANT], "needs a column tenant_id"), (&[LATE_TENANT], "primary key that starts")]
    {
        let domain = DomainMigrations { domain: "shelf", steps };
        let error = up(&owner, &Migrations::tenant([domain])).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}
