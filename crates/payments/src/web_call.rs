//! Calls to providers over HTTP: TLS except to this machine, no redirects, answers of bounded size, a breaker around each
//! provider.

use std::{sync::Arc, time::Duration};

use kernel::TraceParent;
use reqwest::{Client, Method, Request, RequestBuilder, Url, header::HeaderValue, redirect::Policy};
use resilience::{Breaker, Breakers, Guarded, Probe};
use serde_json::Value as Json;
use traces::{Kind, Span};

/// The largest answer that is read, in bytes.
const MOST_ANSWER: usize = 1 << 20;

/// No whole answer came: what the call did is not known. Never holds what was sent or came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoAnswer(pub(crate) String);

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Null when the body is no JSON.
    pub(crate) json: Json,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The request was understood and refused: it has had no effect. A conflict or a full queue says nothing of the kind.
    pub(crate) fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) && !matches!(self.status, 408 | 409 | 425 | 429)
    }

    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer)?.as_str()
    }
}

/// Where a provider's API is.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    client: Client,
    base: Url,
    breaker: Breaker,
}

impl Site {
    /// The API of the provider `name` at `base`, as the configuration names it; `limit` is what whole calls, of several
    /// requests perhaps, may take.
    ///
    /// # Errors
    /// As [`read_base`].
    pub(crate) fn new(name: &str, base: &str, limit: Duration, breakers: &Breakers) -> Result<Self, String> {
        let base = read_base(base)?;
        let agent = concat!("markethall/", env!("CARGO_PKG_VERSION"));
        // A request that gets no answer is to be known as such before the whole call is given up.
        let client = Client::builder().redirect(Policy::none()).user_agent(agent).timeout(limit * 9 / 10);
        let client = client.build().map_err(|error| error.to_string())?;
        let breaker = breakers.of(&format!("payments:{name}"), probe(&client, &base));
        Ok(Self { client, base, breaker })
    }

    /// A request to `path`, which begins with a slash and is made of constants and checked names.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let place = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        self.client.request(method, place)
    }

    /// Sends a request, in the trace of what it is for, and reads the answer.
    ///
    /// # Errors
    /// [`NoAnswer`] when it does not arrive whole or is too large, and at once while the provider is left alone.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        trace: Option<&TraceParent>,
    ) -> Result<Answer, NoAnswer> {
        let answer = async {
            match send(request, trace).await {
                // An answer, but none that says what the call did.
                Ok(answer) if answer.status >= 500 => Err(Silence::Failure(answer)),
                Ok(answer) => Ok(answer),
                Err(none) => Err(Silence::NoAnswer(none)),
            }
        };
        match self.breaker.run(|_| true, answer).await {
            Ok(answer) | Err(Guarded::Failed(Silence::Failure(answer))) => Ok(answer),
            Err(Guarded::Failed(Silence::NoAnswer(none))) => Err(none),
            Err(Guarded::Open(open)) => Err(NoAnswer(format!("not asked: {open}"))),
        }
    }
}

/// What counts as being away.
enum Silence {
    Failure(Answer),
    NoAnswer(NoAnswer),
}

/// The address of an API.
///
/// # Errors
/// A sentence when it is not an https address, or one of this machine.
pub(crate) fn read_base(base: &str) -> Result<Url, String> {
    let refused = || format!("{base:?} is not an https address");
    let url = Url::parse(base).map_err(|_| refused())?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if plain && url.has_host() && (url.scheme() == "https" || url.scheme() == "http" && local) {
        Ok(url)
    } else {
        Err(refused())
    }
}

/// Whether anything but a failure comes back from there.
fn probe(client: &Client, base: &Url) -> Probe {
    let (client, base) = (client.clone(), base.clone());
    Arc::new(move || {
        let asking = client.get(base.clone()).send();
        Box::pin(async move { asking.await.is_ok_and(|answer| !answer.status().is_server_error()) })
    })
}

async fn send(request: RequestBuilder, trace: Option<&TraceParent>) -> Result<Answer, NoAnswer> {
    let mut span = Span::none();
    let answer = send_within(&mut span, request, trace).await;
    match &answer {
        Ok(answer) => span.set("http.response.status_code", answer.status),
        Err(_) => span.fail("no_answer"),
    }
    if answer.as_ref().is_ok_and(|answer| answer.status >= 500) {
        span.fail("5xx");
    }
    answer
}

async fn send_within(
    span: &mut Span,
    request: RequestBuilder,
    trace: Option<&TraceParent>,
) -> Result<Answer, NoAnswer> {
    let broken = |error: reqwest::Error| NoAnswer(error.without_url().to_string());
    let (client, request) = request.build_split();
    let mut request = request.map_err(broken)?;
    *span = traced(&mut request, trace);
    let mut answer = client.execute(request).await.map_err(broken)?;
    let status = answer.status().as_u16();
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_ANSWER {
            return Err(NoAnswer("the answer is too large".to_owned()));
        }
    }
    Ok(Answer { status, json: serde_json::from_slice(&bytes).unwrap_or(Json::Null) })
}

/// The span of a request, and the request marked as part of it.
fn traced(request: &mut Request, trace: Option<&TraceParent>) -> Span {
    let mut span = Span::child(trace, Kind::Client, || request.method().to_string().into());
    let Some(own) = span.context() else { return span };
    span.set("http.request.method", request.method().to_string());
    span.set("server.address", request.url().host_str().unwrap_or_default().to_owned());
    if let Some(port) = request.url().port_or_known_default() {
        span.set("server.port", port);
    }
    if let Ok(own) = HeaderValue::from_str(&own.0) {
        request.headers_mut().insert("traceparent", own);
    }
    span
}

/// A provider's name for something, if it can stand in a path.
pub(crate) fn path_name(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (!text.is_empty() && text.len() <= 255 && text.bytes().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    // PAY-1
    #[test]
    fn providers_are_asked_over_https_or_on_this_machine() {
        for base in
            ["https://api.stripe.com", "http://127.0.0.1:8420", "http://localhost:1/x", "http://[::1]:9"]
        {
            assert!(read_base(base).is_ok(), "{base}");
        }
        for base in ["http://api.stripe.com", "ftp://x", "https://a:b@x", "https://x/?y", "x", ""] {
            assert!(read_base(base).is_err(), "{base}");
        }
    }

    #[test]
    fn only_plain_names_stand_in_paths() {
        assert_eq!(path_name("pi_3Abc-9"), Some("pi_3Abc-9"));
        for text in ["", "a/b", "..", "a?b", "ä", &"x".repeat(256)] {
            assert_eq!(path_name(text), None, "{text}");
        }
    }

    #[test]
    fn a_conflict_or_a_full_queue_is_no_refusal() {
        let refusal = |status| Answer { status, json: Json::Null }.is_refusal();
        assert!(refusal(400) && refusal(402) && refusal(404));
        assert!(![200, 302, 408, 409, 425, 429, 500, 503].into_iter().any(refusal));
    }
}
