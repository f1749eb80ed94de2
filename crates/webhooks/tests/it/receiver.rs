//! A merchant's server: notes what it hears and answers as told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, response::Response};
use http::HeaderMap;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    /// This status and body.
    Status(u16, &'static str),
    /// This status and header.
    Header(u16, &'static str, String),
    /// Nothing, ever.
    Nothing,
    /// 200 and a body without end.
    Endless,
    /// 200 and the beginning of a body whose rest never comes.
    Half,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether an independent implementation of Standard Webhooks verifies it with `secret`, time included.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        standardwebhooks::Webhook::new(secret).unwrap().verify(&self.body, &self.headers).is_ok()
    }
}

struct Inner {
    heard: Mutex<Vec<Heard>>,
    say: Mutex<VecDeque<Say>>,
    usual: Mutex<Say>,
    count: watch::Sender<usize>,
}

/// A merchant's server on this machine.
#[derive(Clone)]
pub(crate) struct Receiver {
    inner: Arc<Inner>,
    pub(crate) port: u16,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let inner = Arc::new(Inner {
            heard: Mutex::default(),
            say: Mutex::default(),
            usual: Mutex::new(Say::Status(200, "thanks")),
            count: watch::Sender::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Answers the next requests like this, then as usual.
    pub(crate) fn next(&self, say: impl IntoIterator<Item = Say>) {
        self.inner.say.lock().unwrap().extend(say);
    }

    /// Answers like this from now on.
    pub(crate) fn usually(&self, say: Say) {
        *self.inner.usual.lock().unwrap() = say;
    }

    /// What it heard since the last call.
    pub(crate) fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.inner.heard.lock().unwrap())
    }

    /// Waits until it has heard so many requests in all.
    pub(crate) async fn until(&self, count: usize) {
        let mut heard = self.inner.count.subscribe();
        let long = std::time::Duration::from_secs(20);
        tokio::time::timeout(long, heard.wait_for(|heard| *heard >= count)).await.unwrap().unwrap();
    }
}

async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    inner.heard.lock().unwrap().push(Heard { headers, body: body.to_vec() });
    let next = inner.say.lock().unwrap().pop_front();
    let say = next.unwrap_or_else(|| inner.usual.lock().unwrap().clone());
    inner.count.send_modify(|count| *count += 1);
    let response = Response::builder();
    let built = match say {
        Say::Status(status, text) => response.status(status).body(Body::from(text)),
        Say::Header(status, name, value) => response.status(status).header(name, value).body(Body::empty()),
        Say::Nothing => std::future::pending().await,
        Say::Endless => {
            let forever = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("abcdefgh".repeat(100)));
            response.body(Body::from_stream(forever))
        }
        Say::Half => {
            let half = futures::stream::once(async { Ok::<_, std::io::Error>("half") });
            response.body(Body::from_stream(futures::StreamExt::chain(half, futures::stream::pending())))
        }
    };
    built.unwrap()
}
