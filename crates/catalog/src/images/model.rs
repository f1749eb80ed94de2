//! Images as they are kept and shown.

use kernel::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

kernel::id!(
    /// An image of a product; what it names never changes.
    ImageId,
    "img"
);

/// Images of one product.
pub(crate) const IMAGES_MOST: usize = 20;

/// An image as its product keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredImage {
    pub(crate) id: ImageId,
    pub(crate) alt: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) media_type: String,
    pub(crate) bytes: usize,
}

/// An image of a product.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Identity.
    pub id: ImageId,
    /// Where anybody gets it: a path. What it gives never changes.
    #[schema(max_length = 200)]
    pub url: String,
    /// What it shows, for those who do not see it; may be empty.
    #[schema(max_length = 200)]
    pub alt: String,
    /// In pixels.
    #[schema(minimum = 1, maximum = 10_000)]
    pub width: u32,
    /// In pixels.
    #[schema(minimum = 1, maximum = 10_000)]
    pub height: u32,
}

/// Where anybody gets an image.
pub(crate) fn image_url(tenant: TenantId, id: ImageId) -> String {
    format!("{}/images/{tenant}/{id}", edge::API_PREFIX)
}

/// As the API and messages show them.
pub(crate) fn images_from(tenant: TenantId, stored: Vec<StoredImage>) -> Vec<Image> {
    let shown = |image: StoredImage| Image {
        id: image.id,
        url: image_url(tenant, image.id),
        alt: image.alt,
        width: image.width,
        height: image.height,
    };
    stored.into_iter().map(shown).collect()
}
