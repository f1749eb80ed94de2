//! The whole program: started, called, drained, ended; and the rules that hold over all its schemas.

use std::time::Instant;

use db::migrate::{isolation_findings, lint::lint_domain};
use serde_json::json;
use server::installation::{control_migrations, tenant_migrations};
use testkit::{App, TestDatabases};

/// Functions that run with their owner's rights and apply the tenant themselves. Each was read by a person for that:
/// docs/adr/0010-search-under-rls.md, tests in `catalog`.
const REVIEWED_FUNCTIONS: [&str; 3] =
    ["catalog.search_hits(", "catalog.search_products(", "catalog.similar_words("];

#[tokio::test]
async fn the_program_starts_serves_drains_and_ends() {
    let begun = Instant::now();
    let app = App::start().await.unwrap();
    println!("started in {:?}", begun.elapsed());
    app.add_tenant("acme").await.unwrap();
    app.add_tenant("bolt").await.unwrap();
    let clerk = app.member("acme", &["catalog:read", "catalog:write"]).await.unwrap();
    let product = json!({ "sku": "BREAD", "name": "Bread", "price": { "amount": 250, "currency": "EUR" } });
    let made = clerk.post("/products", product).await.is(201);
    let path = format!("/products/{}", made.text("/id"));
    assert_eq!(clerk.get(&path).await.is(200).text("/sku"), "BREAD");
    let stranger = app.member("bolt", &["*"]).await.unwrap();
    stranger.get(&path).await.is_problem(404, "PRODUCT_NOT_FOUND");
    app.stranger().get(&path).await.is(401);
    app.operator(&["platform:*"]).await.unwrap().get("/admin/tenants").await.is(200);
    app.drain().await.unwrap();
    app.stop().await;
}

#[tokio::test]
async fn a_dedicated_merchant_has_a_database_of_its_own_that_goes_with_the_test() {
    let app = App::start().await.unwrap();
    let tenant = app
        .add_tenant_as("acme", |wanted| wanted.placement = Some(control::PlacementKind::Dedicated))
        .await
        .unwrap();
    assert!(tenant.placement.dedicated);
    assert!(tenant.placement.database.starts_with(&app.databases.prefix), "{}", tenant.placement.database);
    app.member("acme", &["*"]).await.unwrap().get("/products").await.is(200);
    app.stop().await;
}

#[tokio::test]
async fn tokens_end_when_the_clock_of_the_test_says_so() {
    let app = App::start().await.unwrap();
    app.add_tenant("acme").await.unwrap();
    let clerk = app.member("acme", &["catalog:read"]).await.unwrap();
    clerk.get("/products").await.is(200);
    app.clock.advance_seconds(25 * 3600);
    clerk.get("/products").await.is_problem(401, "TOKEN_EXPIRED");
    app.stop().await;
}

// PLT-12
#[test]
fn no_migration_locks_or_rewrites_a_table_with_rows() {
    let mut found = Vec::new();
    for migrations in [tenant_migrations(), control_migrations()] {
        found.extend(migrations.domains().iter().flat_map(lint_domain));
    }
    assert_eq!(found, Vec::new());
}

// DPR-6, PLT-2: the database test of architecture.md.
#[tokio::test]
async fn row_level_security_covers_every_table_of_tenants() {
    let databases = TestDatabases::create(&tenant_migrations(), &control_migrations()).await.unwrap();
    let mut found = isolation_findings(&databases.cluster().admin_of(&databases.shared)).await.unwrap();
    found.retain(|line| !REVIEWED_FUNCTIONS.iter().any(|name| line.starts_with(&format!("function {name}"))));
    assert_eq!(found, Vec::<String>::new());
}
