//! The table: what was measured, the machine's own limit beside it, and whether it is good enough.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) name: String,
    /// The median of the rounds.
    pub(super) value: f64,
    pub(super) unit: &'static str,
    pub(super) rounds: Vec<f64>,
    /// What the value is compared with: a limit of the machine, or the same thing under easy conditions.
    pub(super) base: Option<Base>,
    pub(super) wanted: Option<Wanted>,
    pub(super) note: String,
}

/// What a value is divided by.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Base {
    pub(super) name: String,
    pub(super) value: f64,
}

/// A bound on the value, or on its ratio to the base where there is one.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Row {
    pub(super) fn new(name: &str, unit: &'static str, rounds: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            value: median(&rounds),
            unit,
            rounds,
            base: None,
            wanted: None,
            note: String::new(),
        }
    }

    pub(super) fn compared_with(mut self, name: &str, value: f64) -> Self {
        self.base = Some(Base { name: name.to_owned(), value });
        self
    }

    pub(super) fn wanted(mut self, wanted: Wanted) -> Self {
        self.wanted = Some(wanted);
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn ratio(&self) -> Option<f64> {
        let base = self.base.as_ref()?;
        (base.value > 0.0).then(|| self.value / base.value)
    }

    /// Whether the bound is kept; none when there is no bound.
    pub(super) fn is_good(&self) -> Option<bool> {
        let measured = if self.base.is_some() { self.ratio()? } else { self.value };
        Some(match self.wanted? {
            Wanted::AtLeast(bound) => measured >= bound,
            Wanted::AtMost(bound) => measured <= bound,
        })
    }
}

/// The middle value; the mean of the two middle ones when there is no middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// As Markdown, with the machine's facts above.
pub(super) fn markdown(facts: &BTreeMap<String, String>, rows: &[Row]) -> String {
    let mut out = String::new();
    let facts: Vec<String> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    // Writing to memory cannot fail.
    let _ = writeln!(out, "{}\n", facts.join(", "));
    out.push_str("| what | median | rounds | compared with | ratio | wanted | | note |\n");
    out.push_str("|---|---:|---|---|---:|---|---|---|\n");
    for row in rows {
        let rounds: Vec<String> = row.rounds.iter().map(|value| number(*value)).collect();
        let base =
            row.base.as_ref().map(|base| format!("{} {}", base.name, number(base.value))).unwrap_or_default();
        let ratio = row.ratio().map(|ratio| format!("{ratio:.2}x")).unwrap_or_default();
        let sign = if row.base.is_some() { "x" } else { "" };
        let wanted = match row.wanted {
            Some(Wanted::AtLeast(bound)) => format!("at least {bound}{sign}"),
            Some(Wanted::AtMost(bound)) => format!("at most {bound}{sign}"),
            None => String::new(),
        };
        let good = row.is_good().map(|good| if good { "yes" } else { "**no**" }).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {} {} | {} | {base} | {ratio} | {wanted} | {good} | {} |",
            row.name,
            number(row.value),
            row.unit,
            rounds.join(" "),
            row.note
        );
    }
    out
}

/// Three digits or all whole ones, with thousands marked.
fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_bound_is_on_the_ratio_where_there_is_a_base() {
        let row = Row::new("x", "s", vec![6.0]);
        assert_eq!(row.is_good(), None);
        assert_eq!(row.clone().wanted(Wanted::AtMost(5.0)).is_good(), Some(false));
        let row = row.compared_with("y", 4.0);
        assert_eq!(row.clone().wanted(Wanted::AtLeast(1.5)).is_good(), Some(true));
        assert_eq!(row.clone().wanted(Wanted::AtLeast(1.6)).is_good(), Some(false));
        assert_eq!(row.compared_with("nothing", 0.0).wanted(Wanted::AtLeast(1.0)).is_good(), None);
    }

    #[test]
    fn the_table_says_it_all() {
        let row = Row::new("create sale", "/s", vec![6120.0, 6000.0, 6300.4])
            .compared_with("TPC-B", 5400.0)
            .wanted(Wanted::AtLeast(1.0));
        let text = markdown(&BTreeMap::from([("cpus".to_owned(), "2".to_owned())]), &[row]);
        assert!(text.starts_with("cpus: 2\n"));
        assert!(text.contains(
            "| create sale | 6,120 /s | 6,120 6,000 6,300 | TPC-B 5,400 | 1.13x | at least 1x | yes |  |"
        ));
        assert_eq!(number(0.126), "0.13");
        assert_eq!(number(92_331.0), "92,331");
        assert_eq!(number(123.0), "123");
    }
}
