//! The control plane as one value: its database, its settings and what it keeps in memory.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use db::{Db, DbError, Invalidations, Source, Stale};
use jiff::SignedDuration;
use kernel::{Clock, Flag};
use resilience::{Breaker, Guarded, Probe, State};

use crate::{
    ControlConfig,
    accounts::{Passwords, SignInGate},
    api_keys::KeyUses,
    background::Background,
    change::Change,
    flags::FlagStore,
    issuers::Issuers,
    registry::{Origins, TenantCache},
    security::SecurityLog,
    shards,
    tenants::{Seeder, TenantDatabases},
    tokens::{self, KeyError, KeyRing, MasterKey, TokenCache},
    usage::{BillableFacts, UsageMeter, check_prices},
};

/// What the control plane is given by the program that runs it.
#[derive(Clone)]
pub struct Parts {
    /// The door to the control database and to tenants' databases.
    pub db: Db,
    /// The time, where no request brings it.
    pub clock: Clock,
    /// Seals secrets in the control database.
    pub master_key: MasterKey,
    /// Makes and migrates tenants' databases.
    pub databases: Arc<dyn TenantDatabases>,
    /// Run once in each new tenant, in this order.
    pub seeders: Vec<Arc<dyn Seeder>>,
    /// Every flag that some part of the program asks for.
    pub flags: Vec<Flag>,
    /// What may be billed beside use, each kind once.
    pub facts: Vec<Arc<dyn BillableFacts>>,
}

struct Inner {
    config: ControlConfig,
    parts: Parts,
    keys: KeyRing,
    tokens: TokenCache,
    tenants: TenantCache,
    origins: Origins,
    breaker: Breaker,
    issuers: Issuers,
    passwords: Passwords,
    gate: SignInGate,
    key_uses: KeyUses,
    log: SecurityLog,
    known_permissions: OnceLock<BTreeSet<&'static str>>,
    flags: FlagStore,
    usage: UsageMeter,
    background: Background,
}

/// The control plane. Cheap to clone; implements `edge::Identity`, `edge::Registry`, `edge::SecurityEvents` and
/// `edge::Meter`.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

/// Why the control plane cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot work.
    #[error("{0}")]
    Config(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The built-in issuer has no usable keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl Control {
    /// Puts the control plane together; asks nobody yet.
    ///
    /// # Errors
    /// [`StartError::Config`] on settings that cannot work.
    pub fn new(config: ControlConfig, parts: Parts) -> Result<Self, StartError> {
        config.validate().map_err(StartError::Config)?;
        let flags = FlagStore::new(parts.flags.clone());
        if let Some(defect) = flags.defect() {
            return Err(StartError::Config(defect));
        }
        check_prices(&config, &parts.facts).map_err(StartError::Config)?;
        crate::counts::register(crate::tenants::step_names());
        let lifetimes = crate::registry::Lifetimes {
            fresh: SignedDuration::from_secs(config.registry_ttl_s.into()),
            stale: SignedDuration::from_hours(config.registry_stale_hours.into()),
        };
        Ok(Self(Arc::new(Inner {
            keys: KeyRing::default(),
            tokens: TokenCache::new(config.token_cache_capacity),
            tenants: TenantCache::new(config.registry_capacity, lifetimes),
            origins: Origins::default(),
            breaker: parts.db.breakers().of_lookups("registry", probe(&parts.db)),
            issuers: Issuers::new(config.insecure_issuers, parts.db.breakers()),
            passwords: Passwords::new(config.password_hashes_at_once),
            gate: SignInGate::default(),
            key_uses: KeyUses::default(),
            log: SecurityLog::default(),
            known_permissions: OnceLock::new(),
            flags,
            usage: UsageMeter::default(),
            background: Background::default(),
            config,
            parts,
        })))
    }

    /// Makes the first signing key and the configured shards when they are missing, and reads keys and feature flags.
    ///
    /// # Errors
    /// [`StartError`] when the control database cannot be used.
    pub async fn prepare(&self) -> Result<(), StartError> {
        shards::enter_configured(self).await?;
        self.load_signing_keys().await?;
        self.refresh_flags().await?;
        if self.keys().signer(self.clock().now()).is_err() {
            tokens::rotate_signing_keys(self, self.clock().now()).await?;
        }
        Ok(())
    }

    /// Subscribes this process' caches to changes made by other processes, from now on.
    pub fn listen(&self, invalidations: &Invalidations) {
        let control = Arc::downgrade(&self.0);
        invalidations.subscribe(move |source, stale| {
            if let (Source::Control, Some(inner)) = (source, control.upgrade()) {
                Self(inner).hear(stale);
            }
        });
        invalidations.listen(&self.0.parts.db, Source::Control);
    }

    /// Names every permission that some route asks for; from then on roles and keys cannot hold misspelt ones.
    pub fn know_permissions(&self, names: impl IntoIterator<Item = &'static str>) {
        // A second call changes nothing: routes do not change while the program runs.
        let _ = self.0.known_permissions.set(names.into_iter().collect());
    }

    pub(crate) fn is_known_permission(&self, name: &str) -> bool {
        let Some((resource, action)) = name.split_once(':') else { return true };
        self.0.known_permissions.get().is_none_or(|known| {
            known.contains(name)
                || (action == "*" && known.iter().any(|known| known.split(':').next() == Some(resource)))
                || crate::permissions::BUILT_IN_ROLES.iter().any(|role| role.permissions.contains(&name))
        })
    }

    fn hear(&self, stale: Stale<'_>) {
        match stale {
            Stale::All => {
                self.tokens().doubt_all();
                self.tenants().outdate_all();
                self.origins().outdate();
                self.issuers().outdate();
                self.keys().expire();
                self.outdate_flags();
            }
            Stale::Key(text) => {
                if let Ok(change) = text.parse() {
                    self.apply(change);
                }
            }
        }
    }

    /// Makes this process' caches forget what `change` made wrong.
    pub(crate) fn apply(&self, change: Change) {
        match change {
            Change::Tenant(id) => {
                self.tenants().outdate(id);
                self.origins().outdate();
            }
            Change::Issuers => self.issuers().outdate(),
            Change::SigningKeys => self.keys().expire(),
            Change::Flags => self.outdate_flags(),
            Change::Account(_)
            | Change::Membership(..)
            | Change::Session(_)
            | Change::ApiKey(_)
            | Change::OperatorTokens
            | Change::Roles(_) => {}
        }
        self.tokens().apply(change);
    }

    /// Runs `work` on the control database unless it has just been found away.
    pub(crate) async fn guarded<T>(
        &self,
        work: impl Future<Output = Result<T, DbError>>,
    ) -> Result<T, DbError> {
        let is_away = |error: &DbError| matches!(error, DbError::Unavailable(_));
        self.0.breaker.run(is_away, work).await.map_err(|error| match error {
            Guarded::Open(open) => DbError::Unavailable(open.to_string()),
            Guarded::Failed(error) => error,
        })
    }

    /// Sets the gauges of what is held in memory.
    pub(crate) fn report_metrics(&self) {
        let gauge = |name: &'static str, value: usize| {
            metrics::gauge!(name).set(u32::try_from(value).unwrap_or(u32::MAX));
        };
        gauge("markethall_registry_tenants", self.tenants().len());
        gauge("markethall_token_cache_entries", self.tokens().len());
        self.flag_store().report_metrics();
    }
}

impl Control {
    /// The settings.
    #[must_use]
    pub fn config(&self) -> &ControlConfig {
        &self.0.config
    }

    /// The door to databases.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.parts.db
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    pub(crate) fn master_key(&self) -> &MasterKey {
        &self.0.parts.master_key
    }

    pub(crate) fn databases(&self) -> &dyn TenantDatabases {
        &*self.0.parts.databases
    }

    pub(crate) fn seeders(&self) -> &[Arc<dyn Seeder>] {
        &self.0.parts.seeders
    }

    /// What may be billed beside use.
    #[must_use]
    pub fn facts(&self) -> &[Arc<dyn BillableFacts>] {
        &self.0.parts.facts
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    pub(crate) fn tokens(&self) -> &TokenCache {
        &self.0.tokens
    }

    pub(crate) fn tenants(&self) -> &TenantCache {
        &self.0.tenants
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// Whether the control database is taken to be away, so that what is known must do.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.0.breaker.state() == State::Open
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.0.issuers
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn gate(&self) -> &SignInGate {
        &self.0.gate
    }

    pub(crate) fn key_uses(&self) -> &KeyUses {
        &self.0.key_uses
    }

    pub(crate) fn flag_store(&self) -> &FlagStore {
        &self.0.flags
    }

    pub(crate) fn usage_meter(&self) -> &UsageMeter {
        &self.0.usage
    }

    pub(crate) fn background(&self) -> &Background {
        &self.0.background
    }

    pub(crate) fn log(&self) -> &SecurityLog {
        &self.0.log
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("issuer", &self.config().issuer).finish_non_exhaustive()
    }
}

/// Whether the control database answers.
fn probe(db: &Db) -> Probe {
    let db = db.clone();
    Arc::new(move || {
        let db = db.clone();
        Box::pin(async move {
            let Ok(tx) = db.control().await else { return false };
            tx.query_one("select 1", &[]).await.is_ok()
        })
    })
}
