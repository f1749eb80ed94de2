//! Every route of the API's own table: without a token, without the permission, with it, and as another merchant
//! (IDN-4). A new route fails here until it has an example.

use std::collections::BTreeSet;

use edge::{Access, RouteAccess};
use http::Method;
use sales::problems::{SALES_DISCOUNT, SALES_PRICE};
use testkit::{Answer, App, Client};

use crate::support::{Example, Foreign, World, example};

/// The program with two merchants who have one of everything.
struct Stage {
    app: App,
    acme: World,
    routes: Vec<RouteAccess>,
}

impl Stage {
    async fn new() -> Self {
        let app = App::start().await.unwrap();
        app.add_tenant("acme").await.unwrap();
        app.add_tenant("bolt").await.unwrap();
        let acme = World::make(&app.member("acme", &["*"]).await.unwrap(), "Akanthus").await;
        let routes = app.parts.api().unwrap().access_table();
        assert!(routes.len() > 50, "the table has {} rows", routes.len());
        Self { app, acme, routes }
    }

    /// The routes with their examples; names every route that has none.
    fn examples(&self) -> Vec<(&RouteAccess, Example)> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for route in &self.routes {
            match example(route.operation, &self.acme) {
                Some(example) => found.push((route, example)),
                None => missing.push(format!("{} {} ({})", route.method, route.path, route.operation)),
            }
        }
        assert_eq!(
            missing,
            Vec::<String>::new(),
            "routes without an example in tests/it/support/examples.rs"
        );
        found
    }

    /// Every permission that any route asks for.
    fn permissions(&self) -> BTreeSet<&'static str> {
        let asked = self.routes.iter().filter_map(|route| match route.access {
            Access::Permission(permission) | Access::Owned(permission, _) => Some(permission.as_str()),
            _ => None,
        });
        asked.chain([SALES_DISCOUNT, SALES_PRICE].map(kernel::Permission::as_str)).collect()
    }
}

async fn ask(client: &Client, route: &RouteAccess, example: &Example) -> Answer {
    let path = match example.path.starts_with("/.well-known") {
        true => example.path.clone(),
        false => format!("{}{}", edge::API_PREFIX, example.path),
    };
    let mut call = client.call(route.method.clone(), &path);
    if route.method != Method::GET {
        call = call.key(&uuid::Uuid::now_v7().to_string());
    }
    if let Some((content_type, body)) = &example.body {
        call = call.body(content_type, body.clone());
    }
    call.send().await
}

#[track_caller]
fn is(answer: &Answer, route: &RouteAccess, status: u16, code: &str) {
    let shown = String::from_utf8_lossy(&answer.body);
    assert_eq!((answer.status, answer.code()), (status, code), "{} {}: {shown}", route.method, route.path);
}

// IDN-4
#[tokio::test]
async fn without_a_valid_token_every_route_but_the_public_ones_is_closed() {
    let stage = Stage::new().await;
    let stranger = stage.app.stranger().with_tenant("acme");
    for (route, example) in stage.examples() {
        let answer = ask(&stranger, route, &example).await;
        if matches!(route.access, Access::Public) {
            assert!(!matches!(answer.code(), "UNAUTHENTICATED" | "PERMISSION_DENIED"), "{route:?}");
            continue;
        }
        is(&answer, route, 401, "UNAUTHENTICATED");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        for forged in ["nonsense", "mhk_0000000000000000", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9."] {
            is(
                &ask(&stranger.clone().with_token(forged), route, &example).await,
                route,
                401,
                "UNAUTHENTICATED",
            );
        }
    }
}

// IDN-4: a token with every other permission does not help.
#[tokio::test]
async fn without_its_permission_every_route_is_refused() {
    let stage = Stage::new().await;
    let all = stage.permissions();
    for (route, example) in stage.examples() {
        match route.access {
            Access::Permission(needed) | Access::Owned(needed, _) => {
                let others: Vec<&str> = all.iter().copied().filter(|name| *name != needed.as_str()).collect();
                let member = stage.app.member("acme", &others).await.unwrap();
                is(&ask(&member, route, &example).await, route, 403, "PERMISSION_DENIED");
            }
            Access::Platform(needed) => {
                let admin = stage.app.member("acme", &["*"]).await.unwrap();
                is(&ask(&admin, route, &example).await, route, 403, "PERMISSION_DENIED");
                let names = ["*", "platform:something-else"];
                assert!(!names.contains(&needed.as_str()));
                let operator = stage.app.operator(&names).await.unwrap();
                is(&ask(&operator, route, &example).await, route, 403, "PERMISSION_DENIED");
            }
            Access::Public | Access::Authenticated | Access::OperatorNetwork(_) => {}
        }
    }
}

// IDN-4: the permission that is declared is the one that opens the route, alone.
#[tokio::test]
async fn with_its_permission_alone_every_route_is_open() {
    let stage = Stage::new().await;
    for (route, example) in stage.examples() {
        let caller = match route.access {
            Access::Permission(needed) | Access::Owned(needed, _) => {
                stage.app.member("acme", &[needed.as_str()]).await.unwrap()
            }
            Access::Platform(needed) => stage.app.operator(&[needed.as_str()]).await.unwrap(),
            Access::Public | Access::Authenticated | Access::OperatorNetwork(_) => {
                stage.app.member("acme", &[]).await.unwrap()
            }
        };
        let answer = ask(&caller, route, &example).await;
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 500, "{} {}: {shown}", route.method, route.path);
        let wrong_credentials =
            matches!(route.operation, "create_token" | "sign_in_customer" | "refresh_customer");
        let closed = matches!(answer.code(), "UNAUTHENTICATED" | "PERMISSION_DENIED" | "TENANT_MISMATCH");
        assert!(!closed || wrong_credentials, "{} {}: {shown}", route.method, route.path);
        // An example that is refused as malformed would prove nothing.
        assert_ne!(answer.code(), "VALIDATION_FAILED", "{} {}: {shown}", route.method, route.path);
        assert_ne!(answer.status, 405, "{} {}", route.method, route.path);
    }
}

// IDN-4, DPR-6
#[tokio::test]
async fn another_merchants_things_do_not_exist_on_any_route() {
    let stage = Stage::new().await;
    let other = stage.app.member("bolt", &["*"]).await.unwrap();
    // Its own shelf and till exist, so that nothing is refused for the want of them.
    World::make(&other, "Bolton").await;
    let before = count_things(&stage.app).await;
    for (route, example) in stage.examples() {
        let answer = ask(&other, route, &example).await;
        match example.foreign {
            Foreign::NotFound => {
                assert_eq!(answer.status, 404, "{} {}: {}", route.method, route.path, answer.json)
            }
            Foreign::Refused(status, code) => is(&answer, route, status, code),
            Foreign::Nothing => {}
        }
        let shown = String::from_utf8_lossy(&answer.body);
        for trace in stage.acme.traces() {
            // A refusal may repeat what the caller has said, nothing else.
            let said = example.path.contains(trace)
                || example
                    .body
                    .as_ref()
                    .is_some_and(|(_, body)| String::from_utf8_lossy(body).contains(trace));
            assert!(said || !shown.contains(trace), "{} {} tells {trace}: {shown}", route.method, route.path);
        }
    }
    assert_eq!(count_things(&stage.app).await, before, "nothing of acme changed");
}

/// How many rows acme has in each table, and when they last changed.
async fn count_things(app: &App) -> Vec<(String, i64)> {
    let client = app.databases.look().await.unwrap();
    let id = app.tenant("acme").await.unwrap().id;
    let mut counts = Vec::new();
    for (table, sum) in [
        ("catalog.product", "version"),
        ("inventory.shop", "1"),
        ("inventory.stock", "on_hand + reserved"),
        ("inventory.movement", "quantity"),
        ("customers.customer", "version"),
        ("payments.payment", "version"),
        ("payments.test_charge", "amount"),
        ("sales.sale", "gross"),
        ("sales.shift", "opening_float"),
        ("sales.cash_movement", "amount"),
    ] {
        let sql =
            format!("select count(*) + coalesce(sum({sum}), 0)::bigint from {table} where tenant_id = $1");
        counts.push((table.to_owned(), client.query_one(&sql, &[&id]).await.unwrap().get(0)));
    }
    counts
}

// IDN-3
#[tokio::test]
async fn a_token_of_one_merchant_opens_no_other() {
    let stage = Stage::new().await;
    let bolt = stage.app.tenant("bolt").await.unwrap().id;
    let token = stage.app.token(Some(bolt), &["*"]).await.unwrap();
    for (route, example) in stage.examples() {
        if !matches!(route.access, Access::Permission(_) | Access::Owned(..) | Access::Authenticated) {
            continue;
        }
        for slug in ["acme", "nobody"] {
            let caller = stage.app.stranger().with_tenant(slug).with_token(&token);
            is(&ask(&caller, route, &example).await, route, 403, "TENANT_MISMATCH");
        }
    }
}

// PLT-1, IDN-3
#[tokio::test]
async fn a_suspended_merchant_is_closed_on_every_route_at_once() {
    let stage = Stage::new().await;
    let member = stage.app.member("acme", &["*"]).await.unwrap();
    member.get("/products").await.is(200);
    let operator = stage.app.operator(&["platform:*"]).await.unwrap();
    operator.api(Method::POST, "/admin/tenants/acme/suspend").send().await.is(200);
    for (route, example) in stage.examples() {
        if matches!(route.access, Access::Permission(_) | Access::Owned(..)) {
            is(&ask(&member, route, &example).await, route, 403, "TENANT_SUSPENDED");
        }
    }
    operator.api(Method::POST, "/admin/tenants/acme/resume").send().await.is(200);
    member.get("/products").await.is(200);
}

// HTTP-12: what the operator's network sees without a token, others do not.
#[tokio::test]
async fn health_details_are_for_the_operator() {
    let stage = Stage::new().await;
    let here = stage.app.stranger();
    for path in ["/health", "/health/tenant/acme"] {
        here.call(Method::GET, path).send().await.is(200);
        // A proxy that nobody trusts stands in between: not the operator's network.
        let from_outside =
            |client: &Client| client.call(Method::GET, path).header("x-forwarded-for", "203.0.113.9");
        from_outside(&here).send().await.is_problem(401, "UNAUTHENTICATED");
        let admin = stage.app.member("acme", &["*"]).await.unwrap();
        from_outside(&admin).send().await.is_problem(403, "PERMISSION_DENIED");
        let operator = stage.app.operator(&["platform:health"]).await.unwrap();
        from_outside(&operator).send().await.is(200);
    }
    for path in ["/health/live", "/health/ready"] {
        here.call(Method::GET, path).header("x-forwarded-for", "203.0.113.9").send().await.is(200);
    }
}
