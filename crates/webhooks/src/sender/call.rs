//! One request: signed, to a public address, no redirects followed, no more of the answer read than is kept.

use std::time::{Duration, Instant};

use http::HeaderValue;
use jiff::Timestamp;
use kernel::TraceParent;
use reqwest::{Client, Response, Url, header::RETRY_AFTER, redirect::Policy};
use tokio::time::timeout;

use crate::{
    claim::Claimed,
    config::WebhooksConfig,
    model::RESPONSE_MAX,
    record::Attempt,
    schedule::retry_after,
    secret::signatures,
    target::{Resolver, refusal},
};

/// Bytes of an error's text that are kept.
const ERROR_MAX: usize = 300;

/// A client that connects to allowed addresses only, through no proxy, and keeps connections for a moment.
pub(super) fn client(config: &WebhooksConfig, resolver: Resolver) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("Markethall-Webhooks/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .dns_resolver(resolver)
        .https_only(!config.allow_http)
        .connect_timeout(config.connect_timeout())
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(4)
        .build()
}

/// Sends a delivery and hears the answer, within the time for both.
pub(super) async fn call(
    http: &Client,
    resolver: &Resolver,
    limit: Duration,
    claimed: &Claimed,
    trace: Option<&TraceParent>,
    now: Timestamp,
) -> Attempt {
    let started = Instant::now();
    let url = match resolver.read(&claimed.url) {
        Ok(url) => url,
        Err(refused) => return unanswered(started, refused.to_string()),
    };
    if claimed.secrets.is_empty() {
        return unanswered(started, "it cannot be signed".to_owned());
    }
    let answer = match timeout(limit, post(http, url, claimed, trace, now)).await {
        Err(_) => return unanswered(started, "no answer came in time".to_owned()),
        Ok(Err(error)) => return unanswered(started, describe(&error)),
        Ok(Ok(answer)) => answer,
    };
    let status = answer.status().as_u16();
    let wish = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = wish.filter(|_| matches!(status, 429 | 503)).and_then(|wish| retry_after(wish, now));
    let body = beginning(answer, limit.saturating_sub(started.elapsed())).await;
    Attempt { status: Some(status), body: Some(body), error: None, retry_after, duration_ms: since(started) }
}

async fn post(
    http: &Client,
    url: Url,
    claimed: &Claimed,
    trace: Option<&TraceParent>,
    now: Timestamp,
) -> reqwest::Result<Response> {
    let (id, seconds) = (claimed.message.to_string(), now.as_second());
    let signature = signatures(&claimed.secrets, &id, seconds, &claimed.body);
    let request = match trace {
        Some(trace) => http.post(url).header("traceparent", &*trace.0),
        None => http.post(url),
    };
    request
        .header("content-type", HeaderValue::from_static("application/json"))
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature)
        .body(claimed.body.clone())
        .send()
        .await
}

/// Reads as much of the answer as is kept, for as long as there is time; the status counts, whatever becomes of this.
async fn beginning(mut answer: Response, limit: Duration) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while bytes.len() < RESPONSE_MAX {
            match answer.chunk().await {
                Ok(Some(chunk)) => {
                    bytes.extend_from_slice(&chunk[..chunk.len().min(RESPONSE_MAX - bytes.len())])
                }
                Ok(None) | Err(_) => break,
            }
        }
    };
    // What came until then is kept.
    let _ = timeout(limit, reading).await;
    clip(&String::from_utf8_lossy(&bytes), RESPONSE_MAX)
}

/// At most `most` bytes of `text`, without characters that PostgreSQL does not take.
fn clip(text: &str, most: usize) -> String {
    let text = text.replace('\0', "");
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].to_owned()
}

/// What went wrong, in words that say nothing about other networks than the receiver's.
fn describe(error: &reqwest::Error) -> String {
    if let Some(refused) = refusal(error) {
        return refused.to_string();
    }
    if error.is_timeout() {
        return "connecting took too long".to_owned();
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let what = if error.is_connect() { "no connection" } else { "no answer" };
    clip(&format!("{what}: {deepest}"), ERROR_MAX)
}

fn unanswered(started: Instant, error: String) -> Attempt {
    Attempt { status: None, body: None, error: Some(error), retry_after: None, duration_ms: since(started) }
}

fn since(started: Instant) -> i32 {
    i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn answers_are_cut_between_characters_and_lose_their_nul() {
        assert_eq!(clip("a\0b", 10), "ab");
        assert_eq!(clip("aé", 2), "a");
        assert_eq!(clip("aé", 3), "aé");
        assert_eq!(clip("", 0), "");
    }
}
