//! Logs over the network: a room reads what another told, with the house's secret.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Consumer, Digest, Entry, Fact, Kind, Log};
use moim_kit::task::Tasks;
use moim_kit::trace::Trace;
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault, Timestamp};
use moim_proto::fact::v1 as proto;
use moim_proto::fact::v1::fact_service_client::FactServiceClient;
use moim_proto::fact::v1::fact_service_server::{FactService, FactServiceServer};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

/// Header of the house's secret.
pub const SECRET: &str = "moim-house-secret";
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// For the answer itself, on top of the wait that was asked for.
const MARGIN: Duration = Duration::from_secs(5);
/// Facts are small; a batch of many must still fit.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// The server of a room's log.
pub fn server(log: Arc<dyn Log>, secret: Arc<str>, tasks: &Tasks) -> FactServiceServer<LogServer> {
    FactServiceServer::new(LogServer { log, secret, parting: tasks.parting() })
}

/// Answers from a log to whoever knows the secret.
pub struct LogServer {
    log: Arc<dyn Log>,
    secret: Arc<str>,
    parting: CancellationToken,
}

#[async_trait]
impl FactService for LogServer {
    async fn read(
        &self,
        request: Request<proto::ReadRequest>,
    ) -> Result<Response<proto::ReadResponse>, Status> {
        require_secret(request.metadata(), &self.secret)?;
        let asked = request.into_inner();
        let limit = asked.limit.clamp(1, 1_000);
        let mut entries = self.log.read(asked.position, limit).await?;
        if entries.is_empty() && asked.wait_ms > 0 {
            let wait = Duration::from_millis(asked.wait_ms.into()).min(LONGEST_WAIT);
            let waited = self.log.wait(asked.position, wait);
            self.parting.run_until_cancelled(waited).await.transpose()?;
            entries = self.log.read(asked.position, limit).await?;
        }
        let entries = entries.into_iter().map(to_proto).collect();
        Ok(Response::new(proto::ReadResponse { entries }))
    }

    async fn lag(
        &self,
        request: Request<proto::LagRequest>,
    ) -> Result<Response<proto::LagResponse>, Status> {
        require_secret(request.metadata(), &self.secret)?;
        match self.log.lag(&Consumer::room(""), request.get_ref().position).await? {
            Some(entries) => Ok(Response::new(proto::LagResponse { entries })),
            None => Err(Status::unimplemented("this log keeps no count")),
        }
    }

    async fn digest(
        &self,
        request: Request<proto::DigestRequest>,
    ) -> Result<Response<proto::DigestResponse>, Status> {
        require_secret(request.metadata(), &self.secret)?;
        let Some(digests) = self.log.digest(&request.get_ref().noun).await? else {
            return Err(Status::unimplemented("this log keeps no count"));
        };
        let bucket = |it: Digest| proto::Bucket { name: it.bucket, count: it.count, sum: it.sum };
        let buckets = digests.into_iter().map(bucket).collect();
        Ok(Response::new(proto::DigestResponse { buckets }))
    }

    async fn read_states(
        &self,
        request: Request<proto::ReadStatesRequest>,
    ) -> Result<Response<proto::ReadStatesResponse>, Status> {
        require_secret(request.metadata(), &self.secret)?;
        let asked = request.into_inner();
        let after = (!asked.after_id.is_empty()).then(|| asked.after_id.parse()).transpose();
        let after = after.map_err(|_| Status::invalid_argument("after_id is no id"))?;
        let limit = asked.limit.clamp(1, 1_000);
        let facts = self.log.states(&asked.noun, &asked.bucket, after, limit).await?;
        let facts = facts.into_iter().map(fact_to_proto).collect();
        Ok(Response::new(proto::ReadStatesResponse { facts }))
    }
}

/// Refuses whoever does not know the house's secret.
pub fn require_secret(given: &MetadataMap, secret: &str) -> Result<(), Status> {
    let given = given.get(SECRET).map(|value| value.as_bytes());
    if bool::from(given.unwrap_or_default().ct_eq(secret.as_bytes())) {
        return Ok(());
    }
    Err(Status::permission_denied("for rooms of this house only"))
}

/// The same for rooms that answer some of their calls to those who know the secret alone.
pub fn trusts(secret: Arc<str>) -> moim_search::Trusts {
    Arc::new(move |given| require_secret(given, &secret))
}

/// The log of a room in another process.
pub struct RemoteLog {
    client: FactServiceClient<Wire>,
    secret: Arc<str>,
}

impl RemoteLog {
    /// Reads over a wire.
    pub fn new(wire: Wire, secret: Arc<str>) -> Self {
        let client = FactServiceClient::new(wire).max_decoding_message_size(MAX_MESSAGE_BYTES);
        Self { client, secret }
    }

    async fn ask(&self, position: i64, limit: u32, wait: Duration) -> Result<Vec<Entry>, Fault> {
        let wait_ms = u32::try_from(wait.min(LONGEST_WAIT).as_millis()).unwrap_or(u32::MAX);
        let request = self.request(proto::ReadRequest { position, limit, wait_ms }, wait)?;
        let answer = self.client.clone().read(request).await?;
        answer.into_inner().entries.into_iter().map(from_proto).collect()
    }

    fn request<T>(&self, asked: T, wait: Duration) -> Result<Request<T>, Fault> {
        let call = Call::new(Trace::fresh(), Instant::now() + wait + MARGIN);
        let mut request = call.request(asked);
        let secret = self.secret.parse().map_err(Fault::internal)?;
        request.metadata_mut().insert(SECRET, secret);
        Ok(request)
    }
}

#[async_trait]
impl Log for RemoteLog {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.ask(position, limit, Duration::ZERO).await
    }

    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
        self.ask(position, 1, at_most).await.map(|_| ())
    }

    async fn lag(&self, _: &Consumer, position: i64) -> Result<Option<u64>, Fault> {
        let request = self.request(proto::LagRequest { position }, Duration::ZERO)?;
        match self.client.clone().lag(request).await {
            Ok(answer) => Ok(Some(answer.into_inner().entries)),
            Err(status) if status.code() == Code::Unimplemented => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    async fn digest(&self, noun: &str) -> Result<Option<Vec<Digest>>, Fault> {
        let asked = proto::DigestRequest { noun: noun.to_owned() };
        match self.client.clone().digest(self.request(asked, Duration::ZERO)?).await {
            Ok(answer) => {
                let digest =
                    |it: proto::Bucket| Digest { bucket: it.name, count: it.count, sum: it.sum };
                Ok(Some(answer.into_inner().buckets.into_iter().map(digest).collect()))
            }
            // A process of the version before, while a fleet is being replaced.
            Err(status) if status.code() == Code::Unimplemented => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    async fn states(
        &self,
        noun: &str,
        bucket: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Fact>, Fault> {
        let asked = proto::ReadStatesRequest {
            noun: noun.to_owned(),
            bucket: bucket.to_owned(),
            after_id: after.map(|id| id.to_string()).unwrap_or_default(),
            limit,
        };
        let answer = self.client.clone().read_states(self.request(asked, Duration::ZERO)?).await?;
        answer.into_inner().facts.into_iter().map(fact_from_proto).collect()
    }
}

/// An entry as it travels.
pub fn to_proto(entry: Entry) -> proto::Entry {
    proto::Entry { position: entry.position, fact: Some(fact_to_proto(entry.fact)) }
}

fn fact_to_proto(fact: Fact) -> proto::Fact {
    proto::Fact {
        id: fact.id.to_string(),
        noun: fact.noun,
        aggregate_id: fact.aggregate.to_string(),
        version: fact.version,
        payload: fact.payload,
        trace: fact.trace,
        at_us: fact.at.us(),
        kind: match fact.kind {
            Kind::State => proto::FactKind::State.into(),
            Kind::Event => proto::FactKind::Event.into(),
        },
        topic: fact.topic.map(|topic| topic.to_string()).unwrap_or_default(),
    }
}

fn from_proto(entry: proto::Entry) -> Result<Entry, Fault> {
    let fact = entry.fact.ok_or_else(|| Fault::internal("an entry without a fact"))?;
    Ok(Entry { position: entry.position, fact: fact_from_proto(fact)? })
}

fn fact_from_proto(fact: proto::Fact) -> Result<Fact, Fault> {
    let kind = match fact.kind() {
        proto::FactKind::State => Kind::State,
        proto::FactKind::Event => Kind::Event,
        proto::FactKind::Unspecified => return Err(Fault::internal("a fact of no kind")),
    };
    let topic = (!fact.topic.is_empty()).then(|| fact.topic.parse()).transpose();
    Ok(Fact {
        kind,
        topic: topic.map_err(Fault::internal)?,
        id: fact.id.parse().map_err(Fault::internal)?,
        noun: fact.noun,
        aggregate: fact.aggregate_id.parse().map_err(Fault::internal)?,
        version: fact.version,
        payload: fact.payload,
        trace: fact.trace,
        at: Timestamp::from_us(fact.at_us),
    })
}
