//! The wall clock of one process, by libfaketime: nothing in the program knows of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where distributions have it.
const FOLDERS: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
];

/// The clock of the processes that are started with its settings.
pub struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

impl WallClock {
    /// A right one that is kept in `folder`; none where the library is missing.
    pub fn find(folder: &Path) -> Option<Self> {
        let library = FOLDERS.iter().map(|folder| Path::new(folder).join("libfaketimeMT.so.1"));
        let library = library.into_iter().find(|file| file.is_file())?;
        let clock = Self { library, file: folder.join("clock") };
        clock.set(0);
        Some(clock)
    }

    /// How many seconds it goes wrong from now on; processes take notice within a second.
    pub fn set(&self, seconds: i64) {
        let draft = self.file.with_extension("draft");
        fs::write(&draft, format!("{seconds:+}\n")).unwrap();
        fs::rename(draft, &self.file).unwrap();
    }

    /// The environment of processes with this clock. What they start (PostgreSQL) has the machine's.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_ONLY_CMDS", "markethall".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }
}
