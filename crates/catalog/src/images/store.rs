//! The store of files: a folder, or one that speaks S3.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use kernel::TenantId;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path,
};
use secrecy::ExposeSecret as _;

use super::{ImageId, ObjectsConfig, UPLOAD_BYTES};

/// How long a store may take for one try.
const CALL: Duration = Duration::from_secs(10);
/// How long it may take with all tries.
const CALLS: Duration = Duration::from_secs(20);
const TRIES: usize = 2;

/// Why a file cannot be written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The store failed.
    #[error("the store of files failed: {0}")]
    Store(#[from] object_store::Error),
    /// The folder cannot be made.
    #[error("the folder of files cannot be made: {0}")]
    Folder(#[from] std::io::Error),
}

/// The store; opened when it is first needed.
pub(crate) struct Objects {
    config: ObjectsConfig,
    folder: PathBuf,
    opened: Mutex<Option<Arc<dyn ObjectStore>>>,
}

/// Where the file of an image lies.
pub(crate) fn place(tenant: TenantId, id: ImageId) -> Path {
    Path::from(format!("images/{}/{}", tenant.0, id.0))
}

impl Objects {
    /// The store that `config` names; files lie in `folder` when it names none.
    pub(crate) fn new(config: ObjectsConfig, folder: PathBuf) -> Self {
        Self { config, folder, opened: Mutex::default() }
    }

    /// Writes a file, whole or not at all.
    pub(crate) async fn put(&self, place: &Path, file: Bytes) -> Result<(), ObjectsError> {
        self.open().await?.put(place, file.into()).await?;
        Ok(())
    }

    /// A file; `None` when there is none, or when it is larger than any that was written.
    pub(crate) async fn find(&self, place: &Path) -> Result<Option<Bytes>, ObjectsError> {
        match self.open().await?.get(place).await {
            Ok(found) if found.meta.size > UPLOAD_BYTES as u64 => Ok(None),
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file; one that is not there is removed already.
    pub(crate) async fn remove(&self, place: &Path) -> Result<(), ObjectsError> {
        match self.open().await?.delete(place).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn open(&self) -> Result<Arc<dyn ObjectStore>, ObjectsError> {
        let known = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = known().as_ref() {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn ObjectStore> = match &self.config.url {
            Some(url) => Arc::new(self.s3(url)?),
            None => {
                tokio::fs::create_dir_all(&self.folder).await?;
                Arc::new(LocalFileSystem::new_with_prefix(&self.folder)?.with_fsync(true))
            }
        };
        Ok(Arc::clone(known().get_or_insert(store)))
    }

    fn s3(&self, url: &str) -> Result<object_store::aws::AmazonS3, object_store::Error> {
        let config = &self.config;
        let options = ClientOptions::new()
            .with_timeout(CALL)
            .with_connect_timeout(CALL)
            .with_allow_http(config.allow_http);
        let retry = RetryConfig { max_retries: TRIES, retry_timeout: CALLS, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_url(url)
            .with_region(config.region.as_deref().unwrap_or("us-east-1"))
            .with_client_options(options)
            .with_allow_http(config.allow_http)
            // One file at a time: then every store that speaks S3 will do.
            .with_disable_bulk_delete(true)
            .with_retry(retry);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(name) = &config.access_key_id {
            builder = builder.with_access_key_id(name.expose_secret());
        }
        if let Some(key) = &config.secret_access_key {
            builder = builder.with_secret_access_key(key.expose_secret());
        }
        builder.build()
    }
}
