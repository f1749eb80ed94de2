//! Secrets in settings that are shown: whether there is one, never what it is (DPR-5).

use std::collections::BTreeMap;

use serde::Serializer;

/// For `#[serde(serialize_with = "..")]`: `***` whatever the secret is.
///
/// # Errors
/// Those of the serializer.
pub fn secret<T, S: Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("***")
}

/// The same for a secret that may be missing.
///
/// # Errors
/// Those of the serializer.
pub fn optional<T, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(_) => serializer.serialize_some("***"),
        None => serializer.serialize_none(),
    }
}

/// The same for secrets that have names.
///
/// # Errors
/// Those of the serializer.
pub fn named<T, S: Serializer>(values: &BTreeMap<String, T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.keys().map(|name| (name, "***")))
}
