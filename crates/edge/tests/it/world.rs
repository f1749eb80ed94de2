//! A small API behind the gate, and a client that calls it without a network.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::State};
use edge::{
    Api, AuthError, Edge, EdgeConfig, EdgeParts, Idempotency, IdempotencyKey, Identity, IfMatch, Json,
    LimitsConfig, Op, Operator, Path, Principal, Problem, Query, Registry, RegistryError, Reply, Routes,
    SecurityEvent, SecurityEvents, Tenanted, Visitor,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use kernel::{
    Actor, Clock, Code, Currency, Flags, Permission, PermissionSet, Placement, Tenant, TenantId,
    TenantSettings, TenantStatus, Tier, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::{IntoParams, ToSchema};

kernel::id!(ThingId, "thg");

pub(crate) const THINGS_READ: Permission = Permission::new("things:read");
pub(crate) const THINGS_WRITE: Permission = Permission::new("things:write");
pub(crate) const PLATFORM_THINGS: Permission = Permission::new("platform:things");
pub(crate) const THING_BROKEN: Code = Code::new("THING_BROKEN", 422, "The thing is broken.", "Mend it.");
pub(crate) const NOW: &str = "2026-11-21T10:15:00Z";

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewThing {
    /// What people call it.
    #[garde(length(chars, min = 1, max = 20))]
    #[schema(min_length = 1, max_length = 20)]
    pub(crate) display_name: String,
    /// How many.
    #[garde(range(min = 0, max = 1000))]
    #[schema(minimum = 0, maximum = 1000)]
    pub(crate) count: i64,
    /// Its parts.
    #[serde(default)]
    #[garde(length(max = 3), dive)]
    #[schema(max_items = 3)]
    pub(crate) parts: Vec<Part>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub(crate) notes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Part {
    #[garde(length(chars, max = 5))]
    #[schema(max_length = 5)]
    pub(crate) short_name: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Thing {
    pub(crate) id: ThingId,
    pub(crate) display_name: String,
    pub(crate) count: i64,
    pub(crate) version: i32,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[garde(allow_unvalidated)]
pub(crate) struct ListThings {
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Only those of this colour.
    #[garde(length(chars, max = 10))]
    #[param(max_length = 10)]
    colour: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Things(Arc<Mutex<BTreeMap<ThingId, Thing>>>);

impl Things {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

pub(crate) fn routes() -> Routes<Things> {
    Routes::new("Things")
        .add(
            Op::post("/things", "create_thing", "Makes a thing")
                .permission(THINGS_WRITE)
                .body::<NewThing>()
                .returns::<Thing>(201)
                .idempotency(IdempotencyKey::Required)
                .problems(&[THING_BROKEN]),
            create_thing,
        )
        .add(
            Op::get("/things", "list_things", "Things, page by page")
                .permission(THINGS_READ)
                .query::<ListThings>()
                .returns::<Page<Thing>>(200),
            list_things,
        )
        .add(
            Op::get("/things/{id}", "get_thing", "One thing")
                .permission(THINGS_READ)
                .returns::<Thing>(200)
                .etag(),
            get_thing,
        )
        .add(
            Op::put("/things/{id}", "update_thing", "Changes a thing")
                .permission(THINGS_WRITE)
                .body::<NewThing>()
                .returns::<Thing>(200)
                .if_match(),
            update_thing,
        )
        .add(
            Op::delete("/things/{id}", "delete_thing", "Removes a thing")
                .permission(THINGS_WRITE)
                .returns_nothing(204),
            delete_thing,
        )
        .add(Op::get("/me", "get_me", "Who am I").authenticated().returns::<Value>(200), get_me)
        .add(Op::get("/open", "get_open", "For everybody").public().returns::<Value>(200), get_open)
        .add(
            Op::get("/platform", "get_platform", "For operators")
                .platform(PLATFORM_THINGS)
                .returns::<Value>(200),
            get_platform,
        )
}

async fn create_thing(
    State(things): State<Things>,
    Tenanted(_ctx): Tenanted,
    _key: Idempotency,
    Json(input): Json<NewThing>,
) -> Result<Reply, Problem> {
    match input.display_name.as_str() {
        "broken" => {
            return Err(Problem::new(THING_BROKEN).pointer("/displayName", THING_BROKEN, "is broken"));
        }
        "panic" => panic!("secret panic text"),
        "undeclared" => {
            return Err(Problem::new(Code::new("NEVER_DECLARED", 409, "Never declared.", "Declare it.")));
        }
        _ => {}
    }
    let thing =
        Thing { id: ThingId::new(), display_name: input.display_name, count: input.count, version: 1 };
    things.0.lock().unwrap().insert(thing.id, thing.clone());
    Ok(Reply::created(format!("/api/v1/things/{}", thing.id), &thing).etag("1"))
}

async fn list_things(
    State(things): State<Things>,
    _ctx: Tenanted,
    Query(query): Query<ListThings>,
) -> Result<Reply, Problem> {
    let after: Option<ThingId> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let things = things.0.lock().unwrap();
    let take = usize::try_from(query.limit.sql()).unwrap();
    let later = things.values().filter(|thing| after.is_none_or(|after| thing.id > after));
    let rows: Vec<_> = later.take(take).cloned().collect();
    Ok(Reply::ok(&Page::from_rows(rows, query.limit, |thing| thing.id)))
}

async fn get_thing(
    State(things): State<Things>,
    _ctx: Tenanted,
    Path(id): Path<ThingId>,
) -> Result<Reply, Problem> {
    let things = things.0.lock().unwrap();
    let thing = things.get(&id).ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(thing).etag(&thing.version.to_string()))
}

async fn update_thing(
    State(things): State<Things>,
    _ctx: Tenanted,
    Path(id): Path<ThingId>,
    wanted: IfMatch,
    Json(input): Json<NewThing>,
) -> Result<Reply, Problem> {
    let mut things = things.0.lock().unwrap();
    let thing = things.get_mut(&id).ok_or_else(Problem::not_found)?;
    wanted.check(&thing.version.to_string())?;
    (thing.display_name, thing.count) = (input.display_name, input.count);
    thing.version += 1;
    Ok(Reply::ok(thing).etag(&thing.version.to_string()))
}

async fn delete_thing(
    State(things): State<Things>,
    _ctx: Tenanted,
    Path(id): Path<ThingId>,
) -> Result<Reply, Problem> {
    things.0.lock().unwrap().remove(&id).ok_or_else(Problem::not_found)?;
    Ok(Reply::no_content())
}

async fn get_me(Operator(caller): Operator) -> Reply {
    Reply::ok(&serde_json::json!({
        "actor": caller.actor.to_string(),
        "correlationId": &*caller.correlation_id,
        "trace": caller.trace.map(|trace| trace.0.to_string()),
    }))
}

async fn get_open(visitor: Visitor) -> Reply {
    Reply::ok(&serde_json::json!({
        "tenant": visitor.tenant.map(|tenant| tenant.slug.to_string()),
        "address": visitor.address,
    }))
}

async fn get_platform(_caller: Operator) -> Reply {
    Reply::ok(&serde_json::json!({}))
}

/// Knows tokens by their text: `acme-things:read,things:write`, `platform-platform:things`, `expired`, `away`.
pub(crate) struct FakeIdentity;

#[async_trait]
impl Identity for FakeIdentity {
    async fn authenticate(&self, bearer: &str, now: Timestamp) -> Result<Arc<Principal>, AuthError> {
        match bearer {
            "expired" => return Err(AuthError::Expired),
            "away" => return Err(AuthError::Unavailable("key server".to_owned())),
            _ => {}
        }
        let (tenant, permissions) = bearer.split_once('-').ok_or(AuthError::Invalid("forged"))?;
        let tenant = tenants().into_iter().find(|known| &*known.slug == tenant).map(|known| known.id);
        if tenant.is_none() && !bearer.starts_with("platform-") {
            return Err(AuthError::Invalid("forged"));
        }
        Ok(Arc::new(Principal {
            actor: Actor::User("usr_01J00000000000000000000001".into()),
            tenant,
            permissions: PermissionSet::new(permissions.split(',')),
            expires_at: now + jiff::SignedDuration::from_secs(60),
        }))
    }
}

pub(crate) struct FakeRegistry(Vec<Arc<Tenant>>);

impl Default for FakeRegistry {
    fn default() -> Self {
        Self(tenants())
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn find_tenant(&self, slug: &str) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(self.0.iter().find(|tenant| &*tenant.slug == slug).cloned())
    }

    async fn find_tenant_by_id(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(self.0.iter().find(|tenant| tenant.id == id).cloned())
    }

    async fn knows_origin(&self, origin: &str) -> Result<bool, RegistryError> {
        Ok(self.0.iter().any(|tenant| tenant.settings.cors_origins.iter().any(|known| known == origin)))
    }
}

fn tenants() -> Vec<Arc<Tenant>> {
    let tenant = |number: u128, slug: &str, status, origin: &str| {
        Arc::new(Tenant {
            id: TenantId(uuid::Uuid::from_u128(number)),
            slug: slug.into(),
            name: slug.into(),
            tier: Tier::Standard,
            status,
            currency: "EUR".parse::<Currency>().unwrap(),
            settings: TenantSettings { cors_origins: vec![origin.to_owned()], ..TenantSettings::default() },
            placement: Placement { shard: "main".into(), database: "none".into(), dedicated: false },
            rate_limit: None,
            flags: Flags::default(),
            spending: kernel::Spending::default(),
        })
    };
    vec![
        tenant(1, "acme", TenantStatus::Active, "https://acme.example"),
        tenant(2, "bolt", TenantStatus::Active, "https://bolt.example"),
        tenant(3, "gone", TenantStatus::Suspended, "https://gone.example"),
    ]
}

/// The usual settings without rate limits: a test calls more often than any user.
pub(crate) fn unlimited() -> EdgeConfig {
    let limits = LimitsConfig { enabled: false, ..LimitsConfig::default() };
    EdgeConfig { limits, ..EdgeConfig::default() }
}

#[derive(Default)]
pub(crate) struct Recorded(pub(crate) Mutex<Vec<SecurityEvent>>);

impl SecurityEvents for Recorded {
    fn record(&self, event: SecurityEvent) {
        self.0.lock().unwrap().push(event);
    }
}

pub(crate) struct World {
    pub(crate) edge: Edge,
    pub(crate) clock: Clock,
    pub(crate) router: Router,
    pub(crate) things: Things,
    pub(crate) events: Arc<Recorded>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(unlimited(), Vec::new())
    }

    pub(crate) fn with(config: EdgeConfig, more: Vec<Routes<()>>) -> Self {
        Self::sharing(config, more, None)
    }

    pub(crate) fn sharing(config: EdgeConfig, more: Vec<Routes<()>>, redis: Option<cache::Redis>) -> Self {
        let events = Arc::new(Recorded::default());
        let clock = Clock::fake(NOW.parse().unwrap());
        let edge = {
            let (identity, registry) = (Arc::new(FakeIdentity), Arc::new(FakeRegistry::default()));
            let (security, clock) = (events.clone(), clock.clone());
            Edge::with_parts(
                config,
                EdgeParts { identity, registry, security, clock, redis, audit: None, meter: None },
            )
        };
        let things = Things::default();
        let all = std::iter::once(routes().with_state(things.clone())).chain(more);
        let router = Api::new(all).unwrap().into_router(&edge);
        Self { edge, clock, router, things, events }
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        let response = self.router.clone().oneshot(call.0).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body: body.to_vec(), json }
    }

    pub(crate) async fn make_thing(&self) -> Answer {
        self.send(Call::post("/api/v1/things").token("acme-*").key("k").json(THING)).await
    }
}

pub(crate) const THING: &str = r#"{"displayName":"Lamp","count":3}"#;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.code()),
            (status, code),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }
}

pub(crate) struct Call(Request<Body>);

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self(Request::builder().method(method).uri(path).body(Body::empty()).unwrap())
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: &str) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.headers_mut().append(name, value.parse().unwrap());
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn tenant(self, slug: &str) -> Self {
        self.header("x-tenant", slug)
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: impl Into<Body>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.0.body_mut() = body.into();
        self
    }
}
