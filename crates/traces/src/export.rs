//! OTLP over HTTP: a batch is sent, tried again for a while when the collector is away or asks for it, then dropped.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceResponse, resource::v1::Resource};
use prost::Message as _;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use tokio::time::sleep;

use crate::{TracesConfig, TracesError, counts::Counts, span::Record, wire};

/// How often a batch is tried.
const TRIES: u32 = 4;
/// The pause before the second try; doubled with each.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause that a collector may ask for.
const MOST_PAUSE: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const MOST_ANSWER: usize = 64 << 10;
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// Why a batch was not taken.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// It may be taken later, after so long if the collector has said so.
    Later(String, Option<Duration>),
    /// It never will be.
    Never(String),
}

/// The way to the collector.
pub(crate) struct Exporter {
    client: Client,
    url: Url,
    resource: Resource,
    counts: Counts,
    /// Whether the last batch was lost, so that the log says so once and not for every batch.
    failing: AtomicBool,
}

impl Exporter {
    pub(crate) fn new(
        url: Url,
        config: &TracesConfig,
        service: &str,
        counts: Counts,
    ) -> Result<Self, TracesError> {
        let client = Client::builder()
            .user_agent(concat!("markethall/", env!("CARGO_PKG_VERSION")))
            .default_headers(config.sent_headers().map_err(TracesError::Config)?)
            .redirect(Policy::none())
            .timeout(config.timeout())
            .build()
            .map_err(|error| TracesError::Client(error.without_url().to_string()))?;
        Ok(Self { client, url, resource: wire::resource(service), counts, failing: AtomicBool::new(false) })
    }

    /// Sends a batch, or counts it as lost.
    pub(crate) async fn send(&self, batch: Vec<Record>) {
        let count = batch.len() as u64;
        let body = Bytes::from(wire::request(&self.resource, batch).encode_to_vec());
        match self.deliver(body).await {
            Ok(refused) => self.note_sent(count, refused.min(count)),
            Err(Failure::Never(reason)) => {
                self.counts.refused.increment(count);
                self.note_lost(&reason);
            }
            Err(Failure::Later(reason, _)) => {
                self.counts.unsent.increment(count);
                self.note_lost(&reason);
            }
        }
    }

    /// Tries until the collector has answered one way or the other, or had its chances.
    async fn deliver(&self, body: Bytes) -> Result<u64, Failure> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.post(body.clone()).await {
                Err(Failure::Later(_, asked)) => {
                    let spread = 0.75 + rand::random::<f64>() / 2.0;
                    sleep(asked.unwrap_or_else(|| pause.mul_f64(spread)).min(MOST_PAUSE)).await;
                    pause *= 2;
                }
                known => return known,
            }
        }
        self.post(body).await
    }

    /// How many spans of it the collector did not want.
    async fn post(&self, body: Bytes) -> Result<u64, Failure> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, PROTOBUF).body(body);
        let away = |error: reqwest::Error| Failure::Later(error.without_url().to_string(), None);
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(rejected(answer).await);
        }
        let reason = format!("the collector answers {}", status.as_u16());
        let wish = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        match status {
            // Those that OTLP names for it.
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(Failure::Later(reason, wish.map(Duration::from_secs))),
            _ => Err(Failure::Never(reason)),
        }
    }

    fn note_sent(&self, count: u64, refused: u64) {
        self.counts.sent.increment(count - refused);
        self.counts.refused.increment(refused);
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!("traces are sent again");
        }
    }

    fn note_lost(&self, reason: &str) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "traces are lost: the collector does not take them");
        }
    }
}

/// What a collector says that took a batch, but not all of it.
async fn rejected(mut answer: Response) -> u64 {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_ANSWER {
            return 0;
        }
    }
    // Many answer with nothing or with JSON; what they took they took.
    let answer = ExportTraceServiceResponse::decode(bytes.as_slice()).unwrap_or_default();
    let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
    u64::try_from(rejected).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, http::HeaderMap, routing::post};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
    use tokio::net::TcpListener;

    use super::*;

    /// A collector that answers with these, one after the other, and the rest of them.
    async fn collector(
        mut answers: Vec<(u16, &'static str, Vec<u8>)>,
    ) -> (Exporter, Arc<Mutex<Vec<HeaderMap>>>) {
        answers.reverse();
        let (answers, heard) = (Arc::new(Mutex::new(answers)), Arc::new(Mutex::new(Vec::new())));
        let (left, noted) = (answers.clone(), heard.clone());
        let answer = async move |headers: HeaderMap, _: Bytes| {
            noted.lock().unwrap().push(headers);
            let (status, wish, body) = left.lock().unwrap().pop().unwrap();
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, [("retry-after", wish)], body)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let headers = [("x-key".to_owned(), "hunter2".into())].into();
        let config = TracesConfig { endpoint: Some(endpoint), headers, ..TracesConfig::default() };
        let url = config.url().unwrap().unwrap();
        (Exporter::new(url, &config, "till-1", Counts::new()).unwrap(), heard)
    }

    // OBS-2
    #[tokio::test]
    async fn a_collector_that_asks_for_patience_gets_the_batch_again_and_then_no_more() {
        let busy = || (503, "0", Vec::new());
        let (exporter, heard) = collector(vec![busy(), (429, "0", Vec::new()), (200, "", Vec::new())]).await;
        assert_eq!(exporter.deliver(Bytes::from_static(b"x")).await, Ok(0));
        let heard = heard.lock().unwrap().clone();
        assert_eq!((heard.len(), heard[2]["x-key"].to_str().unwrap()), (3, "hunter2"));
        assert_eq!(heard[2]["content-type"], "application/x-protobuf");

        let (exporter, heard) = collector(vec![busy(), busy(), busy(), busy(), (200, "", Vec::new())]).await;
        let lost = exporter.deliver(Bytes::new()).await;
        assert!(matches!(lost, Err(Failure::Later(..))), "{lost:?}");
        assert_eq!(heard.lock().unwrap().len(), 4);
    }

    // OBS-2
    #[tokio::test]
    async fn what_the_collector_does_not_want_is_not_sent_again() {
        for status in [400, 401, 404, 500, 302] {
            let (exporter, heard) = collector(vec![(status, "0", Vec::new())]).await;
            let lost = exporter.deliver(Bytes::new()).await;
            assert!(matches!(lost, Err(Failure::Never(_))), "{status}: {lost:?}");
            assert_eq!(heard.lock().unwrap().len(), 1, "{status}");
        }
        let partial = ExportTracePartialSuccess { rejected_spans: 3, error_message: String::new() };
        let said = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        let (exporter, _) = collector(vec![(200, "", said), (200, "", b"{}".to_vec())]).await;
        assert_eq!(exporter.deliver(Bytes::new()).await, Ok(3));
        assert_eq!(exporter.deliver(Bytes::new()).await, Ok(0), "an answer in other words");
    }
}
