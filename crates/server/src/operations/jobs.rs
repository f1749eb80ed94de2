//! Scheduled jobs: list and run by hand (MSG-6).

use axum::extract::State;
use edge::{Op, Operator, Path, Problem, Reply, Routes};
use messages::{JobRecord, Jobs};
use serde::Serialize;
use utoipa::ToSchema;

use super::PLATFORM_OPERATIONS;

/// The operators' routes over jobs.
pub fn routes(state: Jobs) -> Routes<()> {
    Routes::new("Operations")
        .add(
            Op::get("/admin/jobs", "list_jobs", "Scheduled jobs with their last and next run")
                .platform(PLATFORM_OPERATIONS)
                .returns::<JobList>(200),
            list_jobs,
        )
        .add(
            Op::post("/admin/jobs/{name}/run", "run_job", "Run a job as soon as possible")
                .description("It runs once, in one process; `GET /admin/jobs` tells how it ended.")
                .platform(PLATFORM_OPERATIONS)
                .returns_nothing(204),
            run_job,
        )
        .with_state(state)
}

/// All jobs.
#[derive(Debug, Serialize, ToSchema)]
struct JobList {
    /// By name.
    #[schema(max_items = 500)]
    items: Vec<JobRecord>,
}

async fn list_jobs(State(jobs): State<Jobs>, Operator(_): Operator) -> Result<Reply, Problem> {
    Ok(Reply::ok(&JobList { items: jobs.list().await? }))
}

async fn run_job(
    State(jobs): State<Jobs>,
    Operator(_): Operator,
    Path(name): Path<String>,
) -> Result<Reply, Problem> {
    let is_name = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_'));
    if is_name && jobs.trigger(&name).await? { Ok(Reply::no_content()) } else { Err(Problem::not_found()) }
}
