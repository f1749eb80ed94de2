//! What `/metrics` looks up when it is asked: pools, messages, the process itself.

use std::fs;

use db::Db;
use edge::telemetry::{Collect, Page};
use kernel::Timestamp;
use messages::{DatabaseStatus, Relay};

use crate::app::App;

/// Databases whose messages are told one by one, the worst; all others are told together.
const MOST_DATABASES: usize = 100;
/// The name of those others; no database is called so.
const OTHERS: &str = "_other";
/// The kernel counts time in hundredths of a second for programs, whatever it does inside.
const TICKS_PER_SECOND: f64 = 100.0;

/// Everything that is looked up.
pub(crate) fn all(app: &App) -> Vec<Box<dyn Collect>> {
    vec![
        Box::new(Pools(app.db.clone())),
        Box::new(Messages(app.relay.clone())),
        Box::new(Process { began: app.clock.now() }),
    ]
}

/// Connections to databases. Merchants' own databases come and go, at most 100 of them at once.
struct Pools(Db);

impl Collect for Pools {
    fn collect(&self, page: &mut Page) {
        let pools = self.0.pool_status();
        let used = pools.iter().map(|(pool, used, ..)| ([("pool", pool.as_str())], number(*used)));
        page.gauge("markethall_pool_connections_used", "Connections that somebody holds.", used);
        let open = pools.iter().map(|(pool, _, open, _)| ([("pool", pool.as_str())], number(*open)));
        page.gauge("markethall_pool_connections_open", "Connections that are open.", open);
        let most = pools.iter().map(|(pool, .., most)| ([("pool", pool.as_str())], number(*most)));
        page.gauge("markethall_pool_connections_max", "Connections that may be open.", most);
    }
}

/// How messages stand in each database that this process looks at.
struct Messages(Relay);

impl Collect for Messages {
    fn collect(&self, page: &mut Page) {
        let connected = number(usize::from(self.0.bus_status().trouble.is_none()));
        page.number("markethall_messages_bus_connected", "1 while something carries messages.", connected);
        write_databases(self.0.status(), page);
    }
}

fn write_databases(mut databases: Vec<DatabaseStatus>, page: &mut Page) {
    databases
        .sort_by_key(|it| std::cmp::Reverse((it.dead_letters, it.oldest_age_ms, it.unread + it.pending)));
    let rest = databases.split_off(databases.len().min(MOST_DATABASES));
    let gauge =
        |page: &mut Page, name: &str, help: &str, of: &dyn Fn(&DatabaseStatus) -> f64, others: f64| {
            let named = databases.iter().map(|it| ([("database", &*it.placement.database)], of(it)));
            let others = (!rest.is_empty()).then_some(([("database", OTHERS)], others));
            page.gauge(name, help, named.chain(others));
        };
    let sum = |of: &dyn Fn(&DatabaseStatus) -> f64| rest.iter().map(of).sum::<f64>();
    let reached = |it: &DatabaseStatus| f64::from(u8::from(it.is_connected()));
    let lowest = rest.iter().map(reached).fold(1.0, f64::min);
    let help = "1 while this process has a session to carry the database's messages.";
    gauge(page, "markethall_messages_database_connected", help, &reached, lowest);
    let backlog = |it: &DatabaseStatus| (it.unread + it.pending) as f64;
    let help = "Messages on their way, at most 20000.";
    gauge(page, "markethall_messages_backlog", help, &backlog, sum(&backlog));
    let retrying = |it: &DatabaseStatus| it.retrying as f64;
    let help = "Deliveries with a failure behind them.";
    gauge(page, "markethall_messages_retrying", help, &retrying, sum(&retrying));
    let dead = |it: &DatabaseStatus| it.dead_letters as f64;
    let help = "Messages given up and not dealt with.";
    gauge(page, "markethall_messages_dead_letters", help, &dead, sum(&dead));
    let oldest = |it: &DatabaseStatus| it.oldest_age_ms as f64 / 1000.0;
    let help = "Age of the oldest message on its way.";
    let eldest = rest.iter().map(oldest).fold(0.0, f64::max);
    gauge(page, "markethall_messages_oldest_seconds", help, &oldest, eldest);
}

/// The process, under the names that Prometheus' own libraries give these numbers.
struct Process {
    began: Timestamp,
}

impl Collect for Process {
    fn collect(&self, page: &mut Page) {
        let began = self.began.as_millisecond() as f64 / 1000.0;
        page.number("process_start_time_seconds", "When the process began.", began);
        // Elsewhere than on Linux there are no such files, and no such numbers.
        if let Some(bytes) = read("/proc/self/status").and_then(|text| resident_bytes(&text)) {
            page.number("process_resident_memory_bytes", "Memory in use.", bytes);
        }
        if let Some(seconds) = read("/proc/self/stat").and_then(|text| cpu_seconds(&text)) {
            page.counter("process_cpu_seconds_total", "Time on processors.", seconds);
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            page.number("process_open_fds", "Open files and connections.", number(entries.count()));
        }
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Of user and system together. The name of the program, in brackets, may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use kernel::Placement;

    use super::*;

    // OBS-1
    #[test]
    fn memory_and_processor_time_are_read_from_the_kernels_files() {
        assert_eq!(resident_bytes("VmPeak:\t  90 kB\nVmRSS:\t  12 kB\n"), Some(12.0 * 1024.0));
        assert_eq!(resident_bytes("Name: x"), None);
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("42"), None);
    }

    // OBS-1
    #[test]
    fn of_very_many_databases_the_worst_are_told_by_name_and_the_rest_together() {
        let status = |number: usize| DatabaseStatus {
            placement: Placement {
                shard: "main".into(),
                database: format!("own{number}").into(),
                dedicated: true,
            },
            at: (number != 7).then_some(Timestamp::UNIX_EPOCH),
            leader: None,
            unread: 1,
            pending: 1,
            retrying: 0,
            oldest_age_ms: if number == 120 { 9000 } else { 10 },
            dead_letters: i64::from(number == 110),
        };
        let mut page = Page::default();
        write_databases((0..150).map(status).collect(), &mut page);
        let text = page.into_text();
        for line in [
            "markethall_messages_dead_letters{database=\"own110\"} 1\n",
            "markethall_messages_oldest_seconds{database=\"own120\"} 9\n",
            "markethall_messages_oldest_seconds{database=\"_other\"} 0.01\n",
            "markethall_messages_backlog{database=\"_other\"} 100\n",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
        assert_eq!(text.matches("markethall_messages_backlog{").count(), 101);
    }
}
