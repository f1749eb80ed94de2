//! A bare axum server: the machine's own limit for answering HTTP.

use std::io::{Read, Write};

use anyhow::Result;
use axum::{Router, http::header, routing::get};

/// About as long as a sale in JSON.
const BODY: &str = concat!(
    r#"{"id":"sal_01JD3Q5X8Y2M4N6P7R9S0T1V2W","receiptNumber":"S01-R02-000123","kind":"sale","status":"completed","#,
    r#""channel":"till","lines":[{"line":1,"sku":"4006381333931","name":"Highlighter","quantity":"2","unitPrice":"#,
    r#"{"amount":250,"currency":"EUR"},"gross":{"amount":500,"currency":"EUR"},"vatRate":2000},{"line":2,"sku":"BREAD","#,
    r#""name":"Bread, dark","quantity":"0.450","unitPrice":{"amount":640,"currency":"EUR"},"gross":{"amount":288,"#,
    r#""currency":"EUR"},"vatRate":1000}],"totals":{"net":{"amount":679,"currency":"EUR"},"vat":{"amount":109,"#,
    r#""currency":"EUR"},"gross":{"amount":788,"currency":"EUR"}},"occurredAt":"2026-11-21T10:15:00Z"}"#
);

/// Prints its port, then serves until its input closes, so that it never outlives who started it.
pub(crate) fn hello() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        std::io::stdout().flush()?;
        let router =
            Router::new().route("/", get(async || ([(header::CONTENT_TYPE, "application/json")], BODY)));
        let server = axum::serve(listener, router);
        tokio::select! {
            result = async { server.await } => result?,
            () = input_closed() => {}
        }
        Ok(())
    })
}

async fn input_closed() {
    // However reading ends, nobody is there any more.
    drop(tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await);
}

#[cfg(test)]
mod tests {
    use super::BODY;

    #[test]
    fn the_body_is_json_of_about_600_bytes() -> Result<(), serde_json::Error> {
        assert!((550..750).contains(&BODY.len()), "{}", BODY.len());
        serde_json::from_str::<serde_json::Value>(BODY).map(drop)
    }
}
