//! Rules for a tenant's settings, beyond their types.

use garde::{Error, Path, Report, Validate};
use jiff::tz::TimeZone;
use kernel::TenantSettings;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

const MOST_ORIGINS: usize = 20;

/// A tenant's settings as a request brings them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub TenantSettings);

impl PartialSchema for Settings {
    fn schema() -> RefOr<Schema> {
        TenantSettings::schema()
    }
}

impl ToSchema for Settings {
    fn name() -> std::borrow::Cow<'static, str> {
        TenantSettings::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        TenantSettings::schemas(schemas);
    }
}

impl Validate for Settings {
    type Context = ();

    fn validate_into(&self, _ctx: &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        let settings = &self.0;
        if !(1..=1000).contains(&settings.cash_rounding.0) {
            report.append(parent().join("cashRounding"), Error::new("must be between 1 and 1000"));
        }
        if settings.time_zone.len() > 64 || TimeZone::get(&settings.time_zone).is_err() {
            report
                .append(parent().join("timeZone"), Error::new("must be an IANA time zone, as Europe/Vienna"));
        }
        if settings.cors_origins.len() > MOST_ORIGINS {
            report.append(parent().join("corsOrigins"), Error::new("at most 20"));
        }
        for (at, origin) in settings.cors_origins.iter().enumerate() {
            if !is_origin(origin) {
                let error = Error::new("must be an origin, as https://shop.example, in lower case");
                report.append(parent().join("corsOrigins").join(at), error);
            }
        }
    }
}

/// `scheme://host[:port]` as browsers send it.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "1"));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    text.len() <= 200
        && !host.is_empty()
        && host.bytes().all(plain)
        && port.parse::<u16>().is_ok_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use kernel::CashRounding;

    use super::*;

    #[test]
    fn origins_are_told_from_other_addresses() {
        for origin in ["https://shop.example", "http://localhost:5173", "https://a-b.c:8443"] {
            assert!(is_origin(origin), "{origin}");
        }
        for text in
            ["*", "null", "https://", "https://a/", "https://A.b", "ftp://a", "https://a:0", "https://a:x"]
        {
            assert!(!is_origin(text), "{text}");
        }
    }

    // HTTP-8
    #[test]
    fn wrong_settings_are_refused_by_name() {
        let mut settings =
            TenantSettings { time_zone: "Mars/Olympus".to_owned(), ..TenantSettings::default() };
        settings.cash_rounding = CashRounding(0);
        settings.cors_origins = vec!["https://fine.example".to_owned(), "*".to_owned()];
        let report = Settings(settings).validate().unwrap_err();
        let mut places: Vec<_> = report.iter().map(|(path, _)| path.to_string()).collect();
        places.sort();
        assert_eq!(places, ["cashRounding", "corsOrigins[1]", "timeZone"]);
        assert!(Settings::default().validate().is_ok());
    }
}
