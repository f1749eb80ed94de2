//! One PostgreSQL cluster for a whole test run: `test-cluster start DIR`, tests with `MARKETHALL_TEST_CLUSTER_DIR=DIR`,
//! `test-cluster stop DIR`.

use std::{path::Path, process::ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["start", dir] => testkit::start_for_run(Path::new(dir)).await,
        ["stop", dir] => testkit::stop_after_run(Path::new(dir)).await,
        _ => {
            eprintln!("usage: test-cluster start|stop DIR");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("test-cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}
