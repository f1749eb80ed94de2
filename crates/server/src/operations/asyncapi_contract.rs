//! The contract of messages as it is published (MSG-1).

use serde_json::Value;

const PUBLISHED: &str = include_str!("../../../../docs/asyncapi.json");

#[test]
fn the_published_contract_of_messages_only_grows_and_is_current() -> anyhow::Result<()> {
    let published: Value = serde_json::from_str(PUBLISHED)?;
    let present: Value = serde_json::from_str(&crate::documents::asyncapi()?)?;
    // Consumers elsewhere rely on what was published: add fields and types, never take away or change.
    assert_eq!(messages::breaking_changes(&published, &present), Vec::<String>::new());
    assert!(published == present, "run: markethall asyncapi > docs/asyncapi.json");
    Ok(())
}
