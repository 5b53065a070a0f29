//! What was read from the files of certificates, checked as another room will check it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};

use super::{Config, HOUSE, Names};
use crate::clock::{Clock, Timestamp};

/// Longest life that is looked for.
const TEN_YEARS_S: u64 = 315_360_000;

/// Certificates that no room can work with.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Some of the files are named and others not.
    #[error("tls.certificate_file, tls.key_file and tls.authority_file are needed together")]
    Incomplete,
    /// A file cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// A file does not hold what it should.
    #[error("{0} holds no {1} in PEM")]
    Empty(&'static str, &'static str),
    /// The key is that of another certificate.
    #[error("the key in tls.key_file is not that of the certificate in tls.certificate_file")]
    Apart,
    /// The certificate names no room.
    #[error("the certificate in tls.certificate_file names no room, such as bff.moim")]
    Nameless,
    /// No room is called so.
    #[error("{0:?} cannot be the name of a room")]
    NoName(String),
    /// Other rooms would refuse it.
    #[error("other rooms would refuse the certificate in tls.certificate_file")]
    Refused(#[source] rustls::Error),
    /// The authorities cannot be used.
    #[error("the certificates in tls.authority_file cannot be used: {0}")]
    Authority(String),
}

/// The files as they are.
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authority: Vec<u8>,
}

/// Tells contents apart without keeping the key.
pub(super) type Stamp = [u8; 32];

impl Files {
    pub(super) async fn read(config: &Config) -> Result<Self, Unfit> {
        let read = async |path: &PathBuf| {
            let bytes = tokio::fs::read(path).await;
            bytes.map_err(|error| Unfit::Unreadable(path.clone(), error))
        };
        Ok(Self {
            certificate: read(&config.certificate_file).await?,
            key: read(&config.key_file).await?,
            authority: read(&config.authority_file).await?,
        })
    }

    pub(super) fn stamp(&self) -> Stamp {
        let mut hash = Sha256::new();
        for part in [&self.certificate, &self.key, &self.authority] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// One certificate in use, and until when.
pub(super) struct Papers {
    pub stamp: Stamp,
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
    pub names: Names,
    pub ends_at: Timestamp,
}

impl Papers {
    pub(super) fn try_new(files: &Files, clock: &Clock) -> Result<Self, Unfit> {
        let chain = certificates(&files.certificate, "tls.certificate_file")?;
        let key = PrivateKeyDer::from_pem_slice(&files.key)
            .map_err(|_| Unfit::Empty("tls.key_file", "key"))?;
        let mut roots = RootCertStore::empty();
        for authority in certificates(&files.authority, "tls.authority_file")? {
            roots.add(authority).map_err(|error| Unfit::Authority(error.to_string()))?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(ring::default_provider()));
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| Unfit::Authority(error.to_string()))?;
        let names = check(&chain, &roots, &*verifier, clock)?;
        let ends_at = end(&chain, &*verifier, clock.now());

        let time: Arc<dyn TimeProvider> = Arc::new(HouseTime(clock.clone()));
        let mut server = ServerConfig::builder_with_details(provider.clone(), time.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(Unfit::Refused)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(unfit_key)?;
        server.alpn_protocols = vec![b"h2".to_vec()];
        // A session taken up again would not be asked for its certificate again.
        server.send_tls13_tickets = 0;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        let mut client = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&TLS13])
            .map_err(Unfit::Refused)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(unfit_key)?;
        client.alpn_protocols = vec![b"h2".to_vec()];
        client.resumption = Resumption::disabled();
        let (server, client) = (Arc::new(server), Arc::new(client));
        Ok(Self { stamp: files.stamp(), server, client, names, ends_at })
    }
}

fn certificates(pem: &[u8], file: &'static str) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|it| !it.is_empty()).ok_or(Unfit::Empty(file, "certificate"))
}

fn unfit_key(error: rustls::Error) -> Unfit {
    match error {
        rustls::Error::InconsistentKeys(_) => Unfit::Apart,
        error => Unfit::Refused(error),
    }
}

/// As a room that is called will look at it, and as one that calls.
fn check(
    chain: &[CertificateDer<'_>],
    roots: &Arc<RootCertStore>,
    verifier: &dyn ClientCertVerifier,
    clock: &Clock,
) -> Result<Names, Unfit> {
    let refused = |_| Unfit::Refused(rustls::CertificateError::BadEncoding.into());
    let [own, between @ ..] = chain else { return Err(Unfit::Nameless) };
    let now = unix(clock.now());
    verifier.verify_client_cert(own, between, now).map_err(Unfit::Refused)?;
    let names = Names::of(own).map_err(refused)?;
    let first = names.0.first().ok_or(Unfit::Nameless)?;
    let name = server_name(first)?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
        .build()
        .map_err(|error| Unfit::Authority(error.to_string()))?;
    verifier.verify_server_cert(own, between, &name, &[], now).map_err(Unfit::Refused)?;
    Ok(names)
}

/// When it will be refused first, whichever certificate of the chain ends then.
fn end(
    chain: &[CertificateDer<'_>],
    verifier: &dyn ClientCertVerifier,
    now: Timestamp,
) -> Timestamp {
    let [own, between @ ..] = chain else { return now };
    let after = |seconds| now.after(Duration::from_secs(seconds));
    let good = |seconds| verifier.verify_client_cert(own, between, unix(after(seconds))).is_ok();
    let (mut low, mut high) = (0, TEN_YEARS_S);
    while low < high {
        let middle = low + (high - low) / 2;
        if good(middle) { low = middle + 1 } else { high = middle }
    }
    after(low)
}

/// The name a room's certificate carries.
pub(super) fn server_name(room: &str) -> Result<ServerName<'static>, Unfit> {
    ServerName::try_from(format!("{room}{HOUSE}")).map_err(|_| Unfit::NoName(room.to_owned()))
}

fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.seconds()).unwrap_or(0)))
}

/// Certificates are judged by the house's clock.
#[derive(Debug)]
struct HouseTime(Clock);

impl TimeProvider for HouseTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.now()))
    }
}
