//! HTTP-2: every failure is a problem document.

use http::Method;

use crate::world::{Call, World};

#[tokio::test]
async fn a_problem_has_all_standard_members() {
    let world = World::new();
    let body = r#"{"displayName":"broken","count":1}"#;
    let call =
        Call::post("/api/v1/things").token("acme-*").key("k").header("x-correlation-id", "abc").json(body);
    let answer = world.send(call).await.is(422, "THING_BROKEN");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let trace_id = answer.json["traceId"].as_str().unwrap().to_owned();
    assert_eq!(trace_id.len(), 32);
    assert_eq!(
        answer.json,
        serde_json::json!({
            "type": "/api/errors#THING_BROKEN",
            "title": "The thing is broken.",
            "status": 422,
            "instance": "/api/v1/things",
            "code": "THING_BROKEN",
            "correlationId": "abc",
            "traceId": trace_id,
            "errors": [{ "pointer": "/displayName", "code": "THING_BROKEN", "detail": "is broken" }],
        })
    );
}

#[tokio::test]
async fn the_type_leads_to_an_explanation() {
    let world = World::new();
    let problem = world.send(Call::get("/api/v1/nowhere")).await.is(404, "NOT_FOUND");
    let (page, anchor) = problem.json["type"].as_str().unwrap().split_once('#').unwrap();
    let page = world.send(Call::get(page)).await;
    assert!(String::from_utf8(page.body).unwrap().contains(&format!("id=\"{anchor}\"")));
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_ones() {
    let world = World::new();
    for method in [Method::PATCH, Method::DELETE, Method::PUT, Method::TRACE, Method::OPTIONS] {
        let answer = world.send(Call::new(method, "/api/v1/things")).await.is(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST");
    }
}

#[tokio::test]
async fn a_head_request_is_a_read_without_its_body() {
    let world = World::new();
    let answer = world.send(Call::new(Method::HEAD, "/api/v1/things").token("acme-*")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}

#[tokio::test]
async fn a_panic_is_a_problem_without_details() {
    let world = World::new();
    let body = r#"{"displayName":"panic","count":1}"#;
    let call = Call::post("/api/v1/things").token("acme-*").key("k").json(body);
    let answer = world.send(call).await.is(500, "INTERNAL");
    assert!(!String::from_utf8(answer.body).unwrap().contains("secret"));
    assert_eq!(world.edge.in_flight(), 0);
    world.send(Call::get("/api/v1/open")).await.is(200, "");
}

#[tokio::test]
async fn a_code_that_the_operation_does_not_declare_fails_loudly_in_tests() {
    let world = World::new();
    let body = r#"{"displayName":"undeclared","count":1}"#;
    let answer = world.send(Call::post("/api/v1/things").token("acme-*").key("k").json(body)).await;
    let answer = answer.is(500, "INTERNAL");
    assert!(answer.json["detail"].as_str().unwrap().contains("NEVER_DECLARED"));
}
