//! The member room alone in a process, and who comes to its socket without an endpoint in between.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moim_e2e::{Authority, Life, Process, free_port};
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use moim_proto::member::v1::{
    GetAccountRequest, ListSigningKeysRequest, SignUpRequest, SignUpResponse,
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

pub const SECRET: &str = "the rooms of this house";
const START_WITHIN: Duration = Duration::from_secs(60);

/// Where the rooms are that do not run.
const ELSEWHERE: [&str; 7] = [
    "MOIM_ROOMS__GATHERING__ADDRESS",
    "MOIM_ROOMS__SCHEDULE__ADDRESS",
    "MOIM_ROOMS__PAYMENT__ADDRESS",
    "MOIM_ROOMS__REVIEW__ADDRESS",
    "MOIM_ROOMS__CHAT__ADDRESS",
    "MOIM_ROOMS__NOTIFICATION__ADDRESS",
    "MOIM_ROOMS__SEARCH__ADDRESS",
];

/// A running member room.
pub struct Room {
    pub process: Process,
    pub address: SocketAddr,
    pub authority: Option<Authority>,
    directory: TempDir,
}

impl Room {
    /// Without certificates.
    pub async fn open(knobs: &[(&str, &str)]) -> Self {
        let room = Self::start(None, knobs);
        room.answers(&room.channel()).await;
        room
    }

    /// With one, by an authority of its own.
    pub async fn secured(knobs: &[(&str, &str)]) -> Self {
        let room = Self::start(Some(Authority::new()), knobs);
        room.answers(&room.channel_of("bff")).await;
        room
    }

    fn start(authority: Option<Authority>, knobs: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let key = directory.path().join("signing.key");
        std::fs::write(&key, STANDARD.encode([7; 32])).unwrap();
        let files = authority
            .as_ref()
            .map(|it| it.issue(&directory.path().join("papers"), &["member"], Life::long()));
        let files = files.iter().flatten().map(|(name, value)| (*name, &**value));
        let own = [
            ("MOIM_ROOMS__MEMBER__LISTEN", address.as_str()),
            ("MOIM_HOUSE__SECRET", SECRET),
            ("MOIM_MEMBER__HASHING_MEMORY_KIB", "64"),
            ("MOIM_MEMBER__HASHING_PASSES", "1"),
            ("MOIM_MEMBER__SIGNING_KEY_FILE", key.to_str().unwrap()),
        ];
        // It asks none of them, and still wants to know that they would show certificates.
        let elsewhere = authority.iter().flat_map(|_| ELSEWHERE);
        let elsewhere = elsewhere.map(|knob| (knob, "https://127.0.0.1:1"));
        let all: Vec<_> =
            own.into_iter().chain(files).chain(elsewhere).chain(knobs.iter().copied()).collect();
        let process = Process::start("member", directory.path(), &["run", "member"], &all);
        Self { process, address: address.parse().unwrap(), authority, directory }
    }

    async fn answers(&self, channel: &Channel) {
        let due = Instant::now() + START_WITHIN;
        while let Err(status) = list_keys(channel).await {
            assert!(Instant::now() < due, "{status}\n{}", self.process.stderr());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where it keeps its files; its certificate is in `papers`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A connection that shows nothing.
    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy()
    }

    /// A connection that shows a good certificate of a room.
    pub fn channel_of(&self, caller: &str) -> Channel {
        let (certificate, key) = self.authority().vouch(&[caller], Life::long());
        self.channel_with(Some((&certificate, &key)))
    }

    /// A connection that shows this certificate, or none.
    pub fn channel_with(&self, shown: Option<(&str, &str)>) -> Channel {
        let mut tls = ClientTlsConfig::new()
            .domain_name("member.moim")
            .ca_certificate(Certificate::from_pem(self.authority().pem()));
        if let Some((certificate, key)) = shown {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address)).unwrap();
        endpoint.tls_config(tls).unwrap().connect_lazy()
    }

    pub fn authority(&self) -> &Authority {
        self.authority.as_ref().expect("a room with certificates")
    }

    /// Memory that it holds, in KiB.
    pub fn resident_kib(&self) -> u64 {
        resident_kib(&self.process)
    }

    /// An ordinary call on a connection of its own is answered.
    pub async fn works(&self) {
        let channel =
            if self.authority.is_some() { self.channel_of("bff") } else { self.channel() };
        list_keys(&channel).await.unwrap();
    }
}

/// Memory that a process holds, in KiB.
pub fn resident_kib(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The ids of the keys that sign tokens; asks for no token.
pub async fn list_keys(channel: &Channel) -> Result<Vec<String>, Status> {
    let mut client = MemberServiceClient::new(channel.clone());
    let mut request = Request::new(ListSigningKeysRequest {});
    request.set_timeout(Duration::from_secs(20));
    let answer = client.list_signing_keys(request).await?;
    Ok(answer.into_inner().keys.into_iter().map(|key| key.kid).collect())
}

/// Opens an account.
pub async fn sign_up(channel: &Channel) -> SignUpResponse {
    let request = SignUpRequest {
        email: "walls@example.com".to_owned(),
        password: "correct horse battery".to_owned(),
        nickname: "walls".to_owned(),
    };
    MemberServiceClient::new(channel.clone()).sign_up(request).await.unwrap().into_inner()
}

/// The e-mail of whoever the headers speak for.
pub async fn account(
    channel: &Channel,
    headers: &[(&'static str, &str)],
) -> Result<String, Status> {
    let mut request = Request::new(GetAccountRequest {});
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    let answer = MemberServiceClient::new(channel.clone()).get_account(request).await?;
    Ok(answer.into_inner().account.unwrap().email)
}
