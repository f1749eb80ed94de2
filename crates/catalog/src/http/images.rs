//! The routes of images.

use axum::{extract::State, http::HeaderValue, http::StatusCode, http::header};
use bytes::Bytes;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Path2, Problem, Query, RawBody, Reply, Routes,
    Tenanted, idempotency::run_once,
};
use garde::Validate;
use kernel::{Ctx, TenantId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::products::shown;
use crate::{
    Catalog,
    images::{
        Image, ImageId, Looks, ObjectsError, StoredImage, UPLOAD_BYTES, announce, arrange_images, attach,
        discard, image_url, look_at, media_type, place, remove_image,
    },
    model::{Product, ProductId},
    problems::{
        CATALOG_WRITE, IMAGE_INVALID, IMAGE_NOT_FOUND, IMAGES_DIFFER, PRODUCT_NOT_FOUND, TOO_MANY_IMAGES,
    },
    rules,
};

const ANY_IMAGE: &str = "image/*";
/// What an image's address gives never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

fn alt_rule(alt: &str, _: &()) -> garde::Result {
    rules::check_alt(alt).map_err(garde::Error::new)
}

/// What is said about an image that is sent.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImageQuery {
    /// What it shows, for those who do not see it.
    #[garde(custom(alt_rule))]
    #[serde(default)]
    #[param(required = false, max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$")]
    pub alt: String,
}

/// An image of a product and its text.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImagePlace {
    /// Which of them.
    #[garde(skip)]
    pub id: ImageId,
    /// What it shows, for those who do not see it.
    #[garde(custom(alt_rule))]
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$")]
    #[serde(default)]
    pub alt: String,
}

/// The images of a product, in the order in which they are to be shown.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageOrder {
    /// All of them, each once.
    #[garde(dive, length(max = 20))]
    #[schema(max_items = 20)]
    pub images: Vec<ImagePlace>,
}

pub(super) fn routes(catalog: Catalog) -> Routes<()> {
    Routes::<Catalog>::new("Images")
        .add(
            Op::post("/products/{id}/images", "add_product_image", "Add an image to a product")
                .description(
                    "The body is a JPEG, PNG or WebP file of at most 5 MiB, 10,000 pixels a side and 50 million in \
                     all; what it is, is seen from its content. A product has up to 20 images; a new one comes last.",
                )
                .permission(CATALOG_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .body_raw(ANY_IMAGE)
                .body_limit(UPLOAD_BYTES)
                .returns::<Image>(201)
                .problems(&[PRODUCT_NOT_FOUND, IMAGE_INVALID, TOO_MANY_IMAGES]),
            add,
        )
        .add(
            Op::put("/products/{id}/images", "arrange_product_images", "Order the images of a product")
                .description("Names all images of the product in their new order, each with its text.")
                .permission(CATALOG_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Product>(200)
                .etag()
                .problems(&[PRODUCT_NOT_FOUND, IMAGES_DIFFER]),
            arrange,
        )
        .add(
            Op::delete("/products/{id}/images/{image}", "delete_product_image", "Remove an image")
                .permission(CATALOG_WRITE)
                .returns_nothing(204)
                .problems(&[PRODUCT_NOT_FOUND, IMAGE_NOT_FOUND]),
            remove,
        )
        .add(
            Op::get("/images/{tenant}/{image}", "get_image", "An image, for everybody")
                .description("What an address gives never changes, so that it may be kept for ever.")
                .public()
                .returns_raw(200, ANY_IMAGE)
                .etag()
                .problems(&[IMAGE_NOT_FOUND]),
            get,
        )
        .with_state(catalog)
}

async fn add(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(product): Path<ProductId>,
    Query(query): Query<ImageQuery>,
    key: Idempotency,
    RawBody(body): RawBody,
) -> Result<Reply, Problem> {
    let looks = look_at(&body)
        .map_err(|error| Problem::new(IMAGE_INVALID).detail(format!("It is refused: {error}.")))?;
    // A task of its own: also of a client that goes away in between no file is left behind.
    let sent = Sent { product, alt: query.alt, looks, body };
    tokio::spawn(take_upload(catalog, ctx, key, sent)).await.map_err(Problem::internal)?
}

struct Sent {
    product: ProductId,
    alt: String,
    looks: Looks,
    body: Bytes,
}

async fn take_upload(catalog: Catalog, ctx: Ctx, key: Idempotency, sent: Sent) -> Result<Reply, Problem> {
    let (id, product) = (ImageId::new(), sent.product);
    let tx = catalog.db().begin(&ctx).await?;
    announce(&tx, product, id).await?;
    tx.commit().await?;
    let image = StoredImage {
        id,
        alt: sent.alt,
        width: sent.looks.width,
        height: sent.looks.height,
        media_type: sent.looks.media_type.to_owned(),
        bytes: sent.body.len(),
    };
    let kept = catalog.objects().put(&place(ctx.tenant_id(), id), sent.body).await;
    let reply = match kept {
        Ok(()) => {
            let mine = catalog.clone();
            run_once(catalog.db(), &ctx, &key, async move |tx| {
                let made = attach(&mine, tx, product, image.clone()).await?.images.pop();
                let made = made.ok_or_else(|| Problem::internal("an image was added and is not there"))?;
                Ok(Reply::created(image_url(tx.tenant_id(), id), &made))
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    // Refused, or answered from an earlier request: no product shows the file.
    forget(&catalog, &ctx, id).await;
    reply
}

/// Removes the file unless a product shows it; what fails is done by the job.
async fn forget(catalog: &Catalog, ctx: &Ctx, id: ImageId) {
    if let Err(error) = discard(catalog, ctx, id).await {
        tracing::warn!(image.id = %id, %error, "a file that no product shows cannot be removed yet");
    }
}

async fn arrange(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path(product): Path<ProductId>,
    if_match: IfMatch,
    key: Idempotency,
    Json(input): Json<ImageOrder>,
) -> Result<Reply, Problem> {
    run_once(catalog.clone().db(), &ctx, &key, async move |tx| {
        let wanted = input.images.iter().map(|image| (image.id, image.alt.clone())).collect();
        Ok(shown(&arrange_images(&catalog, tx, product, &if_match, wanted).await?))
    })
    .await
}

async fn remove(
    State(catalog): State<Catalog>,
    Tenanted(ctx): Tenanted,
    Path2(product, image): Path2<ProductId, ImageId>,
    if_match: IfMatch,
    key: Idempotency,
) -> Result<Reply, Problem> {
    let mine = catalog.clone();
    let reply = run_once(catalog.db(), &ctx, &key, async move |tx| {
        remove_image(&mine, tx, product, &if_match, image).await?;
        Ok(Reply::no_content())
    })
    .await?;
    forget(&catalog, &ctx, image).await;
    Ok(reply)
}

async fn get(
    State(catalog): State<Catalog>,
    Path2(tenant, image): Path2<TenantId, ImageId>,
) -> Result<Reply, Problem> {
    let file = catalog.objects().find(&place(tenant, image)).await?;
    let found = file.and_then(|file| media_type(&file).map(|kind| (kind, file)));
    let (kind, file) = found.ok_or_else(|| Problem::new(IMAGE_NOT_FOUND))?;
    // A name is never used for another file, so it is as good a tag as a digest.
    Ok(Reply::raw(StatusCode::OK, kind, file)
        .etag(&image.to_string())
        .header(header::CACHE_CONTROL, FOR_EVER))
}

impl From<ObjectsError> for Problem {
    fn from(error: ObjectsError) -> Self {
        Self::internal(error)
    }
}
