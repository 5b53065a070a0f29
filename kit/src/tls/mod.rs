//! Certificates between rooms: each shows one and asks for one, and reads its own again while it runs.

mod papers;
mod to;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use webpki::EndEntityCert;

pub use papers::Unfit;
pub use to::To;
pub(crate) use to::{Connector, Shown};

use crate::clock::Clock;
use crate::metrics;
use papers::{Files, Papers};

/// A room's name in a certificate is its noun and this.
const HOUSE: &str = ".moim";
/// A warning that stays true is told again after so long.
const WARN_EVERY: Duration = Duration::from_secs(3_600);
/// Peers that are refused are worth a line so often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Files of the certificates between rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// This process's certificate and those between it and the authority, PEM.
    pub certificate_file: PathBuf,
    /// Its key, PEM.
    pub key_file: PathBuf,
    /// Certificates of the authorities that vouch for rooms, PEM.
    pub authority_file: PathBuf,
    /// How often the files are read again, milliseconds.
    pub reread_ms: u64,
    /// Calls go over to a new connection after so long, milliseconds, so that none outlives its certificate by more.
    pub renew_ms: u64,
    /// A certificate that ends within so many seconds is warned of.
    pub warn_before_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            authority_file: PathBuf::new(),
            reread_ms: 2_000,
            renew_ms: 600_000,
            warn_before_s: 604_800,
        }
    }
}

/// The rooms that a certificate speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Arc<BTreeSet<String>>);

impl Names {
    /// Those of a certificate: its DNS names that end in `.moim`, and no patterns.
    fn of(certificate: &CertificateDer<'_>) -> Result<Self, webpki::Error> {
        let certificate = EndEntityCert::try_from(certificate)?;
        let names = certificate.valid_dns_names().filter_map(|name| name.strip_suffix(HOUSE));
        Ok(Self(Arc::new(names.map(str::to_owned).collect())))
    }

    /// True when it speaks for this room.
    pub fn has(&self, room: &str) -> bool {
        self.0.contains(room)
    }
}

impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<T: IntoIterator<Item = &'a str>>(names: T) -> Self {
        Self(Arc::new(names.into_iter().map(str::to_owned).collect()))
    }
}

/// What is left of a certificate's life.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Enough,
    Little,
    Nothing,
}

impl Left {
    fn tell(self) {
        match self {
            Self::Enough => {}
            Self::Little => tracing::warn!("the certificate between rooms ends soon"),
            Self::Nothing => tracing::warn!(
                "the certificate between rooms has ended: nobody will talk to this process"
            ),
        }
    }
}

/// What a process shows to other rooms and asks of them.
pub struct Tls {
    config: Config,
    clock: Clock,
    papers: ArcSwap<Papers>,
    complained: Mutex<Option<Instant>>,
}

impl Tls {
    /// Reads the files; nothing when none is named.
    pub async fn open(config: &Config, clock: Clock) -> Result<Option<Arc<Self>>, Unfit> {
        let files = [&config.certificate_file, &config.key_file, &config.authority_file];
        match files.iter().filter(|file| file.as_os_str().is_empty()).count() {
            0 => {}
            3 => return Ok(None),
            _ => return Err(Unfit::Incomplete),
        }
        let papers = Papers::try_new(&Files::read(config).await?, &clock)?;
        let tls = Self {
            config: config.clone(),
            clock,
            papers: ArcSwap::from_pointee(papers),
            complained: Mutex::default(),
        };
        Ok(Some(Arc::new(tls)))
    }

    /// The rooms that this process's certificate speaks for.
    pub fn names(&self) -> Names {
        self.papers.load().names.clone()
    }

    /// The way to a room, which must show a certificate of its own name wherever its address leads.
    pub fn to(self: &Arc<Self>, room: &str) -> Result<To, Unfit> {
        To::try_new(self.clone(), room)
    }

    /// The guest's half of a connection that was accepted: who it is.
    pub async fn accept<S>(&self, stream: S) -> std::io::Result<(TlsStream<S>, Names)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.papers.load().server.clone());
        let accepted = acceptor.accept(stream).await.inspect_err(|error| self.complain(error))?;
        let shown = accepted.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let names = shown.map(Names::of).transpose().map_err(std::io::Error::other)?;
        Ok((accepted, names.unwrap_or_default()))
    }

    async fn connect(
        &self,
        stream: TcpStream,
        to: &To,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let connector = TlsConnector::from(self.papers.load().client.clone());
        let connected = connector.connect(to.name(), stream).await;
        connected.inspect_err(|error| self.complain(error))
    }

    /// Reads the files again while the process runs: connections made from then on use what is new. What is
    /// not fit is told once and leaves the old in place.
    pub async fn watch(self: Arc<Self>) {
        let mut refused = None;
        let mut warned: Option<(Left, Instant)> = None;
        loop {
            match Files::read(&self.config).await {
                Ok(files) if files.stamp() == self.papers.load().stamp => refused = None,
                Ok(files) if refused == Some(files.stamp()) => {}
                Ok(files) => match Papers::try_new(&files, &self.clock) {
                    Ok(papers) => {
                        tracing::info!("the certificate between rooms was replaced");
                        self.papers.store(Arc::new(papers));
                        (refused, warned) = (None, None);
                    }
                    // Files are not replaced all at once: what does not fit yet may soon.
                    Err(Unfit::Apart) => {}
                    Err(error) => {
                        tracing::warn!(%error, "the new certificate is not used; the old one stays");
                        refused = Some(files.stamp());
                    }
                },
                Err(error) => tracing::warn!(%error, "certificates could not be read again"),
            }
            let left = self.left();
            if warned.is_none_or(|(told, at)| told != left || at.elapsed() >= WARN_EVERY) {
                left.tell();
                warned = Some((left, Instant::now()));
            }
            sleep(Duration::from_millis(self.config.reread_ms.max(100))).await;
        }
    }

    fn left(&self) -> Left {
        let left_s = self.papers.load().ends_at.seconds() - self.clock.now().seconds();
        if let Some(catalogue) = metrics::catalogue() {
            catalogue.certificate_left.record(u64::try_from(left_s).unwrap_or(0), &[]);
        }
        match u64::try_from(left_s) {
            Err(_) | Ok(0) => Left::Nothing,
            Ok(left_s) if left_s <= self.config.warn_before_s => Left::Little,
            Ok(_) => Left::Enough,
        }
    }

    /// A peer without a good certificate is either misconfigured or no friend; the log is not theirs to fill.
    fn complain(&self, error: &std::io::Error) {
        let is_refusal = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
        if !is_refusal {
            return;
        }
        if let Some(catalogue) = metrics::catalogue() {
            catalogue.certificates_refused.add(1, &[]);
        }
        let mut complained = self.complained.lock();
        if complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            tracing::warn!(%error, "a connection between rooms was refused for a certificate");
        }
    }
}
