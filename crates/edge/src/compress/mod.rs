//! Compressed answers (HTTP-13): the client chooses the coding; what is small or compressed already stays as it is.

mod encode;
mod negotiate;

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

use encode::{Compressing, Encoder};
use negotiate::Coding;
pub(crate) use negotiate::{is_tag_of, uncoded};

/// Shorter bodies fit into one packet with their head; compressing them saves nobody time.
const LEAST_BYTES: u64 = 1024;
/// Bodies up to this length are compressed at once, in about a millisecond; longer ones piece by piece.
const AT_ONCE_BYTES: u64 = 128 << 10;
/// Bodies being compressed piece by piece at once: each needs about a mebibyte. More are sent as they are.
const MOST_STREAMS: usize = 64;

const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// What a request says about codings.
pub(crate) struct Asked {
    coding: Option<Coding>,
    none_match: Option<HeaderValue>,
}

impl Asked {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let none_match = headers.get(header::IF_NONE_MATCH).cloned();
        Self { coding: negotiate::negotiate(headers), none_match }
    }
}

/// Compresses answers.
pub(crate) struct Compressor {
    on: bool,
    streams: Arc<Semaphore>,
}

impl Compressor {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, streams: Arc::new(Semaphore::new(MOST_STREAMS)) }
    }

    /// The answer as the client asked for it.
    pub(crate) fn answer(&self, asked: &Asked, mut response: Response) -> Response {
        if !self.on {
            return response;
        }
        if response.status() == StatusCode::NOT_MODIFIED {
            name_what_is_known(asked, response.headers_mut());
            return response;
        }
        let short = response.body().size_hint().exact().is_some_and(|length| length < LEAST_BYTES);
        if short || !is_compressible(response.status(), response.headers()) {
            return response;
        }
        // Also said of answers that stay as they are, so that no cache gives them to everybody.
        response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
        match asked.coding {
            Some(coding) => self.compress(coding, response),
            None => response,
        }
    }

    fn compress(&self, coding: Coding, response: Response) -> Response {
        let (mut parts, mut body) = response.into_parts();
        let length = body.size_hint().exact().filter(|length| *length <= AT_ONCE_BYTES);
        // A body that is here as a whole comes in one frame.
        let rest = match length.and_then(|_| body.frame().now_or_never().flatten()) {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => {
                let failed = stream::iter([Err::<Bytes, _>(error)]);
                return Response::from_parts(parts, Body::from_stream(failed));
            }
            None => Bytes::new(),
        };
        let coded = if length == Some(rest.len() as u64) {
            let made = encode::at_once(coding, &rest).ok().filter(|made| made.len() < rest.len());
            made.map(Body::from).ok_or_else(|| Body::from(rest))
        } else {
            self.piece_by_piece(coding, rest, body)
        };
        let body = coded.map_or_else(
            |plain| plain,
            |coded| {
                mark(coding, &mut parts.headers);
                coded
            },
        );
        Response::from_parts(parts, body)
    }

    /// A body being compressed while it is sent; as it is when too many are already.
    fn piece_by_piece(&self, coding: Coding, rest: Bytes, body: Body) -> Result<Body, Body> {
        let encoder = self.streams.clone().try_acquire_owned().ok().zip(Encoder::new(coding).ok());
        let Some((place, encoder)) = encoder else {
            metrics::counter!("markethall_http_uncompressed_total").increment(1);
            let before = stream::iter([Ok(rest)]);
            return Err(Body::from_stream(before.chain(body.into_data_stream())));
        };
        Ok(Body::from_stream(Compressing::new(encoder, rest, body.into_data_stream(), place)))
    }
}

/// Whether an answer is of a kind that is worth it: text of any sort. Images and archives are compressed already; a
/// stream of events must not be held back.
fn is_compressible(status: StatusCode, headers: &HeaderMap) -> bool {
    let whole = !matches!(status, StatusCode::NO_CONTENT | StatusCode::PARTIAL_CONTENT);
    let fixed = [header::CONTENT_ENCODING, header::CONTENT_RANGE].iter().any(|it| headers.contains_key(it));
    let caches = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    whole && !fixed && !caches.contains("no-transform") && is_text(kind)
}

fn is_text(content_type: &str) -> bool {
    // What nearly all answers are, spelled as we spell it.
    if content_type == "application/json" {
        return true;
    }
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let known = ["application/json", "application/javascript", "application/xml", "application/yaml"];
    known.contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || (kind.starts_with("text/") && kind != "text/event-stream")
}

/// Says how an answer is coded; its entity tag becomes that of the coded bytes.
fn mark(coding: Coding, headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    if let Some(tag) = headers.get(header::ETAG).and_then(|etag| coding.tagged(etag)) {
        headers.insert(header::ETAG, tag);
    }
}

/// A client that has a coded answer hears of the tag that it knows.
fn name_what_is_known(asked: &Asked, headers: &mut HeaderMap) {
    headers.append(header::VARY, ACCEPT_ENCODING);
    let (Some(etag), Some(given)) = (headers.get(header::ETAG), &asked.none_match) else { return };
    let knows = |tag: &HeaderValue| {
        let given = given.to_str().unwrap_or("").split(',').map(str::trim);
        given.map(str::as_bytes).any(|known| known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes())
    };
    // Of several the one that it would be given now.
    let wanted = asked.coding.and_then(|coding| coding.tagged(etag)).filter(knows);
    let any = || Coding::ALL.iter().filter_map(|coding| coding.tagged(etag)).find(knows);
    let known = wanted.or_else(|| if knows(etag) { None } else { any() });
    if let Some(tag) = known {
        headers.insert(header::ETAG, tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // HTTP-13: images and archives are compressed already.
    #[test]
    fn text_is_worth_compressing_and_nothing_else() {
        for kind in
            ["application/json", "Application/Problem+JSON; charset=utf-8", "text/csv", "image/svg+xml"]
        {
            assert!(is_text(kind), "{kind}");
        }
        for kind in ["image/png", "application/zip", "application/octet-stream", "text/event-stream", ""] {
            assert!(!is_text(kind), "{kind}");
        }
    }

    // HTTP-7
    #[test]
    fn a_client_hears_of_the_tag_that_it_knows() {
        for (given, coding, named) in [
            ("\"3\"", Some(Coding::Gzip), "\"3\""),
            ("\"3-gzip\"", Some(Coding::Gzip), "\"3-gzip\""),
            ("\"3-gzip\"", None, "\"3-gzip\""),
            ("\"3\", \"3-br\"", Some(Coding::Brotli), "\"3-br\""),
            ("\"3\", \"3-br\"", Some(Coding::Zstd), "\"3\""),
            ("*", Some(Coding::Zstd), "\"3\""),
        ] {
            let none_match = Some(HeaderValue::from_static(given));
            let mut headers = HeaderMap::new();
            headers.insert(header::ETAG, HeaderValue::from_static("\"3\""));
            name_what_is_known(&Asked { coding, none_match }, &mut headers);
            assert_eq!(
                (headers[header::ETAG].to_str().unwrap(), &headers[header::VARY]),
                (named, &ACCEPT_ENCODING)
            );
        }
    }
}
