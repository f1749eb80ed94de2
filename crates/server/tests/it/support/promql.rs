//! As much of Prometheus' two languages as is needed to see whether what a rule names is there.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use regex::Regex;

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// A metric that an expression names, and what it says of labels: name, operator, value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    pub metric: String,
    pub labels: Vec<(String, String, String)>,
}

/// Every metric that `expression` names. Its names are told from functions, operators and labels by an underscore or
/// colon in them; `up` is the exception.
pub fn selectors(expression: &str) -> Vec<Selector> {
    static RANGES: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[^\]]*\]"));
    static GROUPS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"));
    static NAMES: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"([a-zA-Z_][a-zA-Z0-9_:]*)\s*(\(|\{(?:[^}"]|"[^"]*")*\})?"#));
    static MATCHERS: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)""#));
    let bare = RANGES.replace_all(expression, "");
    let bare = GROUPS.replace_all(&bare, "");
    let mut found = Vec::new();
    for name in NAMES.captures_iter(&bare) {
        let behind = name.get(2).map_or("", |behind| behind.as_str());
        let is_metric = name[1].contains(['_', ':']) || &name[1] == "up";
        if behind == "(" || !is_metric {
            continue;
        }
        let labels = MATCHERS.captures_iter(behind);
        let labels = labels.map(|it| (it[1].to_owned(), it[2].to_owned(), it[3].to_owned())).collect();
        found.push(Selector { metric: name[1].to_owned(), labels });
    }
    found
}

/// What `/metrics` shows: for each name its rows, of labels and value.
#[derive(Debug)]
pub struct Shown(HashMap<String, Vec<Row>>);

type Row = (BTreeMap<String, String>, f64);

impl Shown {
    pub fn read(text: &str) -> Self {
        static ROW: LazyLock<Regex> =
            LazyLock::new(|| pattern(r#"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$"#));
        static LABEL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(\w+)="((?:[^"\\]|\\.)*)""#));
        let mut rows: HashMap<_, Vec<_>> = HashMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let row = ROW.captures(line).unwrap_or_else(|| panic!("no row of Prometheus: {line}"));
            let labels = row.get(2).map_or("", |labels| labels.as_str());
            let labels = LABEL.captures_iter(labels).map(|it| (it[1].to_owned(), it[2].to_owned())).collect();
            rows.entry(row[1].to_owned()).or_default().push((labels, row[3].parse().unwrap()));
        }
        Self(rows)
    }

    /// The sum of the rows with these labels.
    pub fn sum(&self, metric: &str, labels: &[(&str, &str)]) -> f64 {
        let rows = self.0.get(metric).into_iter().flatten();
        let fits = |of: &BTreeMap<String, String>| {
            labels.iter().all(|(name, value)| of.get(*name).is_some_and(|it| it == value))
        };
        rows.filter(|(labels, _)| fits(labels)).map(|(_, value)| value).sum()
    }

    /// What is missing for `selector` to find anything, ever; labels that Prometheus itself adds aside.
    pub fn lacks(&self, selector: &Selector) -> Option<String> {
        let Some(rows) = self.0.get(&selector.metric) else { return Some(selector.metric.clone()) };
        let strange = selector.labels.iter().find(|(name, operator, value)| {
            let known = |(labels, _): &Row| {
                let exact = operator == "=" && !value.starts_with('$');
                labels.get(name).is_some_and(|it| !exact || it == value)
            };
            !["job", "instance"].contains(&name.as_str()) && !rows.iter().any(known)
        });
        strange.map(|(name, operator, value)| format!("{}{{{name}{operator}{value:?}}}", selector.metric))
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
