//! The whole answer to one call, so that it can be judged, asked for again and handed to several.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tonic::body::Body;
use tonic::{Code, Status};

/// Answers of clients are no larger (tonic's default for a message), and trailers need little.
const LARGEST: usize = 4 * 1024 * 1024 + 1_024;

/// An answer without a body that is still on its way.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    headers: HeaderMap,
    data: Bytes,
    trailers: Option<HeaderMap>,
}

impl Whole {
    /// Reads an answer to its end; what is torn becomes UNAVAILABLE.
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let told = parts.headers.contains_key(Status::GRPC_STATUS);
        if parts.status != StatusCode::OK && !told {
            // Something in between that does not speak gRPC.
            return Self::of(Status::unavailable(format!("answered with {}", parts.status)));
        }
        if body.is_end_stream() {
            let whole = Self { headers: parts.headers, data: Bytes::new(), trailers: None };
            return if told { whole } else { Self::of(torn()) };
        }
        match collect(body).await {
            Ok((data, trailers)) if told || has_status(trailers.as_ref()) => {
                Self { headers: parts.headers, data, trailers }
            }
            Ok(_) => Self::of(torn()),
            Err(status) => Self::of(status),
        }
    }

    pub(super) fn of(status: Status) -> Self {
        let (parts, _) = status.into_http::<()>().into_parts();
        Self { headers: parts.headers, data: Bytes::new(), trailers: None }
    }

    /// How it ended, unless well.
    pub(super) fn failure(&self) -> Option<Status> {
        let trailers = self.trailers.as_ref().filter(|_| has_status(self.trailers.as_ref()));
        failure(trailers.unwrap_or(&self.headers))
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let Self { headers, data, trailers } = self;
        let body = match (data.is_empty(), &trailers) {
            (true, None) => Body::empty(),
            _ => Body::new(Rest { data: Some(data).filter(|data| !data.is_empty()), trailers }),
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        response
    }
}

/// The status that headers tell, unless it is OK; an answer that tells none was cut off.
pub(super) fn failure(headers: &HeaderMap) -> Option<Status> {
    if headers.get(Status::GRPC_STATUS).is_some_and(|value| value == "0") {
        return None;
    }
    let status = Status::from_header_map(headers).unwrap_or_else(torn);
    (status.code() != Code::Ok).then_some(status)
}

fn has_status(trailers: Option<&HeaderMap>) -> bool {
    trailers.is_some_and(|trailers| trailers.contains_key(Status::GRPC_STATUS))
}

fn torn() -> Status {
    Status::unavailable("the answer was cut off")
}

async fn collect(mut body: Body) -> Result<(Bytes, Option<HeaderMap>), Status> {
    let mut first = Bytes::new();
    // Most answers are one frame, which is passed on as it is.
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|status| match status.code() {
            Code::DeadlineExceeded => status,
            _ => torn(),
        })?;
        match frame.into_data() {
            Ok(data) if first.is_empty() => first = data,
            Ok(data) => {
                if more.is_empty() {
                    more.extend_from_slice(&first);
                }
                more.extend_from_slice(&data);
            }
            Err(frame) => {
                let data = if more.is_empty() { first } else { more.freeze() };
                return Ok((data, frame.into_trailers().ok()));
            }
        }
        if first.len().max(more.len()) > LARGEST {
            return Err(Status::out_of_range("the answer is too large"));
        }
    }
    let data = if more.is_empty() { first } else { more.freeze() };
    Ok((data, None))
}

/// A body that is all there.
struct Rest {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Rest {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let data = self.data.take().map(Frame::data);
        Poll::Ready(data.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
