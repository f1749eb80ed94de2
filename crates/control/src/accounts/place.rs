//! Which tenant a sign-in is for: the one that was named, or the only one there is.

use db::{ControlTx, DbError};
use kernel::{PermissionSet, TenantId, TenantStatus};

use super::{AccountId, SignInError};
use crate::{
    permissions::{SUPER_ADMIN, built_in_role},
    roles,
    tenants::{find_tenant, read_status},
};

/// Nobody needs more, and nobody reads a longer list.
const MOST_PLACES: i64 = 100;

/// An account as far as sign-in needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) account: AccountId,
    pub(super) generation: i32,
    pub(super) is_operator: bool,
}

/// A tenant in which an account has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) tenant: TenantId,
    pub(super) slug: String,
    pub(super) tenant_status: TenantStatus,
    pub(super) role: String,
    pub(super) invited: bool,
    pub(super) generation: i32,
}

/// What a token will be for.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) tenant: Option<(TenantId, String)>,
    pub(super) role: String,
    pub(super) permissions: PermissionSet,
    pub(super) generations: [i32; 2],
    /// The invitation that this sign-in has to accept by its code.
    pub(super) accepts: Option<TenantId>,
}

#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Place(Place),
    Platform,
    /// An operator enters a tenant in which they have no place.
    AsOperator,
}

pub(super) async fn list_places(tx: &ControlTx, account: AccountId) -> Result<Vec<Place>, DbError> {
    let rows = tx.query(include_str!("list_places.sql"), &[&account, &MOST_PLACES]).await?;
    let decode = |row: &db::Row| {
        Ok(Place {
            tenant: row.try_get(0)?,
            slug: row.try_get(1)?,
            tenant_status: read_status(row.try_get(2)?)?,
            role: row.try_get(3)?,
            invited: row.try_get::<_, &str>(4)? == "invited",
            generation: row.try_get(5)?,
        })
    };
    rows.iter().map(decode).collect()
}

/// Chooses the seat of `holder` and resolves what its role may do.
pub(super) async fn choose_seat(
    tx: &ControlTx,
    holder: Holder,
    wanted: Option<&str>,
) -> Result<Seat, SignInError> {
    let places = list_places(tx, holder.account).await?;
    match choose(places, wanted, holder.is_operator)? {
        Choice::Place(place) => sit_down(tx, holder, place).await,
        Choice::Platform => Ok(operator_seat(holder, None)),
        Choice::AsOperator => {
            let slug = wanted.unwrap_or_default();
            let tenant = find_tenant(tx, slug).await?.ok_or(SignInError::NotAMember)?;
            Ok(operator_seat(holder, Some((tenant.id, tenant.slug))))
        }
    }
}

async fn sit_down(tx: &ControlTx, holder: Holder, place: Place) -> Result<Seat, SignInError> {
    let permissions = roles::resolve(tx, place.tenant, &place.role).await?;
    Ok(Seat {
        accepts: place.invited.then_some(place.tenant),
        tenant: Some((place.tenant, place.slug)),
        permissions: permissions.unwrap_or_default(),
        role: place.role,
        generations: [holder.generation, place.generation],
    })
}

fn operator_seat(holder: Holder, tenant: Option<(TenantId, String)>) -> Seat {
    let permissions =
        built_in_role(SUPER_ADMIN).map(|role| PermissionSet::new(role.permissions.iter().copied()));
    Seat {
        tenant,
        role: SUPER_ADMIN.to_owned(),
        permissions: permissions.unwrap_or_default(),
        generations: [holder.generation, 0],
        accepts: None,
    }
}

fn choose(mut places: Vec<Place>, wanted: Option<&str>, is_operator: bool) -> Result<Choice, SignInError> {
    if is_operator {
        // They enter every tenant as they are; an invitation must not stop them.
        places.retain(|place| !place.invited);
    }
    let place = match wanted {
        Some(slug) => match places.into_iter().find(|place| place.slug == slug) {
            Some(place) => place,
            None if is_operator => return Ok(Choice::AsOperator),
            None => return Err(SignInError::NotAMember),
        },
        None if is_operator => return Ok(Choice::Platform),
        None => {
            let mut accepted: Vec<Place> = places.into_iter().filter(|place| !place.invited).collect();
            match (accepted.pop(), accepted.is_empty()) {
                (Some(only), true) => only,
                (Some(last), false) => {
                    accepted.push(last);
                    return Err(SignInError::ChooseTenant(
                        accepted.into_iter().map(|place| place.slug).collect(),
                    ));
                }
                (None, _) => return Err(SignInError::NoTenant),
            }
        }
    };
    match place.tenant_status {
        TenantStatus::Active => Ok(Choice::Place(place)),
        _ => Err(SignInError::TenantNotActive),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(slug: &str) -> Place {
        Place {
            tenant: TenantId::new(),
            slug: slug.to_owned(),
            tenant_status: TenantStatus::Active,
            role: "manager".to_owned(),
            invited: false,
            generation: 1,
        }
    }

    // IDN-3
    #[test]
    fn the_only_tenant_is_the_default_and_several_must_be_chosen_from() {
        let (a, b) = (place("a"), place("b"));
        assert!(matches!(choose(vec![a.clone()], None, false), Ok(Choice::Place(found)) if found == a));
        assert!(
            matches!(choose(vec![a.clone(), b.clone()], Some("b"), false), Ok(Choice::Place(found)) if found == b)
        );
        let error = choose(vec![a.clone(), b], None, false).unwrap_err();
        assert!(matches!(error, SignInError::ChooseTenant(names) if names == ["a", "b"]));
        assert!(matches!(choose(vec![a], Some("c"), false), Err(SignInError::NotAMember)));
        assert!(matches!(choose(Vec::new(), None, false), Err(SignInError::NoTenant)));
    }

    #[test]
    fn an_invitation_counts_only_when_its_tenant_is_named() {
        let (mine, invited) = (place("mine"), Place { invited: true, ..place("other") });
        let both = vec![mine.clone(), invited.clone()];
        assert!(matches!(choose(both.clone(), None, false), Ok(Choice::Place(found)) if found == mine));
        assert!(matches!(choose(both, Some("other"), false), Ok(Choice::Place(found)) if found == invited));
        assert!(matches!(choose(vec![invited], None, false), Err(SignInError::NoTenant)));
    }

    #[test]
    fn a_tenant_that_is_not_active_is_no_place_to_sign_in() {
        let stopped = Place { tenant_status: TenantStatus::Suspended, ..place("a") };
        assert!(matches!(choose(vec![stopped], None, false), Err(SignInError::TenantNotActive)));
    }

    #[test]
    fn an_operator_belongs_to_the_platform_and_may_enter_any_tenant() {
        assert!(matches!(choose(vec![place("a")], None, true), Ok(Choice::Platform)));
        assert!(matches!(choose(Vec::new(), Some("a"), true), Ok(Choice::AsOperator)));
        let invited = Place { invited: true, ..place("a") };
        assert!(matches!(choose(vec![invited], Some("a"), true), Ok(Choice::AsOperator)));
    }
}
