//! One span: a piece of work with a beginning, an end and a place in its trace.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use kernel::{Clock, TraceIds, TraceParent};

use crate::recorder;

/// Characters kept of a text.
const MOST_TEXT: usize = 256;
/// Attributes kept of a span.
const MOST_ATTRIBUTES: usize = 24;

/// Which side of what a span is, in OpenTelemetry's words and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work of our own.
    Internal = 1,
    /// A request that we answer.
    Server = 2,
    /// A request that we make.
    Client = 3,
    /// A message that we hand over.
    Producer = 4,
    /// A message that we handle.
    Consumer = 5,
}

/// What an attribute says. Never personal data, never a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text; cut after 256 characters.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(mut text: String) -> Self {
        if let Some((end, _)) = text.char_indices().nth(MOST_TEXT) {
            text.truncate(end);
        }
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// What is known of a span; complete once it has ended.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) ids: TraceIds,
    /// 0 for none.
    pub(crate) parent: u64,
    pub(crate) kind: Kind,
    pub(crate) name: Cow<'static, str>,
    /// Nanoseconds since 1970.
    pub(crate) started_at: u64,
    pub(crate) begun: Instant,
    pub(crate) took: Duration,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    pub(crate) failed: bool,
}

/// A piece of work under way; it ends when dropped. While no traces are made it is nothing and costs nothing.
#[derive(Debug, Default)]
pub struct Span(Option<Box<Record>>);

impl Span {
    /// No span.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The span that `own` names already, under the span `parent` (0 for none) of the same trace.
    pub fn of(own: &TraceParent, parent: u64, kind: Kind, name: impl FnOnce() -> Cow<'static, str>) -> Self {
        match own.ids().filter(|_| recorder::is_on()) {
            Some(ids) => Self::begin(ids, parent, kind, name()),
            None => Self(None),
        }
    }

    /// A span under `parent`; none where there is no trace to belong to.
    pub fn child(parent: Option<&TraceParent>, kind: Kind, name: impl FnOnce() -> Cow<'static, str>) -> Self {
        if !recorder::is_on() {
            return Self(None);
        }
        let Some(above) = parent.and_then(TraceParent::ids) else { return Self(None) };
        Self::begin(TraceIds { span: fresh(), ..above }, above.span, kind, name())
    }

    /// The first span of a trace of its own, which is kept as often as any other.
    pub fn root(kind: Kind, name: impl FnOnce() -> Cow<'static, str>) -> Self {
        if !recorder::is_on() {
            return Self(None);
        }
        let trace = rand::random::<u128>() | 1;
        Self::begin(TraceIds { trace, span: fresh(), sampled: recorder::sampled(None) }, 0, kind, name())
    }

    fn begin(ids: TraceIds, parent: u64, kind: Kind, name: Cow<'static, str>) -> Self {
        let started_at = u64::try_from(Clock::system().now().as_nanosecond()).unwrap_or_default();
        Self(Some(Box::new(Record {
            ids,
            parent,
            kind,
            name,
            started_at,
            begun: Instant::now(),
            took: Duration::ZERO,
            attributes: Vec::with_capacity(8),
            failed: false,
        })))
    }

    /// Whether there is one. What it takes to say something about it need not be made otherwise.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Says something about the work, in the words of OpenTelemetry's semantic conventions or `markethall.*`.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(record) = &mut self.0
            && record.attributes.len() < MOST_ATTRIBUTES
        {
            record.attributes.push((name, value.into()));
        }
    }

    /// The work has failed, and its trace is kept whatever was chosen. `what` is a word for the kind of failure, never a
    /// text that may hold what somebody sent.
    pub fn fail(&mut self, what: impl Into<Value>) {
        self.set("error.type", what);
        if let Some(record) = &mut self.0 {
            record.failed = true;
        }
    }

    /// What belongs under this span belongs under this.
    #[must_use]
    pub fn context(&self) -> Option<TraceParent> {
        self.0.as_ref().map(|record| TraceParent::new(record.ids))
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut record) = self.0.take() {
            record.took = record.begun.elapsed();
            recorder::put(record);
        }
    }
}

fn fresh() -> u64 {
    rand::random::<u64>() | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    // OBS-2
    #[test]
    fn while_nothing_is_traced_a_span_is_nothing_and_asks_for_nothing() {
        let above = TraceParent::new(TraceIds { trace: 1, span: 2, sampled: true });
        let dear = || -> Cow<'static, str> { panic!("a name is made for a span that is none") };
        let spans = [
            Span::child(Some(&above), Kind::Client, dear),
            Span::of(&above, 0, Kind::Server, dear),
            Span::root(Kind::Internal, dear),
            Span::none(),
        ];
        for mut span in spans {
            span.fail("x");
            assert!(!span.is_some() && span.context().is_none());
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let Value::Text(text) = Value::from("\u{e9}".repeat(1000)) else { panic!("a text") };
        assert_eq!(text.chars().count(), MOST_TEXT);
    }
}
