//! `markethall serve`

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Args;
use edge::{serve::Listeners, telemetry::Metrics};
use kernel::Clock;
use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, output::usage};
use crate::{app::App, config::Config, demo, faults, installation::Installation};

/// The parts that `--services` may name; running some of them as processes of their own comes later.
const SERVICES: [&str; 1] = ["all"];

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address; `listen` of the configuration when not given.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Which parts to run; only `all` for now.
    #[arg(long, value_delimiter = ',')]
    services: Vec<String>,
    /// Make the demo market first: three merchants with products, stock and staff.
    #[arg(long)]
    demo: bool,
}

impl ServeArgs {
    /// Flags win over the rest of the configuration.
    pub(super) fn apply(&self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
    }
}

/// Serves until SIGINT or SIGTERM.
pub(super) async fn run(config: Config, args: ServeArgs) -> Result<Outcome> {
    if let Some(unknown) = args.services.iter().find(|name| !SERVICES.contains(&name.as_str())) {
        return Err(usage(format!("unknown service {unknown}; known: {}", SERVICES.join(", "))));
    }
    let metrics = Metrics::install().context("cannot start counting")?;
    tokio::spawn(metrics.clone().keep());
    let traces = traces::start(&config.traces, &config.log.service)?;
    let serving = config.serve.clone();
    let listeners = Listeners::bind(config.listen, &serving).await?;
    let scheme = if listeners.is_encrypted() { "https" } else { "http" };
    let origin = format!("{scheme}://{}", listeners.local_addr()?);
    let installation = Installation::open(&config).await?;
    if let Some(cluster) = &installation.cluster {
        cluster.supervise();
    }
    let app = App::with_faults(config, &installation, Clock::system(), faults::from_environment()?)?;
    app.prepare().await?;
    let welcome = if args.demo { Some(demo::make(&app, &origin).await?) } else { None };
    let edge = app.edge();
    let router = app.router(&edge, Some(metrics))?;
    app.start();
    announce(&listeners, &origin, welcome.as_deref());
    edge::serve::serve(listeners, router, &edge, &serving, interrupted()?).await;
    app.stop().await;
    if let Some(traces) = traces {
        traces.close().await;
    }
    installation.close().await?;
    Ok(Outcome::Done)
}

#[expect(clippy::print_stdout, reason = "the first thing an operator looks for")]
fn announce(listeners: &Listeners, origin: &str, welcome: Option<&str>) {
    println!("Markethall serves {origin}");
    println!("  API        {origin}/api/docs");
    println!("  OpenAPI    {origin}/api/openapi.json");
    println!("  health     {origin}/health");
    if let Some(path) = listeners.unix_socket() {
        println!("  socket     {}", path.display());
    }
    if let Some(welcome) = welcome {
        println!("{welcome}");
    }
}

fn interrupted() -> Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: finishing what is in flight");
    })
}
