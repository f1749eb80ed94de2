//! The passwords of a private cluster: random, in one file that only we can read.

use std::{fs, path::Path};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ClusterError;
use crate::{RolePasswords, migrate::BootstrapPasswords, private_file::replace_private};

/// All passwords of a cluster.
#[derive(Clone)]
pub(super) struct Secrets {
    pub(super) admin: SecretString,
    pub(super) roles: BootstrapPasswords,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    admin: String,
    owner: String,
    app: String,
    relay: String,
    control: String,
}

/// Reads the passwords, or makes them up when there is no database yet.
pub(super) fn load(path: &Path, database: &Path) -> Result<Secrets, ClusterError> {
    match fs::read(path) {
        Ok(bytes) => {
            let stored =
                serde_json::from_slice(&bytes).map_err(|_| ClusterError::Secrets(path.to_owned()))?;
            Ok(secrets(stored))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if database.exists() {
                return Err(ClusterError::SecretsMissing(database.to_owned()));
            }
            create(path)
        }
        Err(error) => Err(ClusterError::file("cannot read", path)(error)),
    }
}

/// 256 random bits as 64 hexadecimal digits.
pub(super) fn random_word() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn create(path: &Path) -> Result<Secrets, ClusterError> {
    let stored = Stored {
        admin: random_word(),
        owner: random_word(),
        app: random_word(),
        relay: random_word(),
        control: random_word(),
    };
    let text = serde_json::to_vec_pretty(&stored).map_err(|_| ClusterError::Secrets(path.to_owned()))?;
    replace_private(path, &text).map_err(ClusterError::file("cannot write", path))?;
    Ok(secrets(stored))
}

fn secrets(stored: Stored) -> Secrets {
    Secrets {
        admin: stored.admin.into(),
        roles: BootstrapPasswords {
            owner: stored.owner.into(),
            roles: RolePasswords {
                app: stored.app.into(),
                relay: stored.relay.into(),
                control: stored.control.into(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret as _;

    use super::*;

    // DPR-5: secrets come from files and are never printed.
    #[test]
    fn passwords_are_made_once_kept_private_and_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pg.secrets");
        let made = load(&path, &dir.path().join("data")).unwrap();
        let read = load(&path, &dir.path().join("data")).unwrap();
        assert_eq!(made.admin.expose_secret(), read.admin.expose_secret());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{made:?}").contains(made.admin.expose_secret()));
    }

    #[test]
    fn a_database_without_its_passwords_is_not_given_new_ones() {
        let dir = tempfile::tempdir().unwrap();
        let error = load(&dir.path().join("pg.secrets"), dir.path()).unwrap_err();
        assert!(matches!(error, ClusterError::SecretsMissing(_)));
    }
}
