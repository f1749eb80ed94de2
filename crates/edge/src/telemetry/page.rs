//! Numbers that are looked up when somebody asks for them: how full pools are, how old messages are.
//!
//! What comes and goes (a merchant's own database) is shown so only while it is there; a gauge of the recorder would
//! tell its last value for ever.

use std::fmt::Write as _;

/// Knows numbers that are looked up when they are asked for.
pub trait Collect: Send + Sync {
    /// Writes them down. Quick: it asks no database.
    fn collect(&self, page: &mut Page);
}

/// Text in Prometheus' format.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A gauge with its rows, each of labels and value.
    pub fn gauge<'a, L>(&mut self, name: &str, help: &str, rows: impl IntoIterator<Item = (L, f64)>)
    where
        L: AsRef<[(&'a str, &'a str)]>,
    {
        self.family("gauge", name, help, rows);
    }

    /// A number that only grows; its name ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.family("counter", name, help, [([], value)]);
    }

    /// A gauge without labels.
    pub fn number(&mut self, name: &str, help: &str, value: f64) {
        self.family("gauge", name, help, [([], value)]);
    }

    fn family<'a, L>(&mut self, kind: &str, name: &str, help: &str, rows: impl IntoIterator<Item = (L, f64)>)
    where
        L: AsRef<[(&'a str, &'a str)]>,
    {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in rows {
            self.0.push_str(name);
            let mut before = '{';
            for (label, text) in labels.as_ref() {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                let _ = write!(self.0, "{before}{label}=\"{text}\"");
                before = ',';
            }
            if before == ',' {
                self.0.push('}');
            }
            let _ = writeln!(self.0, " {value}");
        }
    }

    /// All of it.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OBS-1
    #[test]
    fn rows_are_written_as_prometheus_reads_them_and_labels_are_escaped() {
        let mut page = Page::default();
        page.gauge("pool_used", "In use.", [([("pool", "a\"b\\c\nd"), ("kind", "hot")], 2.0)]);
        page.number("ready", "Ready.", 1.0);
        page.counter("seconds_total", "Seconds.", 0.25);
        let wanted = "# HELP pool_used In use.\n# TYPE pool_used gauge\n\
                      pool_used{pool=\"a\\\"b\\\\c\\nd\",kind=\"hot\"} 2\n\
                      # HELP ready Ready.\n# TYPE ready gauge\nready 1\n\
                      # HELP seconds_total Seconds.\n# TYPE seconds_total counter\nseconds_total 0.25\n";
        assert_eq!(page.into_text(), wanted);
    }
}
