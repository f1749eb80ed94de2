//! The pages about the API: the OpenAPI document, its browser, the catalogue of problem codes (HTTP-2, HTTP-4).

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, Uri, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::Config;

use crate::{Op, Problem, Reply, Routes, problem::ERRORS_PATH};

const OPENAPI_PATH: &str = "/api/openapi.json";
const DOCS_PATH: &str = "/api/docs/";
/// The browser's own scripts and styles only; it draws some of its images from `data:` addresses.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// The files of the browser that are served, with their media types.
const FILES: [(&str, &str); 8] = [
    ("", "text/html; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("index.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8"),
    ("swagger-initializer.js", "text/javascript; charset=utf-8"),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
];

#[derive(Clone)]
struct Pages {
    openapi: Bytes,
    openapi_tag: Arc<str>,
    errors: Bytes,
    config: Arc<Config<'static>>,
}

/// The routes of the pages; added to every API by itself.
pub(crate) fn routes(openapi: &Value, errors: String) -> Routes<()> {
    let openapi = Bytes::from(openapi.to_string());
    let hash = Sha256::digest(&openapi);
    let tag: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let config = Config::from(OPENAPI_PATH).validator_url("none").use_base_layout();
    let state =
        Pages { openapi, openapi_tag: tag.into(), errors: Bytes::from(errors), config: Arc::new(config) };
    let page = |path, id, summary| Op::get(path, id, summary).public().at_root().hidden();
    let html = "text/html; charset=utf-8";
    Routes::new("Pages")
        .add(
            page(OPENAPI_PATH, "get_openapi", "The OpenAPI document")
                .etag()
                .returns_raw(200, "application/json"),
            get_openapi,
        )
        .add(
            page("/api/docs", "get_docs_address", "The browser's address").returns_nothing(308),
            get_docs_address,
        )
        .add(page(DOCS_PATH, "get_docs", "The browser").returns_raw(200, html), get_docs)
        .add(
            page("/api/docs/{*file}", "get_docs_file", "A file of the browser").returns_raw(200, html),
            get_docs,
        )
        .add(page(ERRORS_PATH, "get_errors", "The problem codes").returns_raw(200, html), get_errors)
        .with_state(state)
}

async fn get_openapi(State(pages): State<Pages>) -> Reply {
    Reply::bytes(StatusCode::OK, pages.openapi, Some(&pages.openapi_tag))
}

async fn get_docs_address() -> Reply {
    Reply::bytes(StatusCode::PERMANENT_REDIRECT, Bytes::new(), None).location(DOCS_PATH)
}

async fn get_docs(State(pages): State<Pages>, uri: Uri) -> Result<Reply, Problem> {
    let name = uri.path().strip_prefix(DOCS_PATH).unwrap_or("");
    let (name, kind) = FILES.iter().find(|(known, _)| *known == name).ok_or_else(Problem::not_found)?;
    let file = utoipa_swagger_ui::serve(name, pages.config)
        .map_err(Problem::internal)?
        .ok_or_else(Problem::not_found)?;
    let body = Bytes::from(file.bytes.into_owned());
    Ok(Reply::raw(StatusCode::OK, kind, body)
        .header(header::CONTENT_SECURITY_POLICY, DOCS_POLICY)
        .header(header::CACHE_CONTROL, AN_HOUR))
}

async fn get_errors(State(pages): State<Pages>) -> Reply {
    Reply::raw(StatusCode::OK, "text/html; charset=utf-8", pages.errors)
        .header(header::CACHE_CONTROL, AN_HOUR)
}
