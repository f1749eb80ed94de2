//! Spans in the words of OTLP.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, status::StatusCode},
};

use crate::{Value, span::Record};

/// The flag of W3C that says that a trace is kept.
const SAMPLED: u32 = 1;

/// Who sends: this process among others.
pub(crate) fn resource(service: &str) -> Resource {
    let instance = format!("{:032x}", rand::random::<u128>());
    let attributes = vec![
        attribute("service.name", Value::from(service.to_owned())),
        attribute("service.version", env!("CARGO_PKG_VERSION").into()),
        attribute("service.instance.id", instance.into()),
        attribute("process.pid", std::process::id().into()),
    ];
    Resource { attributes, ..Resource::default() }
}

/// What is sent at once.
pub(crate) fn request(resource: &Resource, records: Vec<Record>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope { name: "markethall".to_owned(), ..InstrumentationScope::default() };
    let spans = records.into_iter().map(span).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = Some(resource.clone());
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
}

fn span(record: Record) -> Span {
    let took = u64::try_from(record.took.as_nanos()).unwrap_or(u64::MAX);
    let parent = if record.parent == 0 { Vec::new() } else { record.parent.to_be_bytes().to_vec() };
    let code = if record.failed { StatusCode::Error } else { StatusCode::Unset };
    Span {
        trace_id: record.ids.trace.to_be_bytes().to_vec(),
        span_id: record.ids.span.to_be_bytes().to_vec(),
        parent_span_id: parent,
        flags: if record.ids.sampled { SAMPLED } else { 0 },
        name: record.name.into_owned(),
        kind: record.kind as i32,
        start_time_unix_nano: record.started_at,
        end_time_unix_nano: record.started_at.saturating_add(took),
        attributes: record.attributes.into_iter().map(|(key, value)| attribute(key, value)).collect(),
        status: Some(Status { code: code.into(), ..Status::default() }),
        ..Span::default()
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(text.into_owned()),
        Value::Number(number) => any_value::Value::IntValue(number),
        Value::Flag(flag) => any_value::Value::BoolValue(flag),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
