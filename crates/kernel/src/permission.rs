//! Permissions are strings `resource:action`; a set of them may hold wildcards (`platform:*`, `*`).

use std::{collections::BTreeSet, fmt, sync::Arc};

/// A permission that a route asks for, `resource:action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission(&'static str);

impl Permission {
    /// Declares a permission.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a caller may do. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PermissionSet(Arc<BTreeSet<Box<str>>>);

impl PermissionSet {
    /// Collects permissions; `*` allows all, `resource:*` all of a resource.
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Box<str>>,
    {
        Self(Arc::new(names.into_iter().map(Into::into).collect()))
    }

    /// Whether `permission` is granted by name or by wildcard.
    ///
    /// `*` grants everything within a tenant but never `platform:` permissions, which must be granted by name
    /// or by `platform:*`: a merchant's administrator is not the operator.
    #[must_use]
    pub fn allows(&self, permission: Permission) -> bool {
        self.allows_name(permission.0)
    }

    /// [`PermissionSet::allows`] for a name that is not known at compile time.
    #[must_use]
    pub fn allows_name(&self, name: &str) -> bool {
        if self.0.contains(name) {
            return true;
        }
        let Some((resource, _)) = name.split_once(':') else { return false };
        if self.0.iter().any(|held| held.strip_suffix(":*").is_some_and(|held| held == resource)) {
            return true;
        }
        resource != "platform" && self.0.contains("*")
    }

    /// Every name in the set, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-4
    #[test]
    fn a_star_grants_everything_of_a_tenant_but_nothing_of_the_platform() {
        let set = PermissionSet::new(["*"]);
        assert!(set.allows(Permission::new("sales:void")));
        assert!(!set.allows(Permission::new("platform:tenants")));
        assert!(PermissionSet::new(["platform:*"]).allows(Permission::new("platform:tenants")));
        assert!(!PermissionSet::new(["sales:read"]).allows(Permission::new("sales:void")));
        assert!(PermissionSet::new(["sales:*"]).allows(Permission::new("sales:void")));
    }
}
