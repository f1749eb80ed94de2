//! The binary on the databases of an [`App`]: a second process beside it.

use std::{fs, path::PathBuf};

use serde_json::Value;
use testkit::{App, SHARD};

use super::{Ran, program};

/// The command line on the databases of `app`.
pub struct CommandLine(PathBuf);

impl CommandLine {
    /// The command line, with a configuration file of its own.
    pub fn of(app: &App) -> Self {
        let file = app.parts.config.data_dir.join("markethall.toml");
        let settings = format!(
            "data_dir = {:?}\n[database]\nurl = {:?}\nshard = {SHARD:?}\n[database.names]\ncontrol = {:?}\n\
             shared = {:?}\ntemplate = {:?}\n[[control.shards]]\nname = {SHARD:?}\n",
            app.parts.config.data_dir,
            app.databases.cluster().admin_url().unwrap(),
            app.databases.control,
            app.databases.shared,
            app.databases.template,
        );
        fs::write(&file, settings).unwrap();
        Self(file)
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        let mut command = program();
        command.arg("--config").arg(&self.0).args(args);
        tokio::task::spawn_blocking(move || Ran::of(&mut command)).await.unwrap()
    }

    /// Runs a command that must succeed and print one JSON document.
    pub async fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["--json"]].concat()).await.exits(0).json()
    }
}
