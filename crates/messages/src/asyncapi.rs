//! The contract of all messages as an AsyncAPI 3 document, and the check that it only ever grows.

use serde_json::{Map, Value, json};

use crate::MessageType;

/// Two message types, or two of the types that their data refers to, have one name and two meanings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two different message or schema types are called {0}")]
pub struct NameClash(pub String);

/// The AsyncAPI 3.0 document of `types`, ordered by name; the same for the same types.
///
/// # Errors
/// [`NameClash`]; rename one of the Rust types or give it another schema name.
pub fn asyncapi(types: &[MessageType]) -> Result<Value, NameClash> {
    let mut types: Vec<&MessageType> = types.iter().collect();
    types.sort_by_key(|message_type| message_type.name);
    let mut schemas = Map::new();
    let mut messages = Map::new();
    for message_type in &types {
        let found = message_type.schemas();
        let name = message_type.name.to_owned();
        if messages.insert(name.clone(), message(message_type)).is_some() {
            return Err(NameClash(name));
        }
        for (name, schema) in found.referenced.into_iter().chain([(name, found.data)]) {
            if schemas.get(&name).is_some_and(|known| *known != schema) {
                return Err(NameClash(name));
            }
            schemas.insert(name, schema);
        }
    }
    let names = || types.iter().map(|message_type| message_type.name);
    let of_channel: Map<String, Value> = names()
        .map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    let sent: Vec<Value> =
        names().map(|name| json!({ "$ref": format!("#/channels/tenant/messages/{name}") })).collect();
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Markethall messages",
            "version": "1.0.0",
            "description": "Facts published by the modules, each in the transaction of its cause. Envelopes are \
                            CloudEvents 1.0. Delivery is at least once, in order per tenant and subject; `id` tells \
                            repetitions apart. Types only ever gain fields: ignore what you do not know."
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "tenant": {
                "address": "tenants/{tenant}/messages",
                "description": "All messages of one tenant.",
                "parameters": { "tenant": { "description": "The tenant's id, `ten_..`." } },
                "messages": of_channel
            }
        },
        "operations": {
            "publish": { "action": "send", "channel": { "$ref": "#/channels/tenant" }, "messages": sent }
        },
        "components": {
            "messages": messages,
            "schemas": schemas
        }
    });
    document.sort_all_objects();
    Ok(document)
}

fn message(message_type: &MessageType) -> Value {
    let name = message_type.name;
    json!({
        "name": name,
        "summary": message_type.summary,
        "contentType": "application/cloudevents+json",
        "correlationId": { "location": "$message.payload#/correlationid" },
        "payload": {
            "type": "object",
            "required": [
                "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "tenant",
                "correlationid", "data"
            ],
            "properties": {
                "specversion": { "type": "string", "const": "1.0" },
                "id": { "type": "string", "pattern": "^msg_[0-7][0-9A-HJKMNP-TV-Z]{25}$" },
                "source": { "type": "string", "format": "uri-reference" },
                "type": { "type": "string", "const": name },
                "subject": { "type": "string", "minLength": 1, "maxLength": 200 },
                "time": { "type": "string", "format": "date-time" },
                "datacontenttype": { "type": "string", "const": "application/json" },
                "tenant": { "type": "string", "pattern": "^ten_[0-7][0-9A-HJKMNP-TV-Z]{25}$" },
                "correlationid": { "type": "string", "maxLength": 64 },
                "traceparent": { "type": "string", "maxLength": 128 },
                "data": { "$ref": format!("#/components/schemas/{name}") }
            }
        }
    })
}

/// What consumers written against the document `old` may stumble over in `new`; empty when it only grew.
///
/// A message or field that is gone or of another shape, a field that was always there and now need not be, a value
/// that is gone from a closed list.
#[must_use]
pub fn breaking_changes(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["messages", "schemas"] {
        let (was, is) = (&old["components"][part], &new["components"][part]);
        for (name, old_entry) in was.as_object().into_iter().flatten() {
            match is.get(name) {
                None => found.push(format!("{part}/{name} is gone")),
                Some(new_entry) if part == "schemas" => compare(name, old_entry, new_entry, &mut found),
                Some(_) => {}
            }
        }
    }
    found
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    for word in ["type", "$ref", "format", "pattern", "const"] {
        if old.get(word) != new.get(word) {
            found.push(format!("{path}: {word} was {}, is {}", text(old.get(word)), text(new.get(word))));
        }
    }
    for (word, what) in [("required", "may now be missing"), ("enum", "is no longer a value")] {
        let kept = new[word].as_array();
        let lost = old[word]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| !kept.is_some_and(|kept| kept.contains(item)));
        found.extend(lost.map(|item| format!("{path}: {item} {what}")));
    }
    for (name, was) in old["properties"].as_object().into_iter().flatten() {
        match new["properties"].get(name) {
            None => found.push(format!("{path}.{name} is gone")),
            Some(is) => compare(&format!("{path}.{name}"), was, is, found),
        }
    }
    for word in ["items", "additionalProperties"] {
        if let (Some(was), Some(is)) = (old.get(word), new.get(word)) {
            compare(&format!("{path}.{word}"), was, is, found);
        }
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        let (was, is) = (old[word].as_array(), new[word].as_array());
        let lost = was.into_iter().flatten().filter(|item| !is.is_some_and(|is| is.contains(item))).count();
        if lost > 0 {
            found.push(format!("{path}: {lost} of {word} changed or gone"));
        }
    }
}

fn text(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), Value::to_string)
}
