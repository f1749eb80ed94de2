//! Routes before any token: guests, registering, sign-in, refresh, sign-out.

use axum::extract::State;
use control::{
    check_claimed_password, check_password,
    problems::{SIGN_IN_BUSY, SIGN_IN_LOCKED, WRONG_CREDENTIALS},
};
use edge::{Json, LimitedAs, Op, Problem, Reply, Routes, Visitor, codes};
use garde::Validate;
use kernel::{Actor, Ctx};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Customers;
use crate::{
    accounts::{
        AccountError, Credentials, GuestPass, GuestTokenError, Presented, Register, SignedIn, create_guest,
        refresh, register, sign_in, sign_out, verify_guest,
    },
    model::{email_rule, name_rule, phone_rule, refuse},
    problems::{ACCOUNT_EXISTS, GUEST_TOKEN_INVALID},
};

/// A new account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Registration {
    /// The address of mail to sign in with; upper and lower case are the same.
    #[garde(custom(email_rule))]
    #[schema(min_length = 3, max_length = 254, pattern = r"^[!-?A-~]{1,64}@[!-?A-~]{1,180}$")]
    email: String,
    /// 8 to 128 characters.
    #[garde(custom(check_password))]
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
    password: SecretString,
    /// The name.
    #[garde(custom(name_rule))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    name: String,
    /// Telephone.
    #[garde(inner(custom(phone_rule)))]
    #[schema(min_length = 1, max_length = 40, pattern = r"^[0-9+() ./-]{1,40}$")]
    #[serde(default)]
    phone: Option<String>,
    /// The token of the guest until now, whose things become the customer's.
    #[garde(inner(custom(token_rule)))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    #[serde(default)]
    guest_token: Option<SecretString>,
}

/// Address of mail and password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerSignIn {
    /// The address of mail that the account was registered with.
    #[garde(length(chars, min = 1, max = 254))]
    #[schema(min_length = 1, max_length = 254)]
    email: String,
    /// The account's password.
    #[garde(custom(check_claimed_password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 1024)]
    password: SecretString,
    /// The token of the guest until now, whose things become the customer's.
    #[garde(inner(custom(token_rule)))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    #[serde(default)]
    guest_token: Option<SecretString>,
}

/// A refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerRefresh {
    /// As given out by the last sign-in or refresh.
    #[garde(custom(token_rule))]
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    refresh_token: SecretString,
}

fn token_rule(token: &SecretString, _: &()) -> garde::Result {
    let fine = (1..=4000).contains(&token.expose_secret().chars().count());
    refuse(fine, "must be 1 to 4000 characters")
}

pub(super) fn routes() -> Routes<Customers> {
    Routes::new("Customer accounts")
        .add(
            Op::post("/customers/guest", "create_guest", "Shop without an account")
                .description("Name the merchant by `X-Tenant`. The token is good for 30 days; nothing is stored.")
                .public()
                .returns::<GuestPass>(200)
                .problems(&[codes::TENANT_REQUIRED]),
            create_guest_pass,
        )
        .add(
            Op::post("/customers/register", "register_customer", "Register with address of mail and password")
                .limited_as(LimitedAs::Registration)
                .description(
                    "Name the merchant by `X-Tenant`. A customer whom the merchant knows by the same address of mail \
                     stays another one until the merchant merges the two.",
                )
                .public()
                .returns::<SignedIn>(201)
                .problems(&[
                    codes::TENANT_REQUIRED,
                    ACCOUNT_EXISTS,
                    GUEST_TOKEN_INVALID,
                    SIGN_IN_LOCKED,
                    SIGN_IN_BUSY,
                ]),
            register_account,
        )
        .add(
            Op::post("/customers/sign-in", "sign_in_customer", "Sign in with address of mail and password")
                .description(
                    "Name the merchant by `X-Tenant`. Failures lock the account for the address they come from, and, \
                     many of them, the address for all accounts of the merchant.",
                )
                .public()
                .returns::<SignedIn>(200)
                .problems(&[
                    codes::TENANT_REQUIRED,
                    WRONG_CREDENTIALS,
                    GUEST_TOKEN_INVALID,
                    SIGN_IN_LOCKED,
                    SIGN_IN_BUSY,
                ]),
            sign_in_account,
        )
        .add(
            Op::post("/customers/refresh", "refresh_customer", "Refresh a customer's sign-in")
                .description("A refresh token works once; one that comes back ends its whole sign-in.")
                .public()
                .returns::<SignedIn>(200)
                .problems(&[codes::TENANT_REQUIRED, WRONG_CREDENTIALS]),
            refresh_account,
        )
        .add(
            Op::post("/customers/sign-out", "sign_out_customer", "End a customer's sign-in")
                .description("The access token is good for what is left of its 15 minutes. Doing it again changes nothing.")
                .public()
                .returns_nothing(204)
                .problems(&[codes::TENANT_REQUIRED]),
            sign_out_account,
        )
}

pub(super) fn account_problem(error: AccountError) -> Problem {
    match error {
        AccountError::WrongCredentials => Problem::new(WRONG_CREDENTIALS),
        AccountError::Locked(seconds) => Problem::new(SIGN_IN_LOCKED).retry_after(seconds),
        AccountError::Busy => Problem::new(SIGN_IN_BUSY).retry_after(1),
        AccountError::AccountExists => Problem::new(ACCOUNT_EXISTS),
        AccountError::Hashing => Problem::internal("a password cannot be hashed"),
        AccountError::Keys(error) => Problem::new(codes::IDENTITY_UNAVAILABLE).because(error),
        AccountError::Db(error) => error.into(),
    }
}

/// The context of somebody whom nobody knows yet.
fn unknown(visitor: &Visitor) -> Result<Ctx, Problem> {
    visitor.in_tenant(Actor::Visitor("unknown".into()))
}

async fn presented(state: &Customers, ctx: &Ctx, token: Option<&SecretString>) -> Result<Presented, Problem> {
    let Some(token) = token else { return Ok(None) };
    match verify_guest(state.control(), ctx, token.expose_secret()).await {
        Ok(guest) => Ok(Some(guest)),
        Err(GuestTokenError::Invalid) => Err(Problem::new(GUEST_TOKEN_INVALID)),
        Err(GuestTokenError::Unavailable(cause)) => {
            Err(Problem::new(codes::IDENTITY_UNAVAILABLE).because(cause))
        }
    }
}

async fn create_guest_pass(State(state): State<Customers>, visitor: Visitor) -> Result<Reply, Problem> {
    let ctx = unknown(&visitor)?;
    let made = create_guest(state.control(), &ctx);
    Ok(Reply::ok(&made.map_err(|error| account_problem(error.into()))?))
}

async fn register_account(
    State(state): State<Customers>,
    visitor: Visitor,
    Json(input): Json<Registration>,
) -> Result<Reply, Problem> {
    let ctx = unknown(&visitor)?;
    let guest = presented(&state, &ctx, input.guest_token.as_ref()).await?;
    let Registration { email, password, name, phone, .. } = input;
    let wanted = Register { email, password, name, phone, guest, address: visitor.address };
    let made = register(&state, &ctx, wanted).await.map_err(account_problem)?;
    Ok(Reply::created(format!("{}/customers/me", edge::API_PREFIX), &made))
}

async fn sign_in_account(
    State(state): State<Customers>,
    visitor: Visitor,
    Json(input): Json<CustomerSignIn>,
) -> Result<Reply, Problem> {
    let ctx = unknown(&visitor)?;
    let guest = presented(&state, &ctx, input.guest_token.as_ref()).await?;
    let CustomerSignIn { email, password, .. } = input;
    let credentials = Credentials { email, password, guest, address: visitor.address };
    Ok(Reply::ok(&sign_in(&state, &ctx, credentials).await.map_err(account_problem)?))
}

async fn refresh_account(
    State(state): State<Customers>,
    visitor: Visitor,
    Json(input): Json<CustomerRefresh>,
) -> Result<Reply, Problem> {
    let ctx = unknown(&visitor)?;
    let tokens = refresh(&state, &ctx, input.refresh_token.expose_secret()).await;
    Ok(Reply::ok(&tokens.map_err(account_problem)?))
}

async fn sign_out_account(
    State(state): State<Customers>,
    visitor: Visitor,
    Json(input): Json<CustomerRefresh>,
) -> Result<Reply, Problem> {
    let ctx = unknown(&visitor)?;
    sign_out(&state, &ctx, input.refresh_token.expose_secret()).await?;
    Ok(Reply::no_content())
}
