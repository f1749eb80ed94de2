//! Messages in traces (OBS-2): made, carried, handled, in the words of OpenTelemetry's conventions for messaging.

use kernel::TraceParent;
use traces::{Kind, Span};

use crate::{
    ConsumerError, Message, MessageId,
    relay::{LaneKey, Outcome, Pending},
};

/// A message was made in the trace `cause`; returns the context that travels with it: what handles it belongs under the
/// making of it.
pub(crate) fn created(cause: Option<String>, id: MessageId, kind: &'static str) -> Option<String> {
    if !traces::is_on() {
        return cause;
    }
    let above = TraceParent(cause?.into());
    let mut span = Span::child(Some(&above), Kind::Producer, || format!("create {kind}").into());
    span.set("messaging.system", "markethall");
    span.set("messaging.operation.type", "create");
    span.set("messaging.operation.name", "create");
    span.set("messaging.destination.name", kind);
    span.set("messaging.message.id", id.to_string());
    Some(span.context().unwrap_or(above).0.to_string())
}

/// A message goes to NATS for one consumer.
pub(crate) fn sent(key: &LaneKey, pending: &Pending) -> Span {
    begin(&pending.message, key.consumer, Kind::Producer, "send", "nats")
}

/// A message is handled by one consumer.
pub(crate) fn handled(key: &LaneKey, pending: &Pending) -> Span {
    let mut span = begin(&pending.message, key.consumer, Kind::Consumer, "process", "markethall");
    span.set("markethall.message.failures", pending.attempts);
    span
}

/// What became of it.
pub(crate) fn end(span: &mut Span, outcome: &Outcome) {
    match outcome {
        Outcome::Failed(ConsumerError::Failed(_)) => span.fail("failed"),
        Outcome::Failed(ConsumerError::Poison(_)) => span.fail("poison"),
        Outcome::Failed(ConsumerError::Unavailable(_)) => span.fail("unavailable"),
        Outcome::Unanswered => span.set("markethall.message.outcome", "unanswered"),
        Outcome::Gone | Outcome::Behind => span.set("markethall.message.outcome", "not taken"),
        Outcome::Done | Outcome::Ended(_) => {}
    }
}

fn begin(
    message: &Message,
    consumer: &'static str,
    kind: Kind,
    what: &'static str,
    system: &'static str,
) -> Span {
    if !traces::is_on() {
        return Span::none();
    }
    let above = message.traceparent.clone().map(TraceParent);
    let name = || format!("{what} {}", message.kind).into();
    let mut span = match &above {
        Some(above) => Span::child(Some(above), kind, name),
        // Published while nothing was traced, or by nobody's request.
        None => Span::root(kind, name),
    };
    span.set("messaging.system", system);
    span.set("messaging.operation.type", what);
    span.set("messaging.operation.name", what);
    span.set("messaging.destination.name", message.kind.to_string());
    span.set("messaging.consumer.group.name", consumer);
    span.set("messaging.message.id", message.id.to_string());
    span
}
