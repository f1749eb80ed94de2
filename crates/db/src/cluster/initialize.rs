//! Makes a new database: `initdb` beside its final place, renamed into it when complete.

use std::{fs, path::Path};

use secrecy::ExposeSecret as _;

use super::{
    ADMIN_ROLE, ClusterError, Profile,
    account::{Account, command},
    binaries::Binaries,
    folder::Folder,
    layout::Layout,
    secrets::{Secrets, random_word},
};

/// What the names of databases in the making begin with.
const DRAFT: &str = "data.draft.";
/// Holds the password of the superuser while `initdb` runs.
const PASSWORD: &str = "password.draft";

/// Character types of Unicode where the system has them; without, only ASCII letters have upper and lower case.
const CHARACTER_TYPES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes the database. A crash in the middle leaves a draft that the next call throws away.
pub(super) async fn initialize(
    layout: &Layout,
    binaries: &Binaries,
    account: Option<&Account>,
    profile: Profile,
    secrets: &Secrets,
) -> Result<(), ClusterError> {
    remove_drafts(&layout.home)?;
    // A name of its own: an initdb that outlived a killed process cannot write into this one.
    let draft = layout.home.join(format!("{DRAFT}{}", &random_word()[..8]));
    // By file and not by command line, which everybody can read.
    let password = layout.home.join(PASSWORD);
    Folder::open(&layout.home, account)?.write(PASSWORD, secrets.admin.expose_secret().as_bytes())?;
    let mut made = Ok(());
    for ctype in CHARACTER_TYPES {
        made = initdb(binaries, account, profile, &draft, &password, ctype).await;
        if !matches!(&made, Err(ClusterError::Initialize(text)) if text.contains("locale")) {
            break;
        }
        remove_drafts(&layout.home)?;
    }
    fs::remove_file(&password).map_err(ClusterError::file("cannot remove", &password))?;
    made?;
    let includes = b"\ninclude_if_exists = 'markethall.conf'\ninclude_if_exists = 'local.conf'\n";
    Folder::open(&draft, account)?.append("postgresql.conf", includes)?;
    fs::rename(&draft, &layout.database).map_err(ClusterError::file("cannot rename", draft))
}

async fn initdb(
    binaries: &Binaries,
    account: Option<&Account>,
    profile: Profile,
    draft: &Path,
    password: &Path,
    ctype: &str,
) -> Result<(), ClusterError> {
    let mut initdb = command(&binaries.program("initdb"), account);
    initdb
        .arg("--pgdata")
        .arg(draft)
        .arg("--pwfile")
        .arg(password)
        .args([
            "--username",
            ADMIN_ROLE,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--no-instructions",
        ])
        // Sorting by bytes makes every text index serve prefix searches and never breaks with a system upgrade.
        .args(["--locale", "C", "--lc-ctype", ctype]);
    match profile {
        Profile::Production => initdb.arg("--data-checksums"),
        Profile::Test => initdb.arg("--no-sync"),
    };
    let output =
        initdb.output().await.map_err(ClusterError::file("cannot run", binaries.program("initdb")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(ClusterError::Initialize(said.trim().chars().take(2000).collect()))
}

/// Throws away what interrupted calls have left.
fn remove_drafts(home: &Path) -> Result<(), ClusterError> {
    let entries = fs::read_dir(home).map_err(ClusterError::file("cannot look into", home))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            fs::remove_dir_all(entry.path()).map_err(ClusterError::file("cannot remove", entry.path()))?;
        }
    }
    Ok(())
}
