//! Where the parts of a private cluster lie under its data directory.
//!
//! ```text
//! DIR/pg.lock      held while somebody starts or stops PostgreSQL
//! DIR/pg.users     held (shared) by every process that uses it
//! DIR/pg.secrets   passwords, readable by us alone
//! DIR/pg.socket    where the socket is, when its usual path would be too long
//! DIR/pg/data      the database; DIR/pg/run its socket; DIR/pg/start.log what it said before its own log opened
//! ```
//! As root, with a `DIR` that the account running PostgreSQL cannot reach (below `/root`), `DIR/pg` is a link into
//! `/var/lib/markethall`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use nix::unistd::Uid;

use super::{ClusterError, account::Account, folder::give_away, secrets::random_word};

/// Socket paths are at most 107 bytes long: `sockaddr_un` holds 108 with the closing zero.
const SOCKET_PATH_MAX_BYTES: usize = 107;
/// What PostgreSQL adds to the socket's folder.
const SOCKET_NAME: &str = "/.s.PGSQL.5432";
/// Where the database goes when the account that runs it cannot reach the data directory.
const SYSTEM_HOME: &str = "/var/lib/markethall";

#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
    /// The folder of everything that the account running PostgreSQL owns.
    pub(super) home: PathBuf,
    /// PostgreSQL's data directory.
    pub(super) database: PathBuf,
}

impl Layout {
    /// Makes the data directory when it is missing.
    pub(super) fn open(data_dir: &Path) -> Result<Self, ClusterError> {
        if !data_dir.exists() {
            fs::create_dir_all(data_dir).map_err(ClusterError::file("cannot make", data_dir))?;
            // Whatever the umask says: the account that runs PostgreSQL must get through.
            fs::set_permissions(data_dir, fs::Permissions::from_mode(0o755))
                .map_err(ClusterError::file("cannot open up", data_dir))?;
        }
        let root = data_dir.canonicalize().map_err(ClusterError::file("cannot enter", data_dir))?;
        let home = root.join("pg");
        // Somebody may want the database on another disk: a link to a folder that need not exist yet.
        let home = home.canonicalize().or_else(|_| fs::read_link(&home)).unwrap_or(home);
        Ok(Self { root, database: home.join("data"), home })
    }

    /// Makes the home and its socket folder, owned by the account that runs PostgreSQL.
    pub(super) fn furnish(&mut self, account: Option<&Account>) -> Result<(), ClusterError> {
        let root = self.root.clone();
        if let Some(account) = account
            && let Some(dir) = account.barrier(&root)
            && !self.database.exists()
        {
            self.move_home(account, dir)?;
        }
        private_dir(&self.home, account)?;
        private_dir(&self.home.join("run"), account)?;
        if let Some(account) = account
            && let Some(dir) = account.barrier(&self.home)
        {
            return Err(ClusterError::NotTraversable { user: account.name.clone(), dir: dir.to_owned() });
        }
        Ok(())
    }

    fn move_home(&mut self, account: &Account, barrier: &Path) -> Result<(), ClusterError> {
        let base = Path::new(SYSTEM_HOME);
        fs::create_dir_all(base).map_err(ClusterError::file("cannot make", base))?;
        let home = base.join(&random_word()[..16]);
        if account.barrier(base).is_some() {
            return Err(ClusterError::NotTraversable { user: account.name.clone(), dir: barrier.to_owned() });
        }
        let link = self.root.join("pg");
        private_dir(&home, Some(account))?;
        symlink(&home, &link).map_err(ClusterError::file("cannot link", link))?;
        tracing::warn!(
            user = account.name, closed = %barrier.display(), database = %home.display(),
            "the data directory cannot be reached by the user that runs PostgreSQL; the database lies elsewhere"
        );
        self.database = home.join("data");
        self.home = home;
        Ok(())
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.root.join("pg.lock")
    }

    pub(super) fn users_file(&self) -> PathBuf {
        self.root.join("pg.users")
    }

    pub(super) fn secrets_file(&self) -> PathBuf {
        self.root.join("pg.secrets")
    }

    /// The major version that made the database; `None` when there is none.
    pub(super) fn version(&self) -> Option<u32> {
        fs::read_to_string(self.database.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The folder for the socket: `pg/run`, or a private one under the temporary folder when that path is too long.
    pub(super) fn socket_dir(&self, account: Option<&Account>) -> Result<PathBuf, ClusterError> {
        let usual = self.home.join("run");
        if fits(&usual) {
            return Ok(usual);
        }
        let note = self.root.join("pg.socket");
        if let Ok(noted) = fs::read_to_string(&note) {
            let noted = PathBuf::from(noted.trim());
            if fits(&noted) && private_dir(&noted, account).is_ok() && is_private(&noted, account) {
                return Ok(noted);
            }
        }
        let dir = std::env::temp_dir().join(format!("markethall-{}", &random_word()[..16]));
        let dir = if fits(&dir) { dir } else { Path::new("/tmp").join(dir.file_name().unwrap_or_default()) };
        private_dir(&dir, account)?;
        // Never through a link.
        let _ = fs::remove_file(&note);
        fs::File::create_new(&note)
            .and_then(|mut file| file.write_all(dir.as_os_str().as_encoded_bytes()))
            .map_err(ClusterError::file("cannot write", note))?;
        Ok(dir)
    }
}

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() + SOCKET_NAME.len() <= SOCKET_PATH_MAX_BYTES
}

/// Makes `dir` for its owner alone unless it exists.
fn private_dir(dir: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        made => made.map_err(ClusterError::file("cannot make", dir))?,
    }
    account.map_or(Ok(()), |account| give_away(dir, account))
}

/// Whether `dir` is a real folder (no link) that only the account running PostgreSQL can use.
fn is_private(dir: &Path, account: Option<&Account>) -> bool {
    let owner = account.map_or_else(|| Uid::effective().as_raw(), Account::uid);
    fs::symlink_metadata(dir)
        .is_ok_and(|meta| meta.is_dir() && meta.uid() == owner && meta.permissions().mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_too_long_for_a_socket_gets_a_private_folder_that_is_remembered() {
        let base = tempfile::tempdir().unwrap();
        let long = base.path().join("d".repeat(60)).join("e".repeat(60));
        let layout = Layout::open(&long).unwrap();
        let dir = layout.socket_dir(None).unwrap();
        assert!(fits(&dir) && is_private(&dir, None), "{dir:?}");
        assert_eq!(layout.socket_dir(None).unwrap(), dir);
        // Somebody else's or an open folder is never used again.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let other = layout.socket_dir(None).unwrap();
        assert_ne!(other, dir);
        fs::remove_dir(dir).unwrap();
        fs::remove_dir(other).unwrap();
    }

    #[test]
    fn a_short_path_keeps_the_socket_inside() {
        let base = tempfile::tempdir().unwrap();
        let layout = Layout::open(base.path()).unwrap();
        assert_eq!(layout.socket_dir(None).unwrap(), base.path().canonicalize().unwrap().join("pg/run"));
    }
}
