//! The tools themselves: fresh databases, a domain behind the gate, a cluster that leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a failing test says where")]

#[cfg(feature = "app")]
mod whole;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use axum::extract::State;
use db::{DomainMigrations, Migration, Migrations};
use edge::{Json, Op, Problem, Reply, Routes, Tenanted};
use garde::Validate;
use kernel::Permission;
use serde::{Deserialize, Serialize};
use serde_json::json;
use testkit::{Site, TestDatabases, connect};
use utoipa::ToSchema;

const NOTES: DomainMigrations = DomainMigrations {
    domain: "notes",
    steps: &[Migration {
        version: 1,
        name: "notes",
        sql: "create schema notes;
            create table notes.note (tenant_id uuid not null, text text not null, primary key (tenant_id, text));
            select db.protect('notes.note');",
    }],
};
const READ: Permission = Permission::new("notes:read");
const WRITE: Permission = Permission::new("notes:write");

#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Note {
    #[garde(length(max = 10))]
    #[schema(max_length = 10)]
    text: String,
}

async fn create(
    State(db): State<db::Db>,
    Tenanted(ctx): Tenanted,
    Json(note): Json<Note>,
) -> Result<Reply, Problem> {
    let tx = db.begin(&ctx).await?;
    tx.execute("insert into notes.note (tenant_id, text) values ($1, $2)", &[&ctx.tenant_id(), &note.text])
        .await?;
    tx.commit().await?;
    Ok(Reply::created("/api/v1/notes", &note))
}

async fn list(State(db): State<db::Db>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let rows = db.begin_read(&ctx).await?.query("select text from notes.note order by text", &[]).await?;
    let texts: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Reply::ok(&texts))
}

fn routes(db: &db::Db) -> Routes<()> {
    Routes::new("Notes")
        .add(
            Op::post("/notes", "create_note", "A note").permission(WRITE).body::<Note>().returns::<Note>(201),
            create,
        )
        .add(Op::get("/notes", "list_notes", "Notes").permission(READ).returns::<Vec<String>>(200), list)
        .with_state(db.clone())
}

async fn databases() -> TestDatabases {
    TestDatabases::create(&Migrations::tenant([NOTES]), &Migrations::control([])).await.unwrap()
}

#[tokio::test]
async fn a_domain_is_called_through_the_gate_as_different_people() {
    let site = Site::new(databases().await, |db, _| vec![routes(db)]).unwrap();
    site.add_tenant("acme");
    site.add_tenant("bolt");
    let acme = site.member("acme", &["notes:*"]);
    let made = acme.post("/notes", json!({ "text": "milk" })).await.is(201);
    assert_eq!(made.text("/text"), "milk");
    assert_eq!(acme.get("/notes").await.is(200).read::<Vec<String>>(), ["milk"]);
    assert_eq!(site.member("bolt", &["notes:read"]).get("/notes").await.is(200).json, json!([]));

    site.member("acme", &["notes:read"])
        .post("/notes", json!({ "text": "x" }))
        .await
        .is_problem(403, "PERMISSION_DENIED");
    site.stranger().with_tenant("acme").get("/notes").await.is_problem(401, "UNAUTHENTICATED");
    acme.post("/notes", json!({ "text": "more than ten letters" }))
        .await
        .is_problem(400, "VALIDATION_FAILED");
    assert_eq!(acme.call(http::Method::GET, "/nowhere").send().await.status, 404);
    assert!(!site.take_security_events().is_empty());
}

#[tokio::test]
async fn every_test_has_databases_of_its_own_that_go_away() {
    let (one, two) = (databases().await, databases().await);
    assert_ne!(one.shared, two.shared);
    assert_eq!(one.template, two.template);
    let (cluster, shared) = (one.cluster(), one.shared.clone());
    drop(one);
    let admin = connect(&cluster.admin()).await.unwrap();
    let count = "select count(*) from pg_database where datname = $1";
    while admin.query_one(count, &[&shared]).await.unwrap().get::<_, i64>(0) > 0 {}
}

fn test_cluster(word: &str, dir: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_test-cluster")).arg(word).arg(dir).status().unwrap();
    assert!(status.success(), "{word}");
}

#[tokio::test]
async fn a_cluster_for_a_run_starts_is_joined_and_is_removed() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    test_cluster("start", dir.path());
    let home = dir.path().join("pg").canonicalize().unwrap();
    // A test process of the run: this program once more.
    let joined = Command::new("/proc/self/exe")
        .args(["--exact", "every_test_has_databases_of_its_own_that_go_away"])
        .env(testkit::CLUSTER_DIR_VARIABLE, dir.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(joined.success());
    assert!(home.join("data/postmaster.pid").exists());
    test_cluster("stop", dir.path());
    assert!(!home.exists());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
