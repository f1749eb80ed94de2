use messages::{MessageType, NameClash, asyncapi, breaking_changes};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct ThingMade {
    /// Its name.
    name: String,
    size: Option<i64>,
    parts: Vec<Part>,
}

#[derive(Serialize, ToSchema)]
struct Part {
    weight: i64,
}

const MADE: MessageType = MessageType::of::<ThingMade>("ThingMade", "A thing has been made.");

mod elsewhere {
    #[derive(serde::Serialize, utoipa::ToSchema)]
    pub(crate) struct Part {
        pub(crate) colour: String,
    }
}

// MSG-1
#[test]
fn the_catalogue_is_an_asyncapi_document() -> anyhow::Result<()> {
    insta::assert_snapshot!(serde_json::to_string_pretty(&asyncapi(&[MADE])?)?);
    Ok(())
}

#[test]
fn one_name_with_two_meanings_is_refused() {
    let clash = |types: &[MessageType]| asyncapi(types).err();
    assert_eq!(clash(&[MADE, MADE]), Some(NameClash("ThingMade".to_owned())));
    let other = MessageType::of::<elsewhere::Part>("Part", "A part.");
    assert_eq!(clash(&[MADE, other]), Some(NameClash("Part".to_owned())));
}

fn check(change: impl FnOnce(&mut Value), breaks: &[&str]) {
    let old = asyncapi(&[MADE]).unwrap();
    let mut new = old.clone();
    change(&mut new["components"]["schemas"]);
    assert_eq!(breaking_changes(&old, &new), breaks);
}

// MSG-1: contracts are append-only.
#[test]
fn a_contract_may_grow_but_not_shrink_or_change() {
    check(|_| {}, &[]);
    check(|schemas| schemas["ThingMade"]["properties"]["colour"] = json!({ "type": "string" }), &[]);
    check(
        |schemas| drop(schemas["ThingMade"]["properties"].as_object_mut().unwrap().remove("size")),
        &["ThingMade.size is gone"],
    );
    check(
        |schemas| schemas["Part"]["properties"]["weight"]["type"] = json!("string"),
        &[r#"Part.weight: type was "integer", is "string""#],
    );
    check(|schemas| schemas["Part"]["required"] = json!([]), &[r#"Part: "weight" may now be missing"#]);
    check(|schemas| drop(schemas.as_object_mut().unwrap().remove("Part")), &["schemas/Part is gone"]);
}
