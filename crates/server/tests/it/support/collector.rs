//! A collector of traces that speaks OTLP over HTTP, and the servers that a traced request calls.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, routing::any};
use http::{HeaderMap, StatusCode, Uri};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Said},
    trace::v1::span::SpanKind,
};
use prost::Message as _;
use tokio::net::TcpListener;

/// A span as the collector got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub trace: String,
    pub id: String,
    /// Empty for the first of a trace.
    pub parent: String,
    pub name: String,
    pub kind: SpanKind,
    pub failed: bool,
    pub service: String,
    pub attributes: Vec<(String, String)>,
}

impl Seen {
    /// An attribute; empty when there is none.
    pub fn said(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

fn shown(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let value = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.clone()) {
        Some(Said::StringValue(text)) => text,
        Some(Said::IntValue(number)) => number.to_string(),
        Some(Said::BoolValue(flag)) => flag.to_string(),
        other => panic!("an attribute of another kind: {other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), value(attribute))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(body: &[u8]) -> Vec<Seen> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut seen = Vec::new();
    for of_resource in request.resource_spans {
        let resource = shown(&of_resource.resource.unwrap().attributes);
        let (_, service) = resource.into_iter().find(|(key, _)| key == "service.name").unwrap();
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{span:?}");
            assert!(span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano);
            seen.push(Seen {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                kind: span.kind(),
                failed: span.status.as_ref().is_some_and(|status| status.code == 2),
                name: span.name,
                service: service.clone(),
                attributes: shown(&span.attributes),
            });
        }
    }
    seen
}

/// A call as it came: its path and headers.
pub type Call = (String, HeaderMap);

/// A server on this machine that notes what it is asked, and answers as told.
pub struct Outsider {
    pub address: SocketAddr,
    calls: Arc<Mutex<Vec<(Call, Bytes)>>>,
}

impl Outsider {
    /// Serves `answer` to the path of every call.
    pub async fn open(answer: impl Fn(&str) -> (StatusCode, String) + Clone + Send + Sync + 'static) -> Self {
        let calls: Arc<Mutex<Vec<(Call, Bytes)>>> = Arc::default();
        let noted = calls.clone();
        let serve = move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let answer = answer(uri.path());
            noted.lock().unwrap().push(((uri.path().to_owned(), headers), body));
            async move { answer }
        };
        let router = Router::new().route("/", any(serve.clone())).route("/{*path}", any(serve));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, calls }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().iter().map(|(call, _)| call.clone()).collect()
    }

    /// Every span that was sent here as to a collector.
    pub fn spans(&self) -> Vec<Seen> {
        self.calls.lock().unwrap().iter().flat_map(|(_, body)| read(body)).collect()
    }

    /// The spans of one trace.
    pub fn trace(&self, id: &str) -> Vec<Seen> {
        self.spans().into_iter().filter(|span| span.trace == id).collect()
    }
}

/// The first spans of a trace, those whose parent is not among them; every other one hangs below one of these.
pub fn roots(trace: &[Seen]) -> Vec<&Seen> {
    let ids: HashSet<&str> = trace.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), trace.len(), "every span has an id of its own");
    trace.iter().filter(|span| !ids.contains(span.parent.as_str())).collect()
}
