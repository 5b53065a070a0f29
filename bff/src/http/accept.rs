//! Which media type a client gets (RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::ACCEPT;

use super::profile::{MediaType, Profile};

/// The media type to answer with; None when the client takes neither.
pub(super) fn negotiate(headers: &HeaderMap, profile: Profile) -> Option<MediaType> {
    let Some(ranges) = ranges(headers) else { return Some(profile.usual()) };
    let weigh = |media| {
        let subtype = match media {
            MediaType::Json => "json",
            MediaType::GraphqlResponse => "graphql-response+json",
        };
        weight(&ranges, "application", subtype)
    };
    let (json, graphql) = (weigh(MediaType::Json), weigh(MediaType::GraphqlResponse));
    match (json, graphql) {
        (None, None) => None,
        (Some(_), None) => Some(MediaType::Json),
        (None, Some(_)) => Some(MediaType::GraphqlResponse),
        (Some(json), Some(graphql)) if json.q != graphql.q => {
            Some(if json.q > graphql.q { MediaType::Json } else { MediaType::GraphqlResponse })
        }
        // Equally welcome: the order they are listed in decides, and the profile when one range took in both.
        (Some(json), Some(graphql)) if json.place != graphql.place => {
            Some(if json.place < graphql.place {
                MediaType::Json
            } else {
                MediaType::GraphqlResponse
            })
        }
        _ => Some(profile.usual()),
    }
}

/// Whether an answer may be a stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streams {
    /// Where there is no other way.
    Possible,
    /// Rather than one body.
    Preferred,
    No,
}

/// What the client thinks of `text/event-stream`, which it must name.
pub(super) fn streams(headers: &HeaderMap) -> Streams {
    let ranges = ranges(headers).unwrap_or_default();
    let named = ranges.iter().position(|range| {
        range.kind.eq_ignore_ascii_case("text")
            && range.subtype.eq_ignore_ascii_case("event-stream")
            && range.q > 0
    });
    let Some((place, q)) = named.and_then(|place| Some((place, ranges.get(place)?.q))) else {
        return Streams::No;
    };
    let others = ["json", "graphql-response+json"].map(|it| weight(&ranges, "application", it));
    let better = |other: &Weight| other.q > q || (other.q == q && other.place < place);
    if others.iter().flatten().any(better) { Streams::Possible } else { Streams::Preferred }
}

/// True for a browser that opens the address: it names `text/html` and no media type of ours.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    ranges(headers).is_some_and(|ranges| {
        let names = |subtype| ranges.iter().any(|range| range.subtype == subtype);
        names("html") && !names("json") && !names("graphql-response+json")
    })
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    q: u16,
    utf8: bool,
}

#[derive(Clone, Copy)]
struct Weight {
    q: u16,
    place: usize,
}

fn ranges(headers: &HeaderMap) -> Option<Vec<Range<'_>>> {
    let mut lines = headers.get_all(ACCEPT).iter().peekable();
    lines.peek()?;
    let texts = lines.filter_map(|line| line.to_str().ok());
    Some(texts.flat_map(|line| line.split(',')).filter_map(range).collect())
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let mut range = Range { kind, subtype, q: 1_000, utf8: true };
    for part in parts {
        let Some((name, value)) = part.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("q") {
            range.q = thousandths(value)?;
        } else if name.trim().eq_ignore_ascii_case("charset") {
            range.utf8 = value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8");
        }
    }
    Some(range)
}

fn thousandths(text: &str) -> Option<u16> {
    let q = text.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))?;
    Some((q * 1_000.0) as u16)
}

/// The most specific range decides, so that `application/json;q=0, */*` excludes JSON.
fn weight(ranges: &[Range<'_>], kind: &str, subtype: &str) -> Option<Weight> {
    let matching =
        ranges.iter().enumerate().filter(|(_, range)| range.utf8).filter_map(|(place, range)| {
            let exact = range.kind.eq_ignore_ascii_case(kind);
            let specificity = match range.subtype {
                "*" if range.kind == "*" => 0,
                "*" if exact => 1,
                name if exact && name.eq_ignore_ascii_case(subtype) => 2,
                _ => return None,
            };
            Some((specificity, Weight { q: range.q, place }))
        });
    let mut best: Option<(u8, Weight)> = None;
    for (specificity, weight) in matching {
        if best.is_none_or(|(known, _)| specificity > known) {
            best = Some((specificity, weight));
        }
    }
    best.map(|(_, weight)| weight).filter(|weight| weight.q > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &str, profile: Profile) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        negotiate(&headers, profile)
    }

    #[test]
    fn the_highest_weight_wins_then_the_order_then_the_profile() {
        use MediaType::{GraphqlResponse, Json};
        for (accept, audit, edition) in [
            ("application/json", Some(Json), Some(Json)),
            ("APPLICATION/JSON; Charset=\"UTF-8\"", Some(Json), Some(Json)),
            (
                "application/graphql-response+json, application/json;q=0.9",
                Some(GraphqlResponse),
                Some(GraphqlResponse),
            ),
            (
                "application/graphql-response+json;q=0.5, application/json;q=0.9",
                Some(Json),
                Some(Json),
            ),
            ("application/json, application/graphql-response+json", Some(Json), Some(Json)),
            (
                "text/html, application/graphql-response+json, application/json",
                Some(GraphqlResponse),
                Some(GraphqlResponse),
            ),
            ("*/*", Some(Json), Some(GraphqlResponse)),
            ("application/*;q=0.1", Some(Json), Some(GraphqlResponse)),
            ("application/json;q=0, */*", Some(GraphqlResponse), Some(GraphqlResponse)),
            ("text/html", None, None),
            ("application/json; charset=iso-8859-1", None, None),
            ("application/json;q=0", None, None),
            ("nonsense", None, None),
            ("", None, None),
        ] {
            assert_eq!(negotiated(accept, Profile::Audit), audit, "{accept}");
            assert_eq!(negotiated(accept, Profile::September2026), edition, "{accept}");
        }
        assert_eq!(negotiate(&HeaderMap::new(), Profile::Audit), Some(Json));
    }

    #[test]
    fn a_stream_is_made_only_for_those_who_name_it() {
        for (accept, expected) in [
            ("text/event-stream", Streams::Preferred),
            ("TEXT/Event-Stream, application/json", Streams::Preferred),
            ("text/event-stream, */*;q=0.5", Streams::Preferred),
            ("application/json, text/event-stream", Streams::Possible),
            ("text/event-stream;q=0.5, application/json", Streams::Possible),
            ("text/event-stream;q=0", Streams::No),
            ("text/*", Streams::No),
            ("*/*", Streams::No),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(streams(&headers), expected, "{accept}");
        }
    }

    #[test]
    fn only_browsers_that_open_the_address_want_the_page() {
        let mut headers = HeaderMap::new();
        assert!(!wants_page(&headers));
        headers.insert(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap());
        assert!(wants_page(&headers));
        headers.insert(ACCEPT, "application/json, text/html".parse().unwrap());
        assert!(!wants_page(&headers));
    }
}
