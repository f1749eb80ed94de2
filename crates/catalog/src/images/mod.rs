//! Images of products: what they are, how they are kept and shown.

mod config;
mod manage;
mod model;
mod sniff;
mod store;
mod sweep;

pub use config::ObjectsConfig;
pub(crate) use manage::{announce, arrange_images, attach, discard, remove_image};
pub(crate) use model::{IMAGES_MOST, StoredImage, image_url, images_from};
pub use model::{Image, ImageId};
pub(crate) use sniff::{Looks, UPLOAD_BYTES, look_at, media_type};
pub use store::ObjectsError;
pub(crate) use store::{Objects, place};
pub use sweep::{SweepError, sweep_images};
