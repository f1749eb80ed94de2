//! The Unix socket: made with its mode, never over somebody else's, removed at the end.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixStream as Probe,
    },
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use super::ListenError;

/// A socket file that is served, removed when dropped.
#[derive(Debug)]
pub(super) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, so that nobody else's file is removed.
    file: (u64, u64),
}

impl UnixSocket {
    /// Makes the socket at `path`. What a process left behind that is no more is replaced; a socket that answers and
    /// a file that is no socket are left alone.
    pub(super) fn bind(path: &Path, mode: u32) -> Result<Self, ListenError> {
        let wrong = |cause: String| ListenError::UnixSocket { path: path.to_owned(), cause };
        is_free(path).map_err(&wrong)?;
        // Under another name until it has its mode: nobody connects before.
        let draft = draft_of(path);
        let _ = fs::remove_file(&draft);
        let made = UnixListener::bind(&draft).and_then(|listener| {
            fs::set_permissions(&draft, fs::Permissions::from_mode(mode))?;
            let file = identity(&draft)?;
            fs::rename(&draft, path)?;
            Ok(Self { listener, path: path.to_owned(), file })
        });
        made.map_err(|error| {
            let _ = fs::remove_file(&draft);
            wrong(error.to_string())
        })
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `<path>.<process>`, in the same folder, so that it can be renamed.
fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    name.into()
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Whether a socket may be put at `path`; the sentence says why not.
fn is_free(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(file) if !file.file_type().is_socket() => Err("there is a file that is no socket".to_owned()),
        Ok(_) => match Probe::connect(path) {
            Ok(_) => Err("another process serves there".to_owned()),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(format!("there is a socket that cannot be asked: {error}")),
        },
    }
}
