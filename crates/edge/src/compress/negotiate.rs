//! Which content coding a client wants (RFC 9110, 12.5.3), and what it does to entity tags.

use http::{HeaderMap, HeaderValue, header};

/// Where `identity` stands among the weights, after the codings.
const IDENTITY: usize = Coding::ALL.len();

/// A content coding that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Fastest for what it saves.
    Zstd,
    /// Browsers speak it over TLS.
    Brotli,
    /// Everybody speaks it.
    Gzip,
}

impl Coding {
    /// All of them, those that we prefer first.
    pub(crate) const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// As `Content-Encoding` names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The strong entity tag of a coded answer: other bytes need another tag. Weak tags stay as they are.
    pub(super) fn tagged(self, etag: &HeaderValue) -> Option<HeaderValue> {
        let bare = etag.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
        HeaderValue::try_from(format!("\"{bare}-{}\"", self.name())).ok()
    }
}

/// Whether the entity tag `given` by a client (without quotes) names version `current`, coded or not.
pub(crate) fn is_tag_of(given: &str, current: &str) -> bool {
    given == current || uncoded(given) == Some(current)
}

/// The version that the tag of a coded answer stands for.
pub(crate) fn uncoded(given: &str) -> Option<&str> {
    Coding::ALL.iter().find_map(|coding| given.strip_suffix(coding.name())?.strip_suffix('-'))
}

/// The coding that the client likes best; `None` for the answer as it is. A client that refuses even that gets it
/// nonetheless: by now its request has had its effect, and a refusal would hide it.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Coding> {
    if !headers.contains_key(header::ACCEPT_ENCODING) {
        return None;
    }
    let mut weights = [None; IDENTITY + 1];
    let mut others = None;
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for (name, weight) in values.flat_map(|value| value.split(',')).filter_map(member) {
        match place(name) {
            Some(place) => weights[place] = Some(weight),
            None if name == "*" => others = Some(weight),
            None => {}
        }
    }
    let least = weights[IDENTITY].unwrap_or(0).max(1);
    let weighed = Coding::ALL.into_iter().zip(weights).map(|(coding, weight)| (weight.or(others), coding));
    let wanted = weighed.filter(|(weight, _)| weight.is_some_and(|weight| weight >= least));
    // Of equals the last is taken: ours are in the order of our preference.
    wanted.rev().max_by_key(|(weight, _)| *weight).map(|(_, coding)| coding)
}

fn place(name: &str) -> Option<usize> {
    let named = |known: &str| name.eq_ignore_ascii_case(known);
    if named("identity") {
        return Some(IDENTITY);
    }
    let name = if named("x-gzip") { "gzip" } else { name };
    Coding::ALL.iter().position(|coding| name.eq_ignore_ascii_case(coding.name()))
}

/// `gzip;q=0.5` as name and weight in thousandths; what cannot be read is passed over.
fn member(text: &str) -> Option<(&str, u16)> {
    let (name, parameter) = match text.split_once(';') {
        Some((name, parameter)) => (name, Some(parameter)),
        None => (text, None),
    };
    Some((name.trim(), parameter.map_or(Some(1000), |parameter| weight(parameter.trim()))?))
}

fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let plain = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !name.eq_ignore_ascii_case("q") || !plain {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(accepted: &[&str]) -> &'static str {
        let mut headers = HeaderMap::new();
        for value in accepted {
            headers.append(header::ACCEPT_ENCODING, value.parse().unwrap());
        }
        negotiate(&headers).map_or("identity", Coding::name)
    }

    // HTTP-13
    #[test]
    fn the_client_chooses_by_weight_and_we_among_equals() {
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip, deflate, br", "br"),
            ("GZIP", "gzip"),
            ("x-gzip", "gzip"),
            ("gzip;q=1.0, br;q=0.5", "gzip"),
            ("gzip;q=0.123, br;q=0.122", "gzip"),
            ("zstd;q=0, *", "br"),
            ("*;q=0.1", "zstd"),
            ("*;q=0, gzip", "gzip"),
            ("gzip ; q=0.5 , identity;q=0.4", "gzip"),
            ("gzip;q=0.5, identity", "identity"),
            ("identity;q=0", "identity"),
            ("gzip;q=0", "identity"),
            ("deflate, compress", "identity"),
            ("", "identity"),
            ("gzip;q=2, gzip;q=0.1234, gzip;p=1, gzip;q=-1, gzip;q=1.001, ;, gzip;q=", "identity"),
        ] {
            assert_eq!(best(&[accepted]), coding, "{accepted}");
        }
        assert_eq!(best(&["gzip", "br"]), "br");
        assert_eq!(best(&[]), "identity");
    }

    // HTTP-7
    #[test]
    fn a_coded_answer_has_a_tag_of_its_own_that_names_the_same_version() {
        let tagged = Coding::Gzip.tagged(&HeaderValue::from_static("\"3\"")).unwrap();
        assert_eq!(tagged, "\"3-gzip\"");
        assert_eq!(Coding::Gzip.tagged(&HeaderValue::from_static("W/\"3\"")), None);
        for given in ["3", "3-gzip", "3-br", "3-zstd"] {
            assert!(is_tag_of(given, "3"), "{given}");
        }
        for given in ["4-gzip", "3-lzma", "gzip", "-gzip", "3gzip"] {
            assert!(!is_tag_of(given, "3"), "{given}");
        }
        assert!(is_tag_of("3-br", "3-br"), "a version that looks like a coded one");
    }
}
