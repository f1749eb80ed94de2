//! Routes of sign-in and about oneself.

use axum::extract::State;
use edge::{Json, Op, Operator, Problem, Query, Reply, Routes, Visitor};
use garde::Validate;
use http::{HeaderMap, header};
use kernel::Actor;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    AccountId, Me, PasswordError, SignIn, SignInError, Tokens,
    me::{change_password, describe_account},
    password::{check_claim, check_claimed_password, check_password},
    refresh::refresh,
    sign_in::{Whence, sign_in},
    sign_out::{SignOut, sign_out},
};
use crate::{
    Control,
    problems::{
        INVITATION_REQUIRED, NO_TENANT, SIGN_IN_BUSY, SIGN_IN_LOCKED, TENANT_CHOICE_REQUIRED,
        WRONG_CREDENTIALS, WRONG_PASSWORD,
    },
    tokens::session_of,
};

/// Address and password, or a refresh token.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    /// The account's address of mail.
    #[garde(length(min = 1, max = 254))]
    #[schema(min_length = 1, max_length = 254)]
    email: Option<String>,
    /// The account's password.
    #[garde(custom(check_claim))]
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 1024)]
    password: Option<SecretString>,
    /// The tenant wanted, if the account has several; `X-Tenant` says the same.
    #[garde(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    tenant: Option<String>,
    /// The code of the invitation to that tenant, for the first sign-in there of an account from before.
    #[garde(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100)]
    invitation: Option<String>,
    /// A refresh token, instead of address and password; it knows its tenant.
    #[garde(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    refresh_token: Option<String>,
}

/// The present password and the one to come.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordChange {
    /// The present one.
    #[garde(custom(check_claimed_password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 1024)]
    current_password: SecretString,
    /// The one to come; 8 to 128 characters.
    #[garde(custom(check_password))]
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
    new_password: SecretString,
}

/// Which sign-ins end.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
struct SignOutQuery {
    /// All of the account, on every device, instead of this one.
    #[garde(skip)]
    #[serde(default)]
    everywhere: bool,
}

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Identity")
        .add(
            Op::post("/auth/token", "create_token", "Sign in, or refresh a sign-in")
                .description(
                    "Give `email` and `password`, or `refreshToken`. A refresh token works once; one that comes back \
                     ends its whole sign-in. Five failures in 15 minutes lock the account and the address for 15 minutes. \
                     Somebody invited gives `tenant` and the code as `invitation`, once.",
                )
                .public()
                .returns::<Tokens>(200)
                .problems(&[
                    WRONG_CREDENTIALS,
                    SIGN_IN_LOCKED,
                    SIGN_IN_BUSY,
                    TENANT_CHOICE_REQUIRED,
                    NO_TENANT,
                    INVITATION_REQUIRED,
                    edge::codes::TENANT_MISMATCH,
                    edge::codes::TENANT_SUSPENDED,
                ]),
            create_token,
        )
        .add(
            Op::post("/auth/logout", "end_session", "End this sign-in, or all of the account")
                .authenticated()
                .returns_nothing(204),
            end_session,
        )
        .add(Op::get("/me", "get_me", "Who the caller is").authenticated().returns::<Me>(200), get_me)
        .add(
            Op::put("/me/password", "change_password", "Change the caller's password; ends every sign-in")
                .authenticated()
                .returns_nothing(204)
                .problems(&[WRONG_PASSWORD, SIGN_IN_LOCKED, SIGN_IN_BUSY]),
            put_password,
        )
}

async fn create_token(
    State(control): State<Control>,
    visitor: Visitor,
    headers: HeaderMap,
    Json(body): Json<TokenRequest>,
) -> Result<Reply, Problem> {
    let whence = Whence::from(visitor);
    let chooses = body.tenant.is_some();
    let tenant = wanted_tenant(body.tenant, &headers)?;
    let invitation: Option<SecretString> = body.invitation.map(Into::into);
    let tokens = match (body.email, body.password, body.refresh_token) {
        (Some(email), Some(password), None) => {
            if invitation.is_some() && tenant.is_none() {
                return Err(no_tenant_problem());
            }
            sign_in(&control, SignIn { email, password, tenant, invitation, whence }).await?
        }
        (None, None, Some(token)) if !chooses && invitation.is_none() => {
            refresh(&control, &token, &whence).await?
        }
        _ => return Err(which_problem()),
    };
    Ok(Reply::ok(&tokens))
}

fn which_problem() -> Problem {
    Problem::invalid([edge::FieldError::pointer(
        "",
        edge::codes::INVALID_VALUE,
        "give either email and password, or refreshToken alone",
    )])
}

fn no_tenant_problem() -> Problem {
    let text = "name the tenant that the invitation is for";
    Problem::invalid([edge::FieldError::pointer("/tenant", edge::codes::INVALID_VALUE, text)])
}

/// Body and header must not contradict each other.
fn wanted_tenant(body: Option<String>, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let header = headers.get("x-tenant").and_then(|value| value.to_str().ok()).map(str::to_owned);
    match (body, header) {
        (Some(body), Some(header)) if body != header => Err(Problem::new(edge::codes::TENANT_MISMATCH)),
        (body, header) => Ok(body.or(header)),
    }
}

/// `everywhere` or the sign-in that the token in the header came from; the gate has verified it.
async fn end_session(
    State(control): State<Control>,
    Operator(caller): Operator,
    visitor: Visitor,
    Query(query): Query<SignOutQuery>,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let session = bearer.split_once(' ').and_then(|(_, token)| session_of(token.trim()));
    if let Some(account) = account_of(&caller.actor) {
        let which = if query.everywhere { Some(SignOut::Everywhere) } else { session.map(SignOut::Session) };
        if let Some(which) = which {
            sign_out(&control, account, which, &visitor.into()).await?;
        }
    }
    Ok(Reply::no_content())
}

async fn get_me(
    State(control): State<Control>,
    Operator(caller): Operator,
    visitor: Visitor,
) -> Result<Reply, Problem> {
    let me = Me {
        id: caller.actor.to_string(),
        email: None,
        name: None,
        tenant: visitor.tenant.map(|tenant| tenant.slug.to_string()),
        permissions: caller.permissions.iter().map(str::to_owned).collect(),
        memberships: Vec::new(),
    };
    let Some(account) = account_of(&caller.actor) else { return Ok(Reply::ok(&me)) };
    Ok(Reply::ok(&describe_account(&control, me, account).await?))
}

async fn put_password(
    State(control): State<Control>,
    Operator(caller): Operator,
    visitor: Visitor,
    Json(body): Json<PasswordChange>,
) -> Result<Reply, Problem> {
    let account = account_of(&caller.actor).ok_or_else(|| Problem::new(WRONG_PASSWORD))?;
    let done =
        change_password(&control, account, body.current_password, body.new_password, &visitor.into()).await;
    match done {
        Err(SignInError::WrongCredentials) => Err(Problem::new(WRONG_PASSWORD)),
        done => Ok(done.map(|()| Reply::no_content())?),
    }
}

fn account_of(actor: &Actor) -> Option<AccountId> {
    match actor {
        Actor::User(id) => id.parse().ok(),
        Actor::Key(_) | Actor::Visitor(_) | Actor::Operator | Actor::System => None,
    }
}

impl From<Visitor> for Whence {
    fn from(visitor: Visitor) -> Self {
        Self {
            address: visitor.address,
            agent: visitor.agent,
            correlation_id: visitor.correlation_id,
            now: visitor.now,
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::new(SIGN_IN_BUSY),
            PasswordError::Hashing => Self::internal(error),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::WrongCredentials => Self::new(WRONG_CREDENTIALS),
            SignInError::Locked(seconds) => Self::new(SIGN_IN_LOCKED).retry_after(seconds),
            SignInError::Busy => Self::new(SIGN_IN_BUSY),
            SignInError::NotAMember => Self::new(edge::codes::TENANT_MISMATCH),
            SignInError::InvitationRequired => Self::new(INVITATION_REQUIRED),
            SignInError::ChooseTenant(names) => Self::new(TENANT_CHOICE_REQUIRED).extension("tenants", names),
            SignInError::NoTenant => Self::new(NO_TENANT),
            SignInError::TenantNotActive => Self::new(edge::codes::TENANT_SUSPENDED),
            SignInError::Keys(error) => Self::new(edge::codes::IDENTITY_UNAVAILABLE).because(error),
            SignInError::Database(error) => error.into(),
        }
    }
}
