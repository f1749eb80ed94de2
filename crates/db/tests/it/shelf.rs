//! A small domain to migrate, and the merchants Ann and Bob who use it.

use db::{
    DomainMigrations, Migration, Migrations,
    migrate::{DatabaseSpec, Kind, bootstrap},
};
use testkit::{TestCluster, TestDatabases};
use tokio_postgres::{Client, error::SqlState};

pub(crate) const STEP_1: Migration = Migration {
    version: 1,
    name: "books",
    sql: "create schema shelf;
        create table shelf.book (tenant_id uuid not null, id uuid not null, title text not null, primary key (tenant_id, id));
        select db.protect('shelf.book');
        create table shelf.loan (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id));
        select db.protect_append_only('shelf.loan');",
};
pub(crate) const STEP_2: Migration = Migration {
    version: 2,
    name: "titles",
    sql: "-- no-transaction\ncreate index concurrently if not exists book_title on shelf.book (tenant_id, title)",
};
pub(crate) const SHELF: DomainMigrations = DomainMigrations { domain: "shelf", steps: &[STEP_1, STEP_2] };

pub(crate) const ANN: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const BOB: &str = "22222222-2222-2222-2222-222222222222";

pub(crate) async fn databases() -> TestDatabases {
    TestDatabases::create(&Migrations::tenant([SHELF]), &Migrations::control([])).await.unwrap()
}

/// A tenant database with nothing in it yet.
pub(crate) async fn empty_database() -> (String, db::ConnectionConfig) {
    let cluster = TestCluster::get();
    let name = format!("empty_{}", uuid::Uuid::now_v7().simple());
    let spec = DatabaseSpec { name: &name, kind: Kind::Tenant };
    bootstrap(&cluster.admin(), cluster.passwords(), &[spec]).await.unwrap();
    let owner = cluster.owner_of(&name);
    (name, owner)
}

pub(crate) async fn act_as(app: &Client, tenant: &str) {
    app.execute("select set_config('app.tenant_id', $1, false)", &[&tenant]).await.unwrap();
}

pub(crate) async fn count(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("select count(*) from {table}"), &[]).await.unwrap().get(0)
}

pub(crate) fn code(error: &tokio_postgres::Error) -> &SqlState {
    error.code().unwrap()
}
