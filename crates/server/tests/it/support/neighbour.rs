//! Another process of the market under test.

use std::time::Duration;

use db::Source;
use server::installation::Installation;
use testkit::{App, Client};

/// Another process over the databases of an [`App`], configured alike, with the same clock. It is called without a
/// network.
pub struct Neighbour {
    parts: server::app::App,
    stranger: Client,
}

impl Neighbour {
    /// Starts it; its caches hear of changes, messages and jobs are left to the first one.
    pub async fn start(app: &App) -> Self {
        let config = app.parts.config.as_ref().clone();
        let installation = Installation::open(&config).await.unwrap();
        let parts = server::app::App::new(config, &installation, app.clock.clone()).unwrap();
        parts.prepare().await.unwrap();
        parts.control.listen(&parts.invalidations);
        parts.invalidations.listen(&parts.db, Source::Tenants(app.databases.shared_placement()));
        let stranger = Client::new(parts.router(&parts.edge(), None).unwrap());
        Self { parts, stranger }
    }

    /// A customer (`cus_..`) or guest (`gst_..`) of the merchant `slug`, signed in here.
    pub async fn visitor(&self, app: &App, slug: &str, id: &str) -> Client {
        let (tenant, life) = (app.tenant(slug).await.unwrap().id, Duration::from_secs(24 * 3600));
        let token = control::sign_visitor_token(&self.parts.control, tenant, id, life, app.clock.now());
        self.stranger.clone().with_tenant(slug).with_token(&token.unwrap())
    }

    /// Its way to Redis; it must have one.
    pub fn redis(&self) -> &cache::Redis {
        self.parts.redis.as_ref().unwrap()
    }

    /// Ends it.
    pub async fn end(self) {
        self.parts.stop().await;
    }
}
