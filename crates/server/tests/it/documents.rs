//! The documents that outsiders rely on are those of this very program. `UPDATE_DOCUMENTS=1 cargo test -p server
//! documents` writes them anew, for a person to look at the difference.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use crate::support::{Ran, program};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn printed(command: &str) -> String {
    Ran::of(program().arg(command).current_dir(std::env::temp_dir())).exits(0).stdout
}

#[track_caller]
fn check(command: &str, file: &str) {
    let (now, path) = (printed(command), root().join(file));
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, &now).unwrap();
        return;
    }
    let approved = fs::read_to_string(&path).unwrap_or_default();
    let first = now.lines().zip(approved.lines()).position(|(now, approved)| now != approved);
    assert!(
        now == approved,
        "{file} is not what `markethall {command}` prints, from line {}: run UPDATE_DOCUMENTS=1 cargo test -p server \
         documents, and look at the difference",
        first.map_or_else(|| now.lines().count().min(approved.lines().count()) + 1, |at| at + 1),
    );
}

// HTTP-4
#[test]
fn the_openapi_document_is_the_approved_one() {
    check("openapi", "docs/openapi.json");
}

// HTTP-2
#[test]
fn the_catalogue_of_problem_codes_is_the_approved_one() {
    check("errors", "docs/errors.md");
}

// MSG-1
#[test]
fn the_catalogue_of_messages_is_the_approved_one() {
    check("asyncapi", "docs/asyncapi.json");
}

// HTTP-2, HTTP-4: every code that an operation lists is explained, and every operation lists codes.
#[test]
fn every_problem_code_of_the_api_is_in_the_catalogue() {
    let openapi: Value = serde_json::from_str(&printed("openapi")).unwrap();
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.1"), "{}", openapi["openapi"]);
    let catalogue = printed("errors");
    let mut codes = BTreeSet::new();
    for (path, operations) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let before = codes.len();
            let mut own = 0;
            find_codes(operation, &mut |code| {
                own += 1;
                codes.insert(code.to_owned());
            });
            assert!(own > 0, "{method} {path} lists no problem codes ({before} so far)");
            assert!(operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2')));
        }
    }
    assert!(codes.len() > 60, "only {} codes", codes.len());
    for code in codes {
        assert!(catalogue.contains(&code), "{code} is not in docs/errors.md");
    }
}

/// Codes stand as constants or enumerations of the member `code` in problem schemas.
fn find_codes(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "code" {
                    for code in member["enum"].as_array().into_iter().flatten().chain(member.get("const")) {
                        code.as_str().into_iter().for_each(&mut *found);
                    }
                }
                find_codes(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_codes(item, found)),
        _ => {}
    }
}
