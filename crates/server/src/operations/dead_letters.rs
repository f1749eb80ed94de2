//! Messages that were given up: list, show, replay, drop (MSG-4).

use axum::extract::State;
use edge::{
    Op, Operator, Path, Problem, Query, Reply, Routes,
    page::{Cursor, Limit},
};
use garde::Validate;
use kernel::TenantId;
use messages::{DeadLetter, DeadLetterFilter, DeadLetterId, DeadLetters, DeadLettersError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::PLATFORM_OPERATIONS;

/// The operators' routes over dead letters.
pub fn routes(state: DeadLetters) -> Routes<()> {
    Routes::new("Operations")
        .add(
            Op::get("/admin/dead-letters", "list_dead_letters", "Messages that were given up, latest first")
                .platform(PLATFORM_OPERATIONS)
                .returns::<DeadLetterList>(200),
            list_dead_letters,
        )
        .add(
            Op::get("/admin/dead-letters/{id}", "get_dead_letter", "One message that was given up")
                .platform(PLATFORM_OPERATIONS)
                .returns::<DeadLetter>(200),
            get_dead_letter,
        )
        .add(
            Op::post("/admin/dead-letters/{id}/replay", "replay_dead_letter", "Deliver a message again")
                .description(
                    "With all tries before it. Later messages of its subject may have been handled meanwhile. When it \
                     fails again it becomes another dead letter.",
                )
                .platform(PLATFORM_OPERATIONS)
                .returns_nothing(204),
            replay_dead_letter,
        )
        .add(
            Op::delete("/admin/dead-letters/{id}", "drop_dead_letter", "Drop a message for good")
                .platform(PLATFORM_OPERATIONS)
                .returns_nothing(204),
            drop_dead_letter,
        )
        .with_state(state)
}

/// Which dead letters are wanted.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeadLetterQuery {
    /// Only of this tenant.
    #[garde(skip)]
    #[param(inline)]
    tenant: Option<TenantId>,
    /// Only of this consumer.
    #[garde(inner(length(bytes, min = 1, max = 100)))]
    #[param(min_length = 1, max_length = 100)]
    consumer: Option<String>,
    /// How many items at most.
    #[garde(skip)]
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[garde(skip)]
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// One page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeadLetterList {
    /// Latest first.
    #[schema(max_items = 200)]
    items: Vec<DeadLetter>,
    /// Where the next page begins; null on the last page.
    next_cursor: Option<String>,
    /// Databases that cannot be reached now; their dead letters are missing.
    unreachable: Vec<String>,
}

async fn list_dead_letters(
    State(letters): State<DeadLetters>,
    Operator(_): Operator,
    Query(query): Query<DeadLetterQuery>,
) -> Result<Reply, Problem> {
    let before: Option<DeadLetterId> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let DeadLetterQuery { tenant, consumer, limit, .. } = query;
    let filter = DeadLetterFilter { tenant, consumer, before, limit: limit.get() };
    let page = letters.list(&filter).await.map_err(refusal)?;
    let next_cursor = page.items.last().filter(|_| page.has_more).map(|last| Cursor::encode(&last.id));
    let unreachable = page.unreachable.iter().map(ToString::to_string).collect();
    Ok(Reply::ok(&DeadLetterList { items: page.items, next_cursor, unreachable }))
}

async fn get_dead_letter(
    State(letters): State<DeadLetters>,
    Operator(_): Operator,
    Path(id): Path<DeadLetterId>,
) -> Result<Reply, Problem> {
    let letter = letters.find(id).await.map_err(refusal)?.ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(&letter))
}

async fn replay_dead_letter(
    State(letters): State<DeadLetters>,
    Operator(caller): Operator,
    Path(id): Path<DeadLetterId>,
) -> Result<Reply, Problem> {
    done(letters.replay(id, caller.now).await)
}

async fn drop_dead_letter(
    State(letters): State<DeadLetters>,
    Operator(_): Operator,
    Path(id): Path<DeadLetterId>,
) -> Result<Reply, Problem> {
    done(letters.discard(id).await)
}

fn done(found: Result<bool, DeadLettersError>) -> Result<Reply, Problem> {
    if found.map_err(refusal)? { Ok(Reply::no_content()) } else { Err(Problem::not_found()) }
}

fn refusal(error: DeadLettersError) -> Problem {
    match error {
        DeadLettersError::Db(error) => error.into(),
        DeadLettersError::Lookup(error) => Problem::new(edge::codes::DATABASE_UNAVAILABLE).because(error),
    }
}
