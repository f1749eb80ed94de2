//! What the gate adds to a bare axum route, in microseconds per request, without a network.
//!
//! `cargo run --release -p edge --example overhead`

use std::{hint::black_box, sync::Arc, time::Instant};

use async_trait::async_trait;
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use edge::{
    Api, AuthError, Edge, EdgeConfig, Identity, Op, Path, Principal, Problem, Registry, RegistryError, Reply,
    Routes, Tenanted, telemetry::Metrics,
};
use http::{Request, StatusCode};
use kernel::{
    Actor, Clock, Currency, Permission, PermissionSet, Placement, Tenant, TenantId, TenantSettings,
    TenantStatus, Tier, Timestamp,
};
use tower::Service;

const ROUNDS: usize = 7;
const REQUESTS: usize = 100_000;
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

fn known() -> Known {
    let tenant = Arc::new(Tenant {
        id: TenantId::new(),
        slug: "acme".into(),
        name: "Acme".into(),
        tier: Tier::Standard,
        status: TenantStatus::Active,
        currency: "EUR".parse::<Currency>().expect("a currency"),
        settings: TenantSettings::default(),
        placement: Placement { shard: "main".into(), database: "none".into(), dedicated: false },
    });
    let principal = Arc::new(Principal {
        actor: Actor::User("usr_01J00000000000000000000001".into()),
        tenant: Some(tenant.id),
        permissions: PermissionSet::new(["things:read", "things:write"]),
        expires_at: "2999-01-01T00:00:00Z".parse().expect("a time"),
    });
    Known { principal, tenant }
}

async fn get_thing(Tenanted(ctx): Tenanted, Path(id): Path<String>) -> Result<Reply, Problem> {
    black_box((ctx, id));
    Ok(Reply::bytes(StatusCode::OK, BODY, Some("1")))
}

fn gated() -> Router {
    let known = Arc::new(known());
    let edge = Edge::new(EdgeConfig::default(), known.clone(), known, Arc::new(()), Clock::system());
    let op = Op::get("/things/{id}", "get_thing", "One thing")
        .permission(Permission::new("things:read"))
        .returns::<String>(200)
        .etag();
    let routes = Routes::new("Things").add(op, get_thing).with_state(());
    Api::new([routes]).expect("a sound API").into_router(&edge)
}

async fn round(router: &mut Router) -> f64 {
    let token = "eyJhbGciOiJFZERTQSJ9.".repeat(12);
    let started = Instant::now();
    for _ in 0..REQUESTS {
        let request = Request::get("/api/v1/things/thg_01J00000000000000000000001")
            .header("authorization", format!("Bearer {token}"))
            .header("x-tenant", "acme")
            .header("host", "localhost")
            .body(Body::empty())
            .expect("a request");
        let response = router.call(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        black_box(response);
    }
    started.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64
}

fn main() {
    let metrics = Metrics::install().expect("no other recorder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bare = Router::new().route("/api/v1/things/{id}", get(|| async { BODY }));
    let (mut bare, mut gated) = (bare, gated());
    runtime.block_on(async {
        let mut added = Vec::new();
        for _ in 0..ROUNDS {
            let (plain, full) = (round(&mut bare).await, round(&mut gated).await);
            println!("bare {plain:.2} us, gated {full:.2} us, added {:.2} us", full - plain);
            added.push(full - plain);
            metrics.fold();
        }
        added.sort_by(f64::total_cmp);
        println!("median added: {:.2} us per request", added[ROUNDS / 2]);
    });
}
