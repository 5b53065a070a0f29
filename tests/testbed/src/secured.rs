//! A PostgreSQL that speaks TLS, and the authority that vouches for it.

use std::io::Write as _;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::NamedTempFile;

use crate::cluster::Cluster;
use crate::postgres::fresh;

const SETTINGS: &[&str] =
    &["fsync=off", "ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"];

/// A server with a certificate for 127.0.0.1; dropped, it goes.
pub struct Secured {
    cluster: Cluster,
    authority: NamedTempFile,
}

/// A server that speaks TLS; `None`, said loudly, when there is no PostgreSQL on the machine.
pub async fn secured() -> Option<Secured> {
    let (own, issuer) = authority();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(own.as_bytes()).unwrap();
    let key = KeyPair::generate().unwrap();
    let about = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = about.signed_by(&key, &issuer).unwrap().pem();
    let key = key.serialize_pem();
    let files = [("server.pem", certificate.as_str()), ("server.key", key.as_str())];
    let cluster = Cluster::with_files(SETTINGS, &files).await?;
    Some(Secured { cluster, authority: file })
}

impl Secured {
    /// URL of a fresh, empty database, without a word about TLS.
    pub async fn database(&self) -> String {
        fresh(&self.cluster.base()).await.1
    }

    /// File with the certificate of who vouches for the server.
    pub fn authority(&self) -> &Path {
        self.authority.path()
    }
}

/// Certificate, PEM, of a new private authority, and what it signs others with.
pub fn authority() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut about = CertificateParams::new(Vec::new()).unwrap();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = about.self_signed(&key).unwrap().pem();
    (certificate, Issuer::new(about, key))
}
