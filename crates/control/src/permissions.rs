//! Permissions of the control plane, the built-in roles, and what a permission may look like.

use kernel::{Permission, PermissionSet};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, schema::Type};

/// Read a tenant's settings and change them.
pub const TENANT_SETTINGS: Permission = Permission::new("tenant:settings");
/// See who works for the tenant.
pub const STAFF_READ: Permission = Permission::new("staff:read");
/// Take on, change and dismiss staff.
pub const STAFF_WRITE: Permission = Permission::new("staff:write");
/// See the tenant's roles.
pub const ROLES_READ: Permission = Permission::new("roles:read");
/// Make and change the tenant's own roles.
pub const ROLES_WRITE: Permission = Permission::new("roles:write");
/// See the tenant's API keys (never their secrets).
pub const KEYS_READ: Permission = Permission::new("keys:read");
/// Make and revoke API keys.
pub const KEYS_WRITE: Permission = Permission::new("keys:write");
/// See the tenant's security events.
pub const SECURITY_READ: Permission = Permission::new("security:read");
/// Everything about tenants as their operator.
pub const PLATFORM_TENANTS: Permission = Permission::new("platform:tenants");
/// See everybody's security events.
pub const PLATFORM_SECURITY: Permission = Permission::new("platform:security");
/// Switch features on and off, for a tenant or for all.
pub const PLATFORM_FLAGS: Permission = Permission::new("platform:flags");
/// See what everybody uses.
pub const PLATFORM_USAGE: Permission = Permission::new("platform:usage");
/// See what the tenant uses.
pub const USAGE_READ: Permission = Permission::new("usage:read");
/// The clusters that take tenants.
pub const PLATFORM_SHARDS: Permission = Permission::new("platform:shards");

/// A role that every tenant has; cannot be changed.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInRole {
    /// Its name in tokens and memberships.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it may do.
    pub permissions: &'static [&'static str],
    /// Whether a tenant may give it to its staff.
    pub assignable: bool,
}

/// The role of whoever runs the platform; given to accounts, never by a tenant.
pub const SUPER_ADMIN: &str = "super_admin";
/// The role of a tenant's first account.
pub const TENANT_ADMIN: &str = "tenant_admin";

/// The role of customers and guests: what is theirs and what is on show.
pub const CUSTOMER: &str = "customer";

/// Every built-in role.
pub const BUILT_IN_ROLES: &[BuiltInRole] = &[
    BuiltInRole {
        name: "cashier",
        description: "Sells at a till and opens and closes shifts.",
        permissions: &[
            "catalog:read",
            "customers:read",
            "inventory:read",
            "orders:read",
            "sales:read",
            "sales:write",
            "shifts:write",
            "shops:read",
        ],
        assignable: true,
    },
    BuiltInRole {
        name: "manager",
        description: "Runs the shops: catalog, stock, sales with voids and refunds, reports; sees the staff.",
        permissions: &[
            "carts:*",
            "catalog:*",
            "checkout:*",
            "customers:*",
            "events:*",
            "inventory:*",
            "orders:*",
            "payments:*",
            "registers:*",
            "reports:read",
            "roles:read",
            "sales:*",
            "shifts:*",
            "shops:*",
            "staff:read",
        ],
        assignable: true,
    },
    BuiltInRole {
        name: TENANT_ADMIN,
        description: "Everything within the tenant.",
        permissions: &["*"],
        assignable: true,
    },
    BuiltInRole {
        name: CUSTOMER,
        description: "Buys in the web shop; sees what is theirs.",
        permissions: &[
            "carts:own",
            "catalog:read",
            "checkout:own",
            "customers:own",
            "orders:own",
            "payments:own",
        ],
        assignable: false,
    },
    BuiltInRole {
        name: "auditor",
        description: "Reads the books, the audit and the security events, changes nothing.",
        permissions: &[
            "audit:read",
            "catalog:read",
            "customers:read",
            "inventory:read",
            "orders:read",
            "payments:read",
            "reports:read",
            "roles:read",
            "sales:read",
            "security:read",
            "shops:read",
            "staff:read",
        ],
        assignable: true,
    },
    BuiltInRole {
        name: SUPER_ADMIN,
        description: "Runs the platform.",
        permissions: &["*", "platform:*"],
        assignable: false,
    },
];

/// The built-in role of that name.
#[must_use]
pub fn built_in_role(name: &str) -> Option<&'static BuiltInRole> {
    BUILT_IN_ROLES.iter().find(|role| role.name == name)
}

/// Whether `name` reads like a permission: `resource:action`, `resource:*` or `*`; at most 64 characters.
#[must_use]
pub fn is_permission_name(name: &str) -> bool {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    match name.split_once(':') {
        Some((resource, action)) => name.len() <= 64 && word(resource) && (action == "*" || word(action)),
        None => name == "*",
    }
}

/// The schema of what a role or key may do: 1 to 100 names.
pub(crate) fn permission_names_schema() -> RefOr<Schema> {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(64))
        .pattern(Some(r"^(\*|[a-z][a-z0-9-]*:(\*|[a-z][a-z0-9-]*))$"));
    let names = ArrayBuilder::new().items(RefOr::T(Schema::from(name)));
    names.min_items(Some(1)).max_items(Some(100)).into()
}

/// Whether a tenant may have permission `name` at all: the platform's are the operator's.
#[must_use]
pub fn is_tenant_permission(name: &str) -> bool {
    is_permission_name(name) && !name.starts_with("platform:")
}

/// The first of `wanted` that `held` does not cover: nobody gives away more than they have.
pub(crate) fn find_beyond<'a>(
    held: &PermissionSet,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    wanted.into_iter().find(|name| !held.allows_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-4
    #[test]
    fn built_in_roles_hold_well_formed_permissions_and_only_the_operator_has_the_platform() {
        for role in BUILT_IN_ROLES {
            for permission in role.permissions {
                assert!(is_permission_name(permission), "{} {permission}", role.name);
                assert!(role.name == SUPER_ADMIN || is_tenant_permission(permission));
            }
        }
        assert!(!BUILT_IN_ROLES.iter().any(|role| role.name == SUPER_ADMIN && role.assignable));
    }

    #[test]
    fn what_is_no_permission_is_refused() {
        for text in ["", "sales", "sales:", ":read", "Sales:read", "sales:read:x", "sales:r w", "**", "*:*"] {
            assert!(!is_permission_name(text), "{text}");
        }
        assert!(!is_tenant_permission("platform:tenants"));
        assert!(!is_tenant_permission("platform:*"));
    }

    // IDN-5: never more than the creator has.
    #[test]
    fn nobody_gives_away_more_than_they_have() {
        let manager = PermissionSet::new(["sales:*", "catalog:read"]);
        assert_eq!(find_beyond(&manager, ["sales:void", "catalog:read"]), None);
        assert_eq!(find_beyond(&manager, ["sales:*"]), None);
        assert_eq!(find_beyond(&manager, ["catalog:*"]), Some("catalog:*"));
        assert_eq!(find_beyond(&manager, ["*"]), Some("*"));
        assert_eq!(find_beyond(&PermissionSet::new(["*"]), ["*", "sales:*"]), None);
        assert_eq!(find_beyond(&PermissionSet::new(["*"]), ["platform:*"]), Some("platform:*"));
    }
}
