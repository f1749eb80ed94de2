//! Conditional requests: optimistic concurrency and cheap repetition of reads.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use super::Input;
use crate::{
    FieldError, Op, Problem, codes,
    compress::{is_tag_of, uncoded},
};

/// The most entity tags in one header.
const MOST_TAGS: usize = 16;
/// The longest entity tag.
const MOST_TAG: usize = 128;

/// A list of entity tags, or `*` for any.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<Box<str>>),
}

/// `If-Match`: the change is wanted only if the resource is still the version that the client knows.
#[derive(Debug, Clone)]
pub struct IfMatch(Option<Tags>);

impl IfMatch {
    /// Whatever the version is.
    #[must_use]
    pub fn any() -> Self {
        Self(None)
    }

    /// Lets the change through when the header is absent, `*`, or names `current` (without quotes).
    ///
    /// # Errors
    /// `PRECONDITION_FAILED`.
    pub fn check(&self, current: &str) -> Result<(), Problem> {
        match &self.0 {
            None | Some(Tags::Any) => Ok(()),
            Some(Tags::These(tags)) if tags.iter().any(|tag| is_tag_of(tag, current)) => Ok(()),
            Some(Tags::These(_)) => Err(Problem::new(codes::PRECONDITION_FAILED)),
        }
    }

    /// The one version that the client insists on, for an update with `where version = ..`.
    ///
    /// # Errors
    /// `PRECONDITION_FAILED` when it insists on something that is no version number of ours.
    pub fn version(&self) -> Result<Option<i32>, Problem> {
        match &self.0 {
            None | Some(Tags::Any) => Ok(None),
            Some(Tags::These(tags)) => match tags.as_slice() {
                [tag] => {
                    let version = uncoded(tag).unwrap_or(tag).parse();
                    version.map(Some).map_err(|_| Problem::new(codes::PRECONDITION_FAILED))
                }
                _ => Err(Problem::new(codes::PRECONDITION_FAILED)),
            },
        }
    }
}

impl Input for IfMatch {
    fn describe(op: &mut Op) {
        op.if_match = true;
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        tags(&parts.headers, &header::IF_MATCH, "If-Match").map(Self)
    }
}

/// `If-None-Match`: lets a handler skip work when the client has the present version already.
#[derive(Debug, Clone)]
pub struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    /// Whether the client has version `current` (without quotes).
    #[must_use]
    pub fn has(&self, current: &str) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::These(tags)) => tags.iter().any(|tag| is_tag_of(tag, current)),
        }
    }
}

impl Input for IfNoneMatch {
    fn describe(op: &mut Op) {
        op.etag = true;
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        tags(&parts.headers, &header::IF_NONE_MATCH, "If-None-Match").map(Self)
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName, shown: &'static str) -> Result<Option<Tags>, Problem> {
    let mut found = Vec::new();
    let mut given = false;
    for value in headers.get_all(name) {
        if value.is_empty() {
            continue;
        }
        given = true;
        match parse(value) {
            Some(Tags::Any) => return Ok(Some(Tags::Any)),
            Some(Tags::These(more)) => found.extend(more),
            None => found.resize_with(MOST_TAGS + 1, Box::default),
        }
    }
    if found.len() > MOST_TAGS {
        return Err(Problem::invalid([FieldError::header(
            shown,
            codes::INVALID_VALUE,
            "must be * or at most 16 entity tags in double quotes",
        )]));
    }
    Ok(given.then_some(Tags::These(found)))
}

/// `None` for what is neither `*` nor a list of entity tags.
fn parse(value: &HeaderValue) -> Option<Tags> {
    let text = value.to_str().ok()?.trim();
    if text == "*" {
        return Some(Tags::Any);
    }
    let tags: Option<Vec<Box<str>>> = text.split(',').map(|tag| opaque(tag.trim()).map(Into::into)).collect();
    tags.map(Tags::These)
}

/// An entity tag without its quotes; weak ones keep their mark and so never equal one of ours, which are strong.
fn opaque(tag: &str) -> Option<&str> {
    let bare = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let plain = bare.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~'));
    if !plain || bare.len() > MOST_TAG {
        return None;
    }
    Some(if tag.starts_with("W/") { tag } else { bare })
}

/// Whether `If-None-Match` names the tag of an answer, by weak comparison; asked by the gate for every read.
pub(crate) fn none_match(given: &HeaderValue, etag: &HeaderValue) -> bool {
    let plain = |tag: &str| tag.strip_prefix("W/").map_or(tag, |rest| rest.trim_matches('"')).to_owned();
    match (parse(given), etag.to_str().ok().and_then(opaque)) {
        (Some(Tags::Any), Some(_)) => true,
        (Some(Tags::These(tags)), Some(now)) => tags.iter().any(|tag| is_tag_of(&plain(tag), now)),
        _ => false,
    }
}

/// Whether a precondition header can be read at all.
pub(crate) fn check_tags(headers: &HeaderMap, name: &HeaderName, shown: &'static str) -> Result<(), Problem> {
    if headers.contains_key(name) { tags(headers, name, shown).map(drop) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &'static str) -> Result<Option<Tags>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, http::HeaderValue::from_static(text));
        tags(&headers, &header::IF_MATCH, "If-Match")
    }

    // HTTP-7
    #[test]
    fn a_version_matches_itself_and_nothing_else() {
        let is = |text| IfMatch(given(text).unwrap());
        assert!(is("\"3\"").check("3").is_ok());
        assert!(is("\"2\", \"3\"").check("3").is_ok());
        assert!(is("*").check("3").is_ok());
        assert_eq!(is("\"2\"").check("3").unwrap_err().code(), codes::PRECONDITION_FAILED);
        assert_eq!(is("\"2\"").version().unwrap(), Some(2));
        // Of an answer that was compressed on its way.
        assert!(is("\"3-gzip\"").check("3").is_ok());
        assert_eq!(is("\"2-zstd\"").version().unwrap(), Some(2));
        assert_eq!(is("\"2-gzip\"").check("3").unwrap_err().code(), codes::PRECONDITION_FAILED);
        assert_eq!(is("\"x\"").version().unwrap_err().code(), codes::PRECONDITION_FAILED);
        assert!(IfMatch(None).check("3").is_ok());
    }

    #[test]
    fn weak_tags_satisfy_reads_but_never_updates() {
        let weak = HeaderValue::from_static("W/\"3\"");
        assert!(none_match(&weak, &HeaderValue::from_static("\"3\"")));
        assert!(none_match(&HeaderValue::from_static("\"3-br\""), &HeaderValue::from_static("\"3\"")));
        assert!(!none_match(&weak, &HeaderValue::from_static("\"4\"")));
        assert!(IfMatch(given("W/\"3\"").unwrap()).check("3").is_err());
    }

    #[test]
    fn what_is_no_list_of_entity_tags_is_refused() {
        for text in ["3", "\"3", "\"a b\"", "\"1\",", "W/3"] {
            assert_eq!(given(text).unwrap_err().code(), codes::VALIDATION_FAILED, "{text}");
        }
    }
}
