//! Calendar files (RFC 5545) of schedules, and the signatures on links to them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use hmac::{Hmac, Mac as _};
use moim_kit::Timestamp;
use moim_kit::id::ScheduleId;
use sha2::Sha256;

use crate::fault::Reason;
use crate::model::Schedule;

/// Half of the hash: short in a link, and still beyond guessing.
const SIGNATURE_BYTES: usize = 16;
const SHORTEST_KEY: usize = 16;
/// A line's most octets without its end.
const LINE_OCTETS: usize = 75;

/// Signs the links to calendar files, so that they work without signing in and for one schedule only.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// Signs with a key that is long enough not to be guessed.
    pub fn try_new(key: &[u8]) -> Result<Self, Reason> {
        if key.len() < SHORTEST_KEY {
            return Err(Reason::CalendarKeyShort);
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| Reason::CalendarKeyShort)
    }

    /// Path of a schedule's calendar file.
    pub fn path(&self, id: ScheduleId) -> String {
        let hash = self.hash_of(id).finalize().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(&hash[..SIGNATURE_BYTES]);
        format!("/calendar/{id}.ics?signature={signature}")
    }

    /// True when this signature stands in the path of this schedule; takes the same time either way.
    pub fn verifies(&self, id: ScheduleId, signature: &str) -> bool {
        URL_SAFE_NO_PAD.decode(signature).is_ok_and(|tag| {
            tag.len() == SIGNATURE_BYTES && self.hash_of(id).verify_truncated_left(&tag).is_ok()
        })
    }

    fn hash_of(&self, id: ScheduleId) -> Hmac<Sha256> {
        self.0.clone().chain_update(b"calendar:").chain_update(id.uuid().as_bytes())
    }
}

/// The calendar file of a schedule, as a client subscribes to or imports it.
pub fn calendar(schedule: &Schedule, gathering: &str, now: Timestamp) -> String {
    let status = if schedule.cancelled_at.is_some() { "CANCELLED" } else { "CONFIRMED" };
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//moim//schedule//KO".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@moim", schedule.id),
        format!("SEQUENCE:{}", schedule.sequence),
        format!("DTSTAMP:{}", utc(now)),
        format!("CREATED:{}", utc(schedule.created_at)),
        format!("DTSTART:{}", utc(schedule.starts_at)),
        format!("DTEND:{}", utc(schedule.ends_at)),
        format!("STATUS:{status}"),
        format!("SUMMARY:{}", escape(&schedule.title)),
        format!("DESCRIPTION:{}", escape(&schedule.description)),
        format!("LOCATION:{}", escape(&schedule.place)),
        // A published event must name its organizer (RFC 5546); a gathering has no address but its id.
        format!("ORGANIZER;CN={}:urn:uuid:{}", quote(gathering), schedule.gathering_id),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    let mut file = String::new();
    for line in &lines {
        fold(line, &mut file);
    }
    file
}

/// An instant in the form with UTC time (RFC 5545, 3.3.5).
fn utc(at: Timestamp) -> String {
    DateTime::from_timestamp(at.seconds(), 0)
        .unwrap_or_default()
        .format("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// A value of type TEXT (3.3.11).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A parameter's value in quotes (3.2), with what must not stand there written as RFC 6868 says.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '^' => quoted.push_str("^^"),
            '"' => quoted.push_str("^'"),
            letter if letter.is_control() => {}
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes a line in pieces of at most 75 octets (3.1), never through the middle of a character.
fn fold(line: &str, file: &mut String) {
    let mut rest = line;
    let mut room = LINE_OCTETS;
    while rest.len() > room {
        let (piece, further) = rest.split_at(rest.floor_char_boundary(room));
        file.push_str(piece);
        file.push_str("\r\n ");
        rest = further;
        // The space that marks a continuation counts.
        room = LINE_OCTETS - 1;
    }
    file.push_str(rest);
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moim_kit::id::GatheringId;

    use super::*;
    use crate::model::Plan;

    fn folded(line: &str) -> String {
        let mut file = String::new();
        fold(line, &mut file);
        file
    }

    #[test]
    fn a_line_is_folded_at_75_octets_and_between_characters() {
        assert_eq!(folded(&"a".repeat(75)), format!("{}\r\n", "a".repeat(75)));
        assert_eq!(folded(&"a".repeat(76)), format!("{}\r\n a\r\n", "a".repeat(75)));
        for line in ["가".repeat(100), format!("a{}", "나".repeat(99)), "🏃".repeat(60)] {
            let file = folded(&line);
            assert!(file.split("\r\n").all(|piece| piece.len() <= 75), "{file}");
            assert_eq!(file.replace("\r\n ", "").trim_end(), line, "unfolding restores it");
        }
    }

    #[test]
    fn text_is_escaped_and_cannot_begin_another_property() {
        assert_eq!(escape("a;b,c\\d"), "a\\;b\\,c\\\\d");
        assert_eq!(escape("하나\n둘"), "하나\\n둘");
        assert_eq!(escape("x\r\nATTENDEE:y"), "x\\nATTENDEE:y");
        assert_eq!(quote("\"책\" ^ 모임"), "\"^'책^' ^^ 모임\"");
    }

    #[test]
    fn a_calendar_shows_its_schedule() {
        let starts_at = Timestamp::from_us(1_798_106_400_000_000);
        let plan = Plan {
            title: "연말, 모임".to_owned(),
            description: "선물; 하나씩\n가져오세요".to_owned(),
            place: "성수".to_owned(),
            starts_at,
            ends_at: starts_at.after(Duration::from_secs(7_200)),
            time_zone: "Asia/Seoul".to_owned(),
            capacity: 10,
            fee_krw: 0,
            refundable_until: None,
        };
        let now = starts_at.before(Duration::from_secs(3_600));
        let schedule = plan.announce(GatheringId::fresh(), now).unwrap();
        let file = calendar(&schedule, "책 읽는 밤", now).replace("\r\n ", "");
        let lines: Vec<_> = file.split_terminator("\r\n").collect();
        assert!(!file.replace("\r\n", "").contains(['\r', '\n']));
        for line in [
            "METHOD:PUBLISH",
            &format!("UID:{}@moim", schedule.id),
            "SEQUENCE:0",
            "DTSTAMP:20261224T090000Z",
            "DTSTART:20261224T100000Z",
            "DTEND:20261224T120000Z",
            "STATUS:CONFIRMED",
            "SUMMARY:연말\\, 모임",
            "DESCRIPTION:선물\\; 하나씩\\n가져오세요",
            "LOCATION:성수",
        ] {
            assert!(lines.contains(&line), "{line} in {file}");
        }
        let cancelled = schedule.cancelled("비".to_owned(), now).unwrap();
        let file = calendar(&cancelled, "책 읽는 밤", now);
        assert!(file.contains("STATUS:CANCELLED\r\n") && file.contains("SEQUENCE:1\r\n"));
    }

    #[test]
    fn a_signature_is_good_for_one_schedule_and_one_key() {
        let signer = Signer::try_new(&[1; 32]).unwrap();
        let id = ScheduleId::fresh();
        let path = signer.path(id);
        let signature = path.split_once("signature=").unwrap().1;
        assert!(signer.verifies(id, signature));
        assert!(!signer.verifies(ScheduleId::fresh(), signature));
        assert!(!Signer::try_new(&[2; 32]).unwrap().verifies(id, signature));
        for bad in ["", &signature[..4], "%%", &signature.to_lowercase(), &format!("{signature}AA")]
        {
            assert!(!signer.verifies(id, bad), "{bad}");
        }
        assert!(Signer::try_new(b"short").is_err());
    }
}
