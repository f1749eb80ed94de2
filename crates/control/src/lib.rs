//! The control plane: tenants and where they live, identity, roles, keys and tokens.
#![doc = include_str!("../README.md")]

mod accounts;
mod api_keys;
mod background;
mod change;
mod config;
mod control;
mod counts;
mod flags;
mod health;
mod idempotency;
mod invariants;
mod issuers;
mod jobs;
mod lookup;
mod migrations;
pub mod permissions;
pub mod problems;
mod registry;
mod roles;
mod security;
mod shards;
mod staff;
mod tenants;
mod tokens;
pub mod usage;
mod visitors;

pub use accounts::{
    AccountId, CreateOperatorError, Me, MembershipView, OperatorAccount, PasswordError, SessionId, SignIn,
    SignInError, SignInGate, Tokens, Turn, Whence, check_claimed_password, check_password, create_operator,
    refresh, sign_in,
};
pub use api_keys::{
    ApiKey, ApiKeyId, CreateKey, CreateKeyError, CreatedKey, create_key, find_key, list_keys, revoke_key,
};
pub use config::{ControlConfig, ShardConfig};
pub use control::{Control, Parts, StartError};
pub use flags::{
    ClearRuleError, Feature, FeatureRule, FeatureState, RuleFilter, SetRule, SetRuleError, clear_rule,
    find_rule, list_rules, set_rule,
};
pub use health::{
    FailedTenant, Probe, ProbePlan, Probed, TenantHealth, TierHealth, probe_tenants, tenant_health,
};
pub use invariants::invariants;
pub use issuers::{
    ClaimMapping, Issuer, PutIssuer, PutIssuerError, SigningAlgorithm, delete_issuer, find_issuer,
    list_issuers, put_issuer,
};
pub use jobs::{jobs, purge};
pub use migrations::MIGRATIONS;
pub use permissions::built_in_role;
pub use roles::{
    ChangeRoleError, CreateRole, CreateRoleError, Role, UpdateRole, create_role, delete_role, find_role,
    list_roles, update_role,
};
pub use security::{EventFilter, EventKind, SecurityEventId, SecurityEventView, list_events};
pub use shards::{
    AddShard, AddShardError, Purpose, Shard, UpdateShard, UpdateShardError, add_shard, find_shard,
    list_shards, update_shard,
};
pub use staff::{
    ChangeStaff, ChangeStaffError, CreateStaffError, StaffMember, StaffStatus, TakeOn, TakeOnError, TakenOn,
    change_staff, create_staff, find_staff, list_staff, take_on,
};
pub use tenants::{
    AdminReset, CreateTenant, CreateTenantError, CreatedTenant, PlacementKind, PlacementView,
    ProvisioningView, ResetAdmin, Seeder, Settings, SuspendError, TenantDatabases, TenantFilter, TenantView,
    UpdateTenant, UpdateTenantError, check_new_tenant, create_tenant, find_tenant, find_tenant_by_id,
    list_placements, list_tenants, list_tenants_by_id, reset_admin, resume_provisioning, resume_tenant,
    set_rate_limit, suspend_tenant, update_tenant,
};
pub use tokens::{
    KeyError, MAX_TTL, MasterKey, OperatorToken, SealError, revoke_operator_tokens, rotate_signing_keys,
    sign_operator_token, sign_visitor_token,
};
pub use visitors::{PresentedToken, VisitorToken, counting_subject};

/// What the control plane publishes: nothing. Its news travel as cache invalidations.
pub const MESSAGES: &[messages::MessageType] = &[];

/// Every route of the control plane.
pub fn routes(control: Control) -> edge::Routes<()> {
    let with = |routes: edge::Routes<Control>| routes.with_state(control.clone());
    tenants::routes(&control)
        .merge(with(issuers::routes()))
        .merge(with(shards::routes()))
        .merge(with(accounts::routes()))
        .merge(with(staff::routes()))
        .merge(with(roles::routes()))
        .merge(with(api_keys::routes()))
        .merge(with(tokens::routes()))
        .merge(with(security::routes()))
        .merge(with(flags::routes()))
        .merge(with(health::routes()))
        .merge(usage::routes(&control))
}
