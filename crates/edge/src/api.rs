//! The whole API: every domain's routes, checked against each other, as router and as documents.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Router,
    routing::{MethodFilter, MethodRouter},
};
use http::{HeaderValue, Method};
use serde_json::Value;

use crate::{
    Access, Edge, Op, Routes,
    document::{self, Catalogue},
    gate, pages,
    routes::Endpoint,
};

/// The declarations contradict each other; every contradiction is named.
#[derive(Debug, thiserror::Error)]
#[error("the API contradicts itself:\n{}", .0.join("\n"))]
pub struct ApiError(pub Vec<String>);

/// Who may call which route: one row of the authorisation table (IDN-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteAccess {
    /// `GET`, `POST`, ..
    pub method: Method,
    /// The whole path with its parameters in braces.
    pub path: String,
    /// The operation id.
    pub operation: &'static str,
    /// Who may.
    pub access: Access,
}

/// The whole API of a process.
pub struct Api {
    endpoints: Vec<(Op, Endpoint)>,
    catalogue: Catalogue,
    openapi: Value,
}

impl Api {
    /// Puts the routes of all domains together.
    ///
    /// # Errors
    /// [`ApiError`] on two operations with one id or place, on codes or schemas with two meanings, on operations
    /// without access or success, and on handlers that take what is not declared.
    pub fn new(routes: impl IntoIterator<Item = Routes<()>>) -> Result<Self, ApiError> {
        let endpoints: Vec<_> = routes.into_iter().flat_map(Routes::into_endpoints).collect();
        let mut wrong = contradictions(&endpoints);
        let ops = || endpoints.iter().map(|(op, _)| op);
        let catalogue = document::catalogue(ops()).unwrap_or_else(|found| {
            wrong.extend(found);
            Catalogue::default()
        });
        let openapi = document::openapi(ops()).unwrap_or_else(|found| {
            wrong.extend(found);
            Value::Null
        });
        if wrong.is_empty() { Ok(Self { endpoints, catalogue, openapi }) } else { Err(ApiError(wrong)) }
    }

    /// The OpenAPI 3.1 document.
    #[must_use]
    pub fn openapi(&self) -> &Value {
        &self.openapi
    }

    /// The text of `docs/errors.md`.
    #[must_use]
    pub fn errors_markdown(&self) -> String {
        self.catalogue.markdown()
    }

    /// The page at `/api/errors`.
    #[must_use]
    pub fn errors_html(&self) -> String {
        self.catalogue.html()
    }

    /// Every problem code by name.
    pub fn codes(&self) -> impl Iterator<Item = kernel::Code> {
        self.catalogue.0.values().map(|entry| entry.code)
    }

    /// The authorisation table: every route of the API and who may call it.
    #[must_use]
    pub fn access_table(&self) -> Vec<RouteAccess> {
        let row = |op: &Op| RouteAccess {
            method: op.method.clone(),
            path: op.full_path(),
            operation: op.id,
            access: op.access.unwrap_or(Access::Public),
        };
        self.endpoints.iter().map(|(op, _)| row(op)).collect()
    }

    /// The router: every endpoint behind the gate, wrong methods 405, unknown paths 404.
    pub fn into_router(self, edge: &Edge) -> Router {
        let documents = pages::routes(&self.openapi, self.catalogue.html()).into_endpoints();
        let mut by_path: BTreeMap<String, Vec<(Op, Endpoint)>> = BTreeMap::new();
        for (op, endpoint) in self.endpoints.into_iter().chain(documents) {
            by_path.entry(op.full_path()).or_default().push((op, endpoint));
        }
        let mut router = Router::new();
        for (path, endpoints) in by_path {
            let allow = allowed(endpoints.iter().map(|(op, _)| &op.method));
            let (relative, at_root) = endpoints.first().map_or(("", true), |(op, _)| (op.path, op.at_root));
            let mut methods = MethodRouter::new();
            for (op, endpoint) in endpoints {
                let filter = filter(&op.method);
                methods = methods.on_service(filter, gate::service(edge, op, endpoint, None));
            }
            let (op, endpoint) = gate::not_allowed_endpoint(relative, at_root, allow.clone());
            methods = methods.fallback_service(gate::service(edge, op, endpoint, Some(allow)));
            router = router.route(&path, methods);
        }
        let (op, endpoint) = gate::not_found_endpoint();
        router.fallback_service(gate::service(edge, op, endpoint, None))
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("operations", &self.endpoints.len()).finish_non_exhaustive()
    }
}

fn filter(method: &Method) -> MethodFilter {
    match *method {
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::DELETE => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}

/// The `Allow` header of a path; HEAD comes with GET.
fn allowed<'a>(methods: impl Iterator<Item = &'a Method>) -> HeaderValue {
    let mut names: BTreeSet<&str> = methods.map(Method::as_str).collect();
    if names.contains("GET") {
        names.insert("HEAD");
    }
    let text = names.into_iter().collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("GET"))
}

fn contradictions(endpoints: &[(Op, Endpoint)]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for (op, _) in endpoints {
        let place = format!("{} {}", op.method, op.full_path());
        if !ids.insert(op.id) {
            wrong.push(format!("two operations are named {}", op.id));
        }
        if !places.insert(place.clone()) {
            wrong.push(format!("two operations are at {place}"));
        }
        if op.access.is_none() {
            wrong.push(format!("{} declares no permission", op.id));
        }
        if op.success.is_empty() {
            wrong.push(format!("{} declares no success status", op.id));
        }
        let (names, schemas) = (op.path_names().count(), op.path_schemas.len());
        if names != schemas && !op.hidden {
            wrong.push(format!("{} has {names} path parameters, its handler takes {schemas}", op.id));
        }
        wrong.extend(op.defects.iter().map(|defect| format!("{} {defect}", op.id)));
    }
    wrong
}
