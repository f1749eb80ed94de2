//! DPR-1: the audit log of a running program.

use std::{path::Path, sync::Arc, time::Duration};

use audit::{AuditConfig, Auditor};
use db::{ConnectionConfig, Db};
use edge::{Audit as _, AuditEntry};
use kernel::{Actor, Clock, Ctx, Tenant};
use serde_json::{Value, json};
use server::check::{Finding, check_tenant};
use testkit::{App, SHARD};

async fn violations(app: &App, ctx: &Ctx) -> Vec<Finding> {
    check_tenant(&app.parts, ctx).await.unwrap()
}

fn start(app: &App) {
    let parts = &app.parts;
    parts.auditor.start(parts.db.clone(), Arc::new(parts.control.clone()), parts.clock.clone());
}

// DPR-1
#[tokio::test]
async fn every_change_is_kept_with_who_and_what_and_without_secrets() {
    let app = App::start().await.unwrap();
    app.add_tenant("acme").await.unwrap();
    app.add_tenant("bolt").await.unwrap();
    start(&app);
    let member = app.member("acme", &["*"]).await.unwrap();
    let clerk = app.member("acme", &["catalog:read"]).await.unwrap();
    let product = json!({ "sku": "A-1", "name": "Lamp 4111 1111 1111 1111", "price": { "amount": 100, "currency": "EUR" } });
    let made = member.post("/products", product.clone()).await.is(201);
    member.post("/products", product).await.is(409);
    member.get("/products").await.is(200);
    clerk.post("/shops", json!({ "name": "No" })).await.is_problem(403, "PERMISSION_DENIED");
    let staff =
        json!({ "email": "ben@acme.example", "role": "cashier", "password": "correct horse battery" });
    member.post("/staff", staff).await.is(201);
    app.parts.auditor.stop().await;

    let listed = member.get("/audit").await.is(200);
    let items = listed.json["items"].as_array().unwrap().clone();
    let told = |name: &str| items.iter().map(|item| item[name].clone()).collect::<Vec<_>>();
    let operations = ["create_staff", "create_shop", "create_product", "create_product"];
    assert_eq!(told("operation"), operations.map(Value::from));
    assert_eq!(told("status"), [201, 403, 409, 201].map(Value::from));
    assert_eq!(told("number"), [4, 3, 2, 1].map(Value::from));
    assert!(told("actor").iter().all(|actor| actor == "operator"), "{items:?}");
    assert!(told("address").iter().all(|address| address == "127.0.0.1"));
    assert_eq!(items[3]["correlationId"], made.header("x-correlation-id"));

    let first = member.get("/audit/1").await.is(200);
    assert_eq!(first.text("/request/sku"), "A-1");
    assert_eq!(first.text("/request/name"), "[redacted]");
    assert_eq!(first.text("/response/id"), made.text("/id"));
    let taken_on = member.get("/audit/4").await.is(200);
    assert_eq!(taken_on.text("/request/password"), "[redacted]");
    assert_eq!(taken_on.text("/request/email"), "ben@acme.example");

    let search = async |query: &str| {
        let found = member.get(&format!("/audit?{query}")).await.is(200);
        found.json["items"].as_array().unwrap().iter().map(|it| it["number"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(search("operation=create_product").await, [2, 1].map(Value::from));
    assert_eq!(search("path=%2Fapi%2Fv1%2Fst").await, [4].map(Value::from));
    assert_eq!(search("path=%25").await, [] as [Value; 0]);
    assert_eq!(search("actor=nobody").await, [] as [Value; 0]);
    assert_eq!(search("limit=1").await, [4].map(Value::from));
    member.get("/audit/5").await.is(404);

    // DPR-6
    let other = app.member("bolt", &["audit:read"]).await.unwrap();
    assert_eq!(other.get("/audit").await.is(200).json["items"], json!([]));
    other.get("/audit/1").await.is(404);
    let ctx = app.ctx("acme").await.unwrap();
    assert_eq!(violations(&app, &ctx).await, []);
}

fn entry(app: &App, tenant: &Arc<Tenant>, number: usize) -> AuditEntry {
    AuditEntry {
        tenant: tenant.clone(),
        at: app.clock.now(),
        actor: Some(Actor::User("usr_test".into())),
        operation: "test",
        method: http::Method::POST,
        subject: format!("/api/v1/things/{number}"),
        status: 200,
        address: "192.0.2.1".parse().ok(),
        agent: Some("test\0er".to_owned()),
        correlation_id: "test".into(),
        took: Duration::from_micros(1),
        request: format!(r#"{{"number":{number}}}"#).into(),
        response: Vec::new().into(),
    }
}

async fn write(app: &App, db: Db, data_dir: &Path, tenants: &[Arc<Tenant>], entries: usize) {
    let config = AuditConfig { queue: 50, ..AuditConfig::default() };
    let auditor = Auditor::new(config, data_dir);
    // More than the queue holds, before anybody writes.
    for number in 0..entries {
        for tenant in tenants {
            auditor.record(entry(app, tenant, number));
        }
    }
    auditor.start(db, Arc::new(app.parts.control.clone()), Clock::system());
    auditor.stop().await;
}

async fn subjects(app: &App, slug: &str) -> Vec<String> {
    let look = app.databases.look().await.unwrap();
    let id = app.tenant(slug).await.unwrap().id;
    let sql = "select subject from audit.entry where tenant_id = $1 order by seq";
    look.query(sql, &[&id.0]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

// DPR-1: nothing is lost while the database is away, and nothing is written twice.
#[tokio::test]
async fn what_cannot_be_written_waits_on_disk_and_is_written_once() {
    let app = App::start().await.unwrap();
    let tenants = [app.add_tenant("acme").await.unwrap(), app.add_tenant("bolt").await.unwrap()];
    let data = tempfile::tempdir().unwrap();
    let mut config = app.databases.config();
    let mut nowhere = ConnectionConfig::new();
    nowhere.host_path(data.path().join("no-such-socket"));
    config.shards.insert(SHARD.into(), nowhere);
    write(&app, Db::new(config).unwrap(), data.path(), &tenants, 300).await;
    assert_eq!(subjects(&app, "acme").await.len(), 0);

    let spool = data.path().join("audit-spool");
    let files = || std::fs::read_dir(&spool).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let kept: Vec<_> = files().into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    assert!(!kept.is_empty());
    write(&app, app.parts.db.clone(), data.path(), &tenants, 0).await;
    assert_eq!(files().len(), 0);
    let mut expected: Vec<_> = (0..300).map(|number| format!("/api/v1/things/{number}")).collect();
    expected.sort();
    for tenant in &tenants {
        let mut written = subjects(&app, &tenant.slug).await;
        written.sort();
        assert_eq!(written, expected);
    }

    // As if the process had died before it removed its files: half a line more, nothing twice.
    for (path, mut lines) in kept {
        lines.extend(b"{\"tenant\":\"te");
        std::fs::write(path, lines).unwrap();
    }
    write(&app, app.parts.db.clone(), data.path(), &tenants, 0).await;
    assert_eq!(files().len(), 0);
    for tenant in &tenants {
        assert_eq!(subjects(&app, &tenant.slug).await.len(), 300);
        let ctx = app.ctx(&tenant.slug).await.unwrap();
        assert_eq!(violations(&app, &ctx).await, []);
    }
}

// DPR-1
#[tokio::test]
async fn an_entry_that_is_changed_removed_or_put_in_is_found() {
    let app = App::start().await.unwrap();
    let tenant = app.add_tenant("acme").await.unwrap();
    let data = tempfile::tempdir().unwrap();
    write(&app, app.parts.db.clone(), data.path(), std::slice::from_ref(&tenant), 30).await;
    let ctx = app.ctx("acme").await.unwrap();
    assert_eq!(violations(&app, &ctx).await, []);
    let look = app.databases.look().await.unwrap();
    let deeds = [
        "update audit.entry set status = 500 where seq = 7",
        "update audit.entry set actor = null where seq = 30",
        "delete from audit.entry where seq = 12",
        "delete from audit.entry where seq = 1",
        "delete from audit.entry where seq = 30",
        "update audit.entry set seq = 31 where seq = 3",
        "insert into audit.entry select tenant_id, 31, at, actor, operation, method, subject, status, address, agent, \
         correlation_id, duration_us, request, response, hash from audit.entry where seq = 30",
        "update audit.head set first_seq = 2",
        "delete from audit.head",
    ];
    for deed in deeds {
        look.batch_execute("create table public.entry as select * from audit.entry").await.unwrap();
        look.batch_execute("create table public.head as select * from audit.head").await.unwrap();
        assert!(look.execute(deed, &[]).await.unwrap() > 0, "{deed}");
        let found = violations(&app, &ctx).await;
        assert!(found.iter().any(|it| it.violation.invariant == "audit_chain_is_whole"), "{deed}: {found:?}");
        look.batch_execute(
            "truncate audit.entry, audit.head; insert into audit.entry select * from public.entry;
             insert into audit.head select * from public.head; drop table public.entry, public.head",
        )
        .await
        .unwrap();
        assert_eq!(violations(&app, &ctx).await, [], "{deed}");
    }
    // The program itself may not change what it has written.
    let app_role = app.databases.as_app().await.unwrap();
    assert!(app_role.batch_execute("update audit.entry set status = 1").await.is_err());
}

// DPR-1
#[tokio::test]
async fn what_is_older_than_it_is_kept_is_forgotten_and_the_chain_stays_whole() {
    let app = App::start().await.unwrap();
    let tenant = app.add_tenant("acme").await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let tenants = std::slice::from_ref(&tenant);
    write(&app, app.parts.db.clone(), data.path(), tenants, 20).await;
    app.clock.advance_seconds(31 * 24 * 3600);
    write(&app, app.parts.db.clone(), data.path(), tenants, 5).await;
    let ctx = app.ctx("acme").await.unwrap();
    assert_eq!(audit::forget_expired(&app.parts.db, &ctx, 30).await.unwrap(), 20);
    assert_eq!(subjects(&app, "acme").await.len(), 5);
    assert_eq!(violations(&app, &ctx).await, []);
    assert_eq!(audit::forget_expired(&app.parts.db, &ctx, 30).await.unwrap(), 0);
    write(&app, app.parts.db.clone(), data.path(), tenants, 1).await;
    assert_eq!(violations(&app, &ctx).await, []);
}
