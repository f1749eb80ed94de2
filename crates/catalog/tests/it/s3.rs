//! Images in a store that speaks S3.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, Response, StatusCode},
};
use catalog::ObjectsConfig;
use tokio::net::TcpListener;

use crate::{
    fixture::{Market, product},
    images::{below_api, png, send},
};

type Bucket = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// As much of S3 as is used: one object written, read and removed at a time, by whoever has the key's name.
async fn answer(State(bucket): State<Bucket>, request: Request) -> Response<Body> {
    let signed = request
        .headers()
        .get("authorization")
        .is_some_and(|value| value.to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=name/"));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = to_bytes(request.into_body(), 10 << 20).await.unwrap().to_vec();
    let (status, body) = match method {
        _ if !signed => (StatusCode::FORBIDDEN, Vec::new()),
        Method::PUT => {
            bucket.lock().unwrap().insert(path, body);
            (StatusCode::OK, Vec::new())
        }
        Method::DELETE => {
            bucket.lock().unwrap().remove(&path);
            (StatusCode::NO_CONTENT, Vec::new())
        }
        _ => match bucket.lock().unwrap().get(&path) {
            Some(found) => (StatusCode::OK, found.clone()),
            None => (StatusCode::NOT_FOUND, Vec::new()),
        },
    };
    let answer = Response::builder()
        .status(status)
        .header("etag", "\"1\"")
        .header("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT");
    answer.body(Body::from(body)).unwrap()
}

// CAT-1: the object store speaks S3 when configured.
#[tokio::test(flavor = "multi_thread")]
async fn images_are_written_to_and_read_and_removed_from_a_bucket() {
    let bucket = Bucket::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(bucket.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let market = Market::with_objects(ObjectsConfig {
        url: Some("s3://shop".to_owned()),
        endpoint: Some(format!("http://{address}")),
        access_key_id: Some("name".into()),
        secret_access_key: Some("hush".into()),
        allow_http: true,
        ..ObjectsConfig::default()
    })
    .await;
    let id = market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned();
    let made = send(&market, &id, png(8, 6)).await.is(201);
    let kept: Vec<String> = bucket.lock().unwrap().keys().cloned().collect();
    assert!(kept.len() == 1 && kept[0].starts_with("/shop/images/"), "{kept:?}");
    let seen = market.site.stranger().get(below_api(made.text("/url"))).await.is(200);
    assert_eq!((seen.body, market.count_objects()), (png(8, 6), 0));
    market.clerk.delete(&format!("/products/{id}/images/{}", made.text("/id"))).await.is(204);
    assert!(bucket.lock().unwrap().is_empty());
    market.site.stranger().get(below_api(made.text("/url"))).await.is_problem(404, "IMAGE_NOT_FOUND");
    server.abort();
}
