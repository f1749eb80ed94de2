//! The catalogue of problem codes: one list for `docs/errors.md`, the page at `/api/errors` and the tests.

use std::{collections::BTreeMap, fmt::Write};

use kernel::Code;

use super::codes_of;
use crate::{Op, codes};

/// Every code of the program by name, with the operations that answer it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue(pub(crate) BTreeMap<&'static str, Entry>);

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) code: Code,
    pub(crate) operations: Vec<&'static str>,
}

/// Collects the codes of all operations and of the edge.
///
/// # Errors
/// A sentence for each code that is declared twice with different meanings.
pub(crate) fn catalogue<'a>(ops: impl Iterator<Item = &'a Op>) -> Result<Catalogue, Vec<String>> {
    let mut all = Catalogue::default();
    let mut conflicts = Vec::new();
    for code in codes::ALL {
        all.0.insert(code.code, Entry { code: *code, operations: Vec::new() });
    }
    for op in ops.filter(|op| !op.hidden) {
        for code in codes_of(op) {
            let entry = all.0.entry(code.code).or_insert_with(|| Entry { code, operations: Vec::new() });
            if entry.code != code {
                conflicts.push(format!(
                    "problem code {} has two meanings: \"{}\" ({}) and \"{}\" ({}, in {})",
                    code.code, entry.code.title, entry.code.status, code.title, code.status, op.id
                ));
            }
            entry.operations.push(op.id);
        }
    }
    if conflicts.is_empty() { Ok(all) } else { Err(conflicts) }
}

impl Catalogue {
    /// `docs/errors.md`.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "# Problem codes\n\n\
             Generated from the declarations of the operations; do not edit.\n\n\
             Every failure is an `application/problem+json` document (RFC 9457). Its `code` is one of these and never\n\
             changes its meaning; `type` leads to the entry of the code at `/api/errors`. Codes marked *field* stand in\n\
             `errors[]` beside the place they are about.\n\n\
             | code | status | meaning | what to do |\n|---|---|---|---|\n",
        );
        for entry in self.0.values() {
            let Code { code, status, title, help } = entry.code;
            let status = if is_field(&entry.code) { "*field*".to_owned() } else { status.to_string() };
            let _ = writeln!(text, "| `{code}` | {status} | {title} | {help} |");
        }
        text
    }

    /// The page at `/api/errors`: an anchor for each code, no scripts.
    pub(crate) fn html(&self) -> String {
        let mut text = String::from(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Problem codes</title>\
             <meta name=\"viewport\" content=\"width=device-width\"></head><body><h1>Problem codes</h1>\
             <p>Every failure is a problem document (RFC 9457); its <code>code</code> is one of these.</p><dl>",
        );
        for entry in self.0.values() {
            let Code { code, status, title, help } = entry.code;
            let (title, help) = (escape(title), escape(help));
            let status = if is_field(&entry.code) { "in errors[]".to_owned() } else { status.to_string() };
            let _ =
                write!(text, "<dt id=\"{code}\"><b>{code}</b> ({status})</dt><dd><p>{title} {help}</p></dd>");
        }
        text.push_str("</dl></body></html>");
        text
    }
}

fn is_field(code: &Code) -> bool {
    codes::FIELD.iter().any(|field| field.code == code.code)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
