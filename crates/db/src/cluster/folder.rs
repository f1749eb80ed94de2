//! A folder that the account running PostgreSQL owns, as root works in it.
//!
//! The account may put links in the place of any file there, at any moment. Root therefore works on the folder that it
//! has open and not on a path, follows no link in it, writes to files that it has just made, and gives away what it
//! has open.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, openat, renameat},
    sys::stat::Mode,
    unistd::{Uid, UnlinkatFlags, unlinkat},
};

use super::{ClusterError, account::Account};

/// A folder held open.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    handle: File,
    path: PathBuf,
    account: Option<&'a Account>,
}

impl<'a> Folder<'a> {
    /// Opens `path`. As root, it must belong to the account, or be a folder of root's that no link leads to: in a
    /// folder of anybody else the account could have us write by a link.
    pub(super) fn open(path: &Path, account: Option<&'a Account>) -> Result<Self, ClusterError> {
        let open = |flags: OFlag| File::options().read(true).custom_flags(flags.bits()).open(path);
        let opened = || -> io::Result<File> {
            let (handle, linked) = match open(OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW) {
                Ok(handle) => (handle, false),
                Err(_) => (open(OFlag::O_DIRECTORY)?, true),
            };
            let (owner, us) = (handle.metadata()?.uid(), Uid::effective().as_raw());
            match account {
                Some(account) if owner != account.uid() && (linked || owner != us) => {
                    let text = format!("it does not belong to user {}, who runs PostgreSQL", account.name);
                    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
                }
                _ => Ok(handle),
            }
        };
        let handle = opened().map_err(ClusterError::file("cannot open", path))?;
        Ok(Self { handle, path: path.to_owned(), account })
    }

    /// Puts a file of the account's in the place of whatever has that name.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ClusterError> {
        let draft = format!("{name}.draft");
        let written = || -> io::Result<()> {
            let mut file = self.create(&draft)?;
            file.write_all(bytes)?;
            if let Some(account) = self.account {
                account.own(&file)?;
            }
            Ok(renameat(&self.handle, draft.as_str(), &self.handle, name)?)
        };
        written().map_err(ClusterError::file("cannot write", self.path.join(name)))
    }

    /// An empty file of ours in the place of whatever has that name.
    pub(super) fn write_anew(&self, name: &str) -> Result<File, ClusterError> {
        self.create(name).map_err(ClusterError::file("cannot open", self.path.join(name)))
    }

    /// Writes behind the end of a file of the account's.
    pub(super) fn append(&self, name: &str, bytes: &[u8]) -> Result<(), ClusterError> {
        let appended = || -> io::Result<()> {
            // Never waits for a pipe that somebody has put there.
            let mut file = self.at(name, OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_NONBLOCK)?;
            let meta = file.metadata()?;
            let owner = self.account.map_or_else(|| Uid::effective().as_raw(), Account::uid);
            if !meta.is_file() || meta.nlink() != 1 || meta.uid() != owner {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not what initdb wrote"));
            }
            file.write_all(bytes)?;
            file.sync_all()
        };
        appended().map_err(ClusterError::file("cannot extend", self.path.join(name)))
    }

    /// The text of a file; empty when it cannot be read.
    pub(super) fn read(&self, name: &str) -> String {
        let mut text = Vec::new();
        let file = self.at(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK);
        let read = file.and_then(|file| match file.metadata()?.is_file() {
            true => file.take(READ_MOST).read_to_end(&mut text),
            false => Ok(0),
        });
        if read.is_ok() { String::from_utf8_lossy(&text).into_owned() } else { String::new() }
    }

    /// Makes a file that nobody else has open.
    fn create(&self, name: &str) -> io::Result<File> {
        match unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(error) => return Err(error.into()),
        }
        self.at(name, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL)
    }

    fn at(&self, name: &str, flags: OFlag) -> io::Result<File> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(openat(&self.handle, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?.into())
    }
}

/// What PostgreSQL says before its own log opens is a few lines.
const READ_MOST: u64 = 1 << 20;

/// Makes the account the owner of a folder that we have just made; of no folder that a link leads to.
pub(super) fn give_away(dir: &Path, account: &Account) -> Result<(), ClusterError> {
    let flags = (OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits();
    let given = || account.own(&File::options().read(true).custom_flags(flags).open(dir)?);
    given().map_err(ClusterError::file("cannot give away", dir))
}

impl Account {
    /// Makes this account the owner of what is open, whatever its name leads to by now.
    fn own(&self, file: &File) -> io::Result<()> {
        fchown(file, Some(self.uid()), Some(self.gid()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, chown, symlink},
    };

    use super::*;

    /// A folder of the account's (of ours, when we are not root), and a file of ours outside.
    fn place() -> (tempfile::TempDir, PathBuf, PathBuf, Option<Account>) {
        let base = tempfile::tempdir().unwrap();
        let (home, victim) = (base.path().join("home"), base.path().join("victim"));
        fs::create_dir(&home).unwrap();
        fs::write(&victim, "ours").unwrap();
        let account = Account::choose(&home.join("data")).unwrap();
        if let Some(account) = &account {
            give_away(&home, account).unwrap();
        }
        (base, home, victim, account)
    }

    fn is_untouched(victim: &Path) -> bool {
        let owner = fs::metadata(victim).unwrap().uid();
        fs::read_to_string(victim).unwrap() == "ours" && owner == Uid::effective().as_raw()
    }

    // DPR-5
    #[test]
    fn files_are_written_in_the_place_of_links_and_never_through_them() {
        let (_base, home, victim, account) = place();
        for name in ["conf", "conf.draft", "start.log"] {
            symlink(&victim, home.join(name)).unwrap();
        }
        let folder = Folder::open(&home, account.as_ref()).unwrap();
        folder.write("conf", b"settings").unwrap();
        folder.write_anew("start.log").unwrap().write_all(b"said").unwrap();
        assert!(is_untouched(&victim));
        let conf = fs::symlink_metadata(home.join("conf")).unwrap();
        let owner = account.as_ref().map_or(Uid::effective().as_raw(), Account::uid);
        assert_eq!((conf.is_file(), conf.uid(), conf.permissions().mode() & 0o777), (true, owner, 0o600));
        assert_eq!(
            (folder.read("conf"), folder.read("start.log")),
            ("settings".to_owned(), "said".to_owned())
        );
        // Again, over what is there now.
        folder.write("conf", b"others").unwrap();
        assert_eq!(folder.read("conf"), "others");
    }

    // DPR-5
    #[test]
    fn nothing_is_read_or_extended_through_a_link() {
        let (_base, home, victim, account) = place();
        symlink(&victim, home.join("soft")).unwrap();
        fs::hard_link(&victim, home.join("hard")).unwrap();
        let folder = Folder::open(&home, account.as_ref()).unwrap();
        for name in ["soft", "hard", "missing"] {
            assert!(folder.append(name, b"more").is_err(), "{name}");
        }
        assert_eq!((folder.read("soft"), folder.read("missing")), (String::new(), String::new()));
        assert!(is_untouched(&victim));
        folder.write("own", b"a").unwrap();
        folder.append("own", b"b").unwrap();
        assert_eq!(folder.read("own"), "ab");
    }

    // DPR-5: the folder itself may be a link, to nobody else's folder.
    #[test]
    fn a_link_leads_to_folders_of_the_account_only() {
        let (base, home, _victim, account) = place();
        let Some(account) = account else { return };
        let (link, others) = (base.path().join("link"), base.path().join("others"));
        fs::create_dir(&others).unwrap();
        assert!(Folder::open(&others, Some(&account)).is_ok(), "root's own, by its name");
        symlink(&others, &link).unwrap();
        assert!(Folder::open(&link, Some(&account)).is_err());
        assert!(give_away(&link, &account).is_err());
        chown(&others, Some(4_000_000), None).unwrap();
        assert!(Folder::open(&others, Some(&account)).is_err());
        fs::remove_file(&link).unwrap();
        symlink(&home, &link).unwrap();
        assert!(Folder::open(&link, Some(&account)).is_ok());
    }
}
