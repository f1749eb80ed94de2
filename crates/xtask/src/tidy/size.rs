//! Files and functions stay small enough to be read at once.

use super::{Finding, SourceFile};

const FILE_LINES: usize = 500;
const LIB_LINES: usize = 100;

/// Source files of at most 500 lines, `lib.rs` of at most 100: the map of a crate is one page.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if !matches!(file.extension(), "rs" | "sql" | "ts" | "tsx") {
        return Vec::new();
    }
    let lines = file.text.lines().count();
    let limit = if file.path.ends_with("/src/lib.rs") { LIB_LINES } else { FILE_LINES };
    if lines <= limit {
        return Vec::new();
    }
    vec![Finding::new(&file.path, lines, "file-length", format!("{lines} lines, at most {limit}"))]
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::check;

    #[test]
    fn a_file_of_501_lines_is_found_and_one_of_500_is_not() {
        for extension in ["rs", "sql", "ts", "tsx"] {
            let path = format!("crates/a/src/long.{extension}");
            assert_eq!(found(check, &path, &"x\n".repeat(501)), ["501 file-length"]);
            assert!(found(check, &path, &"x\n".repeat(500)).is_empty());
        }
    }

    #[test]
    fn a_lib_of_101_lines_is_found_and_one_of_100_is_not() {
        assert_eq!(found(check, "crates/a/src/lib.rs", &"x\n".repeat(101)), ["101 file-length"]);
        assert!(found(check, "crates/a/src/lib.rs", &"x\n".repeat(100)).is_empty());
    }

    #[test]
    fn pages_may_be_long() {
        assert!(found(check, "docs/long.md", &"x\n".repeat(900)).is_empty());
    }
}
