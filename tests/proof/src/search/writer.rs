//! A host with a few guests, who start, change and call off things that can be found, one after another.

use std::sync::Arc;

use moim_e2e::{Client, Person, Value, in_hours, json};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::Progress;
use super::ledger::Ledger;
use crate::graph::{self, act};

const GUESTS: usize = 3;
/// Far enough away that no reminder is due.
const IN_HOURS: i64 = 24 * 60;
/// Gatherings that a host goes on with; older ones are left as they are.
const BUSY_WITH: usize = 12;

pub const HOBBIES: [&str; 12] = [
    "등산",
    "독서모임",
    "보드게임",
    "뜨개질",
    "자전거",
    "수영",
    "필사",
    "테니스",
    "베이킹",
    "영화",
    "캠핑",
    "기타 연주",
];
const MANNERS: [&str; 6] = ["느긋한", "새벽", "주말", "처음 하는", "퇴근 뒤", "조용한"];
const CATEGORIES: [&str; 5] = ["OUTDOORS", "BOOKS", "GAMES", "ARTS", "SPORTS"];

/// Where a host lives, and who comes.
pub struct Writer {
    client: Client,
    number: usize,
    progress: Arc<Progress>,
}

/// A writer whose people are there.
pub struct Settled {
    number: usize,
    people: Vec<Person>,
    regions: Vec<String>,
    /// Ids, the newest last.
    gatherings: Vec<String>,
    /// Not called off, with their gatherings.
    schedules: Vec<(String, String)>,
    /// Who is in which gathering.
    inside: Vec<(usize, String)>,
    progress: Arc<Progress>,
    dice: StdRng,
    ledger: Ledger,
}

impl Writer {
    /// A writer of this number; its dice fall the same in every run.
    pub fn new(client: Client, number: usize, progress: Arc<Progress>) -> Self {
        Self { client, number, progress }
    }

    /// Signs everybody up and starts the first gathering.
    pub async fn settle_in(self) -> Settled {
        let mut ledger = Ledger::default();
        let mut people = Vec::new();
        for number in 0..=GUESTS {
            let name = format!("w{}x{number}", self.number);
            let mail = format!("{name}@search.example");
            let person = Person::sign_up(&self.client, &name, &mail).await;
            ledger.call(&person.id, Some(&name));
            people.push(person);
        }
        let data = people[0].data("{ regions { id } }", json!({})).await;
        let regions = data["regions"].as_array().unwrap().iter().take(9);
        let regions = regions.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        let seed = u64::try_from(self.number).unwrap();
        let mut settled = Settled {
            number: self.number,
            people,
            regions,
            gatherings: Vec::new(),
            schedules: Vec::new(),
            inside: Vec::new(),
            progress: self.progress,
            dice: StdRng::seed_from_u64(seed),
            ledger,
        };
        settled.start().await;
        settled
    }
}

impl Settled {
    /// Changes things until the storm is over; answers what was done.
    pub async fn work(mut self) -> Ledger {
        while !self.progress.is_over() {
            match self.dice.random_range(0..20) {
                0..3 => self.start().await,
                3..8 => self.change_gathering().await,
                8..11 => self.announce().await,
                11..15 => self.change_schedule().await,
                15..17 => self.call_off().await,
                17..19 => self.rename().await,
                _ => self.go_or_come().await,
            }
        }
        self.ledger
    }

    /// One acknowledged change.
    async fn change(
        &mut self,
        sort: &'static str,
        who: usize,
        mutation: (&str, &str),
        input: Value,
    ) -> Value {
        let who = self.people[who].client.clone();
        let payload = act(&who, mutation, input).await;
        self.ledger.note(sort);
        self.progress.count();
        payload
    }

    async fn start(&mut self) {
        let title = self.title();
        let input = json!({
            "title": title, "description": self.text(), "category": self.category(),
            "regionId": self.region(), "capacity": 30,
        });
        let payload = self.change("create", 0, graph::GATHERING_CREATE, input).await;
        let id = payload["gathering"]["id"].as_str().unwrap().to_owned();
        self.ledger.call(&id, Some(&title));
        self.gatherings.push(id);
    }

    async fn change_gathering(&mut self) {
        let id = self.gathering();
        let mut input = json!({ "gatheringId": id });
        if self.dice.random_bool(0.4) {
            // Its schedules are found elsewhere from now on.
            input["category"] = json!(self.category());
            input["regionId"] = json!(self.region());
        }
        if self.dice.random_bool(0.3) {
            input["description"] = json!(self.text());
        }
        let title = self.title();
        input["title"] = json!(title);
        self.change("update", 0, graph::GATHERING_UPDATE, input).await;
        self.ledger.call(&id, Some(&title));
    }

    async fn announce(&mut self) {
        let (gathering, title) = (self.gathering(), self.title());
        let input = json!({
            "gatheringId": gathering, "title": title, "description": self.text(),
            "place": self.place(), "capacity": 10,
            "startsAt": in_hours(IN_HOURS), "endsAt": in_hours(IN_HOURS + 2),
        });
        let payload = self.change("create", 0, graph::SCHEDULE_CREATE, input).await;
        let id = payload["schedule"]["id"].as_str().unwrap().to_owned();
        self.ledger.call(&id, Some(&title));
        self.schedules.push((id, gathering));
    }

    async fn change_schedule(&mut self) {
        let Some(at) = self.some_schedule() else { return };
        let (id, title) = (self.schedules[at].0.clone(), self.title());
        let input = json!({ "scheduleId": id, "title": title, "place": self.place() });
        self.change("update", 0, graph::SCHEDULE_UPDATE, input).await;
        self.ledger.call(&id, Some(&title));
    }

    async fn call_off(&mut self) {
        let Some(at) = self.some_schedule() else { return };
        let (id, _) = self.schedules.swap_remove(at);
        let input = json!({ "scheduleId": id, "reason": "비가 옵니다" });
        self.change("delete", 0, graph::SCHEDULE_CANCEL, input).await;
        self.ledger.call(&id, None);
    }

    async fn rename(&mut self) {
        let who = self.dice.random_range(0..self.people.len());
        let name = format!("w{}x{who}_{}", self.number, self.dice.random_range(0..10_000));
        let input = json!({ "nickname": name, "bio": self.text() });
        self.change("update", who, graph::MEMBER_UPDATE, input).await;
        let id = self.people[who].id.clone();
        self.ledger.call(&id, Some(&name));
    }

    /// How many are in a gathering is a change of it.
    async fn go_or_come(&mut self) {
        let (who, gathering) = (self.dice.random_range(1..self.people.len()), self.gathering());
        let input = json!({ "gatheringId": gathering });
        let place = (who, gathering);
        if let Some(at) = self.inside.iter().position(|it| *it == place) {
            self.inside.swap_remove(at);
            self.change("delete", who, graph::GATHERING_LEAVE, input).await;
        } else {
            self.inside.push(place);
            self.change("create", who, graph::GATHERING_JOIN, input).await;
        }
    }

    fn gathering(&mut self) -> String {
        let newest = self.gatherings.len().saturating_sub(BUSY_WITH);
        self.gatherings[self.dice.random_range(newest..self.gatherings.len())].clone()
    }

    fn some_schedule(&mut self) -> Option<usize> {
        let count = self.schedules.len();
        (count > 0).then(|| self.dice.random_range(count.saturating_sub(4 * BUSY_WITH)..count))
    }

    fn title(&mut self) -> String {
        let (manner, hobby) = (self.one_of(&MANNERS), self.one_of(&HOBBIES));
        format!("{manner} {hobby} {}", self.dice.random_range(0..1_000_000))
    }

    fn text(&mut self) -> String {
        let (manner, hobby) = (self.one_of(&MANNERS), self.one_of(&HOBBIES));
        let times = self.dice.random_range(1..4);
        format!("{manner} 사람도 {hobby} 좋아하면 오세요. ").repeat(times)
    }

    fn place(&mut self) -> String {
        format!("역 {}번 출구", self.dice.random_range(1..100))
    }

    fn category(&mut self) -> &'static str {
        self.one_of(&CATEGORIES)
    }

    fn region(&mut self) -> String {
        self.regions[self.dice.random_range(0..self.regions.len())].clone()
    }

    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.dice.random_range(0..all.len())]
    }
}
