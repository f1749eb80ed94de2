//! Registers: created, listed, and found fast by every sale.

use std::sync::Arc;

use db::{Db, DbError, Row, TenantTx};
use edge::page::{Page, PageQuery};
use garde::Validate;
use inventory::ShopId;
use kernel::{Ctx, TenantId, Timestamp};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{error::SaleError, model::RegisterId, problems::*};

/// The code of the register that programs sell on, in every shop that needs one.
const PROGRAM_REGISTER: &str = "API";
/// The code of the register that a shop's web channel sells on.
const WEB_REGISTER: &str = "WEB";
/// The code of the register that imported history is booked on.
pub(crate) const HISTORY_REGISTER: &str = "IMP";

/// A till.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// Identity.
    pub id: RegisterId,
    /// Where it stands.
    pub shop_id: ShopId,
    /// Unique in its shop.
    pub code: String,
    /// For people.
    pub name: String,
    /// What its receipt numbers begin with; never changes.
    pub receipt_prefix: String,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A wanted register.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRegister {
    /// 1 to 8 of `A-Z0-9`; the next free `R01`, `R02` when left out.
    #[garde(inner(pattern(r"^[A-Z0-9]{1,8}$")))]
    #[schema(pattern = "^[A-Z0-9]{1,8}$", min_length = 1, max_length = 8)]
    #[serde(default)]
    pub code: Option<String>,
    /// For people; the code when left out.
    #[garde(inner(length(chars, min = 1, max = 100)))]
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    pub name: Option<String>,
}

fn decode(row: &Row) -> Result<Register, DbError> {
    Ok(Register {
        id: row.try_get(0)?,
        shop_id: row.try_get(1)?,
        code: row.try_get(2)?,
        name: row.try_get(3)?,
        receipt_prefix: row.try_get(4)?,
        created_at: row.try_get(5)?,
    })
}

/// Adds a register to a shop; its receipt prefix is shop code and register code, `S01-R02-`.
///
/// # Errors
/// [`REGISTER_CODE_TAKEN`], [`DbError`].
pub async fn create_register(
    tx: &TenantTx,
    shop: ShopId,
    shop_code: &str,
    wanted: &NewRegister,
) -> Result<Register, SaleError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[
        &tx.tenant_id(),
        &RegisterId::new(),
        &shop,
        &shop_code,
        &wanted.code,
        &wanted.name,
        &tx.ctx().now(),
    ];
    let created = tx.query_opt(include_str!("create_register.sql"), params).await?;
    let Some(row) = created else {
        let code = wanted.code.clone().unwrap_or_default();
        return Err(SaleError::state(REGISTER_CODE_TAKEN, format!("register {code} exists in this shop")));
    };
    Ok(decode(&row)?)
}

/// The registers of a shop, by code.
///
/// # Errors
/// [`DbError`]; a cursor that is not of this list.
pub(crate) async fn list_registers(
    tx: &TenantTx,
    shop: ShopId,
    page: &PageQuery,
) -> Result<Page<Register>, edge::Problem> {
    let after: Option<String> = page.after()?;
    let rows = tx
        .query(include_str!("list_registers.sql"), &[&tx.tenant_id(), &shop, &after, &page.limit.sql()])
        .await?;
    let registers = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(registers, page.limit, |last| last.code.clone()))
}

/// Finds or adds the register `code` of each shop (its id, its code, the register's code), for programs and imports.
///
/// # Errors
/// [`DbError::Unique`] when a register of another shop has the receipt prefix already; [`DbError`].
pub async fn ensure_registers(
    tx: &TenantTx,
    wanted: &[(ShopId, String, String)],
) -> Result<Vec<Register>, DbError> {
    let ids: Vec<_> = wanted.iter().map(|_| RegisterId::new().0).collect();
    let shops: Vec<_> = wanted.iter().map(|(shop, _, _)| shop.0).collect();
    let shop_codes: Vec<_> = wanted.iter().map(|(_, code, _)| code.as_str()).collect();
    let codes: Vec<_> = wanted.iter().map(|(_, _, code)| code.as_str()).collect();
    let params: &[&(dyn db::types::ToSql + Sync)] =
        &[&tx.tenant_id(), &ids, &shops, &shop_codes, &codes, &tx.ctx().now()];
    tx.execute(include_str!("ensure_registers.sql"), params).await?;
    let rows =
        tx.query(include_str!("find_registers_by_code.sql"), &[&tx.tenant_id(), &shops, &codes]).await?;
    let found = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let there = |(shop, _, code): &(ShopId, String, String)| {
        found.iter().any(|register| register.shop_id == *shop && register.code == *code)
    };
    match wanted.iter().all(there) {
        true => Ok(found),
        false => Err(DbError::Unique { constraint: "register_prefix_unique".to_owned() }),
    }
}

/// What a sale needs of its register, kept in memory: nothing of it ever changes.
#[derive(Clone)]
pub(crate) struct Registers {
    db: Db,
    known: Cache<(TenantId, RegisterId), Arc<Register>>,
    /// Those that no cashier stands at, by their code.
    unattended: Cache<(TenantId, ShopId, &'static str), Arc<Register>>,
}

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registers").field("known", &self.known.entry_count()).finish_non_exhaustive()
    }
}

impl Registers {
    /// An empty, bounded cache.
    #[must_use]
    pub(crate) fn new(db: Db) -> Self {
        Self { db, known: Cache::new(100_000), unattended: Cache::new(100_000) }
    }

    /// The register a sale is booked on: the named one, or the shop's for programs.
    ///
    /// # Errors
    /// [`UNKNOWN_REGISTER`], [`REGISTER_IN_OTHER_SHOP`], [`UNKNOWN_SHOP`], [`SHOP_REQUIRED`], [`DbError`].
    pub(crate) async fn resolve(
        &self,
        ctx: &Ctx,
        register: Option<RegisterId>,
        shop: Option<ShopId>,
    ) -> Result<Arc<Register>, SaleError> {
        match (register, shop) {
            (Some(id), shop) => {
                let found = self.find(ctx, id).await?.ok_or_else(|| {
                    SaleError::at(UNKNOWN_REGISTER, "/registerId", format!("there is no register {id}"))
                })?;
                if shop.is_some_and(|shop| shop != found.shop_id) {
                    let detail = format!("register {id} stands in shop {}", found.shop_id);
                    return Err(SaleError::at(REGISTER_IN_OTHER_SHOP, "/shopId", detail));
                }
                Ok(found)
            }
            (None, Some(shop)) => self.unattended(ctx, shop, PROGRAM_REGISTER).await,
            (None, None) => Err(SaleError::at(SHOP_REQUIRED, "/shopId", "send shopId or registerId")),
        }
    }

    /// The register of that id, from memory when seen before.
    ///
    /// # Errors
    /// [`DbError`].
    pub(crate) async fn find(&self, ctx: &Ctx, id: RegisterId) -> Result<Option<Arc<Register>>, DbError> {
        let key = (ctx.tenant_id(), id);
        if let Some(known) = self.known.get(&key) {
            return Ok(Some(known));
        }
        let tx = self.db.begin_read(ctx).await?;
        let row = tx.query_opt(include_str!("find_register.sql"), &[&tx.tenant_id(), &id]).await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let register = Arc::new(decode(&row)?);
        self.known.insert(key, register.clone());
        Ok(Some(register))
    }

    /// The register of the shop's web channel, made when first needed.
    ///
    /// # Errors
    /// [`UNKNOWN_SHOP`], [`DbError`].
    pub(crate) async fn for_web(&self, ctx: &Ctx, shop: ShopId) -> Result<Arc<Register>, SaleError> {
        self.unattended(ctx, shop, WEB_REGISTER).await
    }

    /// The same inside a transaction, whose end decides whether a register that is made stays: it is not remembered.
    ///
    /// # Errors
    /// [`UNKNOWN_SHOP`], [`DbError`].
    pub(crate) async fn for_web_in(&self, tx: &TenantTx, shop: ShopId) -> Result<Arc<Register>, SaleError> {
        match self.unattended.get(&(tx.tenant_id(), shop, WEB_REGISTER)) {
            Some(known) => Ok(known),
            None => ensure_register(tx, shop, WEB_REGISTER).await,
        }
    }

    async fn unattended(
        &self,
        ctx: &Ctx,
        shop: ShopId,
        code: &'static str,
    ) -> Result<Arc<Register>, SaleError> {
        let key = (ctx.tenant_id(), shop, code);
        if let Some(known) = self.unattended.get(&key) {
            return Ok(known);
        }
        let tx = self.db.begin(ctx).await?;
        let register = ensure_register(&tx, shop, code).await?;
        tx.commit().await?;
        self.unattended.insert(key, register.clone());
        Ok(register)
    }
}

async fn ensure_register(tx: &TenantTx, shop: ShopId, code: &str) -> Result<Arc<Register>, SaleError> {
    let Some(found) = inventory::find_shop(tx, shop).await? else {
        return Err(SaleError::at(UNKNOWN_SHOP, "/shopId", format!("there is no shop {shop}")));
    };
    let registers = ensure_registers(tx, &[(shop, found.code, code.to_owned())]).await?;
    let register = registers.into_iter().next().map(Arc::new);
    Ok(register.ok_or_else(|| DbError::Other("the register was not made".to_owned()))?)
}

/// Whether the tenant has any register.
///
/// # Errors
/// [`DbError`].
pub async fn has_registers(tx: &TenantTx) -> Result<bool, DbError> {
    let row = tx.query_one(include_str!("has_registers.sql"), &[&tx.tenant_id()]).await?;
    Ok(row.try_get(0)?)
}
