//! Use case: address and password for tokens.
//!
//! Whoever asks learns nothing about accounts: unknown, deactivated and passwordless ones take the same work and get
//! the same answer as a wrong password, and are locked the same way. Only the right password learns of an invitation.

use std::{net::IpAddr, sync::Arc};

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};
use secrecy::SecretString;

use super::{
    AccountId, PasswordError, Tokens,
    attempts::{Subjects, count_failure, find_lock, forget_failures},
    invitation::{Acceptance, accept_invitation},
    place::{Holder, choose_seat},
    session::{IssueError, open_session},
};
use crate::{
    Control,
    security::{Event, EventKind as Kind},
    tokens::KeyError,
};

/// Who signs in, and from where.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The account's address of mail.
    pub email: String,
    /// Its password.
    pub password: SecretString,
    /// The tenant wanted, by name.
    pub tenant: Option<String>,
    /// The code of the invitation to it, the first time.
    pub invitation: Option<SecretString>,
    /// Whence the request comes.
    pub whence: Whence,
}

/// Whence a request comes, for limits and security events.
#[derive(Debug, Clone)]
pub struct Whence {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The client's program.
    pub agent: Option<String>,
    /// Ties it to the log.
    pub correlation_id: Arc<str>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Wrong address, password or refresh token; which one is not said.
    #[error("wrong credentials")]
    WrongCredentials,
    /// Too many failures; the seconds until the next try.
    #[error("locked for {0} s")]
    Locked(u32),
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once")]
    Busy,
    /// The account has no place in the tenant that was named.
    #[error("no place in this tenant")]
    NotAMember,
    /// The place is an invitation; its code is missing or wrong.
    #[error("an invitation code is needed")]
    InvitationRequired,
    /// The account has several; their names.
    #[error("several tenants to choose from")]
    ChooseTenant(Vec<String>),
    /// The account has none.
    #[error("no place in any tenant")]
    NoTenant,
    /// The tenant is suspended or still being set up.
    #[error("the tenant is not active")]
    TenantNotActive,
    /// Tokens cannot be signed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl SignInError {
    pub(super) fn locked_for(rest: jiff::SignedDuration) -> Self {
        Self::Locked(u32::try_from(rest.as_secs().max(1)).unwrap_or(u32::MAX))
    }
}

impl From<IssueError> for SignInError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Database(error) => Self::Database(error),
            IssueError::Keys(error) => Self::Keys(error),
        }
    }
}

impl From<PasswordError> for SignInError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Hashing => Self::Database(DbError::Other(error.to_string())),
        }
    }
}

/// What is known of an account before its password is checked.
struct Known {
    holder: Holder,
    password: Option<String>,
}

/// Signs a person in.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(control: &Control, input: SignIn) -> Result<Tokens, SignInError> {
    let email = input.email.to_ascii_lowercase();
    let subjects = Subjects::new(&email, input.whence.address);
    let now = input.whence.now;
    let _turn = control.gate().enter(&email).await.ok_or(SignInError::Busy)?;

    let tx = control.db().control().await?;
    let lock = find_lock(&tx, &subjects, now).await?;
    let known = find_known(&tx, &email).await?;
    tx.commit().await?;
    let account = known.as_ref().map(|known| known.holder.account);
    if let Some(rest) = lock {
        record(control, &input.whence, Kind::SignInLocked, None, account, "locked");
        return Err(SignInError::locked_for(rest));
    }
    let stored = known.as_ref().and_then(|known| known.password.clone());
    let fits = control.passwords().verify(input.password.clone(), stored).await?;
    let Some(known) = known.filter(|_| fits) else {
        let tx = control.db().control().await?;
        let locked = count_failure(control, &tx, &subjects, now).await?;
        tx.commit().await?;
        let kind = if locked { Kind::SignInLocked } else { Kind::SignInFailed };
        record(control, &input.whence, kind, None, account, "wrong credentials");
        return Err(SignInError::WrongCredentials);
    };
    admit_in(control, &input, known.holder, &subjects).await
}

/// The password was right: finds the seat and hands out tokens.
async fn admit_in(
    control: &Control,
    input: &SignIn,
    holder: Holder,
    subjects: &Subjects,
) -> Result<Tokens, SignInError> {
    let (whence, now) = (&input.whence, input.whence.now);
    let tx = control.db().control().await?;
    let seat = match choose_seat(&tx, holder, input.tenant.as_deref()).await {
        Ok(seat) => seat,
        Err(error) => {
            if matches!(error, SignInError::NotAMember) {
                record(
                    control,
                    whence,
                    Kind::TenantMismatch,
                    None,
                    Some(holder.account),
                    "no place in the tenant",
                );
            }
            // The failures are forgotten: the password was right.
            if !matches!(error, SignInError::Database(_)) {
                forget_failures(&tx, subjects).await?;
                tx.commit().await?;
            }
            return Err(error);
        }
    };
    if let Some(tenant) = seat.accepts {
        let (account, code) = (holder.account, input.invitation.as_ref());
        let accepted = accept_invitation(control, &tx, tenant, account, code, now).await?;
        if accepted != Acceptance::Accepted {
            let counted = (accepted == Acceptance::WrongCode).then_some(subjects);
            return Err(refuse_invited(control, tx, whence, tenant, account, counted).await?);
        }
    }
    forget_failures(&tx, subjects).await?;
    let tenant = seat.tenant.as_ref().map(|(id, _)| *id);
    tx.execute(include_str!("note_sign_in.sql"), &[&holder.account, &tenant, &now]).await?;
    let reason = if seat.accepts.is_some() { "password and invitation" } else { "password" };
    let tokens = open_session(control, &tx, holder, seat, now).await?;
    tx.commit().await?;
    record(control, whence, Kind::SignInSucceeded, tenant, Some(holder.account), reason);
    Ok(tokens)
}

/// A wrong code counts as a failure, so that it cannot be guessed; a missing one neither counts nor forgets any.
async fn refuse_invited(
    control: &Control,
    tx: ControlTx,
    whence: &Whence,
    tenant: TenantId,
    account: AccountId,
    counted: Option<&Subjects>,
) -> Result<SignInError, DbError> {
    let (locked, reason) = match counted {
        Some(subjects) => (count_failure(control, &tx, subjects, whence.now).await?, "wrong invitation code"),
        None => (false, "no invitation code"),
    };
    tx.commit().await?;
    let kind = if locked { Kind::SignInLocked } else { Kind::SignInFailed };
    record(control, whence, kind, Some(tenant), Some(account), reason);
    Ok(SignInError::InvitationRequired)
}

async fn find_known(tx: &ControlTx, email: &str) -> Result<Option<Known>, DbError> {
    let row = tx.query_opt(include_str!("find_account.sql"), &[&email]).await?;
    row.map(|row| {
        Ok(Known {
            holder: Holder {
                account: row.try_get(0)?,
                generation: row.try_get(1)?,
                is_operator: row.try_get::<_, Option<&str>>(2)?.is_some(),
            },
            password: row.try_get(3)?,
        })
    })
    .transpose()
}

pub(super) fn record(
    control: &Control,
    whence: &Whence,
    kind: Kind,
    tenant: Option<TenantId>,
    account: Option<AccountId>,
    reason: &'static str,
) {
    control.log().record(Event {
        kind,
        at: whence.now,
        tenant,
        actor: account.map(|account| account.to_string()),
        address: whence.address,
        agent: whence.agent.clone(),
        reason,
        subject: None,
        operation: "create_token",
        correlation_id: whence.correlation_id.clone(),
    });
}
