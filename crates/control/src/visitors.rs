//! For domains whose people sign in by themselves: the passwords, opaque tokens and door of sign-in that staff has.

use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    Control, PasswordError,
    tokens::opaque::{Presented, VISITOR_TOKEN, hash},
};

/// An opaque token just made: the text is shown once, the hash is what to store.
pub struct VisitorToken {
    /// For its holder.
    pub text: String,
    /// For the database.
    pub hash: Vec<u8>,
}

/// An opaque token that somebody has sent and this installation has made.
pub struct PresentedToken(Presented);

impl PresentedToken {
    /// The identifier it was made for.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// Whether `stored` is its hash; takes the same time either way.
    #[must_use]
    pub fn fits(&self, stored: &[u8]) -> bool {
        self.0.fits(stored)
    }
}

/// Whom failures are counted for: 256 bits that tell nothing about the `parts`, and differ when these differ.
#[must_use]
pub fn counting_subject(parts: &[&str]) -> [u8; 32] {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    hash(&text)
}

impl Control {
    /// The form of a password to store: argon2id, with the parameters of all others.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash_password(&self, password: SecretString) -> Result<String, PasswordError> {
        self.passwords().hash(password).await
    }

    /// Whether `password` fits what is stored; with nothing stored the answer is no, after the same work.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify_password(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.passwords().verify(password, stored).await
    }

    /// Makes a token for a visitor's session `id`; `None` when the system has no randomness.
    #[must_use]
    pub fn make_visitor_token(&self, id: Uuid) -> Option<VisitorToken> {
        let fresh = VISITOR_TOKEN.make(self.master_key(), id)?;
        Some(VisitorToken { text: fresh.text, hash: fresh.hash })
    }

    /// Takes a visitor's token apart; `None` when this installation cannot have made it.
    #[must_use]
    pub fn read_visitor_token(&self, text: &str) -> Option<PresentedToken> {
        VISITOR_TOKEN.read(self.master_key(), text).map(PresentedToken)
    }
}

#[cfg(test)]
mod tests {
    use super::counting_subject;

    #[test]
    fn subjects_of_counting_cannot_run_into_each_other() {
        assert_ne!(counting_subject(&["ab", "c"]), counting_subject(&["a", "bc"]));
        assert_eq!(counting_subject(&["ab", "c"]), counting_subject(&["ab", "c"]));
    }
}
