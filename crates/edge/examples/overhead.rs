//! What the gate adds to a bare axum route: in microseconds per request without a network, and as a share of the
//! throughput over TCP with its clients on the same machine.
//!
//! `cargo run --release -p edge --example overhead`; `--json` prints what two rate limits cost, for a program to read.
#![expect(clippy::print_stdout, reason = "prints its result")]

use std::{
    hint::black_box,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use edge::{
    Api, AuthError, Edge, EdgeConfig, Identity, LimitsConfig, Op, Path, Principal, Problem, Registry,
    RegistryError, Reply, Routes, Tenanted,
    serve::{ServeConfig, serve},
    telemetry::Metrics,
};
use http::{Request, StatusCode};
use kernel::{
    Actor, Clock, Currency, Flags, Permission, PermissionSet, Placement, RateLimit, Tenant, TenantId,
    TenantSettings, TenantStatus, Tier, Timestamp,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};
use tower::Service;

const ROUNDS: usize = 7;
const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 64;
const SECONDS: u64 = 4;
const BODY: Bytes = Bytes::from_static(&[b'x'; 600]);

/// Answers at once, as a cache hit does.
struct Known {
    principal: Arc<Principal>,
    tenant: Arc<Tenant>,
}

#[async_trait]
impl Identity for Known {
    async fn authenticate(&self, _bearer: &str, _now: Timestamp) -> Result<Arc<Principal>, AuthError> {
        Ok(self.principal.clone())
    }
}

#[async_trait]
impl Registry for Known {
    async fn find_tenant(&self, _slug: &str) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(Some(self.tenant.clone()))
    }

    async fn find_tenant_by_id(&self, _id: TenantId) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(Some(self.tenant.clone()))
    }

    async fn knows_origin(&self, _origin: &str) -> Result<bool, RegistryError> {
        Ok(false)
    }
}

fn known() -> anyhow::Result<Known> {
    let tenant = Arc::new(Tenant {
        id: TenantId::new(),
        slug: "acme".into(),
        name: "Acme".into(),
        tier: Tier::Standard,
        status: TenantStatus::Active,
        currency: "EUR".parse::<Currency>().ok().context("a currency")?,
        settings: TenantSettings::default(),
        placement: Placement { shard: "main".into(), database: "none".into(), dedicated: false },
        rate_limit: None,
        flags: Flags::default(),
        spending: kernel::Spending::default(),
    });
    let principal = Arc::new(Principal {
        actor: Actor::User("usr_01J00000000000000000000001".into()),
        tenant: Some(tenant.id),
        permissions: PermissionSet::new(["things:read", "things:write"]),
        expires_at: "2999-01-01T00:00:00Z".parse()?,
    });
    Ok(Known { principal, tenant })
}

async fn get_thing(Tenanted(ctx): Tenanted, Path(id): Path<String>) -> Result<Reply, Problem> {
    black_box((ctx, id));
    Ok(Reply::bytes(StatusCode::OK, BODY, Some("1")))
}

/// Behind the gate, with rate limits that are never reached or without.
fn gated(enabled: bool) -> anyhow::Result<(Edge, Router)> {
    let known = Arc::new(known()?);
    let wide = RateLimit::new(1_000_000, 1, 1_000_000, 0);
    let limits = LimitsConfig { enabled, standard: wide, user: wide, ..LimitsConfig::default() };
    let edge = Edge::new(
        EdgeConfig { limits, ..EdgeConfig::default() },
        known.clone(),
        known,
        Arc::new(()),
        Clock::system(),
    );
    let op = Op::get("/things/{id}", "get_thing", "One thing")
        .permission(Permission::new("things:read"))
        .returns::<String>(200)
        .etag();
    let page = page();
    let list = Op::get("/things", "list_things", "A page").permission(Permission::new("things:read"));
    let routes = Routes::new("Things").add(op, get_thing).add(list.returns::<String>(200), move || {
        let page = page.clone();
        async move { Reply::bytes(StatusCode::OK, page, None) }
    });
    let routes = routes.with_state(());
    let router = Api::new([routes])?.into_router(&edge);
    Ok((edge, router))
}

fn bare() -> Router {
    Router::new().route("/api/v1/things/{id}", get(|| async { BODY }))
}

/// 50 rows of JSON.
fn page() -> Bytes {
    let row = |number: u32| format!("{{\"sku\":\"{}\",\"name\":\"Bread number {number}\"}}", number * 7919);
    (0..50).map(row).collect::<Vec<_>>().join(",").into()
}

const PAGE: &str = "/api/v1/things";
const PATH: &str = "/api/v1/things/thg_01J00000000000000000000001";

fn token() -> String {
    format!("Bearer {}", "eyJhbGciOiJFZERTQSJ9.".repeat(12))
}

/// Microseconds per request, called directly by a client that takes these codings.
async fn called(router: &mut Router, path: &str, codings: &str) -> anyhow::Result<f64> {
    let token = token();
    let started = Instant::now();
    for _ in 0..REQUESTS {
        let request = Request::get(path).header("authorization", &token).header("x-tenant", "acme");
        let request = if codings.is_empty() { request } else { request.header("accept-encoding", codings) };
        let response = router.call(request.body(Body::empty())?).await?;
        anyhow::ensure!(response.status() == StatusCode::OK, "not answered");
        black_box(response);
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64)
}

/// One client that asks again as soon as it has its answer; returns how often it was answered.
async fn client(address: SocketAddr, until: Instant) -> anyhow::Result<u64> {
    let request =
        format!("GET {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\nx-tenant: acme\r\n\r\n", token());
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut buffer, mut done) = (vec![0; 4096], 0);
    while Instant::now() < until {
        stream.write_all(request.as_bytes()).await?;
        let mut got = 0;
        // The answer ends with the body's 600 letters.
        while got < 600 || !buffer[..got].ends_with(b"xxxxxxxx") {
            let more = stream.read(&mut buffer[got..]).await?;
            anyhow::ensure!(more > 0, "cut off");
            got += more;
        }
        done += 1;
    }
    Ok(done)
}

/// Requests per second over TCP.
async fn over_tcp(address: SocketAddr) -> anyhow::Result<f64> {
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(client(address, until))).collect();
    let mut total = 0;
    for client in clients {
        total += client.await??;
    }
    Ok(total as f64 / SECONDS as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds that two rate limits and their headers add to a request.
async fn of_limits(limited: &mut Router, unlimited: &mut Router, metrics: &Metrics) -> anyhow::Result<f64> {
    let mut added = Vec::new();
    for _ in 0..ROUNDS {
        let (with, without) = (called(limited, PATH, "").await?, called(unlimited, PATH, "").await?);
        added.push((with - without) * 1_000.0);
        metrics.fold();
    }
    Ok(median(added))
}

fn main() -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    if std::env::args().nth(1).as_deref() == Some("--json") {
        let ((_, mut limited), (_, mut unlimited)) = (gated(true)?, gated(false)?);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let took = runtime.block_on(of_limits(&mut limited, &mut unlimited, &metrics))?;
        println!("{{\"nanoseconds\":{took:.0}}}");
        return Ok(());
    }
    let ((edge, mut router), (_, mut unlimited)) = (gated(true)?, gated(false)?);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (mut plain, mut added, mut limits) = (bare(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (alone, behind) = (called(&mut plain, PATH, "").await?, called(&mut router, PATH, "").await?);
            let free = called(&mut unlimited, PATH, "").await?;
            let asked = called(&mut router, PATH, "gzip, deflate, br, zstd").await?;
            println!(
                "called: bare {alone:.2} us, behind the gate {behind:.2} us, without limits {free:.2} us, with codings \
                 asked for {asked:.2} us"
            );
            added.push(behind - alone);
            limits.push(behind - free);
            metrics.fold();
        }
        println!("median added: {:.2} us per request", median(added));
        println!("of which two rate limits and their headers: {:.2} us", median(limits));
        for codings in ["", "zstd", "br", "gzip"] {
            let took = called(&mut router, PAGE, codings).await?;
            println!("a page of {} bytes as {codings:?}: {took:.1} us", page().len());
        }
        anyhow::Ok(())
    })?;
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        tokio::spawn(metrics.keep());
        let (plain, full) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let (plain_at, full_at) = (plain.local_addr()?, full.local_addr()?);
        tokio::spawn(async move { axum::serve(plain, bare()).await });
        tokio::spawn(async move {
            serve(full, router, &edge, &ServeConfig::default(), std::future::pending()).await
        });
        let mut shares = Vec::new();
        for _ in 0..3 {
            let (alone, behind) = (over_tcp(plain_at).await?, over_tcp(full_at).await?);
            println!("over TCP: bare {alone:.0}/s, behind the gate {behind:.0}/s");
            shares.push(behind / alone);
        }
        println!("median share: {:.2}", median(shares));
        Ok(())
    })
}
