//! One good request per operation of the API. A new operation needs an entry here, or `authorisation` fails.

use serde_json::{Value, json};

use super::{World, eur};

/// What a merchant is told who asks for another merchant's thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// The request names nothing that belongs to anybody.
    Nothing,
    /// 404, as if it did not exist.
    NotFound,
    /// Refused with this status and code: the body refers to a thing that does not exist for the caller.
    Refused(u16, &'static str),
}

/// A request that is fine in itself.
#[derive(Debug, Clone)]
pub struct Example {
    /// Below `/api/v1`, or whole when the operation stands at the root.
    pub path: String,
    /// What is sent.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// What becomes of it when the things in it are another merchant's.
    pub foreign: Foreign,
}

fn get(path: impl Into<String>) -> Example {
    Example { path: path.into(), body: None, foreign: Foreign::Nothing }
}

fn send(path: impl Into<String>, body: Value) -> Example {
    let body = Some(("application/json", body.to_string().into_bytes()));
    Example { path: path.into(), body, foreign: Foreign::Nothing }
}

impl Example {
    fn hidden(mut self) -> Self {
        self.foreign = Foreign::NotFound;
        self
    }

    fn refused(mut self, status: u16, code: &'static str) -> Self {
        self.foreign = Foreign::Refused(status, code);
        self
    }
}

/// The example of an operation, about things of `world`; `None` for an operation that nobody has thought of.
pub fn example(operation: &str, world: &World) -> Option<Example> {
    of_goods(operation, world)
        .or_else(|| of_the_till(operation, world))
        .or_else(|| of_money(operation, world))
        .or_else(|| of_people(operation, world))
        .or_else(|| of_webhooks(operation, world))
        .or_else(|| of_customers(operation, world))
        .or_else(|| of_shoppers(operation))
        .or_else(|| of_orders(operation, world))
        .or_else(|| of_the_operator(operation))
}

/// The head of a picture of one pixel, which is all that is looked at.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x00\x00\x00\x00";

fn of_goods(operation: &str, w: &World) -> Option<Example> {
    let line =
        |extra: (&str, &str)| json!({ "lines": [{ "shopId": w.shop, "sku": w.sku, extra.0: extra.1 }] });
    let product = json!({ "name": "Wine", "price": eur(1300) });
    let new_product = json!({ "sku": "NEW-1", "name": "New", "price": eur(100) });
    let images = format!("/products/{}/images", w.product);
    let csv = || Some(("text/csv", b"sku,name,price\nNEW-2,New,1.00\n".to_vec()));
    Some(match operation {
        "list_products" => get("/products?search=wine"),
        "create_product" => send("/products", new_product),
        "get_product" => get(format!("/products/{}", w.product)).hidden(),
        "get_product_by_sku" => get(format!("/products/sku/{}", w.sku)).hidden(),
        "update_product" => send(format!("/products/{}", w.product), product).hidden(),
        "delete_product" => get(format!("/products/{}", w.product)).hidden(),
        "add_product_image" => Example { body: Some(("image/png", PNG.to_vec())), ..get(images) }.hidden(),
        "arrange_product_images" => send(images, json!({ "images": [] })).hidden(),
        "delete_product_image" => get(format!("{images}/img_01J00000000000000000000000")).hidden(),
        "get_image" => get("/images/ten_01J00000000000000000000000/img_01J00000000000000000000000"),
        "list_categories" => get("/categories"),
        "import_products" => Example { body: csv(), ..get("/imports/products") },
        "get_import" => get(format!("/imports/{}", w.import)).hidden(),
        "get_import_rejects" => get(format!("/imports/{}/rejects", w.import)).hidden(),
        "get_tax_rates" => get("/tax-rates"),
        "set_tax_rates" => send("/tax-rates", json!({ "rates": [{ "category": "standard", "rate": 2000 }] })),
        "list_shops" => get("/shops"),
        "create_shop" => send("/shops", json!({ "name": "New shop" })),
        "get_shop" => get(format!("/shops/{}", w.shop)).hidden(),
        "update_shop" => {
            let body = json!({ "name": "Renamed", "kind": "store", "active": true });
            send(format!("/shops/{}", w.shop), body).hidden()
        }
        "list_stock_of_sku" => get(format!("/inventory/sku/{}", w.sku)),
        "list_movements" => get("/inventory/movements"),
        "get_reservation" => get(format!("/inventory/reservations/{}", w.reservation)).hidden(),
        "reserve_stock" => send("/inventory/reserve", line(("quantity", "1"))).refused(422, "UNKNOWN_SHOP"),
        "release_stock" => send("/inventory/release", json!({ "reservationId": w.reservation })).hidden(),
        "confirm_stock" => send("/inventory/confirm", json!({ "reservationId": w.reservation })).hidden(),
        "restock" => send("/inventory/restock", line(("quantity", "1"))).refused(422, "UNKNOWN_SHOP"),
        "adjust_stock" => {
            let mut body = line(("quantity", "-1"));
            body["reason"] = json!("damaged");
            send("/inventory/adjustments", body).refused(422, "UNKNOWN_SHOP")
        }
        "transfer_stock" => {
            let lines = json!([{ "sku": w.sku, "quantity": "1" }]);
            let body = json!({ "fromShopId": w.shop, "toShopId": w.other_shop, "lines": lines });
            send("/inventory/transfers", body).refused(422, "UNKNOWN_SHOP")
        }
        "count_stock" => send("/inventory/counts", line(("onHand", "900"))).refused(422, "UNKNOWN_SHOP"),
        "set_thresholds" => {
            send("/inventory/thresholds", line(("threshold", "5"))).refused(422, "UNKNOWN_SHOP")
        }
        _ => return None,
    })
}

fn of_the_till(operation: &str, w: &World) -> Option<Example> {
    let refund = json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "0.1" }] });
    Some(match operation {
        "list_registers" => get(format!("/shops/{}/registers", w.shop)).hidden(),
        "create_register" => send(format!("/shops/{}/registers", w.shop), json!({})).hidden(),
        "open_shift" => {
            send(format!("/registers/{}/shifts", w.register), json!({ "openingFloat": eur(0) })).hidden()
        }
        "move_cash" => {
            let body = json!({ "kind": "pay_in", "amount": eur(1), "reason": "r" });
            send(format!("/shifts/{}/cash", w.shift), body).hidden()
        }
        "close_shift" => {
            send(format!("/shifts/{}/close", w.shift), json!({ "countedCash": eur(0) })).hidden()
        }
        "get_shift_report" => get(format!("/shifts/{}/report", w.shift)).hidden(),
        "create_sale" => send("/sales", w.basket("1")).refused(422, "UNKNOWN_REGISTER"),
        "list_sales" => get("/sales"),
        "get_sale" => get(format!("/sales/{}", w.sale)).hidden(),
        "void_sale" => send(format!("/sales/{}/void", w.sale), json!({ "reason": "r" })).hidden(),
        "refund_sale" => send(format!("/sales/{}/refund", w.sale), refund).hidden(),
        "report_sales" => get("/reports/sales?groupBy=product"),
        "report_vat" => get("/reports/vat"),
        _ => return None,
    })
}

fn of_money(operation: &str, w: &World) -> Option<Example> {
    let charge = json!({ "provider": "test", "method": "card_approved", "amount": eur(100) });
    let refund = json!({ "paymentId": w.payment, "amount": eur(1), "reason": "r" });
    Some(match operation {
        "charge_payment" => send("/payments/charge", charge),
        "refund_payment" => send("/payments/refund", refund).hidden(),
        "list_payments" => get("/payments"),
        "report_payments" => get("/payments/reconciliation?date=2026-11-21"),
        "get_payment" => get(format!("/payments/{}", w.payment)).hidden(),
        "confirm_payment" => {
            send(format!("/payments/{}/confirm", w.payment), json!({ "approve": true })).hidden()
        }
        "list_payment_providers" => get("/payments/providers"),
        "put_payment_provider" => {
            send("/payments/providers/test", json!({ "credentials": { "webhookSecret": "s" } }))
        }
        "receive_payment_webhook" => send("/payments/webhooks/test", json!({ "id": "evt_1" })),
        _ => return None,
    })
}

fn of_people(operation: &str, w: &World) -> Option<Example> {
    let key = json!({ "name": "New key", "permissions": ["keys:write"] });
    let staff =
        json!({ "email": "new@staff.example", "role": "cashier", "password": "correct horse battery" });
    let passwords = json!({ "currentPassword": "not this one", "newPassword": "correct horse battery" });
    Some(match operation {
        "list_security_events" => get("/security-events"),
        "list_own_feature_flags" => get("/feature-flags"),
        "list_own_usage" => get("/usage"),
        "list_own_facts" => get("/usage/facts?kind=sale&day=2026-11-21"),
        "get_own_cost_report" => get("/usage/cost"),
        "list_api_keys" => get("/api-keys"),
        "create_api_key" => send("/api-keys", key),
        "get_api_key" => get(format!("/api-keys/{}", w.api_key)).hidden(),
        "revoke_api_key" => get(format!("/api-keys/{}", w.api_key)).hidden(),
        "list_staff" => get("/staff"),
        "create_staff" => send("/staff", staff),
        "get_staff" => get(format!("/staff/{}", w.staff)).hidden(),
        "update_staff" => {
            send(format!("/staff/{}", w.staff), json!({ "role": "cashier", "active": true })).hidden()
        }
        "list_roles" => get("/roles"),
        "create_role" => send("/roles", json!({ "name": "helper", "permissions": ["roles:write"] })),
        "get_role" => get(format!("/roles/{}", w.role)).hidden(),
        "update_role" => {
            send(format!("/roles/{}", w.role), json!({ "description": "d", "permissions": ["roles:write"] }))
                .hidden()
        }
        "delete_role" => get(format!("/roles/{}", w.role)).hidden(),
        "get_settings" => get("/settings"),
        "put_settings" => send("/settings", json!({ "vatRounding": "total" })),
        "create_token" => {
            send("/auth/token", json!({ "email": "nobody@x.example", "password": "wrong one" }))
        }
        "end_session" => get("/auth/logout"),
        "get_me" => get("/me"),
        "change_password" => send("/me/password", passwords),
        _ => return None,
    })
}

fn of_webhooks(operation: &str, w: &World) -> Option<Example> {
    let hook = json!({ "url": "https://93.184.215.14/hook", "types": ["SaleRefunded"], "active": false });
    Some(match operation {
        "list_webhooks" => get("/webhooks"),
        "list_webhook_types" => get("/webhooks/types"),
        "create_webhook" => send("/webhooks", hook),
        "get_webhook" => get(format!("/webhooks/{}", w.webhook)).hidden(),
        "update_webhook" => send(format!("/webhooks/{}", w.webhook), hook).hidden(),
        "delete_webhook" => get(format!("/webhooks/{}", w.webhook)).hidden(),
        "rotate_webhook_secret" => get(format!("/webhooks/{}/rotate-secret", w.webhook)).hidden(),
        "test_webhook" => get(format!("/webhooks/{}/test", w.webhook)).hidden(),
        "list_webhook_deliveries" => get(format!("/webhooks/{}/deliveries", w.webhook)).hidden(),
        "get_webhook_delivery" => get(format!("/webhooks/deliveries/{}", w.delivery)).hidden(),
        "replay_webhook_delivery" => get(format!("/webhooks/deliveries/{}/replay", w.delivery)).hidden(),
        _ => return None,
    })
}

fn of_customers(operation: &str, w: &World) -> Option<Example> {
    let of = |path: &str| format!("/customers/{}{path}", w.customer);
    let place = json!({ "name": "Ann", "lines": ["Main Street 1"], "city": "Vienna", "country": "AT" });
    let address = json!({ "address": place });
    let consent = json!({ "purpose": "profiling", "granted": true, "source": "form" });
    let rule =
        json!({ "active": false, "earnPoints": 1, "earnPerAmount": 100, "burnPoints": 1, "burnAmount": 1 });
    let saved = format!("/addresses/{}", w.address);
    Some(match operation {
        "list_customers" => get("/customers"),
        "create_customer" => send("/customers", json!({ "name": "Bob" })),
        "get_customer" => get(of("")).hidden(),
        "update_customer" => send(of(""), json!({ "name": "Bob" })).hidden(),
        "delete_customer" => get(of("")).hidden(),
        "merge_customers" => {
            send(of("/merge"), json!({ "duplicate": w.customer })).refused(422, "MERGE_WITH_ITSELF")
        }
        "list_addresses" => get(of("/addresses")).hidden(),
        "create_address" => send(of("/addresses"), address).hidden(),
        "update_address" => send(of(&saved), address).hidden(),
        "delete_address" => get(of(&saved)).hidden(),
        "list_consents" => get(of("/consents")).hidden(),
        "record_consent" => send(of("/consents"), consent).hidden(),
        "list_notes" => get(of("/notes")).hidden(),
        "create_note" => send(of("/notes"), json!({ "text": "A note" })).hidden(),
        "get_loyalty" => get(of("/loyalty")).hidden(),
        "adjust_loyalty" => send(of("/loyalty"), json!({ "points": 1, "note": "n" })).hidden(),
        "get_loyalty_rule" => get("/customers/loyalty-rule"),
        "set_loyalty_rule" => send("/customers/loyalty-rule", rule),
        _ => return None,
    })
}

/// What customers and guests do by themselves; whoever works here is none, and has no `me`.
fn of_shoppers(operation: &str) -> Option<Example> {
    let sign_in = json!({ "email": "nobody@x.example", "password": "not this one" });
    let registration =
        json!({ "email": "new@x.example", "password": "correct horse battery", "name": "New" });
    let refresh = || json!({ "refreshToken": "nonsense" });
    let passwords = json!({ "currentPassword": "not this one", "newPassword": "correct horse battery" });
    Some(match operation {
        "create_guest" => get("/customers/guest"),
        "register_customer" => send("/customers/register", registration),
        "sign_in_customer" => send("/customers/sign-in", sign_in),
        "refresh_customer" => send("/customers/refresh", refresh()),
        "sign_out_customer" => send("/customers/sign-out", refresh()),
        "get_my_profile" => get("/customers/me"),
        "update_my_profile" => send("/customers/me", json!({ "name": "Me" })),
        "delete_my_profile" => get("/customers/me"),
        "change_my_password" => send("/customers/me/password", passwords),
        _ => return None,
    })
}

fn of_orders(operation: &str, w: &World) -> Option<Example> {
    let cart = |path: &str| format!("/carts/{}{path}", w.customer);
    let line = json!({ "sku": w.sku, "quantity": "1" });
    let payment = json!({ "provider": "test", "method": "card_approved" });
    let of_cart = |example: Example| example.hidden();
    Some(match operation {
        "get_cart" => get(cart("")).hidden(),
        "put_cart" => send(cart(""), json!({ "lines": [line] })).hidden(),
        "delete_cart" => get(cart("")).hidden(),
        "add_cart_line" => send(cart("/lines"), line).hidden(),
        "set_cart_line" => of_cart(send(cart(&format!("/lines/{}", w.sku)), json!({ "quantity": "2" }))),
        "remove_cart_line" => get(cart(&format!("/lines/{}", w.sku))).hidden(),
        "accept_cart" => get(cart("/accept")).hidden(),
        "create_checkout" => {
            send("/checkout", json!({ "cart": w.customer, "payment": payment })).refused(409, "CART_EMPTY")
        }
        "get_checkout" => get(format!("/checkout/{}", w.checkout)).hidden(),
        "list_stuck_money" => get("/payments/stuck"),
        "repair_stuck_money" => get(format!("/payments/stuck/{}/repair", w.payment)).hidden(),
        "create_order" => {
            send("/orders", json!({ "customer": w.customer, "lines": [line] })).refused(404, "CART_NOT_FOUND")
        }
        "list_orders" => get("/orders"),
        "get_order" => get(format!("/orders/{}", w.order)).hidden(),
        "set_order_status" => {
            send(format!("/orders/{}/status", w.order), json!({ "status": "packed" })).hidden()
        }
        _ => return None,
    })
}

fn of_the_operator(operation: &str) -> Option<Example> {
    let tenant = json!({
        "slug": "newcomer", "name": "Newcomer", "tier": "free", "currency": "EUR", "adminEmail": "n@newcomer.example"
    });
    let issuer =
        json!({ "url": "http://127.0.0.1:1/realm", "audience": "newcomer", "algorithms": ["RS256"] });
    let letter = "/admin/dead-letters/dlt_01J00000000000000000000000";
    Some(match operation {
        "list_tenants" => get("/admin/tenants"),
        "create_tenant" => send("/admin/tenants", tenant),
        "get_tenants_health" => get("/admin/tenants/health"),
        "get_tenant" => get("/admin/tenants/acme"),
        "update_tenant" => send("/admin/tenants/acme", json!({ "name": "Acme", "tier": "standard" })),
        "suspend_tenant" => get("/admin/tenants/nobody/suspend"),
        "resume_tenant" => get("/admin/tenants/acme/resume"),
        "reset_tenant_admin" => send("/admin/tenants/nobody/admin", json!({ "email": "a@acme.example" })),
        "list_audit_entries" => get("/audit"),
        "get_audit_entry" => get("/audit/1"),
        "get_rate_limit" | "delete_rate_limit" => get("/admin/tenants/acme/rate-limit"),
        "put_rate_limit" => send(
            "/admin/tenants/acme/rate-limit",
            json!({ "limit": 1000, "windowSeconds": 60, "burst": 1000, "queue": 10 }),
        ),
        "list_issuers" => get("/admin/tenants/acme/issuers"),
        "get_issuer" => get("/admin/tenants/acme/issuers/keycloak"),
        "put_issuer" => send("/admin/tenants/acme/issuers/keycloak", issuer),
        "delete_issuer" => get("/admin/tenants/acme/issuers/keycloak"),
        "list_all_security_events" => get("/admin/security-events"),
        "list_usage" => get("/admin/usage"),
        "list_facts" => get("/admin/tenants/acme/usage/facts?kind=sale&day=2026-11-21"),
        "get_cost_report" => get("/admin/tenants/acme/usage/cost"),
        "list_features" => get("/admin/features"),
        "list_feature_flags" => get("/admin/feature-flags"),
        "get_feature_default" | "delete_feature_default" => get("/admin/feature-flags/split-tender"),
        "put_feature_default" => send("/admin/feature-flags/split-tender", json!({ "enabled": true })),
        "get_feature_flag" | "delete_feature_flag" => get("/admin/feature-flags/acme/split-tender"),
        "put_feature_flag" => send("/admin/feature-flags/acme/split-tender", json!({ "enabled": true })),
        "list_shards" => get("/admin/shards"),
        "add_shard" => send("/admin/shards", json!({ "name": "elsewhere", "weight": 1 })),
        "get_shard" => get("/admin/shards/main"),
        "update_shard" => send("/admin/shards/main", json!({ "weight": 1, "draining": false })),
        "list_dead_letters" => get("/admin/dead-letters"),
        "get_dead_letter" => get(letter),
        "replay_dead_letter" => get(format!("{letter}/replay")),
        "drop_dead_letter" => get(letter),
        "list_jobs" => get("/admin/jobs"),
        "run_job" => get("/admin/jobs/messages.purge/run"),
        "get_jwks" => get("/.well-known/jwks.json"),
        "get_openid_configuration" => get("/.well-known/openid-configuration"),
        _ => return None,
    })
}
