//! Who vouches for rooms in tests: makes certificates as an operator would.

use std::fs;
use std::path::Path;
use std::time::Duration;

use moim_kit::Clock;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, date_time_ymd};

/// Knobs that name files, and where these are.
type Files = [(&'static str, String); 3];

/// A private authority.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// From when until when a certificate is good, in seconds from now.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    from_s: i64,
    to_s: i64,
}

impl Life {
    /// Longer than any test.
    pub fn long() -> Self {
        Self::of(86_400)
    }

    /// So many seconds from now on, and the minute before.
    pub fn of(seconds: i64) -> Self {
        Self { from_s: -60, to_s: seconds }
    }

    /// It ended a minute ago.
    pub fn over() -> Self {
        Self { from_s: -3_600, to_s: -60 }
    }
}

impl Authority {
    /// A new one, which nobody trusts yet.
    #[allow(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        let (certificate, issuer) = moim_testbed::authority();
        Self { certificate, issuer }
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.certificate
    }

    /// Certificate and key that speak for these rooms, PEM.
    pub fn vouch(&self, rooms: &[&str], life: Life) -> (String, String) {
        let names: Vec<_> = rooms.iter().map(|room| format!("{room}.moim")).collect();
        let mut about = CertificateParams::new(names).unwrap();
        let now = Clock::system().now().seconds();
        let at = |seconds| {
            let since = u64::try_from(now + seconds).unwrap();
            date_time_ymd(1970, 1, 1) + Duration::from_secs(since)
        };
        (about.not_before, about.not_after) = (at(life.from_s), at(life.to_s));
        about.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = about.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// The same as files of a directory, each replaced whole, with the knobs that name them.
    pub fn issue(&self, directory: &Path, rooms: &[&str], life: Life) -> Files {
        let (certificate, key) = self.vouch(rooms, life);
        fs::create_dir_all(directory).unwrap();
        let place = |name: &str, pem: &str| {
            let (file, new) = (directory.join(name), directory.join(format!("{name}.new")));
            fs::write(&new, pem).unwrap();
            fs::rename(new, &file).unwrap();
            file.to_str().unwrap().to_owned()
        };
        [
            ("MOIM_TLS__CERTIFICATE_FILE", place("certificate.pem", &certificate)),
            ("MOIM_TLS__KEY_FILE", place("key.pem", &key)),
            ("MOIM_TLS__AUTHORITY_FILE", place("authority.pem", &self.certificate)),
        ]
    }
}
