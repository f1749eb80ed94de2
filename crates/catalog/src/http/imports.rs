//! The routes of imports.

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use edge::{
    Idempotency, IdempotencyKey, Op, Path, Problem, RawBody, Reply, Routes, Tenanted, idempotency::run_once,
};
use futures::Stream;
use kernel::Ctx;
use tokio::{fs::File, io::AsyncReadExt as _};

use crate::{
    Catalog,
    import::{
        ImportId, ImportRun, PRODUCT_COLUMNS, StartImportError, check_room, find_import, keep_upload,
        open_rejects, settle_upload, start_import,
    },
    problems::{CATALOG_IMPORT, IMPORT_FILE_REFUSED, IMPORT_NOT_FOUND, REJECTS_NOT_READY, TOO_MANY_IMPORTS},
};

const CSV: &str = "text/csv";
/// The largest file over HTTP; `markethall import products` takes any size.
const UPLOAD_BYTES: usize = 64 << 20;
/// A report goes out in pieces of so many bytes.
const PIECE_BYTES: usize = 64 << 10;

pub(super) fn routes(catalog: Catalog) -> Routes<()> {
    Routes::<Catalog>::new("Imports")
        .add(
            Op::post("/imports/products", "import_products", "Import products from a file")
                .description(
                    "CSV (also packed with gzip) of at most 64 MiB with a header; needed are the columns `sku`, \
                     `name`, `price`. The work is done in the background: ask for the import until its status is \
                     `done` or `failed`, then for its rejects. Importing the same file twice changes nothing. A \
                     merchant has at most four unfinished imports, and they are worked on one after the other; one \
                     fails when 100,000 of its rows were rejected.",
                )
                .permission(CATALOG_IMPORT)
                .idempotency(IdempotencyKey::Optional)
                .body_raw(CSV)
                .body_limit(UPLOAD_BYTES)
                .returns::<ImportRun>(202)
                .problems(&[IMPORT_FILE_REFUSED, TOO_MANY_IMPORTS]),
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
    // A task of its own: also of a client that goes away in between no file is left behind.
    tokio::spawn(take_upload(catalog, ctx, key, body)).await.map_err(Problem::internal)?
}

async fn take_upload(catalog: Catalog, ctx: Ctx, key: Idempotency, body: Bytes) -> Result<Reply, Problem> {
    let turn = catalog.tenant_uploads().try_take(ctx.tenant_id());
    if turn.is_none() || !has_room(&catalog, &ctx).await? {
        // A request answered before is answered again; a new one is refused before its file reaches the disk.
        return run_once(catalog.db(), &ctx, &key, async move |_| Err(StartImportError::TooMany.into()))
            .await;
    }
    let (id, bytes) = (ImportId::new(), body.len());
    keep_upload(&catalog, ctx.tenant_id(), id, body).await.map_err(Problem::internal)?;
    let reply = run_once(catalog.db(), &ctx, &key, async move |tx| {
        let run = start_import(tx, id, bytes).await?;
        Ok(Reply::accepted(format!("{}/imports/{id}", edge::API_PREFIX), &run))
    })
    .await;
    settle_upload(catalog, ctx, id, reply.is_ok()).await;
    reply
}

async fn has_room(catalog: &Catalog, ctx: &Ctx) -> Result<bool, Problem> {
    let tx = catalog.db().begin_read(ctx).await?;
    let room = check_room(&tx).await;
    tx.commit().await?;
    match room {
        Err(StartImportError::TooMany) => Ok(false),
        room => Ok(room.map(|()| true)?),
    }
}

impl From<StartImportError> for Problem {
    fn from(error: StartImportError) -> Self {
        match error {
            StartImportError::TooMany => Self::new(TOO_MANY_IMPORTS),
            StartImportError::Db(error) => error.into(),
        }
    }
}

/// Refuses at once what cannot be a product file.
fn check_header(body: &[u8]) -> Result<(), Problem> {
    let refused = |reason: String| Problem::new(IMPORT_FILE_REFUSED).detail(reason);
    let source = csvio::open(body).map_err(|error| refused(error.to_string()))?;
    csvio::Reader::new(source, &PRODUCT_COLUMNS).map(drop).map_err(|error| refused(format!("{error}.")))
}

async fn get_run(catalog: &Catalog, ctx: &Ctx, id: ImportId) -> Result<ImportRun, Problem> {
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
) -> Result<Response, Problem> {
    if !get_run(&catalog, &ctx, id).await?.is_over() {
        return Err(Problem::new(REJECTS_NOT_READY));
    }
    let report = open_rejects(&catalog, ctx.tenant_id(), id).await.map_err(Problem::internal)?;
    let body = report.map_or_else(Body::empty, |report| Body::from_stream(pieces(report)));
    Ok(([(header::CONTENT_TYPE, CSV)], body).into_response())
}

/// A file piece by piece, so that it is never whole in memory.
fn pieces(file: File) -> impl Stream<Item = std::io::Result<Bytes>> {
    futures::stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE_BYTES);
        let read = file.read_buf(&mut piece).await?;
        Ok(if read == 0 { None } else { Some((piece.freeze(), file)) })
    })
}
