//! The people of the town: how they sign up and how they speak to the rooms.

use std::future::Future;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use moim_kit::id::MemberId;
use moim_kit::trace::Trace;
use moim_kit::{Call, Fault};
use moim_proto::member::v1::{SignUpRequest, UpdateRequest};
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use super::content::Person;
use super::registry::Registry;
use super::{PASSWORD, progress};
use crate::house::House;

const DEADLINE: Duration = Duration::from_secs(30);
const SIDE_BY_SIDE: usize = 8;
const TRY_AGAIN_EVERY: Duration = Duration::from_millis(50);
const TRIES: u32 = 200;
/// What a room says as long as it has not heard of what was done in another.
const ON_THEIR_WAY: [&str; 4] =
    ["NOT_A_MEMBER", "GATHERING_NOT_FOUND", "SCHEDULE_NOT_FOUND", "NOT_ATTENDED"];

/// Everybody, by their place in the plan.
pub struct Settlers<'a> {
    registry: &'a Registry,
    ids: Vec<MemberId>,
}

impl<'a> Settlers<'a> {
    /// Signs everybody up, with bio and picture.
    pub async fn settle(
        house: &House,
        registry: &'a Registry,
        people: Vec<Person>,
    ) -> anyhow::Result<Self> {
        let bar = progress(people.len(), "people");
        let ids = stream::iter(people)
            .map(|person| async {
                let id = sign_up(house, registry, person).await?;
                bar.inc(1);
                Ok::<_, Fault>(id)
            })
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await?;
        bar.finish();
        Ok(Self { registry, ids })
    }

    /// A call by one of them, under a key of its own.
    pub fn call(&self, person: usize) -> Result<Call, Fault> {
        let id = self.ids.get(person).ok_or_else(|| Fault::internal("nobody lives there"))?;
        call(self.registry, *id)
    }
}

async fn sign_up(house: &House, registry: &Registry, person: Person) -> Result<MemberId, Fault> {
    let mut member = house.upstream.member.clone();
    let anonymous = Call::new(Trace::fresh(), Instant::now() + DEADLINE);
    let answer = member
        .sign_up(anonymous.request(SignUpRequest {
            email: person.email,
            password: PASSWORD.to_owned(),
            nickname: person.nickname,
        }))
        .await?;
    let account = answer.into_inner().account.and_then(|account| account.member);
    let id = account.ok_or_else(|| Fault::internal("an account without a member"))?.id;
    let id = id.parse().map_err(Fault::internal)?;
    if person.bio.is_some() || person.avatar_url.is_some() {
        let request =
            UpdateRequest { nickname: None, avatar_url: person.avatar_url, bio: person.bio };
        member.update(call(registry, id)?.request(request)).await?;
    }
    Ok(id)
}

fn call(registry: &Registry, member: MemberId) -> Result<Call, Fault> {
    let (caller, token) = registry.token(member)?;
    Ok(Call::new(Trace::fresh(), Instant::now() + DEADLINE)
        .by(caller, token)
        .keyed(Some(&Uuid::now_v7().to_string())))
}

/// Does what may have to wait for a fact that is still on its way, trying again for ten seconds.
pub async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Status>>,
{
    let mut tries = 0;
    loop {
        let fault = match attempt().await {
            Ok(value) => return Ok(value),
            Err(status) => Fault::from(status),
        };
        tries += 1;
        let on_its_way = fault.code().is_retryable() || ON_THEIR_WAY.contains(&fault.reason());
        if !on_its_way || tries == TRIES {
            return Err(fault);
        }
        tokio::time::sleep(TRY_AGAIN_EVERY).await;
    }
}
