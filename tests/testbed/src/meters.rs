//! A collector that keeps the metrics it is told by OTLP.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use moim_kit::task::Tasks;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Gone when it is dropped.
pub struct Meters {
    address: SocketAddr,
    told: Told,
    tasks: Tasks,
}

/// An instrument as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Its unit.
    pub unit: String,
    /// Every key that was ever a label of it.
    pub labels: BTreeSet<String>,
    /// Who told it, each by an id of its own.
    pub by: BTreeSet<String>,
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<BTreeMap<String, Measured>>>);

impl Meters {
    /// Listens on a port of its own.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = Told::default();
        let server = Server::builder().add_service(MetricsServiceServer::new(told.clone()));
        let tasks = Tasks::new();
        let stopped = tasks.token().cancelled_owned();
        tasks.spawn("meters", async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
        });
        Self { address, told, tasks }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was told so far, by name.
    pub fn told(&self) -> BTreeMap<String, Measured> {
        self.told.0.lock().unwrap().clone()
    }
}

impl Drop for Meters {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

#[async_trait]
impl MetricsService for Told {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut told = self.0.lock().unwrap();
        for of in request.into_inner().resource_metrics {
            let attributes = of.resource.unwrap_or_default().attributes;
            let id = attributes.iter().find(|it| it.key == "service.instance.id");
            let by = id.map(|id| format!("{:?}", id.value)).unwrap_or_default();
            for metric in of.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                let measured = told.entry(metric.name).or_default();
                measured.unit = metric.unit;
                measured.by.insert(by.clone());
                let keys = keys(metric.data.as_ref());
                measured.labels.extend(keys);
            }
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn keys(data: Option<&Data>) -> Vec<String> {
    let of = |attributes: &[KeyValue]| -> Vec<String> {
        attributes.iter().map(|attribute| attribute.key.clone()).collect()
    };
    match data {
        Some(Data::Gauge(it)) => {
            it.data_points.iter().flat_map(|point| of(&point.attributes)).collect()
        }
        Some(Data::Sum(it)) => {
            it.data_points.iter().flat_map(|point| of(&point.attributes)).collect()
        }
        Some(Data::Histogram(it)) => {
            it.data_points.iter().flat_map(|point| of(&point.attributes)).collect()
        }
        other => panic!("no instrument of ours is told as {other:?}"),
    }
}
