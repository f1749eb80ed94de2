//! Requests as bytes.

use std::io::Write;

use anyhow::{Result, ensure};

use super::plan::{Checkouts, Get, Plan, Post, Sales, Shopper, Till, Work};

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
    Post(Vec<Post>),
    /// With how many requests each connection has made.
    Checkouts(Checkouts, Vec<usize>),
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
            Work::Post(all) => {
                ensure!(!all.is_empty(), "a plan without requests");
                Kind::Post(all.clone())
            }
            Work::Checkouts(checkouts) => {
                let enough = checkouts.shoppers.len() >= plan.connections && checkouts.sku_count > 0;
                ensure!(enough, "a plan without a shopper for each connection, or products");
                Kind::Checkouts(checkouts.clone(), vec![0; plan.connections])
            }
        };
        Ok(Self { host, next: 0, random: Random::new(seed), kind })
    }

    /// Writes the next request of a connection over what is in `out`.
    pub(super) fn write_next(&mut self, connection: usize, out: &mut Vec<u8>) {
        out.clear();
        let at = self.next;
        self.next += 1;
        match &mut self.kind {
            Kind::Get(all) => out.extend_from_slice(&all[at % all.len()]),
            Kind::Sales(sales) => {
                // Till after till, so that each gets its share.
                let till = &sales.tills[at % sales.tills.len()];
                sale_bytes(&self.host, sales, till, &mut self.random, out);
            }
            Kind::Post(all) => {
                let post = &all[at % all.len()];
                let head = format!("POST {}", post.path);
                keyed_bytes(&self.host, &head, &post.headers, &post.body, &mut self.random, out);
            }
            Kind::Checkouts(checkouts, made) => {
                let shopper = &checkouts.shoppers[connection];
                let headers = shopper_headers(shopper);
                let random = &mut self.random;
                if made[connection] % 2 == 0 {
                    let body = cart_body(checkouts, random);
                    json_bytes(&self.host, "PUT /api/v1/carts/me", &headers, &body, out);
                } else {
                    keyed_bytes(&self.host, "POST /api/v1/checkout", &headers, CHECKOUT, random, out);
                }
                made[connection] += 1;
            }
        }
    }
}

const CHECKOUT: &str = r#"{"cart":"me","payment":{"provider":"test","method":"card_approved"}}"#;

fn shopper_headers(shopper: &Shopper) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_owned(), value);
    vec![
        header("authorization", format!("Bearer {}", shopper.token)),
        header("x-tenant", shopper.tenant.clone()),
        header("prefer", "wait=30".to_owned()),
    ]
}

/// Different products, one piece each.
fn cart_body(checkouts: &Checkouts, random: &mut Random) -> String {
    let first = random.below(checkouts.sku_count);
    let sku = |line: u32| (first + line * 7919) % checkouts.sku_count;
    let line = |line: u32| format!(r#"{{"sku":"{}{}","quantity":"1"}}"#, checkouts.sku_prefix, sku(line));
    let lines: Vec<String> = (0..checkouts.lines).map(line).collect();
    format!(r#"{{"lines":[{}]}}"#, lines.join(","))
}

/// A request with JSON and a key of its own.
fn keyed_bytes(
    host: &str,
    head: &str,
    headers: &[(String, String)],
    body: &str,
    random: &mut Random,
    out: &mut Vec<u8>,
) {
    let mut headers = headers.to_vec();
    headers.push(("idempotency-key".to_owned(), format!("{:016x}{:016x}", random.next(), random.next())));
    json_bytes(host, head, &headers, body, out);
}

/// A request with JSON.
fn json_bytes(host: &str, head: &str, headers: &[(String, String)], body: &str, out: &mut Vec<u8>) {
    write_all(out, format_args!("{head} HTTP/1.1\r\nhost: {host}\r\n"));
    for (name, value) in headers {
        write_all(out, format_args!("{name}: {value}\r\n"));
    }
    let length = body.len();
    write_all(out, format_args!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"));
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
            requests.write_next(0, &mut out);
            lines.push(String::from_utf8(out.clone())?);
        }
        assert_eq!(lines[0], "GET /a HTTP/1.1\r\nhost: h:1\r\nx-tenant: a\r\n\r\n");
        assert!(lines[1].starts_with("GET /b ") && lines[2] == lines[0]);
        assert!(Requests::new(&plan(Work::Get(Vec::new())), 1).is_err());
        Ok(())
    }

    #[test]
    fn a_shopper_fills_a_cart_before_each_checkout() -> Result<()> {
        let shopper = |tenant: &str| Shopper { tenant: tenant.into(), token: "t".into() };
        let checkouts = Checkouts {
            shoppers: vec![shopper("a"), shopper("b")],
            sku_prefix: "P".into(),
            sku_count: 100,
            lines: 3,
        };
        let plan = Plan { connections: 2, ..plan(Work::Checkouts(checkouts)) };
        let mut requests = Requests::new(&plan, 3)?;
        let mut said = Vec::new();
        for connection in [0, 1, 0, 0, 1] {
            let mut out = Vec::new();
            requests.write_next(connection, &mut out);
            let text = String::from_utf8(out)?;
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
            assert!(head.contains(&format!("content-length: {}", body.len())));
            assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
            said.push(head.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
        }
        let (put, post) = ("PUT /api/v1/carts/me", "POST /api/v1/checkout");
        assert_eq!(said, [put, put, post, put, post]);
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
            requests.write_next(0, &mut out);
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
