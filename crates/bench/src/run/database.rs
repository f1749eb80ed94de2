//! The private PostgreSQL of the market, from outside: as superuser, by PostgreSQL's own programs.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

/// The database that many tenants share.
pub(super) const SHARED: &str = "markethall_shared";
const SUPERUSER: &str = "markethall_admin";
const TPCB: &str = "bench_tpcb";

/// How to reach it.
pub(super) struct Database {
    socket: PathBuf,
    password: String,
    programs: PathBuf,
}

impl Database {
    /// Reads how to reach the cluster of a running market.
    pub(super) fn of(data_dir: &Path) -> Result<Self> {
        let secrets = fs::read(data_dir.join("pg.secrets")).context("the market has no private cluster")?;
        let secrets: serde_json::Value = serde_json::from_slice(&secrets)?;
        let password = secrets["admin"].as_str().context("no superuser's password")?.to_owned();
        let home = data_dir.join("pg").canonicalize()?;
        let postmaster = fs::read_to_string(home.join("data/postmaster.pid"))?;
        // Its fifth line is the socket's folder.
        let socket = postmaster.lines().nth(4).context("the cluster has no socket")?.into();
        let programs = programs(&home)?;
        Ok(Self { socket, password, programs })
    }

    /// PostgreSQL's version as it says itself.
    pub(super) fn version(&self) -> Result<String> {
        self.ask("postgres", "select split_part(version(), ' ', 2)")
    }

    /// The first cell of the first row.
    pub(super) fn ask(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = self.psql(database);
        psql.args(["--tuples-only", "--no-align", "--command", sql]);
        Ok(output(&mut psql)?.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs a script in one transaction, with variables that it uses as `:'name'`.
    pub(super) fn script(&self, database: &str, script: &str, variables: &[(&str, &str)]) -> Result<()> {
        let mut psql = self.psql(database);
        psql.args(["--single-transaction", "--output=/dev/null"]);
        for (name, value) in variables {
            psql.arg(format!("--set={name}={value}"));
        }
        let mut running =
            psql.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("cannot start psql")?;
        running.stdin.take().context("psql has no input")?.write_all(script.as_bytes())?;
        ensure!(running.wait()?.success(), "psql failed");
        Ok(())
    }

    /// Writes all changed pages down, so that no measurement pays for what came before it, and has the market's tables
    /// as autovacuum keeps them: what was seeded in seconds has taken a merchant weeks.
    pub(super) fn settle(&self) -> Result<()> {
        self.ask(SHARED, "vacuum (analyze)")?;
        self.ask("postgres", "checkpoint").map(drop)
    }

    /// Makes pgbench's tables in a database of their own.
    pub(super) fn prepare_tpcb(&self, scale: u32) -> Result<()> {
        self.ask("postgres", &format!("drop database if exists {TPCB}"))?;
        self.ask("postgres", &format!("create database {TPCB}"))?;
        let mut pgbench = self.program("pgbench");
        pgbench.args(["--initialize", "--quiet", "--scale", &scale.to_string(), TPCB]);
        output(&mut pgbench).map(drop)
    }

    /// TPC-B transactions per second: 16 clients, prepared statements.
    pub(super) fn tpcb(&self, seconds: u64) -> Result<f64> {
        let mut pgbench = self.program("pgbench");
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--client=16", "--jobs=2"]);
        pgbench.arg(format!("--time={seconds}")).arg(TPCB);
        parse_tps(&output(&mut pgbench)?)
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = self.program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", database]);
        psql
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env("PGHOST", &self.socket).env("PGUSER", SUPERUSER).env("PGPASSWORD", &self.password);
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        command
    }
}

/// The folder of the programs that the cluster itself runs, so that versions fit.
fn programs(home: &Path) -> Result<PathBuf> {
    let options = fs::read_to_string(home.join("data/postmaster.opts"))?;
    let server = options.split_whitespace().next().context("an empty postmaster.opts")?;
    let dir = Path::new(server.trim_matches('"')).parent().context("no folder of programs")?;
    Ok(dir.to_owned())
}

fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_owned();
    let output = command.stderr(Stdio::piped()).output().with_context(|| format!("{}", name.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", name.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn parse_tps(text: &str) -> Result<f64> {
    let rest = text.split_once("tps = ").context("pgbench says no rate")?.1;
    Ok(rest.split_whitespace().next().unwrap_or_default().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() -> Result<()> {
        let text =
            "latency average = 2.9 ms\ninitial connection time = 23 ms\ntps = 5412.75 (without initial ..)\n";
        assert!((parse_tps(text)? - 5412.75).abs() < 1e-9);
        assert!(parse_tps("nothing").is_err());
        Ok(())
    }

    #[test]
    fn programs_stand_beside_the_server_that_runs() -> Result<()> {
        let home = tempfile::tempdir()?;
        fs::create_dir(home.path().join("data"))?;
        fs::write(home.path().join("data/postmaster.opts"), "/usr/lib/pg/bin/postgres \"-D\" \"x\"\n")?;
        assert_eq!(programs(home.path())?, Path::new("/usr/lib/pg/bin"));
        Ok(())
    }
}
