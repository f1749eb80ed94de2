//! Feature flags: what can be switched while the program runs, and for whom it is on.
//!
//! A [`Flag`] is declared in code, with an owner and an expiry. What is decided about it is kept elsewhere and handed
//! over as a whole ([`Flags::replace`]); asking is a look into memory, without a lock, an allocation or a wait.

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use jiff::{Timestamp, civil::Date};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::TenantId;

/// The longest name of a flag, in characters.
pub const FLAG_NAME_MOST: usize = 50;
/// Everybody falls into one of so many places; a roll-out covers the first of them. Finer than percents, so that finer
/// roll-outs could come later without moving anybody.
const PLACES: u64 = 10_000;

/// Something that can be switched at runtime, declared once by the crate that asks.
///
/// `default_on` is what holds as long as nobody has decided anything, or a decision is out of its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Its name in the API: `[a-z][a-z0-9-]*`, at most [`FLAG_NAME_MOST`] characters. Also decides who is among the
    /// first of a roll-out, so that those are not the same for every flag.
    pub name: &'static str,
    /// What is different when it is on, in one sentence.
    pub about: &'static str,
    /// Who looks after it: the domain whose code asks.
    pub owner: &'static str,
    /// The day by which it is either gone from the code or has been given a new one.
    pub expires: Date,
    /// Whether it is on where nothing was decided.
    pub default_on: bool,
}

impl Flag {
    /// Whether the name is one that the API can take.
    #[must_use]
    pub fn is_well_named(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        self.name.len() <= FLAG_NAME_MOST
            && self.name.starts_with(|first: char| first.is_ascii_lowercase())
            && self.name.bytes().all(plain)
    }
}

/// What was decided about a flag, for one tenant or for all that have no decision of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagRule {
    /// Whether it is on at all.
    pub enabled: bool,
    /// For how many of a hundred it is on, 0 to 100, when it is.
    pub percentage: u8,
    /// It holds from here on; always has when `None`.
    pub starts_at: Option<Timestamp>,
    /// It holds until before this; for ever when `None`.
    pub ends_at: Option<Timestamp>,
    /// What the code that asks is told besides.
    pub config: Option<Arc<Value>>,
}

impl FlagRule {
    /// On or off for all of them, always.
    #[must_use]
    pub fn switch(enabled: bool) -> Self {
        Self { enabled, percentage: 100, starts_at: None, ends_at: None, config: None }
    }

    /// Whether it holds at `now`. Out of its dates it is as if it were not there.
    fn holds(&self, now: Timestamp) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end)
    }

    /// Raising the percentage never switches anybody off: a place stays the same, and more of them are covered.
    fn covers(&self, flag: &str, subject: &[u8]) -> bool {
        match self.percentage {
            _ if !self.enabled => false,
            0 => false,
            100.. => true,
            some => place(flag, subject) < u64::from(some) * (PLACES / 100),
        }
    }
}

/// The place of a subject in the roll-out of a flag: the first eight bytes of the SHA-256 of both, the same in every
/// version of the program and on every machine.
fn place(flag: &str, subject: &[u8]) -> u64 {
    let digest = Sha256::new().chain_update(flag).chain_update([0]).chain_update(subject).finalize();
    let first = digest.iter().take(8).fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    first % PLACES
}

#[derive(Debug, Default)]
struct Rules {
    everybody: Option<FlagRule>,
    tenants: HashMap<TenantId, FlagRule>,
}

impl Rules {
    /// The tenant's own decision while it holds, else the one for everybody while that one does.
    fn holding(&self, tenant: TenantId, now: Timestamp) -> Option<&FlagRule> {
        let own = self.tenants.get(&tenant).filter(|rule| rule.holds(now));
        own.or_else(|| self.everybody.as_ref().filter(|rule| rule.holds(now)))
    }
}

/// Everything that was decided about all flags.
#[derive(Debug, Default)]
pub struct FlagTable {
    by_name: HashMap<Box<str>, Rules>,
    len: usize,
}

impl FlagTable {
    /// Notes a decision, for one tenant or for everybody.
    pub fn insert(&mut self, name: &str, tenant: Option<TenantId>, rule: FlagRule) {
        let rules = self.by_name.entry(name.into()).or_default();
        let before = match tenant {
            Some(tenant) => rules.tenants.insert(tenant, rule),
            None => rules.everybody.replace(rule),
        };
        self.len += usize::from(before.is_none());
    }

    /// How many decisions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was decided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The decisions of one installation as this process knows them. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub struct Flags(Arc<ArcSwap<FlagTable>>);

impl Flags {
    /// Takes over everything that was decided, at once for whoever asks from now on.
    pub fn replace(&self, table: FlagTable) {
        self.0.store(Arc::new(table));
    }

    /// How many decisions are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.load().len()
    }

    /// Whether nothing was decided, or nothing is known yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What holds for `tenant` at `now`.
    #[must_use]
    pub fn of(&self, tenant: TenantId, now: Timestamp) -> TenantFlags<'_> {
        TenantFlags { flags: self, tenant, now }
    }
}

/// Equal are clones of each other: what they hold changes while the program runs.
impl PartialEq for Flags {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Flags {}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags").field("len", &self.len()).finish()
    }
}

/// The flags of one tenant at one moment: `ctx.flags().on(SPLIT_TENDER)`.
#[derive(Debug, Clone, Copy)]
pub struct TenantFlags<'a> {
    flags: &'a Flags,
    tenant: TenantId,
    now: Timestamp,
}

impl TenantFlags<'_> {
    /// Whether it is on for the tenant; a roll-out covers so many of a hundred tenants.
    #[must_use]
    pub fn on(self, flag: Flag) -> bool {
        self.look(flag, None, |on, _| on)
    }

    /// Whether it is on for one of the tenant's things or people, by identifier; a roll-out covers so many of a hundred
    /// of them.
    #[must_use]
    pub fn on_for(self, flag: Flag, subject: &str) -> bool {
        self.look(flag, Some(subject), |on, _| on)
    }

    /// What was decided besides on and off; `None` where it is off or nothing was said.
    #[must_use]
    pub fn config(self, flag: Flag, subject: Option<&str>) -> Option<Arc<Value>> {
        self.look(flag, subject, |on, rule| rule.filter(|_| on).and_then(|rule| rule.config.clone()))
    }

    fn look<T>(
        self,
        flag: Flag,
        subject: Option<&str>,
        answer: impl FnOnce(bool, Option<&FlagRule>) -> T,
    ) -> T {
        let table = self.flags.0.load();
        let rules = table.by_name.get(flag.name);
        let Some(rule) = rules.and_then(|rules| rules.holding(self.tenant, self.now)) else {
            return answer(flag.default_on, None);
        };
        let subject = subject.map_or(self.tenant.0.as_bytes().as_slice(), str::as_bytes);
        answer(rule.covers(flag.name, subject), Some(rule))
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, civil::date};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NEW_THING: Flag = Flag {
        name: "new-thing",
        about: "A thing that was not there before.",
        owner: "kernel",
        expires: date(2027, 11, 30),
        default_on: false,
    };
    const OLD_THING: Flag = Flag { name: "old-thing", default_on: true, ..NEW_THING };

    fn table(rules: &[(Flag, Option<TenantId>, FlagRule)]) -> Flags {
        let mut table = FlagTable::default();
        for (flag, tenant, rule) in rules {
            table.insert(flag.name, *tenant, rule.clone());
        }
        let flags = Flags::default();
        flags.replace(table);
        flags
    }

    fn part(percentage: u8) -> FlagRule {
        FlagRule { percentage, ..FlagRule::switch(true) }
    }

    // PLT-7
    #[test]
    fn the_tenants_own_decision_comes_before_that_for_everybody_and_that_before_the_default() {
        let (acme, bolt, now) = (TenantId::new(), TenantId::new(), Timestamp::UNIX_EPOCH);
        let nothing = Flags::default();
        assert!(!nothing.of(acme, now).on(NEW_THING) && nothing.of(acme, now).on(OLD_THING));
        let flags = table(&[
            (NEW_THING, None, FlagRule::switch(true)),
            (NEW_THING, Some(acme), FlagRule::switch(false)),
            (OLD_THING, Some(acme), FlagRule::switch(false)),
        ]);
        assert!(!flags.of(acme, now).on(NEW_THING) && !flags.of(acme, now).on(OLD_THING));
        assert!(flags.of(bolt, now).on(NEW_THING) && flags.of(bolt, now).on(OLD_THING));
        assert_eq!(flags.len(), 3);
        // Whoever holds a clone sees the next decision at once.
        let clone = flags.clone();
        flags.replace(FlagTable::default());
        assert!(clone.of(acme, now).on(OLD_THING) && clone.is_empty());
    }

    // PLT-7
    #[test]
    fn out_of_its_dates_a_decision_is_as_if_it_were_not_there() {
        let (acme, start) = (TenantId::new(), Timestamp::UNIX_EPOCH);
        let hour = SignedDuration::from_hours(1);
        let dated = |enabled| FlagRule {
            starts_at: Some(start + hour),
            ends_at: Some(start + hour * 2),
            ..FlagRule::switch(enabled)
        };
        let flags = table(&[(NEW_THING, Some(acme), dated(true)), (OLD_THING, Some(acme), dated(false))]);
        let minute = SignedDuration::from_mins(1);
        for (at, new, old) in [
            (start + hour - minute, false, true),
            (start + hour, true, false),
            (start + hour * 2 - minute, true, false),
            (start + hour * 2, false, true),
        ] {
            assert_eq!(flags.of(acme, at).on(NEW_THING), new, "{at}");
            assert_eq!(flags.of(acme, at).on(OLD_THING), old, "{at}");
        }
    }

    // PLT-7
    #[test]
    fn the_configuration_is_told_only_where_the_flag_is_on() {
        let (acme, now) = (TenantId::new(), Timestamp::UNIX_EPOCH);
        let config = Some(Arc::new(json!({ "most": 3 })));
        let rule = |enabled| FlagRule { config: config.clone(), ..FlagRule::switch(enabled) };
        let on = table(&[(NEW_THING, None, rule(true))]);
        assert_eq!(on.of(acme, now).config(NEW_THING, None), config);
        let off = table(&[(NEW_THING, None, rule(false))]);
        assert_eq!(off.of(acme, now).config(NEW_THING, None), None);
    }

    // PLT-7: what a place is must never change, or a roll-out would shuffle everybody.
    #[test]
    fn places_are_the_same_in_every_version_of_the_program() {
        assert_eq!(place("new-thing", b"cus_1"), 3667);
        assert_eq!(place("old-thing", b"cus_1"), 6861);
    }

    // PLT-7
    #[test]
    fn a_tenth_is_about_a_tenth_and_not_the_same_for_every_flag() {
        let (acme, now) = (TenantId::new(), Timestamp::UNIX_EPOCH);
        let flags = table(&[(NEW_THING, None, part(10)), (OLD_THING, None, part(10))]);
        let of = flags.of(acme, now);
        let subjects: Vec<String> = (0..10_000).map(|number| format!("cus_{number}")).collect();
        let on = |flag| subjects.iter().filter(|subject| of.on_for(flag, subject)).count();
        assert!((850..1150).contains(&on(NEW_THING)), "{}", on(NEW_THING));
        let both =
            subjects.iter().filter(|subject| of.on_for(NEW_THING, subject) && of.on_for(OLD_THING, subject));
        assert!(both.count() < 200);
    }

    proptest! {
        // PLT-7
        #[test]
        fn raising_the_percentage_never_switches_anybody_off(
            subject in ".{0,40}", tenant in any::<u128>(), lower in 0_u8..=100, more in 0_u8..=100,
        ) {
            let tenant = TenantId(uuid::Uuid::from_u128(tenant));
            let now = Timestamp::UNIX_EPOCH;
            let higher = lower.saturating_add(more).min(100);
            let before = table(&[(NEW_THING, None, part(lower))]);
            let after = table(&[(NEW_THING, None, part(higher))]);
            prop_assert!(!before.of(tenant, now).on(NEW_THING) || after.of(tenant, now).on(NEW_THING));
            let on_for = |flags: &Flags| flags.of(tenant, now).on_for(NEW_THING, &subject);
            prop_assert!(!on_for(&before) || on_for(&after));
            prop_assert!(!on_for(&table(&[(NEW_THING, None, part(0))])));
            prop_assert!(on_for(&table(&[(NEW_THING, None, part(100))])));
        }
    }

    #[test]
    fn names_are_words_with_hyphens() {
        assert!(NEW_THING.is_well_named());
        for name in ["", "New", "new_thing", "-new", "9", "new thing"] {
            assert!(!Flag { name, ..NEW_THING }.is_well_named(), "{name}");
        }
    }
}
