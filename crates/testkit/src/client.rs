//! A caller of the API: who they are goes along with every call; answers come with status, headers and JSON.

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

/// How calls travel.
#[derive(Clone, Debug)]
enum Way {
    /// By function call, without a network.
    Router(Router),
    /// By TCP to this address.
    #[cfg(feature = "app")]
    Network(reqwest::Client, std::net::SocketAddr),
}

/// Somebody who calls an API; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    way: Way,
    headers: HeaderMap,
}

impl Client {
    /// A caller of `router` whom nobody knows.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { way: Way::Router(router), headers: HeaderMap::new() }
    }

    /// A caller of the server at `address` whom nobody knows.
    #[cfg(feature = "app")]
    #[must_use]
    pub fn of_server(http: reqwest::Client, address: std::net::SocketAddr) -> Self {
        Self { way: Way::Network(http, address), headers: HeaderMap::new() }
    }

    /// The same caller with this bearer token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with_header(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// The same caller naming this tenant.
    #[must_use]
    pub fn with_tenant(self, slug: &str) -> Self {
        self.with_header(HeaderName::from_static("x-tenant"), slug)
    }

    /// The same caller sending this header with every call.
    ///
    /// # Panics
    /// When the value cannot be a header's.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake in the test itself")]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        let Ok(value) = HeaderValue::try_from(value) else { panic!("{value:?} is not a header's value") };
        self.headers.insert(name, value);
        self
    }

    /// A call of any method to a path as written (`/health/live`, `/api/v1/products`).
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call { client: self.clone(), method, path: path.to_owned(), body: Vec::new() }
    }

    /// Reads what is at `path` of the API (`/products`).
    pub async fn get(&self, path: &str) -> Answer {
        self.api(Method::GET, path).send().await
    }

    /// Deletes what is at `path` of the API.
    pub async fn delete(&self, path: &str) -> Answer {
        self.api(Method::DELETE, path).send().await
    }

    /// Posts `body` to `path` of the API under a fresh idempotency key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.api(Method::POST, path).key(&uuid::Uuid::now_v7().to_string()).json(&body).send().await
    }

    /// Puts `body` to `path` of the API.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.api(Method::PUT, path).json(&body).send().await
    }

    /// A call to `path` of the API, to be given headers and a body.
    pub fn api(&self, method: Method, path: &str) -> Call {
        self.call(method, &format!("{}{path}", edge::API_PREFIX))
    }
}

/// A call on its way.
#[derive(Debug)]
#[must_use]
pub struct Call {
    client: Client,
    method: Method,
    path: String,
    body: Vec<u8>,
}

impl Call {
    /// How it asks.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// With this header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.client = self.client.with_header(HeaderName::from_static(name), value);
        self
    }

    /// Under this idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With this JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With these bytes of this type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it.
    ///
    /// # Panics
    /// When the path is none, or the answer breaks off: no test expects that.
    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap_or_else(|error| no_answer(&error))
    }

    /// Sends it to a server that may be going away.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn try_send(self) -> anyhow::Result<Answer> {
        match self.client.way {
            Way::Router(router) => {
                let mut request =
                    Request::builder().method(self.method).uri(self.path).body(Body::from(self.body))?;
                *request.headers_mut() = self.client.headers;
                let Ok(response) = router.oneshot(request).await;
                let (parts, body) = response.into_parts();
                let body = body.collect().await?.to_bytes();
                Ok(Answer::new(parts.status.as_u16(), parts.headers, body.to_vec()))
            }
            #[cfg(feature = "app")]
            Way::Network(http, address) => {
                let request = http.request(self.method, format!("http://{address}{}", self.path));
                let response = request.headers(self.client.headers).body(self.body).send().await?;
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                Ok(Answer::new(status, headers, response.bytes().await?.to_vec()))
            }
        }
    }
}

#[expect(clippy::panic, reason = "a mistake in the test itself, or a server that has died")]
fn no_answer(error: &anyhow::Error) -> ! {
    panic!("no answer: {error:#}")
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The bytes.
    pub body: Vec<u8>,
    /// The bytes as JSON; null when they are none.
    pub json: Value,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self { status, headers, body, json }
    }

    /// A header's text; empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The problem's code; empty when it is no problem.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    /// The text at a JSON pointer; empty when there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }

    /// Goes on only with this status.
    ///
    /// # Panics
    /// With another one, showing the whole answer.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn is(self, status: u16) -> Self {
        if self.status != status {
            panic!("expected {status}, got {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        self
    }

    /// Goes on only with this problem.
    ///
    /// # Panics
    /// With any other answer, showing it whole.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn is_problem(self, status: u16, code: &str) -> Self {
        if (self.status, self.code()) != (status, code) {
            let body = String::from_utf8_lossy(&self.body);
            panic!("expected {status} {code}, got {} {}: {body}", self.status, self.code());
        }
        self
    }

    /// The JSON as `T`.
    ///
    /// # Panics
    /// When it is none, showing it.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&self.body)),
        }
    }
}
