//! What commands other than `serve` work with: the databases and the parts, without background work.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use edge::Registry;
use kernel::{Actor, Clock, Ctx, Tenant};

use crate::{app::App, config::Config, installation::Installation};

/// Databases and parts, for one command.
pub(super) struct Session {
    pub(super) app: App,
    pub(super) installation: Installation,
}

impl Session {
    /// Opens the installation; a private database that is not running is started for the command.
    pub(super) async fn open(config: Config) -> Result<Self> {
        let installation = Installation::open(&config).await?;
        let app = App::new(config, &installation, Clock::system())?;
        app.prepare().await?;
        Ok(Self { app, installation })
    }

    /// The context of the operator's work for the merchant `slug`.
    pub(super) async fn ctx(&self, slug: &str) -> Result<Ctx> {
        let tenant = self.app.control.find_tenant(slug).await.context("cannot look up the merchant")?;
        let Some(tenant) = tenant else { bail!("there is no merchant {slug}") };
        Ok(self.operator(tenant))
    }

    /// The context of the operator's work for `tenant`.
    pub(super) fn operator(&self, tenant: Arc<Tenant>) -> Ctx {
        let mut ctx = Ctx::system(tenant, "command-line", self.app.clock.now());
        ctx.caller.actor = Actor::Operator;
        ctx
    }

    /// Ends the command: gives up the databases, also when it failed.
    pub(super) async fn end<T>(self, result: Result<T>) -> Result<T> {
        self.app.stop().await;
        let closed = self.installation.close().await;
        let value = result?;
        closed?;
        Ok(value)
    }
}
