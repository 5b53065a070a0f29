//! A good token is not enough: the room that brings it must be one that may call.

use moim_proto::fact::v1::ReadRequest;
use moim_proto::fact::v1::fact_service_client::FactServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::room::{Room, SECRET, account, list_keys, sign_up};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_token_brought_by_a_room_that_may_not_call_is_refused() {
    let room = Room::secured(&[]).await;
    let endpoint = room.channel_of("bff");
    let token = sign_up(&endpoint).await.tokens.unwrap().access_token;
    let bearer = format!("Bearer {token}");
    let asked = [("authorization", bearer.as_str())];
    assert_eq!(account(&endpoint, &asked).await.unwrap(), "walls@example.com");
    for other in ["chat", "schedule", "search"] {
        let channel = room.channel_of(other);
        let refused = account(&channel, &asked).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{other}: {refused}");
        // Tokens are for every room to judge.
        list_keys(&channel).await.unwrap();
    }
    // Signed by the authority of this house, and no room of it.
    let stranger = room.channel_of("kitchen");
    let refused = list_keys(&stranger).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    // Both must allow: the endpoint without a token is nobody.
    let refused = account(&endpoint, &[]).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(account(&endpoint, &asked).await.unwrap(), "walls@example.com");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_are_for_rooms_that_hear_them_and_know_the_secret() {
    let room = Room::secured(&[]).await;
    for hearer in ["gathering", "schedule", "review", "chat", "search"] {
        read(&room.channel_of(hearer), Some(SECRET)).await.unwrap();
    }
    for other in ["bff", "notification", "payment"] {
        let refused = read(&room.channel_of(other), Some(SECRET)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{other}");
    }
    for secret in [None, Some("another house's secret")] {
        let refused = read(&room.channel_of("chat"), secret).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    read(&room.channel_of("chat"), Some(SECRET)).await.unwrap();
}

async fn read(channel: &Channel, secret: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(ReadRequest { position: 0, limit: 1, wait_ms: 0 });
    if let Some(secret) = secret {
        request.metadata_mut().insert("moim-house-secret", secret.parse().unwrap());
    }
    FactServiceClient::new(channel.clone()).read(request).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_describes_itself_only_when_it_is_told_to() {
    let room = Room::open(&[]).await;
    let refused = services(&room.channel()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented, "{refused}");
    room.works().await;

    let room = Room::open(&[("MOIM_HOUSE__REFLECTION", "true")]).await;
    let told = services(&room.channel()).await.unwrap();
    for service in ["moim.member.v1.MemberService", "grpc.health.v1.Health"] {
        assert!(told.iter().any(|it| it == service), "{told:?}");
    }
}

async fn services(channel: &Channel) -> Result<Vec<String>, Status> {
    let message = MessageRequest::ListServices(String::new());
    let asked = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let mut client = ServerReflectionClient::new(channel.clone());
    let asked = futures::stream::iter([asked]);
    let mut answers = client.server_reflection_info(asked).await?.into_inner();
    let answer = answers.message().await?.unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    Ok(list.service.into_iter().map(|it| it.name).collect())
}
