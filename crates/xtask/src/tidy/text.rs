//! Rules for any text file.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, SourceFile};

// The patterns are written in pieces, so that they do not find themselves.
static MACHINE_PATH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(concat!(r"(^|[^\w.$}])/(", "home|Users|root|work|mnt)", r"/[\w.]")).ok());
static LEFT_OPEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(concat!(r"\b(TO", "DO|FIX", r"ME)\b")).ok());

/// No path of somebody's machine, nothing left open.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if file.path.ends_with("package-lock.json") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, text) in file.text.lines().enumerate() {
        if MACHINE_PATH.as_ref().is_some_and(|pattern| pattern.is_match(text)) {
            findings.push(Finding::new(&file.path, line + 1, "machine-path", "a path of one machine"));
        }
        if LEFT_OPEN.as_ref().is_some_and(|pattern| pattern.is_match(text)) {
            findings.push(Finding::new(&file.path, line + 1, "left-open", "finish it, or write an issue"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::check;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for home in ["home/ann/x", "Users/ann/x", "root/.cargo"] {
            let text = format!("let a = 1;\nlet data = \"/{home}\";\n");
            assert_eq!(found(check, "crates/a/src/x.rs", &text), ["2 machine-path"], "{home}");
        }
    }

    #[test]
    fn paths_of_every_debian_and_of_urls_are_fine() {
        let text = "/usr/lib/postgresql /tmp/x /proc/self/stat https://x.org/home/page ./work/x $HOME/x";
        assert!(found(check, "docs/x.md", text).is_empty());
    }

    #[test]
    fn something_left_open_is_found() {
        let text = format!("fn a() {{}} // {}: later\n", concat!("TO", "DO"));
        assert_eq!(found(check, "crates/a/src/x.rs", &text), ["1 left-open"]);
        assert!(found(check, "crates/a/src/x.rs", "// Todos los productos\n").is_empty());
    }
}
