//! Routes of shards, for operators.

use axum::extract::State;
use edge::{
    Idempotency, IfMatch, Json, Op, Operator, Path, Problem, Query, Reply, Routes,
    page::{Page, PageQuery},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    AddShard, AddShardError, Purpose, Shard, UpdateShard, UpdateShardError, add_shard, find_shard,
    list_shards, update_shard,
};
use crate::{
    Control,
    idempotency::{Begun, begin},
    permissions::PLATFORM_SHARDS,
    problems::{SHARD_EXISTS, SHARD_NOT_CONFIGURED},
};

/// The cluster to add.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewShard {
    /// The name under which it is configured.
    #[garde(pattern("^[a-z][a-z0-9_-]{0,39}$"))]
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,39}$")]
    name: String,
    /// Where it stands; empty when that does not matter.
    #[garde(length(max = 40))]
    #[schema(max_length = 40)]
    #[serde(default)]
    region: String,
    /// Its share of new tenants, in proportion to the others.
    #[garde(range(min = 1, max = 1000))]
    #[schema(minimum = 1, maximum = 1000)]
    weight: i32,
    /// Which kind of tenants it takes.
    #[garde(skip)]
    #[serde(default)]
    purpose: Purpose,
}

/// How a shard shall be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ShardChange {
    /// Its share of new tenants.
    #[garde(range(min = 1, max = 1000))]
    #[schema(minimum = 1, maximum = 1000)]
    weight: i32,
    /// Takes no new tenants; those it has stay.
    #[garde(skip)]
    draining: bool,
}

pub(crate) fn routes() -> Routes<Control> {
    Routes::new("Shards")
        .add(
            Op::get("/admin/shards", "list_shards", "The clusters that take tenants")
                .platform(PLATFORM_SHARDS)
                .returns::<Page<Shard>>(200),
            list,
        )
        .add(
            Op::post("/admin/shards", "add_shard", "Let a configured cluster take tenants")
                .platform(PLATFORM_SHARDS)
                .returns::<Shard>(201)
                .etag()
                .problems(&[SHARD_NOT_CONFIGURED, SHARD_EXISTS]),
            add,
        )
        .add(
            Op::get("/admin/shards/{name}", "get_shard", "One cluster")
                .platform(PLATFORM_SHARDS)
                .returns::<Shard>(200)
                .etag(),
            get,
        )
        .add(
            Op::put("/admin/shards/{name}", "update_shard", "Drain a cluster, or change its share")
                .platform(PLATFORM_SHARDS)
                .returns::<Shard>(200)
                .etag(),
            update,
        )
}

fn reply(shard: &Shard) -> Reply {
    // The count of tenants is part of the answer and changes without a new version.
    Reply::ok(shard).etag(&etag(shard))
}

fn etag(shard: &Shard) -> String {
    shard.version.to_string()
}

async fn list(
    State(control): State<Control>,
    Operator(_): Operator,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let after: Option<String> = page.after()?;
    let tx = control.db().control().await?;
    let mut shards = list_shards(&control, &tx).await?;
    tx.commit().await?;
    if let Some(after) = after {
        shards.retain(|shard| shard.name > after);
    }
    Ok(Reply::ok(&Page::from_rows(shards, page.limit, |shard| shard.name.clone())))
}

async fn add(
    State(control): State<Control>,
    Operator(caller): Operator,
    idempotency: Idempotency,
    Json(body): Json<NewShard>,
) -> Result<Reply, Problem> {
    let NewShard { name, region, weight, purpose } = body;
    let wanted = AddShard { name, region, weight, purpose };
    let once = match begin(&control, None, idempotency, caller.now).await? {
        Begun::Replay(reply) => return Ok(reply),
        Begun::Fresh(once) => once,
    };
    let shard = add_shard(&control, &caller, once.tx(), wanted).await?;
    let place = format!("{}/admin/shards/{}", edge::API_PREFIX, shard.name);
    once.finish(Reply::created(place, &shard).etag(&etag(&shard))).await
}

async fn get(
    State(control): State<Control>,
    Operator(_): Operator,
    Path(name): Path<String>,
) -> Result<Reply, Problem> {
    let tx = control.db().control().await?;
    let shard = find_shard(&control, &tx, &name).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(reply(&shard))
}

async fn update(
    State(control): State<Control>,
    Operator(caller): Operator,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(body): Json<ShardChange>,
) -> Result<Reply, Problem> {
    let wanted = UpdateShard { weight: body.weight, draining: body.draining, version: if_match.version()? };
    let tx = control.db().control().await?;
    let shard = update_shard(&control, &caller, &tx, &name, wanted).await?;
    tx.commit().await?;
    Ok(reply(&shard))
}

impl From<AddShardError> for Problem {
    fn from(error: AddShardError) -> Self {
        match error {
            AddShardError::NotConfigured(_) => Self::new(SHARD_NOT_CONFIGURED),
            AddShardError::Exists(_) => Self::new(SHARD_EXISTS),
            AddShardError::Database(error) => error.into(),
        }
    }
}

impl From<UpdateShardError> for Problem {
    fn from(error: UpdateShardError) -> Self {
        match error {
            UpdateShardError::NotFound => Self::not_found(),
            UpdateShardError::Changed => Self::new(edge::codes::PRECONDITION_FAILED),
            UpdateShardError::Database(error) => error.into(),
        }
    }
}
