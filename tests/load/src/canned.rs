//! Rooms that answer from memory: each call goes to the real room once, and what it answered is kept.
//! What an endpoint over them costs is its own work alone.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use moim_bff::{Upstream, Wires};
use moim_kit::wire;
use parking_lot::RwLock;
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tower::Service;

/// One byte that says whether the message is compressed, four that say how long it is.
const FRAME_HEAD: usize = 5;
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The same rooms, from memory.
pub(crate) fn canned(real: &Upstream) -> Upstream {
    let canned = Canned { real: real.clone(), known: Arc::default() };
    let wire = || wire::local(canned.clone());
    Upstream::new(Wires {
        member: wire(),
        gathering: wire(),
        schedule: wire(),
        review: wire(),
        chat: wire(),
        notification: wire(),
        payment: wire(),
        search: wire(),
    })
}

#[derive(Clone)]
struct Canned {
    real: Upstream,
    /// By path and by request.
    known: Arc<RwLock<HashMap<String, HashMap<Bytes, Bytes>>>>,
}

impl Service<Request<Body>> for Canned {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(request).await.unwrap_or_else(Status::into_http)) })
    }
}

impl Canned {
    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let asked = body.collect().await?.to_bytes();
        let path = parts.uri.path();
        let known = self.known.read().get(path).and_then(|known| known.get(&asked).cloned());
        let answer = match known {
            Some(answer) => answer,
            None => {
                let answer = self.ask(path, &parts.headers, &asked).await?;
                self.known
                    .write()
                    .entry(path.to_owned())
                    .or_default()
                    .insert(asked, answer.clone());
                answer
            }
        };
        let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
        let body = Full::new(answer).with_trailers(async { Some(Ok(trailers)) });
        let mut response = Response::new(Body::new(body));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(CONTENT_TYPE, grpc);
        Ok(response)
    }

    async fn ask(&self, path: &str, headers: &HeaderMap, asked: &[u8]) -> Result<Bytes, Status> {
        let Upstream { mut member, mut gathering, mut schedule, .. } = self.real.clone();
        match path {
            "/moim.member.v1.MemberService/Get" => {
                written(member.get(read(headers, asked)?).await?)
            }
            "/moim.member.v1.MemberService/BatchGet" => {
                written(member.batch_get(read(headers, asked)?).await?)
            }
            "/moim.gathering.v1.GatheringService/List" => {
                written(gathering.list(read(headers, asked)?).await?)
            }
            "/moim.schedule.v1.ScheduleService/BatchList" => {
                written(schedule.batch_list(read(headers, asked)?).await?)
            }
            "/moim.schedule.v1.ScheduleService/BatchListAttendances" => {
                written(schedule.batch_list_attendances(read(headers, asked)?).await?)
            }
            other => Err(Status::unimplemented(format!("{other} is not kept in memory"))),
        }
    }
}

fn read<T: Message + Default>(
    headers: &HeaderMap,
    asked: &[u8],
) -> Result<tonic::Request<T>, Status> {
    let message = asked.get(FRAME_HEAD..).unwrap_or_default();
    let message = T::decode(message).map_err(|error| Status::internal(error.to_string()))?;
    let metadata = MetadataMap::from_headers(headers.clone());
    Ok(tonic::Request::from_parts(metadata, http::Extensions::new(), message))
}

fn written<T: Message>(answer: tonic::Response<T>) -> Result<Bytes, Status> {
    let message = answer.into_inner();
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(FRAME_HEAD + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).map_err(|_| Status::internal("too long an answer"))?);
    message.encode(&mut frame).map_err(|error| Status::internal(error.to_string()))?;
    Ok(frame.freeze())
}
