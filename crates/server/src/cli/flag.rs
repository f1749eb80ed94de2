//! `markethall flag`: what is switched on and off, without a running server; those that run know at once (PLT-7).

use anyhow::{Context as _, Result, bail};
use clap::{ArgGroup, Args, Subcommand};
use control::{FeatureRule, RuleFilter, SetRule, clear_rule, list_rules, set_rule};
use edge::{SecurityEvent, SecurityEventKind, SecurityEvents as _};
use kernel::{Caller, TenantId, Timestamp};
use serde_json::{Map, Value, json};

use super::{Outcome, operator, output, session::Session};
use crate::config::Config;

/// The most decisions shown at once.
const MOST_SHOWN: i64 = 1000;

/// Feature flags.
#[derive(Debug, Subcommand)]
pub enum FlagCommand {
    /// The features of the program, and what is decided about them.
    List {
        /// Only what is decided for this merchant.
        #[arg(long)]
        tenant: Option<String>,
        /// Only about this feature.
        #[arg(long)]
        feature: Option<String>,
    },
    /// Decide about a feature, for one merchant or for all that have no decision of their own.
    Set(SetArgs),
    /// Take a decision back.
    Clear {
        /// The feature.
        feature: String,
        /// The merchant's slug; for all when left out.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// A decision about a feature.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("switch").required(true).args(["on", "off"])))]
pub struct SetArgs {
    /// The feature.
    feature: String,
    /// The merchant's slug; for all when left out.
    #[arg(long)]
    tenant: Option<String>,
    /// Switch it on.
    #[arg(long)]
    on: bool,
    /// Switch it off.
    #[arg(long)]
    off: bool,
    /// For how many of a hundred it is on.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100), conflicts_with = "off")]
    percentage: u8,
    /// From when on it holds (RFC 3339); at once when left out.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Before when it holds (RFC 3339); for ever when left out.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// What the code that asks is told besides, a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    feature_config: Option<Map<String, Value>>,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("must be a JSON object: {error}"))
}

pub(super) async fn run(config: Config, command: FlagCommand, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let done = act(&session, command, json).await;
    session.end(done).await
}

async fn act(session: &Session, command: FlagCommand, json: bool) -> Result<Outcome> {
    match command {
        FlagCommand::List { tenant, feature } => list(session, tenant, feature, json).await?,
        FlagCommand::Set(args) => set(session, args, json).await?,
        FlagCommand::Clear { feature, tenant } => clear(session, &feature, tenant.as_deref(), json).await?,
    }
    Ok(Outcome::Done)
}

async fn list(session: &Session, tenant: Option<String>, feature: Option<String>, json: bool) -> Result<()> {
    let control = &session.app.control;
    let features = control.features(session.app.clock.now());
    let tx = control.db().control().await?;
    let filter = RuleFilter { feature, tenant, after: None, limit: MOST_SHOWN };
    let rules = list_rules(&tx, &filter).await?;
    tx.commit().await?;
    let known: Vec<_> = features
        .iter()
        .map(|feature| {
            let default = if feature.default_on { "on" } else { "off" };
            vec![
                feature.feature.to_owned(),
                default.to_owned(),
                feature.expires.clone(),
                feature.about.to_owned(),
            ]
        })
        .collect();
    let mut lines = output::table(&["feature", "default", "expires", "about"], &known);
    if !rules.is_empty() {
        let rows: Vec<_> = rules.iter().map(cells).collect();
        lines.push_str("\n\n");
        lines.push_str(&output::table(
            &["feature", "merchant", "is", "from", "until", "changed", "by"],
            &rows,
        ));
    }
    output::print(json, &json!({ "features": features, "items": rules }), lines)
}

fn cells(rule: &FeatureRule) -> Vec<String> {
    let is = match (rule.enabled, rule.percentage) {
        (false, _) => "off".to_owned(),
        (true, 100) => "on".to_owned(),
        (true, part) => format!("on for {part} %"),
    };
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    vec![
        rule.feature.clone(),
        rule.tenant.clone().unwrap_or_else(|| "(all)".to_owned()),
        is,
        time(rule.starts_at),
        time(rule.ends_at),
        rule.updated_at.to_string(),
        rule.updated_by.clone(),
    ]
}

async fn set(session: &Session, args: SetArgs, json: bool) -> Result<()> {
    let SetArgs { feature, tenant, on, percentage, from, until, feature_config: config, .. } = args;
    let wanted = SetRule { enabled: on, percentage, starts_at: from, ends_at: until, config, version: None };
    let (control, caller) = (&session.app.control, operator(session.app.clock.now()));
    let tx = control.db().control().await?;
    let id = tenant_id(&tx, tenant.as_deref()).await?;
    let (rule, _) = set_rule(control, &caller, &tx, &feature, id, wanted).await?;
    tx.commit().await?;
    note(session, &caller, &feature, id, "set on the command line");
    let line = cells(&rule).into_iter().take(3).collect::<Vec<_>>().join("  ");
    output::print(json, &rule, line)
}

async fn clear(session: &Session, feature: &str, tenant: Option<&str>, json: bool) -> Result<()> {
    let (control, caller) = (&session.app.control, operator(session.app.clock.now()));
    let tx = control.db().control().await?;
    let id = tenant_id(&tx, tenant).await?;
    clear_rule(control, &tx, feature, id, None).await.with_context(|| format!("about {feature}"))?;
    tx.commit().await?;
    note(session, &caller, feature, id, "cleared on the command line");
    let shown = json!({ "feature": feature, "tenant": tenant, "cleared": true });
    output::print(json, &shown, format!("{feature}  {}  cleared", tenant.unwrap_or("(all)")))
}

async fn tenant_id(tx: &db::ControlTx, slug: Option<&str>) -> Result<Option<TenantId>> {
    let Some(slug) = slug else { return Ok(None) };
    let Some(tenant) = control::find_tenant(tx, slug).await? else { bail!("there is no merchant {slug}") };
    Ok(Some(tenant.id))
}

/// Who switches a feature is noted as it is over HTTP.
fn note(session: &Session, caller: &Caller, feature: &str, tenant: Option<TenantId>, reason: &'static str) {
    session.app.control.record(SecurityEvent {
        kind: SecurityEventKind::FlagChanged,
        at: caller.now,
        tenant,
        actor: Some(caller.actor.clone()),
        address: None,
        agent: None,
        reason,
        subject: Some(feature.to_owned()),
        operation: "command_line",
        correlation_id: caller.correlation_id.clone(),
    });
}
