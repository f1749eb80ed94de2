//! A folder for one installation of the program, and its command line.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;

/// Waits until the test process is gone, whatever the reason, then ends every database and removes the folder.
const WATCHDOG: &str = r#"
read -r _
for file in "$1"/*/pg/data/postmaster.pid; do
    [ -e "$file" ] && kill -QUIT "$(head -n 1 "$file")" 2>/dev/null
done
tries=0
while ls "$1"/*/pg/data/postmaster.pid >/dev/null 2>&1 && [ "$tries" -lt 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
rm -rf "$1"
"#;

/// Where all homes of this test process are, and who clears them away.
struct Street {
    dir: PathBuf,
    /// Holds the watchdog's input open as long as this process lives.
    _watchdog: Child,
}

fn street() -> &'static Path {
    static STREET: OnceLock<Street> = OnceLock::new();
    let street = STREET.get_or_init(|| {
        let dir =
            tempfile::Builder::new().prefix("markethall-homes-").tempdir_in(fast_base()).unwrap().keep();
        // PostgreSQL runs as another user when we are root.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh"])
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of Ctrl-C, which must not stop it before it has cleaned up.
            .process_group(0)
            .spawn()
            .unwrap();
        Street { dir, _watchdog: watchdog }
    });
    &street.dir
}

/// In memory where there is room: `fsync` costs nothing there.
fn fast_base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let free = Command::new("df").args(["--output=avail", "--block-size=1M"]).arg(memory).output();
    let free = free.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free: u64 = free.lines().nth(1).and_then(|line| line.trim().parse().ok()).unwrap_or(0);
    if free > 3000 { memory.to_owned() } else { std::env::temp_dir() }
}

/// The program, knowing nothing of the environment's own settings.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_markethall"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MARKETHALL_") {
            command.env_remove(name);
        }
    }
    command.env_remove("PORT").stdin(Stdio::null());
    command
}

/// Cargo's target folder.
pub fn target_dir() -> PathBuf {
    let profile = Path::new(env!("CARGO_BIN_EXE_markethall")).parent().unwrap();
    profile.parent().unwrap().to_owned()
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Goes on only with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        let mut documents = serde_json::Deserializer::from_str(&self.stdout).into_iter::<Value>();
        let first = documents.next().unwrap_or_else(|| panic!("no JSON in {self:?}")).unwrap();
        assert!(documents.next().is_none(), "more than one document: {}", self.stdout);
        first
    }
}

/// A folder for one installation. Its database is ended and all of it removed with the test.
pub struct Home {
    dir: PathBuf,
}

impl Home {
    /// An empty folder: the program has never been here.
    pub fn empty() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = street().join(format!("home-{number}"));
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    /// An installation with the merchants `acme` and `bolt`, who share a database, and `grand`, who has one alone.
    pub fn furnished() -> Self {
        static PRISTINE: OnceLock<Home> = OnceLock::new();
        let pristine = PRISTINE.get_or_init(|| {
            let home = Self::empty();
            for (slug, tier) in [("acme", "standard"), ("bolt", "free"), ("grand", "enterprise")] {
                let mail = format!("admin@{slug}.example");
                let name = format!("Merchant {slug}");
                home.run(&[
                    "tenant",
                    "create",
                    slug,
                    "--name",
                    &name,
                    "--tier",
                    tier,
                    "--currency",
                    "EUR",
                    "--admin-email",
                    &mail,
                ])
                .exits(0);
            }
            home
        });
        let home = Self::empty();
        let copied =
            Command::new("cp").arg("-a").arg(pristine.dir.join(".")).arg(&home.dir).status().unwrap();
        assert!(copied.success());
        // Where a socket lies elsewhere because of its long path, the copy needs a place of its own.
        let _ = fs::remove_file(home.dir.join("pg.socket"));
        home
    }

    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// The program, about to run in this home.
    pub fn command(&self) -> Command {
        let mut command = program();
        command.env("MARKETHALL_DATA_DIR", &self.dir);
        // A test calls more often than any user; tests of the limits set them.
        command.env("MARKETHALL_EDGE__LIMITS__ENABLED", "false");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command().args(args))
    }

    /// Runs a command that must succeed and print one JSON document.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["--json"]].concat()).exits(0).json()
    }

    /// A token of a merchant, or of the platform.
    #[track_caller]
    pub fn token(&self, tenant: Option<&str>, permissions: &[&str]) -> String {
        let mut args = vec!["token", "--ttl", "2h"];
        if let Some(slug) = tenant {
            args.extend(["--tenant", slug]);
        }
        for permission in permissions {
            args.extend(["--permission", permission]);
        }
        super::text(&self.json(&args), "/accessToken")
    }

    /// Proves that `markethall check` finds nothing.
    #[track_caller]
    pub fn assert_checks(&self) {
        let ran = self.run(&["check", "--json"]);
        assert_eq!(ran.json()["violations"], serde_json::json!([]), "{ran:?}");
        ran.exits(0);
    }

    /// The process id of the running postmaster.
    pub fn postmaster(&self) -> Option<i32> {
        let text = fs::read_to_string(self.dir.join("pg/data/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster() {
            // It may have ended by itself meanwhile.
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGQUIT);
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}
