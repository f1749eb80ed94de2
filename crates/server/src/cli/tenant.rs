//! `markethall tenant`

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use control::{
    CreateTenant, PlacementKind, TenantFilter, TenantView, create_tenant, find_tenant, list_tenants,
    resume_tenant, set_rate_limit, suspend_tenant, tenant_health,
};
use kernel::{Actor, Caller, Currency, PermissionSet, RateLimit, TenantSettings, Tier};
use serde_json::json;

use super::{Outcome, output, session::Session};
use crate::config::Config;

/// Merchants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Open a merchant; repeated after a failure it goes on where it stopped.
    Create(CreateArgs),
    /// List merchants by slug.
    List {
        /// Only those after this slug.
        #[arg(long)]
        after: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Show one.
    Show {
        /// The slug.
        slug: String,
    },
    /// How they are: who trades, whose setting up failed, whose database answers and who is slowest.
    Health,
    /// Stop one: nobody can sign in or sell until it is resumed.
    Suspend {
        /// The slug.
        slug: String,
    },
    /// Let a suspended one trade again.
    Resume {
        /// The slug.
        slug: String,
    },
    /// Give one a rate limit of its own, or that of its tier again.
    Limit(LimitArgs),
}

/// How often a merchant may call, all its callers together.
#[derive(Debug, Args)]
pub struct LimitArgs {
    /// The slug.
    slug: String,
    /// Calls per window in the long run.
    #[arg(long, required_unless_present = "clear")]
    limit: Option<u32>,
    /// The window in seconds.
    #[arg(long, default_value_t = 60)]
    window: u32,
    /// Calls at once; as many as per window when not given.
    #[arg(long)]
    burst: Option<u32>,
    /// How many more wait for their turn instead of being refused.
    #[arg(long, default_value_t = 0)]
    queue: u32,
    /// What the tier says counts again.
    #[arg(long, conflicts_with_all = ["limit", "burst"])]
    clear: bool,
}

impl LimitArgs {
    fn wanted(&self) -> Result<Option<RateLimit>> {
        let Some(limit) = self.limit else { return Ok(None) };
        let wanted = RateLimit::new(limit, self.window, self.burst.unwrap_or(limit), self.queue);
        wanted.validate().map_err(|(field, wrong)| output::usage(format!("{field} {wrong}")))?;
        Ok(Some(wanted))
    }
}

/// What a merchant is created from.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The name in addresses and headers: `[a-z0-9-]`, 2 to 40 characters; never changes.
    slug: String,
    /// The name for people.
    #[arg(long)]
    name: String,
    /// Limits and placement.
    #[arg(long)]
    tier: TierArg,
    /// The currency of its books, three letters; never changes.
    #[arg(long)]
    currency: Currency,
    /// The first administrator's address.
    #[arg(long)]
    admin_email: String,
    /// Shared or dedicated; by tier when not given.
    #[arg(long)]
    placement: Option<PlacementArg>,
    /// Only a shard in this region.
    #[arg(long, default_value = "")]
    region: String,
    /// This very shard.
    #[arg(long)]
    shard: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TierArg {
    Free,
    Standard,
    Enterprise,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlacementArg {
    Shared,
    Dedicated,
}

impl From<TierArg> for Tier {
    fn from(tier: TierArg) -> Self {
        match tier {
            TierArg::Free => Self::Free,
            TierArg::Standard => Self::Standard,
            TierArg::Enterprise => Self::Enterprise,
        }
    }
}

impl From<PlacementArg> for PlacementKind {
    fn from(placement: PlacementArg) -> Self {
        match placement {
            PlacementArg::Shared => Self::Shared,
            PlacementArg::Dedicated => Self::Dedicated,
        }
    }
}

pub(super) async fn run(config: Config, command: TenantCommand, json: bool) -> Result<Outcome> {
    if let TenantCommand::Create(args) = &command {
        control::check_new_tenant(&args.slug, &args.name, &args.admin_email).map_err(output::usage)?;
    }
    if let TenantCommand::Limit(args) = &command {
        args.wanted()?;
    }
    let session = Session::open(config).await?;
    let done = act(&session, command, json).await;
    session.end(done).await
}

async fn act(session: &Session, command: TenantCommand, json: bool) -> Result<Outcome> {
    match command {
        TenantCommand::Create(args) => return create(session, args, json).await,
        TenantCommand::List { after, limit } => {
            let tx = session.app.control.db().control().await?;
            let found = list_tenants(&tx, &TenantFilter { status: None, after, limit }).await?;
            tx.commit().await?;
            output::print(json, &found, table(&found))?;
        }
        TenantCommand::Show { slug } => {
            let tx = session.app.control.db().control().await?;
            let found = find_tenant(&tx, &slug).await?;
            tx.commit().await?;
            let Some(found) = found else { bail!("there is no merchant {slug}") };
            output::print(json, &found, serde_json::to_string_pretty(&found)?)?;
        }
        TenantCommand::Health => health(session, json).await?,
        TenantCommand::Suspend { slug } => change(session, &slug, true, json).await?,
        TenantCommand::Resume { slug } => change(session, &slug, false, json).await?,
        TenantCommand::Limit(args) => limit(session, &args, json).await?,
    }
    Ok(Outcome::Done)
}

/// The operator at the command line.
pub(crate) fn operator(now: kernel::Timestamp) -> Caller {
    Caller {
        actor: Actor::Operator,
        permissions: PermissionSet::new(["platform:*"]),
        correlation_id: "command-line".into(),
        trace: None,
        now,
    }
}

async fn health(session: &Session, json: bool) -> Result<()> {
    let tx = session.app.control.db().control().await?;
    let health = tenant_health(&tx, session.app.clock.now()).await?;
    tx.commit().await?;
    let time = |micros: Option<i32>| micros.map_or_else(|| "-".to_owned(), |micros| format!("{micros} us"));
    let tiers = health.tiers.iter().map(|tier| {
        let counts =
            [tier.active, tier.suspended, tier.provisioning, tier.failed, tier.sampled, tier.answered];
        let cells = counts.iter().map(i64::to_string);
        let times = [time(tier.median_us), time(tier.slowest_us)];
        [format!("{:?}", tier.tier).to_lowercase()].into_iter().chain(cells).chain(times).collect()
    });
    let header =
        ["tier", "active", "suspended", "provisioning", "failed", "asked", "answered", "median", "slowest"];
    let mut lines = output::table(&header, &tiers.collect::<Vec<Vec<String>>>());
    for silent in &health.silent {
        let (reason, since) = (silent.reason.as_deref().unwrap_or_default(), silent.silent_since);
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        lines
            .push_str(&format!("\n{} {reason}{since} ({}/{})", silent.tenant, silent.shard, silent.database));
    }
    for failed in &health.failed {
        let error = failed.last_error.as_deref().unwrap_or_default();
        lines.push_str(&format!(
            "\n{} failed at {} since {}: {error}",
            failed.tenant, failed.step, failed.since
        ));
    }
    for slow in &health.slowest {
        lines.push_str(&format!(
            "\n{} answered in {} us ({}/{})",
            slow.tenant, slow.took_us, slow.shard, slow.database
        ));
    }
    output::print(json, &health, lines)
}

async fn create(session: &Session, args: CreateArgs, json: bool) -> Result<Outcome> {
    let wanted = CreateTenant {
        slug: args.slug,
        name: args.name,
        tier: args.tier.into(),
        currency: args.currency,
        settings: TenantSettings::default(),
        placement: args.placement.map(Into::into),
        region: args.region,
        shard: args.shard,
        admin_email: args.admin_email,
        admin_password: None,
    };
    let caller = operator(session.app.clock.now());
    let created = create_tenant(&session.app.control, &caller, wanted).await?;
    let active = created.tenant.status == kernel::TenantStatus::Active;
    let password = created.shown_password();
    let mut lines = table(std::slice::from_ref(&created.tenant));
    if let Some(password) = password {
        lines.push_str(&format!("\nfirst administrator's password, shown this once: {password}"));
    }
    let invitation = created.shown_invitation();
    if let Some(code) = invitation {
        lines.push_str(&format!(
            "\nthe administrator has an account already and signs in first with this code, shown this once: {code}"
        ));
    }
    let shown = json!({
        "tenant": created.tenant,
        "adminPassword": password,
        "adminInvitationCode": invitation,
    });
    output::print(json, &shown, lines)?;
    Ok(if active { Outcome::Done } else { Outcome::Failed })
}

async fn change(session: &Session, slug: &str, suspend: bool, json: bool) -> Result<()> {
    let control = &session.app.control;
    let tx = control.db().control().await?;
    let Some(found) = find_tenant(&tx, slug).await? else { bail!("there is no merchant {slug}") };
    let now = session.app.clock.now();
    let changed = match suspend {
        true => suspend_tenant(control, now, &tx, found.id).await?,
        false => resume_tenant(control, now, &tx, found.id).await?,
    };
    tx.commit().await?;
    output::print(json, &changed, table(std::slice::from_ref(&changed)))
}

async fn limit(session: &Session, args: &LimitArgs, json: bool) -> Result<()> {
    let control = &session.app.control;
    let wanted = args.wanted()?;
    let tx = control.db().control().await?;
    let Some(found) = find_tenant(&tx, &args.slug).await? else {
        bail!("there is no merchant {}", args.slug)
    };
    let changed = set_rate_limit(control, session.app.clock.now(), &tx, found.id, wanted, None).await?;
    tx.commit().await?;
    let line = match changed.rate_limit {
        None => format!("{}: as its tier says", changed.slug),
        Some(own) => format!(
            "{}: {} calls in {} s, {} at once, {} more wait",
            changed.slug, own.limit, own.window_seconds, own.burst, own.queue
        ),
    };
    output::print(json, &changed, line)
}

fn table(tenants: &[TenantView]) -> String {
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let row = |tenant: &TenantView| {
        vec![
            tenant.slug.clone(),
            word(serde_json::to_value(tenant.tier)),
            word(serde_json::to_value(tenant.status)),
            tenant.currency.to_string(),
            word(serde_json::to_value(tenant.placement.kind)),
            tenant.placement.shard.clone().unwrap_or_default(),
            tenant.name.clone(),
        ]
    };
    let rows: Vec<_> = tenants.iter().map(row).collect();
    output::table(&["slug", "tier", "status", "currency", "placement", "shard", "name"], &rows)
}
