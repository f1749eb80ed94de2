//! The documents that describe the program: OpenAPI, problem codes, messages. Made without a database.

use std::sync::LazyLock;

use anyhow::{Context, Result};
use kernel::Clock;
use messages::MessageType;

use crate::{app::App, config::Config, installation::Installation};

static MESSAGE_TYPES: LazyLock<Vec<MessageType>> = LazyLock::new(|| {
    let mut types = catalog::events::MESSAGE_TYPES.to_vec();
    types.extend(customers::events::MESSAGE_TYPES);
    types.extend(inventory::events::MESSAGE_TYPES);
    types.extend(payments::events::MESSAGE_TYPES);
    types.extend(orders::events::MESSAGE_TYPES);
    types.extend(sales::events::MESSAGE_TYPES);
    types.extend(webhooks::events::MESSAGE_TYPES);
    types
});

static MESSAGE_TYPE_NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| MESSAGE_TYPES.iter().map(|kind| kind.name).collect());

/// Every message type of the program.
#[must_use]
pub fn message_types() -> &'static [MessageType] {
    &MESSAGE_TYPES
}

/// The names of [`message_types`].
#[must_use]
pub fn message_type_names() -> &'static [&'static str] {
    &MESSAGE_TYPE_NAMES
}

/// An app whose databases are never asked.
fn unconnected() -> Result<App> {
    let dir = std::env::temp_dir().join(format!("markethall-documents-{}", std::process::id()));
    std::fs::create_dir_all(&dir).context("cannot make a temporary folder")?;
    let config = Config { data_dir: dir.clone(), ..Config::default() };
    let made = Installation::unconnected(&config).and_then(|none| App::new(config, &none, Clock::system()));
    std::fs::remove_dir_all(&dir).context("cannot remove a temporary folder")?;
    made
}

/// OpenAPI 3.1 as JSON.
///
/// # Errors
/// When the declarations of routes contradict each other.
pub fn openapi() -> Result<String> {
    Ok(serde_json::to_string_pretty(unconnected()?.api()?.openapi())?)
}

/// `docs/errors.md`.
///
/// # Errors
/// When two codes have one name.
pub fn errors() -> Result<String> {
    Ok(unconnected()?.api()?.errors_markdown())
}

/// `docs/asyncapi.json`.
///
/// # Errors
/// When two messages have one name.
pub fn asyncapi() -> Result<String> {
    Ok(serde_json::to_string_pretty(&messages::asyncapi(message_types())?)?)
}
