//! The reference of all settings, made from the structs they are read into. `UPDATE_DOCUMENTS=1 cargo test -p server
//! configuration` writes it anew.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::PathBuf,
};

use serde_json::Value;
use server::config::Config;
use syn::{Expr, ExprLit, Field, GenericArgument, Item, Lit, Meta, PathArguments, Type};

const INTRODUCTION: &str = "# Configuration reference

Made from the structs that settings are read into; a test keeps it true. How to run with Redis, NATS, TLS and Vault is told in
[operating](guides/operating.md).

Settings come from, each over the one before: the defaults below, the file named by `--config` or `MARKETHALL_CONFIG` (TOML), the
environment, and then the files and the Vault that hold secrets. In the environment `redis.timeout_ms` is
`MARKETHALL_REDIS__TIMEOUT_MS`; a secret may be the name of a file instead: `MARKETHALL_REDIS__URL_FILE`. What is unknown or out of
bounds is refused at the start with a sentence that names it. `markethall config check` shows every setting as it is in force, secrets
masked.
";

/// A struct that settings are read into, or an enumeration of which one is chosen.
enum Shape {
    Struct {
        help: String,
        fields: Vec<Setting>,
    },
    /// Written as one inline table.
    Inline,
    Choice(Vec<String>),
}

struct Setting {
    name: String,
    help: String,
    ty: String,
    is_map: bool,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What is written above an item, on one line.
fn help(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    // The first paragraph says what it is.
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// All words within the attributes of that name.
fn words(attributes: &[syn::Attribute], name: &str) -> String {
    let of = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    let lists = of.filter_map(|attribute| attribute.meta.require_list().ok());
    lists.map(|list| list.tokens.to_string()).collect::<Vec<_>>().join(", ")
}

/// The type's own name, out of whatever wraps it, and whether it is a map.
fn named(ty: &Type) -> (String, bool) {
    let Type::Path(path) = ty else { return (String::new(), false) };
    let last = path.path.segments.last().unwrap();
    let PathArguments::AngleBracketed(inner) = &last.arguments else {
        return (last.ident.to_string(), false);
    };
    let types = inner.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(named(ty).0),
        _ => None,
    });
    (types.last().unwrap_or_default(), last.ident == "BTreeMap")
}

fn setting(field: &Field) -> Option<Setting> {
    let attributes = &field.attrs;
    if words(attributes, "serde").split(", ").any(|word| word.trim() == "skip") {
        return None;
    }
    let (ty, is_map) = named(&field.ty);
    Some(Setting { name: field.ident.as_ref()?.to_string(), help: help(attributes), ty, is_map })
}

/// What can be read by serde, of all crates, by name.
fn shapes() -> HashMap<String, Shape> {
    let mut shapes = HashMap::new();
    let sources = walkdir::WalkDir::new(root().join("crates")).into_iter().filter_map(Result::ok);
    for source in sources.filter(|it| it.path().extension().is_some_and(|it| it == "rs")) {
        if !source.path().components().any(|part| part.as_os_str() == "src") {
            continue;
        }
        let text = fs::read_to_string(source.path()).unwrap();
        if !text.contains("Deserialize") {
            continue;
        }
        for item in syn::parse_file(&text).unwrap().items {
            match item {
                Item::Struct(item) if words(&item.attrs, "derive").contains("Deserialize") => {
                    let is_api = words(&item.attrs, "derive").contains("ToSchema");
                    let fields = item.fields.iter().filter_map(setting).collect();
                    let shape = if is_api {
                        Shape::Inline
                    } else {
                        Shape::Struct { help: help(&item.attrs), fields }
                    };
                    shapes.insert(item.ident.to_string(), shape);
                }
                Item::Enum(item) if words(&item.attrs, "derive").contains("Deserialize") => {
                    let kebab = words(&item.attrs, "serde").contains("kebab-case");
                    let name = |variant: &syn::Variant| spelled(&variant.ident.to_string(), kebab);
                    let choice = Shape::Choice(item.variants.iter().map(name).collect());
                    shapes.insert(item.ident.to_string(), choice);
                }
                _ => {}
            }
        }
    }
    shapes
}

fn spelled(variant: &str, kebab: bool) -> String {
    let mut name = String::new();
    for letter in variant.chars() {
        if kebab && letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

struct Reference {
    shapes: HashMap<String, Shape>,
    sections: String,
    known: BTreeSet<String>,
}

impl Reference {
    /// The settings of the struct `ty` under `path`; `defaults` is none where the section is not there by default.
    fn section(&mut self, ty: &str, path: &str, defaults: Option<&Value>) {
        let Some(Shape::Struct { help, fields }) = self.shapes.remove(ty) else { panic!("no struct {ty}") };
        let (mut rows, mut below) = (String::new(), Vec::new());
        for Setting { name, help, ty, is_map } in &fields {
            let default = defaults.and_then(|defaults| defaults.get(name)).filter(|it| !it.is_null());
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let choices = match self.shapes.get(ty) {
                Some(Shape::Struct { .. }) => {
                    below.push((
                        ty.clone(),
                        if *is_map { format!("{at}.<name>") } else { at },
                        default.cloned(),
                    ));
                    continue;
                }
                Some(Shape::Choice(names)) => format!(" One of `{}`.", names.join("`, `")),
                Some(Shape::Inline) | None => String::new(),
            };
            self.known.insert(at.clone());
            let default = default.map_or_else(|| "-".to_owned(), |value| format!("`{}`", written(value)));
            rows.push_str(&format!("| `{at}` | {default} | {help}{choices} |\n"));
        }
        let title = if path.is_empty() { "Beside all sections".to_owned() } else { format!("`[{path}]`") };
        let about = if path.is_empty() { String::new() } else { format!("{help}\n\n") };
        if !rows.is_empty() {
            let table = format!("| setting | default | meaning |\n|---|---|---|\n{rows}");
            self.sections.push_str(&format!("\n## {title}\n\n{about}{table}"));
        }
        self.shapes.insert(ty.to_owned(), Shape::Struct { help, fields });
        for (ty, path, defaults) in below {
            self.section(&ty, &path, defaults.as_ref());
        }
    }
}

/// A value as TOML has it on one line.
fn written(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(name, it)| format!("{name} = {}", written(it))).collect();
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn reference() -> Reference {
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut reference = Reference { shapes: shapes(), sections: String::new(), known: BTreeSet::new() };
    reference.section("Config", "", Some(&defaults));
    reference
}

#[test]
fn the_reference_of_settings_is_that_of_the_structs() {
    let now = INTRODUCTION.to_owned() + &reference().sections;
    let path = root().join("docs/configuration.md");
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, &now).unwrap();
        return;
    }
    let approved = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        now == approved,
        "run UPDATE_DOCUMENTS=1 cargo test -p server configuration, and look at the difference"
    );
}

#[test]
fn every_setting_is_in_the_reference_and_has_a_meaning() {
    fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
        match value.as_object().filter(|members| !members.is_empty()) {
            Some(members) => members.iter().for_each(|(name, member)| {
                leaves(member, &format!("{path}.{name}"), found);
            }),
            None => found.push(path[1..].to_owned()),
        }
    }
    let reference = reference();
    let mut found = Vec::new();
    leaves(&serde_json::to_value(Config::default()).unwrap(), "", &mut found);
    assert!(found.len() > 100, "only {}", found.len());
    for setting in found {
        // What is one inline table, or a section that is not there, stands in the reference as a whole.
        let begins = |known: &String| {
            setting == *known
                || setting.starts_with(&format!("{known}."))
                || known.starts_with(&format!("{setting}."))
        };
        assert!(reference.known.iter().any(begins), "{setting} is not in the reference");
    }
    assert!(!reference.sections.contains("|  |"), "a setting without a meaning");
}
