//! Routes of customers about themselves. They see what is theirs, not what the staff writes about them.

use std::fmt;

use axum::extract::State;
use control::{
    check_claimed_password, check_password,
    problems::{SIGN_IN_BUSY, SIGN_IN_LOCKED, WRONG_PASSWORD},
};
use db::TenantTx;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Problem, Reply, Routes, Tenanted, Visitor,
    idempotency::run_once,
};
use garde::Validate;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Customers,
    accounts::account_problem,
    problem,
    subject::{Subject, own_id},
};
use crate::{
    CustomerId,
    accounts::{AccountError, change_password, delete_login, end_sessions, find_sign_in_email},
    manage_customers::{deactivate_customer, update_customer},
    model::{Customer, CustomerInput, email_rule, name_rule, phone_rule},
    problems::{CUSTOMER_MERGED, CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS, CUSTOMERS_OWN},
};

/// A customer as they see themselves.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MyProfile)]
struct Profile {
    /// Identity.
    id: CustomerId,
    /// The name.
    name: String,
    /// Where to write to.
    email: Option<String>,
    /// With what to sign in; in lower case.
    sign_in_email: Option<String>,
    /// Telephone.
    phone: Option<String>,
    /// Counts changes; the entity tag.
    #[schema(minimum = 1)]
    version: i32,
    /// Since when they are a customer.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What customers say about themselves; the whole of it.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MyProfileInput)]
struct ProfileInput {
    /// The name.
    #[garde(custom(name_rule))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    name: String,
    /// Where to write to; signing in goes on as before.
    #[garde(inner(custom(email_rule)))]
    #[schema(min_length = 3, max_length = 254, pattern = r"^[!-?A-~]{1,64}@[!-?A-~]{1,180}$")]
    #[serde(default)]
    email: Option<String>,
    /// Telephone.
    #[garde(inner(custom(phone_rule)))]
    #[schema(min_length = 1, max_length = 40, pattern = r"^[0-9+() ./-]{1,40}$")]
    #[serde(default)]
    phone: Option<String>,
}

/// The present password and the one to come.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerPasswordChange {
    /// The present one.
    #[garde(custom(check_claimed_password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 1024)]
    current_password: SecretString,
    /// The one to come; 8 to 128 characters.
    #[garde(custom(check_password))]
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
    new_password: SecretString,
}

pub(super) fn routes() -> Routes<Customers> {
    Routes::new("Customer accounts")
        .add(
            Op::get("/customers/me", "get_my_profile", "The customer who asks")
                .permission(CUSTOMERS_OWN)
                .returns::<Profile>(200)
                .etag()
                .problems(&[CUSTOMER_NOT_FOUND]),
            get,
        )
        .add(
            Op::put("/customers/me", "update_my_profile", "Replace what one says about oneself")
                .permission(CUSTOMERS_OWN)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Profile>(200)
                .etag()
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED, CUSTOMER_REFERENCE_EXISTS]),
            update,
        )
        .add(
            Op::delete("/customers/me", "delete_my_profile", "Close one's own account")
                .description(
                    "Every sign-in ends and the address of mail may be registered again. What was bought stays in the \
                     merchant's books.",
                )
                .permission(CUSTOMERS_OWN)
                .returns_nothing(204)
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED, CUSTOMER_REFERENCE_EXISTS]),
            delete,
        )
        .add(
            Op::put("/customers/me/password", "change_my_password", "Change one's own password; ends every sign-in")
                .permission(CUSTOMERS_OWN)
                .returns_nothing(204)
                .problems(&[CUSTOMER_NOT_FOUND, WRONG_PASSWORD, SIGN_IN_LOCKED, SIGN_IN_BUSY]),
            put_password,
        )
}

async fn shown(tx: &TenantTx, customer: Customer) -> Result<Reply, Problem> {
    let version = customer.version;
    let profile = Profile {
        sign_in_email: find_sign_in_email(tx, customer.id).await?,
        id: customer.id,
        name: customer.name,
        email: customer.email,
        phone: customer.phone,
        version,
        created_at: customer.created_at,
    };
    Ok(Reply::ok(&profile).etag(&version.to_string()))
}

async fn get(State(state): State<Customers>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let tx = state.db().begin_read(&ctx).await?;
    let customer = Subject::Me.read(&tx).await?;
    let reply = shown(&tx, customer).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn update(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    if_match: IfMatch,
    idempotency: Idempotency,
    Json(input): Json<ProfileInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let before = Subject::Me.lock(tx).await?;
        if_match.check(&before.version.to_string())?;
        let wanted = CustomerInput {
            reference: before.reference.clone(),
            name: input.name.clone(),
            email: input.email.clone(),
            phone: input.phone.clone(),
            note: before.note.clone(),
            tags: None,
            active: true,
        };
        let customer = update_customer(tx, before, &wanted).await.map_err(problem)?;
        shown(tx, customer).await
    })
    .await
}

async fn delete(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    if_match: IfMatch,
) -> Result<Reply, Problem> {
    let tx = state.db().begin(&ctx).await?;
    let before = Subject::Me.lock(&tx).await?;
    if_match.check(&before.version.to_string())?;
    let id = before.id;
    deactivate_customer(&tx, before).await.map_err(problem)?;
    end_sessions(&tx, id).await?;
    delete_login(&tx, id).await?;
    tx.commit().await?;
    Ok(Reply::no_content())
}

async fn put_password(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    visitor: Visitor,
    Json(input): Json<CustomerPasswordChange>,
) -> Result<Reply, Problem> {
    let customer = own_id(&ctx)?;
    let passwords = [input.current_password, input.new_password];
    match change_password(&state, &ctx, customer, passwords, visitor.address).await {
        Err(AccountError::WrongCredentials) => Err(Problem::new(WRONG_PASSWORD)),
        done => done.map(|()| Reply::no_content()).map_err(account_problem),
    }
}
