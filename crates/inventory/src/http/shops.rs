//! `/shops`.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Page, PageQuery},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Inventory;
use crate::{
    create_shop::{CreateShop, create_shop},
    ensure_shops::is_shop_name,
    find_shops::find_shop,
    list_shops::list_shops,
    model::ShopId,
    problems::{SHOP_CODE_TAKEN, SHOP_NOT_FOUND, SHOPS_READ, SHOPS_WRITE},
    shop::{Shop, ShopKind, is_shop_code},
    update_shop::{UpdateShop, update_shop},
};

pub(super) fn routes(state: Inventory) -> Routes<()> {
    Routes::new("Shops")
        .add(
            Op::get("/shops", "list_shops", "Shops, by code")
                .permission(SHOPS_READ)
                .returns::<Page<Shop>>(200),
            list,
        )
        .add(
            Op::post("/shops", "create_shop", "Open a shop")
                .permission(SHOPS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Shop>(201)
                .problems(&[SHOP_CODE_TAKEN]),
            create,
        )
        .add(
            Op::get("/shops/{id}", "get_shop", "One shop")
                .permission(SHOPS_READ)
                .etag()
                .returns::<Shop>(200)
                .problems(&[SHOP_NOT_FOUND]),
            get,
        )
        .add(
            Op::put("/shops/{id}", "update_shop", "Change a shop")
                .description("Replaces name, kind, address and whether it trades. The code never changes.")
                .permission(SHOPS_WRITE)
                .if_match()
                .returns::<Shop>(200)
                .problems(&[SHOP_NOT_FOUND]),
            update,
        )
        .with_state(state)
}

/// A shop to open.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateShopBody {
    /// The first part of its receipt numbers; the next free of S01, S02.. when absent.
    #[garde(inner(custom(shop_code)))]
    #[schema(pattern = "^[A-Z0-9]{1,12}$")]
    code: Option<String>,
    /// The name for people.
    #[garde(custom(shop_name))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: String,
    #[garde(skip)]
    #[serde(default)]
    kind: ShopKind,
    /// Postal address, free text.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    #[serde(default)]
    address: String,
}

/// The new state of a shop.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateShopBody {
    /// The name for people.
    #[garde(custom(shop_name))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: String,
    #[garde(skip)]
    kind: ShopKind,
    /// Postal address, free text.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    #[serde(default)]
    address: String,
    /// Whether it trades.
    #[garde(skip)]
    active: bool,
}

fn shop_code(code: &str, _: &()) -> garde::Result {
    if is_shop_code(code) { Ok(()) } else { Err(garde::Error::new("must be 1 to 12 of A-Z and 0-9")) }
}

fn shop_name(name: &str, _: &()) -> garde::Result {
    if is_shop_name(name) {
        Ok(())
    } else {
        Err(garde::Error::new("must be 1 to 200 characters, not blank, without control characters"))
    }
}

async fn list(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let after: Option<String> = page.after()?;
    let tx = state.db.begin_read(&ctx).await?;
    let shops = list_shops(&tx, after.as_deref(), page.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(shops, page.limit, |shop| shop.code.clone())))
}

async fn create(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<CreateShopBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let CreateShopBody { code, name, kind, address } = body.clone();
        let shop = create_shop(tx, CreateShop { code, name, kind, address }).await?;
        Ok(Reply::created(format!("/api/v1/shops/{}", shop.id), &shop).etag(&shop.version.to_string()))
    })
    .await
}

async fn get(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ShopId>,
) -> Result<Reply, Problem> {
    let tx = state.db.begin_read(&ctx).await?;
    let shop = find_shop(&tx, id).await?.ok_or_else(|| Problem::new(SHOP_NOT_FOUND))?;
    tx.commit().await?;
    Ok(Reply::ok(&shop).etag(&shop.version.to_string()))
}

async fn update(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ShopId>,
    if_match: IfMatch,
    Json(body): Json<UpdateShopBody>,
) -> Result<Reply, Problem> {
    let UpdateShopBody { name, kind, address, active } = body;
    let input = UpdateShop { name, kind, address, active, if_version: if_match.version()? };
    let tx = state.db.begin(&ctx).await?;
    let shop = update_shop(&tx, id, input).await?;
    tx.commit().await?;
    Ok(Reply::ok(&shop).etag(&shop.version.to_string()))
}
