//! Who runs PostgreSQL: ourselves, or an unprivileged user when we are root.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::{Uid, User};
use tokio::process::Command;

use super::ClusterError;

/// An unprivileged user that runs PostgreSQL on behalf of root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None` unless we are root. An existing database keeps its owner; a new one gets `postgres`, else `nobody`.
    pub(super) fn choose(database: &Path) -> Result<Option<Self>, ClusterError> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let owner = owner(database).filter(|(uid, _)| *uid != 0);
        if let Some((uid, gid)) = owner {
            let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
            let name = user.map_or_else(|| format!("#{uid}"), |user| user.name);
            return Ok(Some(Self { name, uid, gid }));
        }
        let user = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(ClusterError::NoAccount)?;
        Ok(Some(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    /// The first folder on the way to `path` (itself included) that this account may not pass through.
    pub(super) fn barrier<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let mut ancestors: Vec<_> = path.ancestors().collect();
        ancestors.reverse();
        ancestors.into_iter().find(|dir| fs::metadata(dir).is_ok_and(|meta| !self.may_pass(&meta)))
    }

    fn may_pass(&self, meta: &fs::Metadata) -> bool {
        let mode = meta.permissions().mode();
        let search = if meta.uid() == self.uid {
            0o100
        } else if meta.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        mode & search != 0
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    pub(super) fn gid(&self) -> u32 {
        self.gid
    }
}

/// Who owns `path`. A link counts as what it leads to only when root has made it: else whoever may make links there
/// could choose whom PostgreSQL runs as.
fn owner(path: &Path) -> Option<(u32, u32)> {
    let meta = fs::symlink_metadata(path).ok()?;
    let meta = if meta.is_symlink() && meta.uid() == 0 { fs::metadata(path).ok()? } else { meta };
    Some((meta.uid(), meta.gid()))
}

/// A command that runs as `account`, out of reach of our terminal's Ctrl-C, and untouched by `PG*` variables. Ours,
/// secrets among them, are none of its business.
pub(super) fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    let is_kept_back = |name: &str| name.starts_with("PG") || name.starts_with("MARKETHALL_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_kept_back(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").current_dir("/").process_group(0).stdin(std::process::Stdio::null());
    if let Some(account) = account {
        // Setting the user as root also drops root's supplementary groups.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_parent_folder_is_found_as_the_barrier() {
        let base = tempfile::tempdir().unwrap();
        let open = base.path().join("closed/open");
        fs::create_dir_all(&open).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        mode(base.path(), 0o755);
        mode(&base.path().join("closed"), 0o700);
        let stranger = Account { name: "stranger".to_owned(), uid: 4_000_000, gid: 4_000_000 };
        assert_eq!(stranger.barrier(&open), Some(base.path().join("closed").as_path()));
        mode(&base.path().join("closed"), 0o711);
        assert_eq!(stranger.barrier(&open), None);
    }
}
