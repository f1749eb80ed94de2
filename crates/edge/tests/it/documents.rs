//! HTTP-2, HTTP-4: the documents are made from the declarations, and contradictions are refused.

use edge::{Access, Api, Op, Reply, Routes};
use kernel::Code;
use serde_json::Value;

use crate::world::{Call, THING_BROKEN, THINGS_READ, Things, World, routes};

fn api() -> Api {
    Api::new([routes().with_state(Things::default())]).unwrap()
}

#[test]
fn the_openapi_document_stays_as_it_was_approved() {
    insta::assert_json_snapshot!(api().openapi());
}

#[test]
fn every_operation_says_permission_codes_and_headers() {
    let api = api();
    let document = api.openapi();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["x-permission"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                for header in ["X-Correlation-Id", "X-Api-Versions"] {
                    assert!(response["headers"][header].is_object(), "{method} {path} {status}");
                }
                if status.as_str() >= "400" {
                    let problem = &response["content"]["application/problem+json"]["schema"]["allOf"];
                    assert_eq!(problem[0]["$ref"], "#/components/schemas/Problem");
                    assert!(!problem[1]["properties"]["code"]["enum"].as_array().unwrap().is_empty());
                }
            }
        }
    }
}

#[test]
fn inputs_take_no_unknown_members_and_no_nul() {
    let document = api().openapi().clone();
    let input = &document["components"]["schemas"]["NewThing"];
    assert_eq!(input["additionalProperties"], false);
    assert_eq!(input["properties"]["displayName"]["pattern"], "^[^\\u0000]*$");
    let cursor = &document["paths"]["/api/v1/things"]["get"]["parameters"][1];
    assert_eq!((&cursor["name"], &cursor["required"]), (&Value::from("cursor"), &Value::from(false)));
}

#[test]
fn every_code_stands_in_the_catalogue() {
    let text = api().errors_markdown();
    for code in ["VALIDATION_FAILED", "THING_BROKEN", "UNKNOWN_FIELD", "OVERLOADED"] {
        assert!(text.contains(&format!("| `{code}` |")), "{code}");
    }
    for code in api().codes() {
        assert!(text.contains(&format!("| `{}` |", code.code)));
    }
}

// IDN-4
#[test]
fn the_authorisation_table_names_every_route() {
    let table = api().access_table();
    assert_eq!(table.len(), 8);
    let row = table.iter().find(|row| row.operation == "list_things").unwrap();
    assert_eq!((row.path.as_str(), row.access), ("/api/v1/things", Access::Permission(THINGS_READ)));
}

#[test]
fn contradictions_are_refused_by_name() {
    async fn fine() -> Reply {
        Reply::no_content()
    }
    let other = Code::new("THING_BROKEN", 409, "Something else.", "Think again.");
    let wrong = Routes::new("Wrong")
        .add(Op::get("/a", "a", "A").public().returns_nothing(204), fine)
        .add(Op::get("/b", "a", "A again").public().returns_nothing(204), fine)
        .add(Op::get("/a", "c", "The same place").public().returns_nothing(204), fine)
        .add(Op::get("/d", "d", "No permission").returns_nothing(204), fine)
        .add(Op::get("/e/{id}", "e", "Forgets its parameter").public().returns_nothing(204), fine)
        .add(Op::get("/f", "f", "No success").public(), fine)
        .add(Op::get("/g", "g", "G").public().returns_nothing(204).problems(&[THING_BROKEN, other]), fine)
        .add(Op::get("/h", "h", "H").public().returns_nothing(204).problems(&[other]), fine)
        .with_state(());
    let refused = Api::new([routes().with_state(Things::default()), wrong]).unwrap_err().to_string();
    for part in [
        "two operations are named a",
        "two operations are at GET /api/v1/a",
        "d declares no permission",
        "e has 1 path parameters",
        "f declares no success status",
        "THING_BROKEN has two meanings",
    ] {
        assert!(refused.contains(part), "{part} in {refused}");
    }
}

#[tokio::test]
async fn the_documents_are_served_with_a_strict_policy() {
    let world = World::new();
    let document = world.send(Call::get("/api/openapi.json")).await.is(200, "");
    assert_eq!(document.json["openapi"], "3.1.0");
    let again = Call::get("/api/openapi.json").header("if-none-match", document.header("etag"));
    assert_eq!(world.send(again).await.status, 304);
    assert_eq!(world.send(Call::get("/api/docs")).await.header("location"), "/api/docs/");
    for (file, kind) in
        [("", "text/html"), ("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")]
    {
        let page = world.send(Call::get(&format!("/api/docs/{file}"))).await.is(200, "");
        assert!(page.header("content-type").starts_with(kind));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
        let text = String::from_utf8(page.body).unwrap();
        assert!(!file.is_empty() || !text.contains("<script>"), "inline scripts would be blocked");
    }
    world.send(Call::get("/api/docs/../secret")).await.is(404, "NOT_FOUND");
    let start = world.send(Call::get("/api/docs/swagger-initializer.js")).await;
    assert!(String::from_utf8(start.body).unwrap().contains("/api/openapi.json"));
}
