//! The routes of imports.

use axum::{extract::State, http::StatusCode};
use edge::{
    Idempotency, IdempotencyKey, Op, Path, Problem, RawBody, Reply, Routes, Tenanted, idempotency::run_once,
};

use crate::{
    Catalog,
    import::{
        ImportId, ImportRun, PRODUCT_COLUMNS, find_import, keep_upload, read_rejects, start_import, work_on,
    },
    problems::{CATALOG_IMPORT, IMPORT_FILE_REFUSED, IMPORT_NOT_FOUND, REJECTS_NOT_READY},
};

const CSV: &str = "text/csv";
/// The largest file over HTTP; `markethall import products` takes any size.
const UPLOAD_BYTES: usize = 64 << 20;

pub(super) fn routes(catalog: Catalog) -> Routes<()> {
    Routes::<Catalog>::new("Imports")
        .add(
            Op::post("/imports/products", "import_products", "Import products from a file")
                .description(
                    "CSV (also packed with gzip) of at most 64 MiB with a header; needed are the columns `sku`, \
                     `name`, `price`. The work is done in the background: ask for the import until its status is \
                     `done` or `failed`, then for its rejects. Importing the same file twice changes nothing.",
                )
                .permission(CATALOG_IMPORT)
                .idempotency(IdempotencyKey::Optional)
                .body_raw(CSV)
                .body_limit(UPLOAD_BYTES)
                .returns::<ImportRun>(202)
                .problems(&[IMPORT_FILE_REFUSED]),
            start,
        )
        .add(
            Op::get("/imports/{id}", "get_import", "An import and how far it is")
                .permission(CATALOG_IMPORT)
                .returns::<ImportRun>(200)
                .problems(&[IMPORT_NOT_FOUND]),
            get,
        )
        .add(
            Op::get("/imports/{id}/rejects", "get_import_rejects", "The rows of an import that were not taken")
                .description("CSV with the columns `line`, `column`, `code`, `reason`.")
                .permission(CATALOG_IMPORT)
                .returns_raw(200, CSV)
                .problems(&[IMPORT_NOT_FOUND, REJECTS_NOT_READY]),
            rejects,
        )
        .with_state(catalog)
}

async fn start(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    RawBody(body): RawBody,
) -> Result<Reply, Problem> {
    check_header(&body)?;
    let (id, bytes) = (ImportId::new(), body.len());
    keep_upload(&catalog, ctx.tenant_id(), id, body).await.map_err(Problem::internal)?;
    let reply = run_once(catalog.db(), &ctx, &key, async move |tx| {
        let run = start_import(tx, id, bytes).await?;
        Ok(Reply::accepted(format!("{}/imports/{id}", edge::API_PREFIX), &run))
    })
    .await;
    // Also when it was refused or answered from an earlier request: the file then goes away again.
    work_on(catalog, ctx, id);
    reply
}

/// Refuses at once what cannot be a product file.
fn check_header(body: &[u8]) -> Result<(), Problem> {
    let refused = |reason: String| Problem::new(IMPORT_FILE_REFUSED).detail(reason);
    let source = csvio::open(body).map_err(|error| refused(error.to_string()))?;
    csvio::Reader::new(source, &PRODUCT_COLUMNS).map(drop).map_err(|error| refused(format!("{error}.")))
}

async fn get_run(catalog: &Catalog, ctx: &kernel::Ctx, id: ImportId) -> Result<ImportRun, Problem> {
    let tx = catalog.db().begin_read(ctx).await?;
    let run = find_import(&tx, id).await?;
    tx.commit().await?;
    run.ok_or_else(|| Problem::new(IMPORT_NOT_FOUND))
}

async fn get(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ImportId>,
) -> Result<Reply, Problem> {
    Ok(Reply::ok(&get_run(&catalog, &ctx, id).await?))
}

async fn rejects(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ImportId>,
) -> Result<Reply, Problem> {
    if !get_run(&catalog, &ctx, id).await?.is_over() {
        return Err(Problem::new(REJECTS_NOT_READY));
    }
    let report = read_rejects(&catalog, ctx.tenant_id(), id).await.map_err(Problem::internal)?;
    Ok(Reply::raw(StatusCode::OK, CSV, report))
}
