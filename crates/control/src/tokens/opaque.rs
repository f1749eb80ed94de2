//! Opaque tokens (API keys, refresh tokens, invitation codes): `mhk_<id>_<secret>`, an identifier to look up and a secret to compare.
//!
//! Eight bytes of the secret are a mark made with the master key, so that invented tokens are refused without asking
//! the database. The database holds a hash of the secret: it has 192 random bits, so a fast hash is enough.

use aws_lc_rs::{digest, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::MasterKey;

const RANDOM: usize = 24;
const MARK: usize = 8;
const SECRET: usize = RANDOM + MARK;

/// A kind of opaque token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind(&'static str);

/// For programs.
pub(crate) const API_KEY: Kind = Kind("mhk");
/// Exchanged for new access tokens.
pub(crate) const REFRESH_TOKEN: Kind = Kind("mhr");
/// Exchanged by a visitor for new access tokens.
pub(crate) const VISITOR_TOKEN: Kind = Kind("mhv");
/// Takes a place that is an invitation; its identifier is the account's.
pub(crate) const INVITATION: Kind = Kind("mhi");

/// What is left to compare of a token that this installation made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) id: Uuid,
    hash: [u8; 32],
}

impl Presented {
    /// Whether `stored` is the hash of this token's secret; takes the same time either way.
    pub(crate) fn fits(&self, stored: &[u8]) -> bool {
        self.hash.as_slice().ct_eq(stored).into()
    }
}

/// A fresh token: its text, shown once, and the hash to store.
pub(crate) struct Fresh {
    pub(crate) text: String,
    pub(crate) hash: Vec<u8>,
}

impl Kind {
    /// Whether `text` claims to be of this kind.
    pub(crate) fn claims(self, text: &str) -> bool {
        text.strip_prefix(self.0).is_some_and(|rest| rest.starts_with('_'))
    }

    /// Makes a token with identifier `id`; `None` when the system has no randomness.
    pub(crate) fn make(self, key: &MasterKey, id: Uuid) -> Option<Fresh> {
        let mut secret = [0_u8; SECRET];
        rand::fill(&mut secret[..RANDOM]).ok()?;
        let mark = self.mark(key, id, &secret[..RANDOM]);
        secret[RANDOM..].copy_from_slice(&mark);
        let text = format!("{}_{}", kernel::encode_id(self.0, id), BASE64_URL_SAFE_NO_PAD.encode(secret));
        Some(Fresh { text, hash: hash(&secret).to_vec() })
    }

    /// Takes a token apart; `None` when this installation cannot have made it.
    pub(crate) fn read(self, key: &MasterKey, text: &str) -> Option<Presented> {
        let at = self.0.len() + 1 + 26;
        let (name, rest) = (text.get(..at)?, text.get(at..)?.strip_prefix('_')?);
        let id = kernel::decode_id(self.0, name).ok()?;
        let secret: [u8; SECRET] = BASE64_URL_SAFE_NO_PAD.decode(rest).ok()?.try_into().ok()?;
        let mark = self.mark(key, id, &secret[..RANDOM]);
        let ours: bool = mark.as_slice().ct_eq(&secret[RANDOM..]).into();
        ours.then(|| Presented { id, hash: hash(&secret) })
    }

    fn mark(self, key: &MasterKey, id: Uuid, random: &[u8]) -> [u8; MARK] {
        let full = key.mark(self.0, &[id.as_bytes(), random].concat());
        let mut out = [0; MARK];
        out.copy_from_slice(&full[..MARK]);
        out
    }
}

/// SHA-256.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-5
    #[test]
    fn a_token_reads_back_and_an_invented_or_changed_one_does_not() {
        let key = MasterKey::new(&[1; 32]).unwrap();
        let id = Uuid::now_v7();
        let fresh = API_KEY.make(&key, id).unwrap();
        let read = API_KEY.read(&key, &fresh.text).unwrap();
        assert_eq!(read.id, id);
        assert!(read.fits(&fresh.hash));
        assert!(API_KEY.claims(&fresh.text));

        let other = API_KEY.make(&key, id).unwrap();
        assert!(!API_KEY.read(&key, &other.text).unwrap().fits(&fresh.hash));
        assert_eq!(REFRESH_TOKEN.read(&key, &fresh.text.replace("mhk_", "mhr_")), None);
        assert_eq!(API_KEY.read(&MasterKey::new(&[2; 32]).unwrap(), &fresh.text), None);
        for at in [5, 40, fresh.text.len() - 5] {
            let mut changed = fresh.text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(API_KEY.read(&key, std::str::from_utf8(&changed).unwrap()), None, "{at}");
        }
        for text in ["", "mhk_", "mhk_é", &"mhk_".repeat(50), &fresh.text[..40]] {
            assert_eq!(API_KEY.read(&key, text), None);
        }
    }
}
