//! Providers and the merchant's accounts with them.

use axum::extract::State;
use edge::{Json, Op, Path, Problem, Reply, Routes, Tenanted};
use kernel::Ctx;

use super::{
    inputs::AccountBody,
    outputs::{ProviderList, ProviderView},
};
use crate::{
    Payments,
    accounts::{Account, Credentials},
    problems::{PAYMENT_PROVIDER_NOT_FOUND, PAYMENTS_PROVIDERS, PAYMENTS_READ, UNKNOWN_CREDENTIAL},
    provider::Provider,
};

pub(super) fn routes(state: Payments) -> Routes<()> {
    Routes::new("Payments")
        .add(
            Op::get("/payments/providers", "list_payment_providers", "Who takes payments here")
                .description("Which credentials are set is shown, never what they are.")
                .permission(PAYMENTS_READ)
                .returns::<ProviderList>(200),
            list,
        )
        .add(
            Op::put(
                "/payments/providers/{provider}",
                "put_payment_provider",
                "Set the account with a provider",
            )
            .description("Replaces every credential. What is set is sealed and never shown again.")
            .permission(PAYMENTS_PROVIDERS)
            .returns::<ProviderView>(200)
            .problems(&[PAYMENT_PROVIDER_NOT_FOUND, UNKNOWN_CREDENTIAL]),
            put,
        )
        .with_state(state)
}

async fn list(State(payments): State<Payments>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let accounts = payments.accounts().list(&ctx).await?;
    let view = |provider: &dyn Provider| {
        show(provider, accounts.iter().find(|account| account.provider == provider.name()))
    };
    Ok(Reply::ok(&ProviderList { items: payments.providers().map(view).collect() }))
}

async fn put(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    Path(name): Path<String>,
    Json(body): Json<AccountBody>,
) -> Result<Reply, Problem> {
    let provider = payments.provider(&name).ok_or_else(|| Problem::new(PAYMENT_PROVIDER_NOT_FOUND))?;
    let unknown = |name: &&String| !provider.credentials().contains(&name.as_str());
    if let Some(name) = body.credentials.keys().find(unknown) {
        let code = UNKNOWN_CREDENTIAL;
        let pointer = format!("/credentials/{}", name.replace('~', "~0").replace('/', "~1"));
        return Err(Problem::new(code).pointer(pointer, code, "the provider has no such credential"));
    }
    let fields = body.credentials.into_iter().map(|(name, value)| (name, value.into()));
    payments.accounts().put(&ctx, provider.name(), &Credentials::new(fields)).await?;
    set(&payments, &ctx, provider).await
}

async fn set(payments: &Payments, ctx: &Ctx, provider: &dyn Provider) -> Result<Reply, Problem> {
    let accounts = payments.accounts().list(ctx).await?;
    let account = accounts.iter().find(|account| account.provider == provider.name());
    Ok(Reply::ok(&show(provider, account)))
}

fn show(provider: &dyn Provider, account: Option<&Account>) -> ProviderView {
    ProviderView {
        name: provider.name(),
        methods: provider.methods(),
        credentials: provider.credentials(),
        set: account.map(|account| account.fields.clone()).unwrap_or_default(),
        set_at: account.map(|account| account.updated_at),
    }
}
