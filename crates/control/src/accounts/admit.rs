//! Gives a person a place in a tenant, with an account made for them when they have none.

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};
use secrecy::SecretString;

use super::{
    AccountId,
    invitation::{Invitation, make_invitation},
};
use crate::{Control, change::Change};

/// Who shall have which place.
pub(crate) struct Admission<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) email: &'a str,
    /// What the tenant calls them; an account that exists keeps its own name.
    pub(crate) name: &'a str,
    pub(crate) role: &'a str,
    /// The stored form of a password for a new account; an account that exists keeps its own.
    pub(crate) password: Option<&'a str>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) account: AccountId,
    /// Whether the account was made for this place.
    pub(crate) new_account: bool,
    /// False when the person has an active place already; it is left as it was.
    pub(crate) new_place: bool,
    /// The code by which an account that existed before takes the place; shown once.
    pub(crate) invitation: Option<SecretString>,
}

/// Admits a person. Somebody who has an account is invited; a place that was taken away is given anew, and one not yet
/// accepted gets a new code.
pub(crate) async fn admit(
    control: &Control,
    tx: &ControlTx,
    admission: Admission<'_>,
    now: Timestamp,
) -> Result<Admitted, DbError> {
    let email = admission.email.to_ascii_lowercase();
    let made = tx
        .query_opt(
            include_str!("create_account.sql"),
            &[&AccountId::new(), &email, &admission.name, &admission.password, &Some(admission.tenant), &now],
        )
        .await?;
    let (account, new_account): (AccountId, bool) = match made {
        Some(row) => (row.try_get(0)?, true),
        None => {
            let row = tx.query_one(include_str!("find_account_id.sql"), &[&email]).await?;
            (row.try_get(0)?, false)
        }
    };
    let invitation = if new_account { None } else { Some(make_invitation(control, account, now)?) };
    let new_place = give_place(tx, &admission, account, invitation.as_ref(), now).await?;
    if new_place {
        control.announce(tx, Change::Membership(admission.tenant, account)).await?;
    }
    let code = invitation.filter(|_| new_place).map(|invitation| invitation.code);
    Ok(Admitted { account, new_account, new_place, invitation: code })
}

/// Active without an invitation; false when there is an active place already.
async fn give_place(
    tx: &ControlTx,
    admission: &Admission<'_>,
    account: AccountId,
    invitation: Option<&Invitation>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (status, accepted_at) = if invitation.is_some() { ("invited", None) } else { ("active", Some(now)) };
    let placed = tx
        .execute(
            include_str!("create_membership.sql"),
            &[
                &admission.tenant,
                &account,
                &admission.role,
                &status,
                &admission.name,
                &accepted_at,
                &invitation.map(|invitation| &*invitation.hash),
                &invitation.map(|invitation| invitation.expires_at),
                &now,
            ],
        )
        .await?;
    Ok(placed == 1)
}
