//! PostgreSQL's settings, from the size of the machine.

use std::fmt::Write as _;

use super::Profile;

const MB: u64 = 1024 * 1024;
/// More shared buffers than this bring nothing beside the system's own cache.
const SHARED_BUFFERS_MAX: u64 = 2048 * MB;

/// What must hold whatever a person writes into `local.conf`; given on the command line, which wins.
pub(super) fn forced(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Production => {
            &["fsync=on", "synchronous_commit=on", "full_page_writes=on", "listen_addresses="]
        }
        // Without fsync a commit costs next to nothing, and still survives PostgreSQL being killed.
        Profile::Test => &["fsync=off", "synchronous_commit=on", "full_page_writes=off", "listen_addresses="],
    }
}

/// The text of `markethall.conf`, written anew at every start.
pub(super) fn render(profile: Profile, memory_bytes: u64, lz4: bool) -> String {
    let mut text =
        String::from("# Written by markethall at every start; put your own settings into local.conf.\n");
    let mut set = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = '{value}'");
    };
    for (name, value) in COMMON {
        set(name, value);
    }
    match profile {
        Profile::Production => {
            for (name, value) in PRODUCTION {
                set(name, value);
            }
            let shared = (memory_bytes / 4).clamp(64 * MB, SHARED_BUFFERS_MAX);
            set("shared_buffers", &megabytes(shared));
            set("effective_cache_size", &megabytes((memory_bytes / 4 * 3).max(128 * MB)));
            set("maintenance_work_mem", &megabytes((memory_bytes / 32).clamp(32 * MB, 256 * MB)));
            set("wal_compression", if lz4 { "lz4" } else { "on" });
        }
        Profile::Test => {
            for (name, value) in TEST {
                set(name, value);
            }
        }
    }
    text
}

/// For both profiles.
const COMMON: &[(&str, &str)] = &[
    ("max_connections", "200"),
    ("password_encryption", "scram-sha-256"),
    ("unix_socket_permissions", "0700"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    // Every statement here is short; compiling them costs more than it saves.
    ("jit", "off"),
    ("random_page_cost", "1.1"),
    // Details and parameters of failed statements hold customers' data; they stay out of the log (DPR-4).
    ("log_error_verbosity", "terse"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
    // A forgotten transaction must not hold locks and dead rows for ever.
    ("idle_in_transaction_session_timeout", "300s"),
];

const PRODUCTION: &[(&str, &str)] = &[
    ("work_mem", "16MB"),
    ("max_wal_size", "4GB"),
    ("min_wal_size", "512MB"),
    ("checkpoint_timeout", "15min"),
    ("checkpoint_completion_target", "0.9"),
    ("effective_io_concurrency", "100"),
    // Tables here mostly grow: keep their visibility maps and statistics fresh, in small frequent steps.
    ("autovacuum_naptime", "20s"),
    ("autovacuum_vacuum_scale_factor", "0.05"),
    ("autovacuum_vacuum_insert_scale_factor", "0.05"),
    ("autovacuum_analyze_scale_factor", "0.02"),
    ("autovacuum_vacuum_cost_limit", "1000"),
    ("autovacuum_max_workers", "2"),
    // One file per weekday, emptied when its day comes again.
    ("logging_collector", "on"),
    ("log_directory", "log"),
    ("log_filename", "postgres-%u.log"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
    ("log_truncate_on_rotation", "on"),
    ("log_file_mode", "0600"),
    ("log_min_duration_statement", "1s"),
    ("log_lock_waits", "on"),
    ("log_checkpoints", "on"),
];

const TEST: &[(&str, &str)] = &[
    ("shared_buffers", "64MB"),
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "1h"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("autovacuum_naptime", "1min"),
    ("logging_collector", "off"),
];

fn megabytes(bytes: u64) -> String {
    format!("{}MB", bytes / MB)
}

/// The memory that we may use: the machine's, or the container's limit when that is smaller.
pub(super) fn memory_bytes() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse_meminfo(&text));
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse::<u64>().ok());
    machine.unwrap_or(1024 * MB).min(limit.unwrap_or(u64::MAX))
}

fn parse_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(profile: Profile, memory_mb: u64, lines: &[&str]) {
        let text = render(profile, memory_mb * MB, true);
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line} not in:\n{text}");
        }
    }

    #[test]
    fn buffers_follow_the_memory_within_bounds() {
        check(Profile::Production, 4096, &["shared_buffers = '1024MB'", "effective_cache_size = '3072MB'"]);
        check(Profile::Production, 65_536, &["shared_buffers = '2048MB'"]);
        check(Profile::Production, 128, &["shared_buffers = '64MB'"]);
        check(Profile::Test, 65_536, &["shared_buffers = '64MB'"]);
    }

    #[test]
    fn production_never_gives_up_durability() {
        let forced = forced(Profile::Production);
        assert!(forced.contains(&"fsync=on") && forced.contains(&"synchronous_commit=on"));
        assert!(!render(Profile::Production, MB, false).contains("fsync"));
    }

    #[test]
    fn the_machines_memory_is_read_in_bytes() {
        assert_eq!(parse_meminfo("MemTotal:       24684092 kB\nMemFree: 1 kB\n"), Some(24_684_092 * 1024));
        assert_eq!(parse_meminfo("nothing"), None);
    }
}
