//! The documents that describe the program: OpenAPI, problem codes, messages. Made without a database.

use anyhow::{Context, Result};
use kernel::Clock;

use crate::{app::App, config::Config, installation::Installation};

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
    let mut types = catalog::events::MESSAGE_TYPES.to_vec();
    types.extend(customers::events::MESSAGE_TYPES);
    types.extend(inventory::events::MESSAGE_TYPES);
    types.extend(sales::events::MESSAGE_TYPES);
    Ok(serde_json::to_string_pretty(&messages::asyncapi(&types)?)?)
}
