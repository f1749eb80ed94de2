//! What asking for a feature flag costs: `cargo run --release -p kernel --example flags`. Fails above a microsecond;
//! `--json` prints the slowest kind for a program to read.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::{hint::black_box, process::ExitCode, time::Instant};

use jiff::{Timestamp, civil::date};
use kernel::{Flag, FlagRule, FlagTable, Flags, TenantId};

const TENANTS: usize = 1000;
const ROUNDS: u32 = 1_000_000;
const LIMIT_NS: f64 = 1000.0;

const FLAG: Flag = Flag {
    name: "new-thing",
    about: "A thing that was not there before.",
    owner: "kernel",
    expires: date(2027, 11, 30),
    default_on: false,
};

/// Decisions about fifty features for each of a thousand tenants.
fn flags(tenants: &[TenantId], percentage: u8) -> Flags {
    let mut table = FlagTable::default();
    for tenant in tenants {
        for number in 0..49 {
            table.insert(&format!("other-thing-{number}"), Some(*tenant), FlagRule::switch(true));
        }
        table.insert(FLAG.name, Some(*tenant), FlagRule { percentage, ..FlagRule::switch(true) });
    }
    let flags = Flags::default();
    flags.replace(table);
    flags
}

/// Nanoseconds for each of many questions.
fn measure(what: &str, tenants: &[TenantId], ask: impl Fn(TenantId) -> bool) -> f64 {
    let mut on = 0_u32;
    let begun = Instant::now();
    for tenant in tenants.iter().cycle().take(ROUNDS as usize) {
        on += u32::from(black_box(ask(black_box(*tenant))));
    }
    let each = begun.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS);
    if !is_for_programs() {
        println!("{what}: {each:.0} ns ({on} of {ROUNDS} on)");
    }
    black_box(on);
    each
}

fn is_for_programs() -> bool {
    std::env::args().nth(1).as_deref() == Some("--json")
}

fn main() -> ExitCode {
    let tenants: Vec<TenantId> = (0..TENANTS).map(|_| TenantId::new()).collect();
    let (all, some, now) = (flags(&tenants, 100), flags(&tenants, 30), Timestamp::UNIX_EPOCH);
    let nothing = Flags::default();
    let worst = [
        measure("nothing decided", &tenants, |tenant| nothing.of(tenant, now).on(FLAG)),
        measure("decided for the tenant", &tenants, |tenant| all.of(tenant, now).on(FLAG)),
        measure("rolled out to 30 %", &tenants, |tenant| some.of(tenant, now).on(FLAG)),
        measure("rolled out to 30 % of customers", &tenants, |tenant| {
            some.of(tenant, now).on_for(FLAG, "cus_01J00000000000000000000000")
        }),
    ];
    if is_for_programs() {
        println!("{{\"nanoseconds\":{:.0}}}", worst.iter().copied().fold(0.0, f64::max));
        return ExitCode::SUCCESS;
    }
    if worst.iter().any(|each| *each > LIMIT_NS) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
