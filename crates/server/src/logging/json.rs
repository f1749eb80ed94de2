//! One JSON object per line, its fields beside each other: `timestamp`, `level`, `service`, `target`, `message`, then what
//! the event says (OBS-3).

use std::fmt;

use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

/// Names of ours that no event may take.
const TAKEN: [&str; 5] = ["timestamp", "level", "service", "target", "message"];

/// Writes events as lines of JSON.
pub(super) struct JsonLines {
    /// What this process is called among others.
    pub(super) service: String,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::with_capacity(32);
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        let target = said.target.as_deref().unwrap_or_else(|| metadata.target());
        write!(writer, "{{\"timestamp\":{}", text(&timestamp))?;
        write!(writer, ",\"level\":\"{}\"", metadata.level())?;
        write!(writer, ",\"service\":{},\"target\":{}", text(&self.service), text(target))?;
        write!(writer, ",\"message\":{}", text(&said.message))?;
        for (name, value) in &said.fields {
            let prefix = if TAKEN.contains(name) { "event." } else { "" };
            write!(writer, ",\"{prefix}{name}\":{value}")?;
        }
        writeln!(writer, "}}")
    }
}

/// As a JSON string.
fn text(text: &str) -> Value {
    Value::from(text)
}

/// What an event says. Names of fields are written in our sources and need no escaping.
#[derive(Default)]
struct Said {
    message: String,
    /// Of events that come from the `log` crate.
    target: Option<String>,
    fields: Vec<(&'static str, Value)>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        let plain = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match field.name() {
            "message" => self.message = plain(value),
            "log.target" => self.target = Some(plain(value)),
            // Where in somebody else's source.
            name if name.starts_with("log.") => {}
            name => self.fields.push((name.strip_prefix("r#").unwrap_or(name), value)),
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{fmt, prelude::*};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // OBS-3
    #[test]
    fn an_event_is_one_line_of_plain_fields_whatever_it_says() {
        let written = Written::default();
        let sink = written.clone();
        let lines = JsonLines { service: "till \"1\"".to_owned() };
        let layer = fmt::layer().event_format(lines).with_ansi(false).with_writer(move || sink.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let none: Option<&str> = None;
            tracing::info!(tenant = "acme", count = 3, ratio = 0.5, none, text = %"a\n\"b\"", "it {}", "is\nso");
            tracing::warn!(level = "mine", done = true, "again");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        let [first, second] = &lines[..] else { panic!("{text}") };
        assert!(first["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{text}");
        assert_eq!((&first["level"], &first["service"]), (&"INFO".into(), &"till \"1\"".into()));
        assert_eq!((&first["message"], &first["tenant"]), (&"it is\nso".into(), &"acme".into()));
        assert_eq!(
            (&first["count"], &first["ratio"], &first["text"]),
            (&3.into(), &0.5.into(), &"a\n\"b\"".into())
        );
        assert!(first.get("none").is_none() && first["target"].as_str().unwrap().contains("json"));
        assert_eq!(
            (&second["level"], &second["event.level"], &second["done"]),
            (&"WARN".into(), &"mine".into(), &true.into())
        );
    }
}
