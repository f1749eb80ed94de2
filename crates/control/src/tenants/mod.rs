//! Tenants: created, set up step by step, placed on shards, listed, changed, suspended and resumed.

mod admission_http;
mod create_tenant;
mod databases;
mod find_tenant;
mod http;
mod list_tenants;
mod model;
mod place;
mod provision;
mod rate_limit_http;
mod reset_admin;
mod resume_provisioning;
mod set_rate_limit;
mod settings;
mod settings_http;
mod suspend_tenant;
mod update_tenant;

pub use create_tenant::{CreateTenant, CreateTenantError, CreatedTenant, check_new_tenant, create_tenant};
pub use databases::{Seeder, TenantDatabases};
pub use find_tenant::{find_tenant, find_tenant_by_id};
pub use list_tenants::{TenantFilter, list_placements, list_tenants, list_tenants_by_id};
pub use model::{PlacementKind, PlacementView, ProvisioningView, TenantView};
pub(crate) use model::{decode_tenant, read_status, read_tier};
pub(crate) use provision::step_names;
pub use reset_admin::{AdminReset, ResetAdmin, reset_admin};
pub use resume_provisioning::resume_provisioning;
pub use set_rate_limit::set_rate_limit;
pub use settings::Settings;
pub use suspend_tenant::{SuspendError, resume_tenant, suspend_tenant};
pub use update_tenant::{UpdateTenant, UpdateTenantError, update_tenant};

use edge::Routes;

use crate::Control;

pub(crate) fn routes(control: &Control) -> Routes<()> {
    http::routes()
        .with_state(control.clone())
        .merge(rate_limit_http::routes().with_state(control.clone()))
        .merge(settings_http::routes().with_state(control.clone()))
}
