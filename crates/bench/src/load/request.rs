//! Requests as bytes.

use std::io::Write;

use anyhow::{Result, ensure};

use super::plan::{Get, Plan, Sales, Till, Work};

/// Makes one request after the other.
pub(super) struct Requests {
    host: String,
    next: usize,
    random: Random,
    kind: Kind,
}

enum Kind {
    /// Ready to be sent.
    Get(Vec<Vec<u8>>),
    Sales(Sales),
}

impl Requests {
    /// # Errors
    /// When the plan has nothing to send.
    pub(super) fn new(plan: &Plan, seed: u64) -> Result<Self> {
        let host = plan.address.clone();
        let kind = match &plan.work {
            Work::Get(all) => {
                ensure!(!all.is_empty(), "a plan without requests");
                Kind::Get(all.iter().map(|get| get_bytes(&host, get)).collect())
            }
            Work::Sales(sales) => {
                ensure!(!sales.tills.is_empty() && sales.sku_count > 0, "a plan without tills or products");
                Kind::Sales(sales.clone())
            }
        };
        Ok(Self { host, next: 0, random: Random::new(seed), kind })
    }

    /// Writes the next request over what is in `out`.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) {
        out.clear();
        let at = self.next;
        self.next += 1;
        match &self.kind {
            Kind::Get(all) => out.extend_from_slice(&all[at % all.len()]),
            Kind::Sales(sales) => {
                // Till after till, so that each gets its share.
                let till = &sales.tills[at % sales.tills.len()];
                sale_bytes(&self.host, sales, till, &mut self.random, out);
            }
        }
    }
}

fn get_bytes(host: &str, get: &Get) -> Vec<u8> {
    let mut text = format!("GET {} HTTP/1.1\r\nhost: {host}\r\n", get.path);
    for (name, value) in &get.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A sale of different products, one piece each, with a key of its own.
fn sale_bytes(host: &str, sales: &Sales, till: &Till, random: &mut Random, out: &mut Vec<u8>) {
    let mut body = Vec::with_capacity(512);
    write_all(
        &mut body,
        format_args!(
            r#"{{"shopId":"{}","registerId":"{}","occurredAt":"{}","lines":["#,
            till.shop, till.register, sales.occurred_at
        ),
    );
    let first = random.below(sales.sku_count);
    for line in 0..sales.lines {
        let comma = if line == 0 { "" } else { "," };
        // Steps that do not divide usual counts keep the lines' products apart.
        let sku = (first + line * 7919) % sales.sku_count;
        write_all(&mut body, format_args!(r#"{comma}{{"sku":"{}{sku}","quantity":"1"}}"#, sales.sku_prefix));
    }
    write_all(
        &mut body,
        format_args!(
            r#"],"tenders":[{{"method":"cash","amount":{{"amount":{},"currency":"{}"}}}}]}}"#,
            sales.cash, sales.currency
        ),
    );
    write_all(
        out,
        format_args!(
            "POST /api/v1/sales HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nx-tenant: {}\r\n\
             idempotency-key: {:016x}{:016x}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            till.token,
            till.tenant,
            random.next(),
            random.next(),
            body.len()
        ),
    );
    out.extend_from_slice(&body);
}

fn write_all(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    drop(out.write_fmt(text));
}

/// xorshift64*: plenty for choosing products and keys.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from((self.next() >> 33) % u64::from(limit)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(work: Work) -> Plan {
        Plan { address: "h:1".into(), connections: 1, rate: None, warmup_ms: 0, duration_ms: 1, work }
    }

    #[test]
    fn gets_are_sent_in_turn() -> Result<()> {
        let get = |path: &str| Get { path: path.into(), headers: vec![("x-tenant".into(), "a".into())] };
        let mut requests = Requests::new(&plan(Work::Get(vec![get("/a"), get("/b")])), 1)?;
        let mut out = Vec::new();
        let mut lines = Vec::new();
        for _ in 0..3 {
            requests.write_next(&mut out);
            lines.push(String::from_utf8(out.clone())?);
        }
        assert_eq!(lines[0], "GET /a HTTP/1.1\r\nhost: h:1\r\nx-tenant: a\r\n\r\n");
        assert!(lines[1].starts_with("GET /b ") && lines[2] == lines[0]);
        assert!(Requests::new(&plan(Work::Get(Vec::new())), 1).is_err());
        Ok(())
    }

    #[test]
    fn a_sale_has_a_key_of_its_own_and_different_products() -> Result<()> {
        let till = |tenant: &str| Till {
            tenant: tenant.into(),
            token: "t".into(),
            shop: "shp_1".into(),
            register: "reg_1".into(),
        };
        let sales = Sales {
            tills: vec![till("a"), till("b")],
            sku_prefix: "P".into(),
            sku_count: 10_000,
            lines: 3,
            currency: "EUR".into(),
            cash: 100_000,
            occurred_at: "2026-11-21T10:15:00Z".into(),
        };
        let mut requests = Requests::new(&plan(Work::Sales(sales)), 7)?;
        let mut keys = std::collections::BTreeSet::new();
        for tenant in ["a", "b", "a"] {
            let mut out = Vec::new();
            requests.write_next(&mut out);
            let text = String::from_utf8(out)?;
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
            assert!(head.contains(&format!("x-tenant: {tenant}\r\n")));
            assert!(head.contains(&format!("content-length: {}", body.len())));
            keys.extend(head.lines().find(|line| line.starts_with("idempotency-key")).map(str::to_owned));
            let sale: serde_json::Value = serde_json::from_str(body)?;
            let skus: std::collections::BTreeSet<_> =
                sale["lines"].as_array().into_iter().flatten().map(|line| line["sku"].to_string()).collect();
            assert_eq!(skus.len(), 3);
        }
        assert_eq!(keys.len(), 3);
        Ok(())
    }
}
