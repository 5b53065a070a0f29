//! Webhooks of Toss Payments: whether one may be heard, and which charge it speaks of.
//!
//! From "웹훅 이벤트" and "웹훅 연결하기" at docs.tosspayments.com. Every webhook names its transmission (`-id`) and
//! when that was sent (`-time`). A signature, HMAC-SHA256 over body, colon and time, several when a key is
//! being changed, comes with `payout.changed` and `seller.changed` only: **webhooks about payments are not
//! signed**, and the documentation has their receiver ask for the payment instead. That is what a [`Notice`]
//! leads to, so without a key an unsigned one is heard; with a key, only a signed one is.
//!
//! A webhook that was not taken comes again up to seven times, the last after almost four days. The
//! documentation calls its time that of sending, and a question in the developers' forum shows the sixth
//! repetition, 22 hours 45 minutes after its event, under a time of its own. So five minutes do for all of
//! them; were it otherwise, a late one would be refused and the room would ask without being told to.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use hmac::{Hmac, Mac};
use moim_kit::{Fault, Timestamp};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::fault::Reason;
use crate::provider::Notice;
use crate::toss::is_order;

const ID: &str = "tosspayments-webhook-transmission-id";
const TIME: &str = "tosspayments-webhook-transmission-time";
const SIGNATURE: &str = "tosspayments-webhook-signature";

/// Either way, for clocks differ.
const FRESH: Duration = Duration::from_secs(5 * 60);
const SIGNATURES: usize = 8;
const ID_BYTES: usize = 128;

/// The charge a webhook speaks of; refuses one that is late or not as it should be, and, under a secret, one
/// that is not signed with it.
pub fn read(
    secret: &str,
    headers: &HashMap<String, String>,
    body: &[u8],
    now: Timestamp,
) -> Result<Option<Notice>, Fault> {
    let id = header(headers, ID)?;
    if id.len() > ID_BYTES || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused("its id is unfit"));
    }
    let time = header(headers, TIME)?;
    let sent = DateTime::parse_from_rfc3339(time).map_err(|_| refused("its time is no time"))?;
    let sent = Timestamp::from_us(sent.timestamp_micros());
    if sent < now.before(FRESH) || sent > now.after(FRESH) {
        return Err(refused("its time is not now"));
    }
    if !secret.is_empty() && !is_signed(secret, header(headers, SIGNATURE)?, body, time) {
        return Err(refused("no signature is good"));
    }
    let event: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| refused("its body is no event"))?;
    if event.get("eventType").is_none_or(|kind| kind != "PAYMENT_STATUS_CHANGED") {
        return Ok(None);
    }
    match event.get("data").and_then(|data| data.get("orderId")).and_then(Value::as_str) {
        Some(order) if is_order(order) => {
            Ok(Some(Notice { id: id.to_owned(), order: order.to_owned() }))
        }
        _ => Err(refused("it names no order")),
    }
}

fn header<'a>(headers: &'a HashMap<String, String>, name: &str) -> Result<&'a str, Fault> {
    let value = headers.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    value.ok_or_else(|| refused("a header is missing"))
}

/// True when any of the signatures is good; every one is compared, each in constant time.
fn is_signed(secret: &str, signatures: &str, body: &[u8], time: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.update(b":");
    mac.update(time.as_bytes());
    let expected = mac.finalize().into_bytes();
    let mut good = Choice::from(0);
    for signature in signatures.split(',').take(SIGNATURES) {
        let encoded = signature.trim().strip_prefix("v1:").unwrap_or_default();
        let signature = STANDARD.decode(encoded).unwrap_or_default();
        good |= expected[..].ct_eq(&signature);
    }
    good.into()
}

/// One word to whoever sent it, the cause to nobody but who looks for it: anyone may send anything here.
fn refused(why: &'static str) -> Fault {
    tracing::debug!(why, "a webhook was refused");
    Reason::WebhookRefused.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toss_stand::{status_changed, webhook_headers};

    const ORDER: &str = "an-order_of=1";
    const TIME_TEXT: &str = "2026-11-27T18:00:00+09:00";
    const SECRET: &str = "a secret";
    /// The same instant.
    const NOW: Timestamp = Timestamp::from_us(1_795_770_000_000_000);

    fn noticed(secret: &str, headers: &HashMap<String, String>, body: &[u8]) -> Option<Notice> {
        read(secret, headers, body, NOW).unwrap()
    }

    fn is_refused(secret: &str, headers: &HashMap<String, String>, body: &[u8]) -> bool {
        let fault = read(secret, headers, body, NOW).err();
        fault.is_some_and(|fault| fault.reason() == Reason::WebhookRefused.name())
    }

    #[test]
    fn an_unsigned_one_is_a_hint_where_nothing_signed_is_expected() {
        let body = status_changed("key", ORDER, "DONE");
        let headers = webhook_headers("whtrans_1", TIME_TEXT, &body, &[]);
        let notice = Notice { id: "whtrans_1".to_owned(), order: ORDER.to_owned() };
        assert_eq!(noticed("", &headers, &body), Some(notice));
        assert!(is_refused(SECRET, &headers, &body));
    }

    #[test]
    fn one_good_signature_of_several_is_enough() {
        let body = status_changed("key", ORDER, "DONE");
        for (secrets, good) in [
            (&[SECRET][..], true),
            (&["old", SECRET], true),
            (&[SECRET, "new"], true),
            (&["old", "new"], false),
        ] {
            let headers = webhook_headers("1", TIME_TEXT, &body, secrets);
            assert_eq!(is_refused(SECRET, &headers, &body), !good, "{secrets:?}");
        }
    }

    #[test]
    fn a_signature_is_of_this_body_and_this_time() {
        let body = status_changed("key", ORDER, "DONE");
        let signed = webhook_headers("1", TIME_TEXT, &body, &[SECRET]);
        assert!(!is_refused(SECRET, &signed, &body));
        let other = status_changed("key", "another-order", "DONE");
        assert!(is_refused(SECRET, &signed, &other));
        let mut moved = signed.clone();
        moved.insert(TIME.to_owned(), "2026-11-27T18:00:01+09:00".to_owned());
        assert!(is_refused(SECRET, &moved, &body));
        for bad in ["", "v1:", "v1:!", "v2:AAAA", ",,,,", "v1:AAAA"] {
            let mut headers = signed.clone();
            headers.insert(SIGNATURE.to_owned(), bad.to_owned());
            assert!(is_refused(SECRET, &headers, &body), "{bad}");
        }
        let bare = signed[SIGNATURE].trim_start_matches("v1:").to_owned();
        let mut headers = signed.clone();
        headers.insert(SIGNATURE.to_owned(), bare);
        assert!(is_refused(SECRET, &headers, &body));
    }

    #[test]
    fn what_was_sent_long_ago_or_is_yet_to_come_is_refused() {
        let body = status_changed("key", ORDER, "DONE");
        for (time, good) in [
            ("2026-11-27T17:55:00+09:00", true),
            ("2026-11-27T09:05:00Z", true),
            ("2026-11-27T17:54:59+09:00", false),
            ("2026-11-27T18:05:01+09:00", false),
            ("2026-11-27T18:00:00", false),
            ("+262143-01-01T00:00:00Z", false),
            ("now", false),
        ] {
            let headers = webhook_headers("1", time, &body, &[SECRET]);
            assert_eq!(is_refused(SECRET, &headers, &body), !good, "{time}");
        }
    }

    #[test]
    fn a_replay_keeps_its_id() {
        let body = status_changed("key", ORDER, "DONE");
        let headers = webhook_headers("whtrans_7", TIME_TEXT, &body, &[SECRET]);
        let (first, again) = (noticed(SECRET, &headers, &body), noticed(SECRET, &headers, &body));
        assert_eq!(first, again);
        assert_eq!(first.unwrap().id, "whtrans_7");
    }

    #[test]
    fn one_without_its_headers_is_refused() {
        let body = status_changed("key", ORDER, "DONE");
        for missing in [ID, TIME, SIGNATURE] {
            let mut headers = webhook_headers("1", TIME_TEXT, &body, &[SECRET]);
            headers.remove(missing);
            assert!(is_refused(SECRET, &headers, &body), "{missing}");
        }
        for id in ["", " ", "a b", "\u{1f600}", &"a".repeat(129)] {
            let headers = webhook_headers(id, TIME_TEXT, &body, &[SECRET]);
            assert!(is_refused(SECRET, &headers, &body), "{id}");
        }
    }

    #[test]
    fn other_events_concern_no_charge_and_no_events_are_refused() {
        for (body, good) in [
            (r#"{"eventType":"payout.changed","entityBody":{}}"#, true),
            (r#"{"eventType":"BILLING_DELETED","data":{"billingKey":"a"}}"#, true),
            (r#"{"secret":"a","status":"DONE","orderId":"an-order-1"}"#, true),
            (r#"{"eventType":"PAYMENT_STATUS_CHANGED"}"#, false),
            (r#"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":7}}"#, false),
            (r#"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"a b c d"}}"#, false),
            (r#"{"eventType":7}"#, true),
            ("[]", false),
            ("{", false),
            ("", false),
        ] {
            let headers = webhook_headers("1", TIME_TEXT, body.as_bytes(), &[]);
            let heard = read("", &headers, body.as_bytes(), NOW);
            assert_eq!(heard.as_ref().is_ok_and(Option::is_none), good, "{body}");
            assert_eq!(is_refused("", &headers, body.as_bytes()), !good, "{body}");
        }
    }
}
