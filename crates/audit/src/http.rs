//! Routes of the audit log.

use std::net::IpAddr;

use axum::extract::State;
use db::Db;
use edge::{
    Op, Path, Problem, Query, Reply, Routes, Tenanted,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use kernel::{Permission, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    Record,
    list_entries::{EntryFilter, find_entry, list_entries},
    record::unpack,
};

/// Reading the audit log.
pub const AUDIT_READ: Permission = Permission::new("audit:read");
/// Bodies are not longer than this, by what the gate hands over; redacting makes them longer by a little at most.
const MOST_BODY: usize = 1 << 20;

/// What was done.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntryView {
    /// The place in the tenant's chain, from 1, without gaps.
    pub number: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// By whom; null where nobody was signed in.
    pub actor: Option<String>,
    /// What: the operation as in this document.
    pub operation: String,
    /// Its method.
    pub method: String,
    /// To which thing: the path.
    pub path: String,
    /// With what result.
    pub status: i16,
    /// From where.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// With what program.
    pub agent: Option<String>,
    /// Ties it to logs and messages.
    pub correlation_id: String,
    /// How long it took.
    pub duration_us: i64,
}

/// What was done, with what was sent and answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntryDetail {
    /// The entry.
    pub entry: AuditEntryView,
    /// The body of the request without secrets; null where there was none, or one that is not kept.
    #[schema(value_type = Option<Object>)]
    pub request: Option<Value>,
    /// The body of the answer without secrets.
    #[schema(value_type = Option<Object>)]
    pub response: Option<Value>,
}

impl AuditEntryView {
    fn of((number, record): (i64, Record)) -> Self {
        Self {
            number,
            at: record.at,
            actor: record.actor,
            operation: record.operation,
            method: record.method,
            path: record.subject,
            status: record.status,
            address: record.address,
            agent: record.agent,
            correlation_id: record.correlation_id,
            duration_us: record.duration_us,
        }
    }
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only by this user, key, customer or guest, as `actor` says.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    actor: Option<String>,
    /// Only this operation.
    #[garde(inner(length(chars, min = 1, max = 64)))]
    #[param(min_length = 1, max_length = 64)]
    operation: Option<String>,
    /// Only what was done to things whose path begins so, as `/api/v1/products/prd_..`.
    #[garde(inner(length(chars, min = 1, max = 300)))]
    #[param(min_length = 1, max_length = 300)]
    path: Option<String>,
    /// At or after.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// The routes of the audit log.
pub fn routes(db: &Db) -> Routes<()> {
    Routes::new("Audit")
        .add(
            Op::get("/audit", "list_audit_entries", "Who did what, the youngest first")
                .description(
                    "Every request that changed something or tried to, and a configurable share of the others. An entry \
                     can be read within a second of its request.",
                )
                .permission(AUDIT_READ)
                .returns::<Page<AuditEntryView>>(200),
            list,
        )
        .add(
            Op::get("/audit/{number}", "get_audit_entry", "One entry with the bodies of request and answer")
                .permission(AUDIT_READ)
                .returns::<AuditEntryDetail>(200),
            get,
        )
        .with_state(db.clone())
}

async fn list(
    State(db): State<Db>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<AuditQuery>,
) -> Result<Reply, Problem> {
    let before: Option<i64> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let filter = EntryFilter {
        actor: query.actor,
        operation: query.operation,
        subject: query.path,
        from: query.from.map(db::storable),
        to: query.to.map(db::storable),
        before,
        limit: query.limit.sql(),
    };
    let tx = db.begin_read(&ctx).await?;
    let entries = list_entries(&tx, &filter).await?;
    tx.commit().await?;
    let views: Vec<_> = entries.into_iter().map(AuditEntryView::of).collect();
    Ok(Reply::ok(&Page::from_rows(views, query.limit, |entry| entry.number)))
}

async fn get(
    State(db): State<Db>,
    Tenanted(ctx): Tenanted,
    Path(number): Path<i64>,
) -> Result<Reply, Problem> {
    let tx = db.begin_read(&ctx).await?;
    let found = find_entry(&tx, number).await?;
    tx.commit().await?;
    let (number, mut record) = found.ok_or_else(Problem::not_found)?;
    let body = |packed: Option<Vec<u8>>| {
        packed.and_then(|packed| serde_json::from_slice(&unpack(&packed, MOST_BODY)?).ok())
    };
    let (request, response) = (body(record.request.take()), body(record.response.take()));
    Ok(Reply::ok(&AuditEntryDetail { entry: AuditEntryView::of((number, record)), request, response }))
}
