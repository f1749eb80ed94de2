//! Roles, databases and migrations on a real cluster.

use std::{collections::BTreeSet, time::Instant};

use db::{
    DomainMigrations, Migration, Migrations,
    migrate::{
        BootstrapPasswords, CONTROL_BASE, DatabaseSpec, Kind, MigrateError, TENANT_BASE, bootstrap,
        create_tenant_database, drop_database, isolation_findings, lint::lint_domain, prepare, status, up,
    },
};
use testkit::{TestCluster, connect};

use crate::shelf::{ANN, BOB, SHELF, STEP_1, STEP_2, act_as, count, databases, empty_database};

// DPR-6, PLT-2
// DPR-6
#[tokio::test]
async fn migrations_run_once_in_order_and_are_recorded() {
    let (name, owner) = empty_database().await;
    let migrations = Migrations::tenant([SHELF]);
    assert_eq!(status(&owner, &migrations).await.unwrap().pending.len(), 6);
    let done = up(&owner, &migrations).await.unwrap();
    let names: Vec<_> = done.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "db/0001_bookkeeping",
            "db/0002_isolation",
            "db/0003_estimates",
            "db/0004_measure",
            "shelf/0001_books",
            "shelf/0002_titles"
        ]
    );
    let begun = Instant::now();
    assert!(up(&owner, &migrations).await.unwrap().is_empty());
    println!("nothing to do took {:?}", begun.elapsed());
    let state = status(&owner, &migrations).await.unwrap();
    assert_eq!((state.applied.len(), state.pending.len(), state.newer.len()), (6, 0, 0));
    // An older program on a newer schema goes on working: steps only expand.
    let state = status(&owner, &Migrations::tenant([])).await.unwrap();
    let newer: Vec<_> = state.newer.iter().map(ToString::to_string).collect();
    assert_eq!(newer, ["shelf/0001_books", "shelf/0002_titles"]);
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}

#[tokio::test]
async fn processes_that_migrate_at_the_same_moment_run_each_step_once() {
    let (name, owner) = empty_database().await;
    let migrations = Migrations::tenant([SHELF]);
    let runs = futures::future::join_all((0..6).map(|_| up(&owner, &migrations))).await;
    let done: Vec<usize> = runs.into_iter().map(|run| run.unwrap().len()).collect();
    assert_eq!(done.iter().sum::<usize>(), 6, "{done:?}");
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let (name, owner) = empty_database().await;
    up(&owner, &Migrations::tenant([SHELF])).await.unwrap();
    const CHANGED: Migration = Migration { sql: "select 1", ..STEP_1 };
    let changed = DomainMigrations { domain: "shelf", steps: &[CHANGED, STEP_2] };
    let error = up(&owner, &Migrations::tenant([changed])).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Changed { step } if step == "shelf/0001_books"), "{error}");
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}

#[tokio::test]
async fn a_failing_migration_changes_nothing_and_names_the_reason() {
    let (name, owner) = empty_database().await;
    const BROKEN: Migration = Migration {
        version: 1,
        name: "broken",
        sql: "create schema shelf; create table shelf.half (id int); select 1/0 -- and a comment",
    };
    let broken = DomainMigrations { domain: "shelf", steps: &[BROKEN] };
    let error = up(&owner, &Migrations::tenant([broken])).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("shelf/0001_broken") && text.contains("division by zero"), "{text}");
    let admin = connect(&TestCluster::get().admin_of(&name)).await.unwrap();
    let row = admin.query_one("select to_regnamespace('shelf') is null", &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    drop(admin);
    assert_eq!(up(&owner, &Migrations::tenant([SHELF])).await.unwrap().len(), 2);
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}

#[tokio::test]
async fn versions_with_gaps_are_refused() {
    let (name, owner) = empty_database().await;
    let gap = DomainMigrations { domain: "shelf", steps: &[STEP_2] };
    let error = up(&owner, &Migrations::tenant([gap])).await.unwrap_err();
    assert!(matches!(error, MigrateError::OutOfOrder { .. }), "{error}");
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}

#[tokio::test]
async fn a_back_fill_reaches_the_rows_of_every_tenant() {
    let databases = databases().await;
    let app = databases.as_app().await.unwrap();
    for tenant in [ANN, BOB] {
        act_as(&app, tenant).await;
        let sql = format!(
            "insert into shelf.book (tenant_id, id, title) values ('{tenant}', gen_random_uuid(), 'x')"
        );
        app.batch_execute(&sql).await.unwrap();
    }
    const FILL: Migration =
        Migration { version: 3, name: "fill", sql: "update shelf.book set title = upper(title)" };
    let filled = DomainMigrations { domain: "shelf", steps: &[STEP_1, STEP_2, FILL] };
    up(&databases.cluster().owner_of(&databases.shared), &Migrations::tenant([filled])).await.unwrap();
    let look = databases.look().await.unwrap();
    let row = look.query_one("select count(*) from shelf.book where title = 'X'", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
}

#[tokio::test]
async fn an_index_left_half_built_is_built_again() {
    let (name, owner) = empty_database().await;
    let first = DomainMigrations { domain: "shelf", steps: &[STEP_1] };
    up(&owner, &Migrations::tenant([first])).await.unwrap();
    let admin = connect(&TestCluster::get().admin_of(&name)).await.unwrap();
    admin
        .batch_execute(
            "create index book_title on shelf.book (tenant_id, title); \
             update pg_index set indisvalid = false where indexrelid = 'shelf.book_title'::regclass",
        )
        .await
        .unwrap();
    up(&owner, &Migrations::tenant([SHELF])).await.unwrap();
    let row = admin
        .query_one("select indisvalid from pg_index where indexrelid = 'shelf.book_title'::regclass", &[])
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
    drop(admin);
    drop_database(&TestCluster::get().admin(), &name).await.unwrap();
}

// DPR-6: the test of architecture.md, and that it finds what it is to find.
// PLT-1, PLT-2: a dedicated database, complete and closed.
#[tokio::test]
async fn a_dedicated_database_is_copied_completed_and_dropped() {
    let databases = databases().await;
    let admin = databases.cluster().admin();
    let name = format!("{}acme", databases.prefix);
    let begun = Instant::now();
    create_tenant_database(&admin, &name, &databases.template).await.unwrap();
    println!("created in {:?}", begun.elapsed());
    create_tenant_database(&admin, &name, &databases.template).await.unwrap();
    let config = databases.cluster().admin_of(&name);
    assert_eq!(isolation_findings(&config).await.unwrap(), Vec::<String>::new());
    let inside = connect(&config).await.unwrap();
    assert_eq!(count(&inside, "shelf.book").await, 0);
    let row = inside.query_one("select has_database_privilege('public', current_database(), 'connect')", &[]);
    assert!(!row.await.unwrap().get::<_, bool>(0));
    // Open connections do not keep it.
    drop_database(&admin, &name).await.unwrap();
    drop_database(&admin, &name).await.unwrap();
    assert!(connect(&config).await.is_err());
    let error = drop_database(&admin, "postgres").await.unwrap_err();
    assert!(matches!(error, MigrateError::NotOurs(_)), "{error}");
}

// A managed PostgreSQL gives its customer a role that may create roles and databases, and no superuser.
#[tokio::test]
async fn an_administrator_without_superuser_rights_can_set_everything_up() {
    // Roles belong to a whole cluster: this test needs one without Markethall's.
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let config = db::cluster::ClusterConfig {
        data_dir: dir.path().join("var"),
        bin_dir: None,
        profile: db::cluster::Profile::Test,
    };
    let cluster = db::cluster::Cluster::start(config).await.unwrap();
    let superuser = connect(&cluster.admin_config()).await.unwrap();
    superuser.batch_execute("create role cloud login createrole createdb password 'it''s'").await.unwrap();
    let mut cloud = cluster.admin_config();
    cloud.user("cloud").password("it's");
    let passwords: &BootstrapPasswords = cluster.passwords();
    let spec = |name, kind| DatabaseSpec { name, kind };
    let specs = [
        spec("markethall_control", Kind::Control),
        spec("markethall_shared", Kind::Tenant),
        spec("markethall_template", Kind::Template),
    ];
    let (tenant, control) = (Migrations::tenant([SHELF]), Migrations::control([]));
    let done = prepare(&cloud, passwords, &specs, &tenant, &control).await.unwrap();
    let counts: Vec<_> = done.iter().map(|(name, steps)| (name.as_str(), steps.len())).collect();
    assert_eq!(counts, [("markethall_control", 2), ("markethall_shared", 6), ("markethall_template", 6)]);
    create_tenant_database(&cloud, "markethall_t_acme", "markethall_template").await.unwrap();
    for name in ["markethall_shared", "markethall_t_acme"] {
        let mut inside = cloud.clone();
        inside.dbname(name);
        assert_eq!(isolation_findings(&inside).await.unwrap(), Vec::<String>::new());
    }
    let begun = Instant::now();
    prepare(&cloud, passwords, &specs, &tenant, &control).await.unwrap();
    println!("nothing to set up took {:?}", begun.elapsed());
    drop_database(&cloud, "markethall_t_acme").await.unwrap();
    drop(superuser);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn setting_up_that_was_interrupted_is_completed() {
    let cluster = TestCluster::get();
    let name = format!("begun_{}", uuid::Uuid::now_v7().simple());
    let admin = connect(&cluster.admin()).await.unwrap();
    bootstrap(&cluster.admin(), cluster.passwords(), &[]).await.unwrap();
    // As a crash right after `create database` leaves it.
    admin.batch_execute(&format!("create database {name} owner markethall_owner")).await.unwrap();
    let spec = DatabaseSpec { name: &name, kind: Kind::Tenant };
    bootstrap(&cluster.admin(), cluster.passwords(), &[spec]).await.unwrap();
    let inside = connect(&cluster.admin_of(&name)).await.unwrap();
    let row =
        inside.query_one("select count(*) from pg_extension where extname = 'pg_trgm'", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    drop(inside);
    // Somebody else's database of that name is not taken over.
    let other = format!("other_{}", uuid::Uuid::now_v7().simple());
    admin.batch_execute(&format!("create database {other}")).await.unwrap();
    let spec = DatabaseSpec { name: &other, kind: Kind::Tenant };
    let error = bootstrap(&cluster.admin(), cluster.passwords(), &[spec]).await.unwrap_err();
    assert!(matches!(error, MigrateError::NotOurs(_)), "{error}");
    admin.batch_execute(&format!("drop database {other}")).await.unwrap();
    drop_database(&cluster.admin(), &name).await.unwrap();
}

// Without leakproof operators row-level security keeps a search from using its index.
#[test]
fn the_migrations_of_db_itself_pass_the_linter() {
    for base in [TENANT_BASE, CONTROL_BASE] {
        assert_eq!(lint_domain(&base), Vec::new());
    }
    let tables = db::migrate::lint::created_tables(TENANT_BASE.steps[0].sql);
    assert_eq!(BTreeSet::from_iter(tables), BTreeSet::from(["db.migration".to_owned()]));
}
