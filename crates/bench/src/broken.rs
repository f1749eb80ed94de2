//! Files as bad as real ones: every kind of broken row between good ones, and what must come of each.

mod cases;

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use serde::Serialize;

/// What to write, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The CSV file; the manifest goes beside it as FILE.manifest.json
    #[arg(long)]
    out: PathBuf,
    /// Which CSV of the contract
    #[arg(long, value_enum, default_value = "sales")]
    kind: Kind,
    /// Size of the one absurdly long line, in MB
    #[arg(long, default_value_t = 100)]
    long_line_mb: usize,
}

/// A CSV of the contract. The sales sell what the products file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Products,
    Sales,
}

/// Writes the file and its manifest.
pub(crate) fn broken(args: &Args) -> Result<()> {
    let file = File::create(&args.out).with_context(|| format!("cannot write {}", args.out.display()))?;
    let rows = match args.kind {
        Kind::Products => cases::products(),
        Kind::Sales => cases::sales(),
    };
    let mut out = BufWriter::new(file);
    let manifest = write(&mut out, &rows, args.long_line_mb * 1_000_000)?;
    out.flush()?;
    let path = args.out.with_added_extension("manifest.json");
    serde_json::to_writer_pretty(File::create(&path)?, &manifest)?;
    println!(
        "{}: {} rows good, {} to be rejected, {} repeated; see {}",
        args.out.display(),
        manifest.good.len(),
        manifest.bad.len(),
        manifest.repeated.len(),
        path.display()
    );
    Ok(())
}

/// What must come of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Taken.
    Good,
    /// Rejected, for this reason.
    Bad(&'static str),
    /// Its id came before with other contents: the first stands, this one changes nothing.
    Repeated,
}

/// One line of the file.
struct Row {
    /// What the row is about: an external id or a SKU.
    id: String,
    text: Text,
    fate: Fate,
}

enum Text {
    Short(Vec<u8>),
    /// As long as asked for: this start, then one letter again and again.
    Long(Vec<u8>),
}

/// What an importer must have done in the end.
#[derive(Debug, Serialize)]
struct Manifest {
    /// Ids that must be there afterwards.
    good: Vec<String>,
    /// Rows that must be in the rejects file.
    bad: Vec<Reject>,
    /// Rows that repeat an id with other contents.
    repeated: Vec<Reject>,
}

#[derive(Debug, Serialize)]
struct Reject {
    /// Counted from 1, the header.
    line: usize,
    id: String,
    reason: &'static str,
}

fn write(out: &mut impl Write, rows: &[Row], long: usize) -> Result<Manifest> {
    let mut manifest = Manifest { good: Vec::new(), bad: Vec::new(), repeated: Vec::new() };
    for (at, row) in rows.iter().enumerate() {
        match &row.text {
            Text::Short(text) => out.write_all(text)?,
            Text::Long(start) => {
                out.write_all(start)?;
                let block = [b'x'; 8192];
                let mut left = long.saturating_sub(start.len());
                while left > 0 {
                    let size = left.min(block.len());
                    out.write_all(&block[..size])?;
                    left -= size;
                }
            }
        }
        out.write_all(b"\n")?;
        let reject = |reason| Reject { line: at + 1, id: row.id.clone(), reason };
        match row.fate {
            Fate::Good if at == 0 => {} // The header.
            Fate::Good => manifest.good.push(row.id.clone()),
            Fate::Bad(reason) => manifest.bad.push(reject(reason)),
            Fate::Repeated => manifest.repeated.push(reject("repeats an id with other contents")),
        }
    }
    manifest.good.dedup();
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[Row]) -> Result<(Vec<u8>, Manifest)> {
        let mut out = Vec::new();
        let manifest = write(&mut out, rows, 10_000)?;
        Ok((out, manifest))
    }

    #[test]
    fn the_manifest_names_the_line_of_every_bad_row() -> Result<()> {
        for rows in [cases::products(), cases::sales()] {
            let (bytes, manifest) = written(&rows)?;
            let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            assert_eq!(lines.len(), rows.len() + 1);
            for reject in &manifest.bad {
                let line = lines[reject.line - 1];
                assert!(
                    line.windows(reject.id.len().max(1)).any(|part| part == reject.id.as_bytes())
                        || reject.id.is_empty()
                );
            }
        }
        Ok(())
    }

    #[test]
    fn every_bad_row_stands_between_good_ones() -> Result<()> {
        for rows in [cases::products(), cases::sales()] {
            let (_, manifest) = written(&rows)?;
            assert!(manifest.good.len() > 10 && manifest.bad.len() > 10);
            assert!(manifest.repeated.len() <= 1);
            assert_eq!(rows.last().map(|row| row.fate), Some(Fate::Good));
        }
        Ok(())
    }

    #[test]
    fn the_long_line_is_as_long_as_asked() -> Result<()> {
        let (bytes, _) = written(&cases::sales())?;
        assert!(bytes.split(|byte| *byte == b'\n').any(|line| line.len() == 10_000));
        Ok(())
    }

    #[test]
    fn a_sale_with_one_bad_row_is_bad_as_a_whole() -> Result<()> {
        let (_, manifest) = written(&cases::sales())?;
        let of_half: Vec<_> = manifest.bad.iter().filter(|reject| reject.id == "HALF").collect();
        assert_eq!(of_half.len(), 3);
        assert!(!manifest.good.iter().any(|id| id == "HALF"));
        Ok(())
    }
}
