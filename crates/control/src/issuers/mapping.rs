//! What the claims of an external token mean here.

use std::collections::BTreeMap;

use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::permissions::is_tenant_permission;

/// At most so many values are read from one claim.
const MOST_VALUES: usize = 200;

/// Which claims carry what. Names may be paths: `realm_access.roles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ClaimMapping {
    /// The user's identity at the issuer.
    #[garde(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub subject_claim: String,
    /// A claim that must name this tenant by slug or identifier; tokens are bound by their audience alone if null.
    #[garde(inner(length(min = 1, max = 200)))]
    #[schema(min_length = 1, max_length = 200)]
    pub tenant_claim: Option<String>,
    /// A claim with one role or several.
    #[garde(inner(length(min = 1, max = 200)))]
    #[schema(min_length = 1, max_length = 200)]
    pub role_claim: Option<String>,
    /// From the issuer's roles to roles of this tenant. Without any, the issuer's names are taken as they are.
    #[garde(length(max = 100), custom(check_names))]
    #[schema(value_type = HashMap<String, String>)]
    pub roles: BTreeMap<String, String>,
    /// A claim with permissions, as a list or in one text with spaces (`scope`). Only for issuers you trust with that.
    #[garde(inner(length(min = 1, max = 200)))]
    #[schema(min_length = 1, max_length = 200)]
    pub permissions_claim: Option<String>,
    /// The role of users for whom nothing else says one.
    #[garde(inner(length(min = 1, max = 40)))]
    #[schema(min_length = 1, max_length = 40)]
    pub default_role: Option<String>,
}

fn check_names(roles: &BTreeMap<String, String>, _ctx: &()) -> garde::Result {
    let bounded = |text: &String| (1..=200).contains(&text.len());
    if roles.iter().all(|(from, to)| bounded(from) && bounded(to)) {
        Ok(())
    } else {
        Err(garde::Error::new("names must have 1 to 200 bytes"))
    }
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            subject_claim: "sub".to_owned(),
            tenant_claim: None,
            role_claim: None,
            roles: BTreeMap::new(),
            permissions_claim: None,
            default_role: None,
        }
    }
}

/// What a token says, in our words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) subject: String,
    /// `None` when the mapping does not ask for one.
    pub(super) tenants: Option<Vec<String>>,
    pub(super) roles: Vec<String>,
    pub(super) permissions: Vec<String>,
}

impl ClaimMapping {
    /// Reads `claims`; `None` without a usable subject.
    pub(super) fn apply(&self, claims: &Value) -> Option<Mapped> {
        let subject = find(claims, &self.subject_claim)?.as_str().filter(|text| is_subject(text))?.to_owned();
        let permissions: Vec<String> = self.values(claims, self.permissions_claim.as_deref(), true);
        let permissions: Vec<String> =
            permissions.into_iter().filter(|name| is_tenant_permission(name)).collect();
        let named = self.values(claims, self.role_claim.as_deref(), false);
        let mut roles: Vec<String> = if self.roles.is_empty() {
            named
        } else {
            named.iter().filter_map(|name| self.roles.get(name).cloned()).collect()
        };
        roles.sort();
        roles.dedup();
        if roles.is_empty() && permissions.is_empty() {
            roles.extend(self.default_role.clone());
        }
        let tenants = self.tenant_claim.as_deref().map(|claim| self.values(claims, Some(claim), false));
        Some(Mapped { subject, tenants, roles, permissions })
    }

    fn values(&self, claims: &Value, path: Option<&str>, split: bool) -> Vec<String> {
        let texts: Vec<&str> = match path.and_then(|path| find(claims, path)) {
            Some(Value::String(text)) if split => text.split_whitespace().collect(),
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        texts.into_iter().take(MOST_VALUES).filter(|text| text.len() <= 200).map(str::to_owned).collect()
    }
}

/// The claim of that very name, or else the one at that path: names like `https://example.org/roles` hold dots.
fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| path.split('.').try_fold(claims, |value, name| value.get(name)))
}

fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // IDN-1
    #[test]
    fn claims_become_roles_and_permissions_as_configured() {
        let mapping = ClaimMapping {
            role_claim: Some("realm_access.roles".to_owned()),
            roles: BTreeMap::from([("shop-lead".to_owned(), "manager".to_owned())]),
            permissions_claim: Some("scope".to_owned()),
            tenant_claim: Some("https://x.example/tenant".to_owned()),
            ..ClaimMapping::default()
        };
        let claims = json!({
            "sub": "u1",
            "https://x.example/tenant": "acme",
            "realm_access": { "roles": ["shop-lead", "offline_access", 7] },
            "scope": "sales:read openid platform:tenants platform:*",
        });
        let mapped = mapping.apply(&claims).unwrap();
        assert_eq!(mapped.roles, ["manager"]);
        assert_eq!(mapped.permissions, ["sales:read"]);
        assert_eq!(mapped.tenants, Some(vec!["acme".to_owned()]));
    }

    #[test]
    fn a_token_that_says_nothing_gets_the_default_role_or_no_right() {
        let claims = json!({ "sub": "u1", "roles": ["unmapped"] });
        let none = ClaimMapping::default().apply(&claims).unwrap();
        assert!(none.roles.is_empty() && none.permissions.is_empty());
        let mapping = ClaimMapping { default_role: Some("customer".to_owned()), ..ClaimMapping::default() };
        assert_eq!(mapping.apply(&claims).unwrap().roles, ["customer"]);
    }

    #[test]
    fn a_token_without_a_usable_subject_is_nobody() {
        for claims in [json!({}), json!({ "sub": 7 }), json!({ "sub": "" }), json!({ "sub": "a\nb" })] {
            assert_eq!(ClaimMapping::default().apply(&claims), None);
        }
    }
}
