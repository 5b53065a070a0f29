//! What the town says: messages on its evenings, and reviews a day after a meetup.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use moim_kit::{Fault, Timestamp};
use moim_proto::chat::v1::SendRequest;
use moim_proto::review::v1::WriteRequest;
use uuid::Uuid;

use super::content::{ChatPlan, ReviewPlan};
use super::settlers::{Settlers, patiently};
use crate::house::House;

/// Between one line of a chat and the next.
const PAUSE: Duration = Duration::from_secs(4 * 60);
const SIDE_BY_SIDE: usize = 8;

/// Has people talk at the times of the town's clock.
pub struct Talks<'a> {
    house: &'a House,
    settlers: &'a Settlers<'a>,
    ids: &'a [String],
    chats: &'a [ChatPlan],
}

impl<'a> Talks<'a> {
    /// These chats, of gatherings with these ids.
    pub fn new(
        house: &'a House,
        settlers: &'a Settlers<'a>,
        ids: &'a [String],
        chats: &'a [ChatPlan],
    ) -> Self {
        Self { house, settlers, ids, chats }
    }

    /// All that is said on a day, line by line in all gatherings at once.
    pub async fn chat(&self, day: i64, evening: Timestamp) -> Result<(), Fault> {
        let today: Vec<_> = self.chats.iter().filter(|chat| chat.day == day).collect();
        let longest = today.iter().map(|chat| chat.lines.len()).max().unwrap_or_default();
        let mut now = evening;
        for turn in 0..longest {
            self.house.clock.set(now);
            now = now.after(PAUSE);
            let said = today.iter().filter_map(|chat| {
                let line = chat.lines.get(turn)?;
                Some((self.ids.get(chat.gathering)?, line.person, line.body))
            });
            stream::iter(said.collect::<Vec<_>>())
                .map(|(gathering, person, body)| self.say(gathering, person, body))
                .buffered(SIDE_BY_SIDE)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }

    async fn say(&self, gathering: &str, person: usize, body: &str) -> Result<(), Fault> {
        let call = self.settlers.call(person)?;
        let client_id = Uuid::now_v7().to_string();
        patiently(|| {
            let request = call.request(SendRequest {
                gathering_id: gathering.to_owned(),
                body: body.to_owned(),
                client_id: client_id.clone(),
            });
            let mut rooms = self.house.upstream.chat.clone();
            async move { rooms.send(request).await }
        })
        .await?;
        Ok(())
    }

    /// Everything that is thought of some meetups, given with their ids.
    pub async fn review(&self, meetups: Vec<(String, &[ReviewPlan])>) -> Result<(), Fault> {
        let reviews: Vec<(&str, &ReviewPlan)> = meetups
            .iter()
            .flat_map(|(id, reviews)| reviews.iter().map(move |review| (id.as_str(), review)))
            .collect();
        stream::iter(reviews)
            .map(|(schedule, review)| self.write(schedule, review))
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await
    }

    async fn write(&self, schedule: &str, review: &ReviewPlan) -> Result<(), Fault> {
        let call = self.settlers.call(review.person)?;
        patiently(|| {
            let request = call.request(WriteRequest {
                schedule_id: schedule.to_owned(),
                rating: review.rating,
                body: review.body.to_owned(),
            });
            let mut rooms = self.house.upstream.review.clone();
            async move { rooms.write(request).await }
        })
        .await?;
        Ok(())
    }
}
