//! Installing Debian packages, as root or through sudo without a password.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use crate::shell;

/// Installs `packages`, saying so and why.
///
/// # Errors
/// Where there is no apt, or no right to use it: with the command that a person with the right can type.
pub(crate) fn install(packages: &[&str], why: &str) -> Result<()> {
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if shell::find("apt-get", &[]).is_none() {
        bail!("{why} is missing and this is no Debian: install what `{by_hand}` would");
    }
    let sudo = !shell::is_root();
    if sudo && shell::probe(Path::new("sudo"), &["-n", "true"]).is_none() {
        bail!("{why} is missing and may not be installed from here: type `sudo {by_hand}`, then again");
    }
    println!("setup: {why} is missing, installing {}", packages.join(" "));
    shell::run(&mut command(sudo, &["update", "-qq"]))?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(packages);
    shell::run(&mut command(sudo, &words))
}

fn command(sudo: bool, words: &[&str]) -> Command {
    let mut command = Command::new(if sudo { "sudo" } else { "env" });
    if sudo {
        command.args(["-n", "env"]);
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(command: &Command) -> String {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn packages_are_installed_without_questions_as_root_and_through_sudo() {
        assert_eq!(
            written(&command(false, &["install", "-y", "postgresql"])),
            "env DEBIAN_FRONTEND=noninteractive apt-get install -y postgresql"
        );
        assert_eq!(
            written(&command(true, &["update"])),
            "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update"
        );
    }
}
