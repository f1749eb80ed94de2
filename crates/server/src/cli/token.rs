//! `markethall token`

use std::time::Duration;

use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};
use control::{
    OperatorToken, built_in_role, permissions::CUSTOMER, revoke_operator_tokens, sign_operator_token,
    sign_visitor_token,
};
use kernel::PermissionSet;
use serde_json::json;

use super::{Outcome, output, session::Session};
use crate::config::Config;

/// What the token says.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("rights").required(true).multiple(true).args(["role", "permission"])))]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    /// The merchant it is bound to; without one it is a token of the platform.
    #[arg(long)]
    tenant: Option<String>,
    /// A built-in role; `customer` is a guest of the merchant's web shop, another one each time.
    #[arg(long)]
    role: Option<String>,
    /// A permission; may be given several times.
    #[arg(long)]
    permission: Vec<String>,
    /// How long it lives: `90s`, `15m`, `1h`, `30d`.
    #[arg(long, default_value = "1h", value_parser = parse_ttl)]
    ttl: Duration,
}

/// What to do with tokens signed before.
#[derive(Debug, Clone, Copy, Subcommand)]
enum TokenCommand {
    /// Make every token that this command has signed so far worthless.
    RevokeAll,
}

fn parse_ttl(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number with s, m, h or d, up to 30d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    match number.checked_mul(seconds) {
        Some(life @ 1..=2_592_000) => Ok(Duration::from_secs(life)),
        _ => Err(wrong()),
    }
}

pub(super) async fn run(config: Config, args: TokenArgs, json: bool) -> Result<Outcome> {
    if let Some(TokenCommand::RevokeAll) = args.command {
        return revoke_all(config, json).await;
    }
    let mut names: Vec<String> = args.permission.clone();
    if let Some(role) = &args.role {
        let found = built_in_role(role);
        let found = found.ok_or_else(|| output::usage(format!("there is no built-in role {role}")))?;
        names.extend(found.permissions.iter().map(|name| (*name).to_owned()));
    }
    let session = Session::open(config).await?;
    let signed = sign(&session, &args, names).await;
    let token = session.end(signed).await?;
    output::print(json, &json!({ "accessToken": token, "expiresInS": args.ttl.as_secs() }), &token)?;
    Ok(Outcome::Done)
}

async fn revoke_all(config: Config, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let done = revoke_operator_tokens(&session.app.control).await;
    session.end(done.map_err(Into::into)).await?;
    output::print(json, &json!({ "revoked": true }), "every token signed so far is worthless now")?;
    Ok(Outcome::Done)
}

async fn sign(session: &Session, args: &TokenArgs, names: Vec<String>) -> Result<String> {
    let tenant = match &args.tenant {
        Some(slug) => Some(session.ctx(slug).await?.tenant_id()),
        None => None,
    };
    if let (Some(CUSTOMER), Some(tenant)) = (args.role.as_deref(), tenant) {
        // Whoever buys is somebody: a guest of their own, with what is theirs.
        let guest = customers::GuestId::new().to_string();
        session.app.control.prepare().await?;
        let now = session.app.clock.now();
        return Ok(sign_visitor_token(&session.app.control, tenant, &guest, args.ttl, now)?);
    }
    let wanted = OperatorToken {
        tenant,
        role: args.role.clone(),
        permissions: PermissionSet::new(names),
        ttl: args.ttl,
    };
    Ok(sign_operator_token(&session.app.control, wanted, session.app.clock.now()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_of_tokens_are_read_and_bounded() {
        assert_eq!(parse_ttl("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_ttl("1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["", "h", "0s", "31d", "1y", "-1h", "99999999999999999999d", "ä"] {
            assert!(parse_ttl(wrong).is_err(), "{wrong}");
        }
    }
}
