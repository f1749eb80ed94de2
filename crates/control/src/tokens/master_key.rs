//! The installation's master key: seals what the control database must hold but nobody may read from a copy of it.

use std::{fmt, fs, io, path::Path, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac, rand,
};
use db::create_private;

/// Sealing or opening failed: another master key, or bytes that were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not fit this installation's master key")]
pub struct SealError;

struct Inner {
    sealing: RandomizedNonceKey,
    marking: hmac::Key,
}

/// 256 random bits; every process of an installation has the same. Cheap to clone, never printed.
#[derive(Clone)]
pub struct MasterKey(Arc<Inner>);

impl MasterKey {
    /// The key from its bytes.
    ///
    /// # Errors
    /// [`SealError`] never in practice: the length is right by type.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, SealError> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let sealing = hmac::sign(&root, b"markethall sealing");
        let marking = hmac::sign(&root, b"markethall marking");
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, sealing.as_ref()).map_err(|_| SealError)?;
        Ok(Self(Arc::new(Inner { sealing, marking: hmac::Key::new(hmac::HMAC_SHA256, marking.as_ref()) })))
    }

    /// Reads the key from a file that only its owner can read, and makes it when there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or does not hold 32 bytes.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path)?,
            read => read?,
        };
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a master key", path.display()))
        })?;
        Self::new(&bytes).map_err(io::Error::other)
    }

    /// Encrypts `plain`; it opens only for the same `purpose`.
    ///
    /// # Errors
    /// [`SealError`] never in practice: what is sealed is short.
    pub fn seal(&self, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = plain.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let nonce = self.0.sealing.seal_in_place_append_tag(aad, &mut sealed).map_err(|_| SealError)?;
        sealed.extend_from_slice(nonce.as_ref());
        Ok(sealed)
    }

    /// Decrypts what [`MasterKey::seal`] made.
    ///
    /// # Errors
    /// [`SealError`] for another key, another purpose, or bytes that were changed.
    pub fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let at = sealed.len().checked_sub(NONCE_LEN).ok_or(SealError)?;
        let (cipher, nonce) = sealed.split_at(at);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut plain = cipher.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let length = self.0.sealing.open_in_place(nonce, aad, &mut plain).map_err(|_| SealError)?.len();
        plain.truncate(length);
        Ok(plain)
    }

    /// A mark that only this installation can make for `data`.
    pub(crate) fn mark(&self, purpose: &'static str, data: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0.marking);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(data);
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// After a crash the file is there whole or not at all; of two processes that make it at once, both read one.
fn create(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(io::Error::other)?;
    create_private(path, &bytes)?;
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_sealed_opens_for_the_same_key_and_purpose_only() {
        let key = MasterKey::new(&[7; 32]).unwrap();
        let sealed = key.seal("a", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(key.open("a", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("b", &sealed), Err(SealError));
        assert_eq!(MasterKey::new(&[8; 32]).unwrap().open("a", &sealed), Err(SealError));
        let mut changed = sealed;
        changed[0] ^= 1;
        assert_eq!(key.open("a", &changed), Err(SealError));
        assert_eq!(key.open("a", b"short"), Err(SealError));
    }

    // DPR-5: keys come from a file and are never printed.
    #[test]
    fn the_key_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let made = MasterKey::load_or_create(&path).unwrap();
        let read = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(made.mark("x", b"y"), read.mark("x", b"y"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, b"short").unwrap();
        assert!(MasterKey::load_or_create(&path).is_err());
        assert_eq!(format!("{made:?}"), "MasterKey(..)");
    }
}
