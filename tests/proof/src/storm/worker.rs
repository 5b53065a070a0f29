//! A host with a few members and two gatherings, who change things one after another until enough is done.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use moim_e2e::{Client, Person, Value, in_hours, json};
use moim_kit::Clock;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;
use tokio::time::sleep;

use super::Progress;
use super::ledger::Ledger;
use crate::graph::{self, act};

const MEMBERS: usize = 6;
/// Far enough away that no reminder is due.
const IN_HOURS: i64 = 24 * 60;

/// Memberships of a gathering that its schedules have not heard of yet.
const UNHEARD: &str = "
SELECT COUNT(*) FROM gathering.membership AS m
LEFT JOIN schedule.roster AS r ON r.gathering_id = m.gathering_id AND r.member_id = m.member_id
WHERE m.gathering_id = (SELECT gathering_id FROM gathering.membership WHERE id = $1)
  AND (r.version IS NULL OR r.version < m.version)";

/// Where a member stands, as the worker knows from the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Out,
    Member,
    Manager,
}

struct Guest {
    person: Person,
    standing: Standing,
    membership: String,
    /// Written and not deleted.
    reviewed: Option<String>,
    /// Whether the host was told of a review of theirs.
    review_told: bool,
}

/// One of many who write side by side.
pub struct Worker {
    client: Client,
    pool: PgPool,
    number: usize,
    progress: Arc<Progress>,
}

/// A worker whose people are there.
pub struct Settled {
    host: Person,
    guests: Vec<Guest>,
    gathering: String,
    /// A schedule that is over and that everybody attended.
    past: String,
    pool: PgPool,
    progress: Arc<Progress>,
    dice: StdRng,
    ledger: Ledger,
}

impl Worker {
    /// A worker of this number; its dice fall the same in every run.
    pub fn new(client: Client, pool: PgPool, number: usize, progress: Arc<Progress>) -> Self {
        Self { client, pool, number, progress }
    }

    /// Signs everybody up, starts the gathering and holds a schedule that can be reviewed.
    pub async fn settle_in(self) -> Settled {
        let sign_up = async |name: String| {
            Person::sign_up(&self.client, &name, &format!("{name}@storm.example")).await
        };
        let host = sign_up(format!("host{}", self.number)).await;
        let mut guests = Vec::new();
        for number in 0..MEMBERS {
            let person = sign_up(format!("guest{}x{number}", self.number)).await;
            guests.push(Guest {
                person,
                standing: Standing::Out,
                membership: String::new(),
                reviewed: None,
                review_told: false,
            });
        }
        let gathering = host.create_gathering(json!({ "joinPolicy": "APPROVAL" })).await;
        let mut settled = Settled {
            host,
            guests,
            gathering,
            past: String::new(),
            pool: self.pool,
            progress: self.progress,
            dice: StdRng::seed_from_u64(u64::try_from(self.number).unwrap()),
            ledger: Ledger::default(),
        };
        for guest in 0..MEMBERS {
            settled.come_in(guest).await;
        }
        settled.hold_schedule().await;
        settled
    }
}

impl Settled {
    /// Changes things until the storm is over; answers what was done.
    pub async fn work(mut self) -> Ledger {
        while !self.progress.is_over() {
            let guest = self.dice.random_range(0..MEMBERS);
            match self.dice.random_range(0..20) {
                0..2 => self.rename(guest).await,
                2 => self.update_gathering().await,
                3 => self.go_or_come(guest).await,
                4 => self.change_role(guest).await,
                5..8 => self.meet().await,
                8 => self.stand_in_line().await,
                9..12 => self.review(guest).await,
                _ => self.chat(guest).await,
            }
        }
        self.ledger
    }

    /// One acknowledged change.
    async fn change(
        &mut self,
        sort: &'static str,
        who: &Client,
        mutation: (&str, &str),
        input: Value,
    ) -> Value {
        let payload = act(who, mutation, input).await;
        self.ledger.note(sort);
        self.progress.count();
        payload
    }

    async fn rename(&mut self, guest: usize) {
        let who = self.guests[guest].person.client.clone();
        let name =
            format!("{}_{}", self.guests[guest].person.nickname, self.dice.random_range(0..1_000));
        self.change("update", &who, graph::MEMBER_UPDATE, json!({ "nickname": name })).await;
    }

    async fn update_gathering(&mut self) {
        let host = self.host.client.clone();
        let title = format!("모임 {}", self.dice.random_range(0..1_000_000));
        let input = json!({ "gatheringId": self.gathering, "title": title });
        self.change("update", &host, graph::GATHERING_UPDATE, input).await;
    }

    async fn go_or_come(&mut self, guest: usize) {
        match self.guests[guest].standing {
            Standing::Out => self.come_in(guest).await,
            _ if self.dice.random_bool(0.5) => {
                let who = self.guests[guest].person.client.clone();
                let input = json!({ "gatheringId": self.gathering });
                self.change("delete", &who, graph::GATHERING_LEAVE, input).await;
                self.guests[guest].standing = Standing::Out;
            }
            _ => {
                let (host, membership) =
                    (self.host.client.clone(), self.guests[guest].membership.clone());
                let input = json!({ "membershipId": membership });
                self.change("delete", &host, graph::MEMBERSHIP_REMOVE, input).await;
                let member = self.guests[guest].person.id.clone();
                let gathering = self.gathering.clone();
                self.ledger.expect(&member, "MEMBERSHIP_CHANGED", &gathering);
                self.guests[guest].standing = Standing::Out;
            }
        }
    }

    /// Asks to join and is let in; now and then refused first.
    async fn come_in(&mut self, guest: usize) {
        let host = self.host.client.clone();
        let who = self.guests[guest].person.clone();
        loop {
            let input = json!({ "gatheringId": self.gathering });
            let payload = self.change("create", &who.client, graph::GATHERING_JOIN, input).await;
            let membership = payload["membership"]["id"].as_str().unwrap().to_owned();
            let managers = self.guests.iter().filter(|one| one.standing == Standing::Manager);
            let managers: Vec<_> = managers.map(|one| one.person.id.clone()).collect();
            for manager in managers.iter().chain([&self.host.id]) {
                self.ledger.expect(manager, "MEMBERSHIP_REQUESTED", &membership);
            }
            self.guests[guest].membership.clone_from(&membership);
            let approve = self.dice.random_bool(0.8);
            let input = json!({ "membershipId": membership, "approve": approve });
            self.change("update", &host, graph::MEMBERSHIP_DECIDE, input).await;
            let gathering = self.gathering.clone();
            self.ledger.expect(&who.id, "MEMBERSHIP_DECIDED", &gathering);
            if approve {
                self.guests[guest].standing = Standing::Member;
                return;
            }
        }
    }

    async fn change_role(&mut self, guest: usize) {
        let (role, standing) = match self.guests[guest].standing {
            Standing::Out => return,
            Standing::Member => ("MANAGER", Standing::Manager),
            Standing::Manager => ("MEMBER", Standing::Member),
        };
        let host = self.host.client.clone();
        let membership = self.guests[guest].membership.clone();
        let input = json!({ "membershipId": membership, "role": role });
        self.change("update", &host, graph::MEMBERSHIP_SET_ROLE, input).await;
        let member = self.guests[guest].person.id.clone();
        let gathering = self.gathering.clone();
        self.ledger.expect(&member, "MEMBERSHIP_CHANGED", &gathering);
        self.guests[guest].standing = standing;
    }

    /// Announces a schedule that some attend, moves it, and at times calls it off.
    async fn meet(&mut self) {
        let schedule = self.announce(10).await;
        let inside = self.inside();
        for guest in &inside {
            self.attend(*guest, &schedule).await;
        }
        let host = self.host.client.clone();
        let place = format!("{}번 출구", self.dice.random_range(1..1_000));
        let input = json!({ "scheduleId": schedule, "place": place });
        self.change("update", &host, graph::SCHEDULE_UPDATE, input).await;
        self.tell_all(&inside, "SCHEDULE_CHANGED", &schedule);
        if self.dice.random_bool(0.5) {
            let input = json!({ "scheduleId": schedule, "reason": "비가 옵니다" });
            self.change("delete", &host, graph::SCHEDULE_CANCEL, input).await;
            self.tell_all(&inside, "SCHEDULE_CANCELLED", &schedule);
        } else {
            for guest in &inside {
                self.withdraw(*guest, &schedule).await;
            }
        }
    }

    /// One seat, two who want it: the second gets it once the first gives it up.
    async fn stand_in_line(&mut self) {
        let [first, second, ..] = self.inside()[..] else { return };
        let schedule = self.announce(1).await;
        self.attend(first, &schedule).await;
        self.attend(second, &schedule).await;
        self.withdraw(first, &schedule).await;
        let member = self.guests[second].person.id.clone();
        self.ledger.expect(&member, "SEAT_GRANTED", &schedule);
        self.withdraw(second, &schedule).await;
    }

    async fn announce(&mut self, capacity: i32) -> String {
        self.roster_heard().await;
        let host = self.host.client.clone();
        let input = json!({
            "gatheringId": self.gathering, "title": "강변 걷기", "description": "천천히 걷습니다.",
            "place": "뚝섬 나들목", "capacity": capacity,
            "startsAt": in_hours(IN_HOURS), "endsAt": in_hours(IN_HOURS + 2),
        });
        let payload = self.change("create", &host, graph::SCHEDULE_CREATE, input).await;
        let schedule = payload["schedule"]["id"].as_str().unwrap().to_owned();
        self.tell_all(&self.inside(), "SCHEDULE_CREATED", &schedule);
        schedule
    }

    /// Only who is on the schedule room's roster is told of a new schedule.
    async fn roster_heard(&self) {
        let membership = graph::uuid(&self.guests[0].membership);
        loop {
            let (unheard,): (i64,) =
                sqlx::query_as(UNHEARD).bind(&membership).fetch_one(&self.pool).await.unwrap();
            if unheard == 0 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn attend(&mut self, guest: usize, schedule: &str) -> String {
        let who = self.guests[guest].person.client.clone();
        let input = json!({ "scheduleId": schedule, "allowOverlap": true });
        let payload = self.change("create", &who, graph::SCHEDULE_ATTEND, input).await;
        payload["attendance"]["id"].as_str().unwrap().to_owned()
    }

    async fn withdraw(&mut self, guest: usize, schedule: &str) {
        let who = self.guests[guest].person.client.clone();
        let input = json!({ "scheduleId": schedule });
        self.change("delete", &who, graph::SCHEDULE_WITHDRAW, input).await;
    }

    /// Holds a schedule of a moment, so that there is something to review.
    async fn hold_schedule(&mut self) {
        self.roster_heard().await;
        let host = self.host.client.clone();
        let now = Clock::system().now();
        let at = |seconds: u64| {
            let instant = now.after(Duration::from_secs(seconds));
            DateTime::from_timestamp_micros(instant.us()).unwrap().to_rfc3339()
        };
        let input = json!({
            "gatheringId": self.gathering, "title": "번개", "description": "잠깐 봅니다.",
            "place": "역 앞", "capacity": 30, "startsAt": at(20), "endsAt": at(21),
        });
        let payload = self.change("create", &host, graph::SCHEDULE_CREATE, input).await;
        self.past = payload["schedule"]["id"].as_str().unwrap().to_owned();
        let (past, inside) = (self.past.clone(), self.inside());
        self.tell_all(&inside, "SCHEDULE_CREATED", &past);
        let mut attendances = Vec::new();
        for guest in inside {
            attendances.push(self.attend(guest, &past).await);
        }
        sleep(Duration::from_secs(22)).await;
        for attendance in attendances {
            let input = json!({ "attendanceId": attendance, "attended": true });
            self.change("update", &host, graph::ATTENDANCE_RECORD, input).await;
        }
    }

    /// Writes, rewrites or deletes a review.
    async fn review(&mut self, guest: usize) {
        let who = self.guests[guest].person.client.clone();
        if self.dice.random_bool(0.3)
            && let Some(review) = self.guests[guest].reviewed.take()
        {
            self.change("delete", &who, graph::REVIEW_DELETE, json!({ "reviewId": review })).await;
            return;
        }
        let sort = if self.guests[guest].reviewed.is_some() { "update" } else { "create" };
        let rating = self.dice.random_range(1..=5);
        let input = json!({ "scheduleId": self.past, "rating": rating, "body": "즐거웠습니다." });
        let payload = self.change(sort, &who, graph::REVIEW_WRITE, input).await;
        let review = payload["review"]["id"].as_str().unwrap().to_owned();
        if !std::mem::replace(&mut self.guests[guest].review_told, true) {
            let host = self.host.id.clone();
            self.ledger.expect(&host, "REVIEW_RECEIVED", &review);
        }
        self.guests[guest].reviewed = Some(review);
    }

    /// Says something, and at times takes it back.
    async fn chat(&mut self, guest: usize) {
        if self.guests[guest].standing == Standing::Out {
            return;
        }
        let who = self.guests[guest].person.client.clone();
        let client_id = uuid::Uuid::now_v7().to_string();
        let input =
            json!({ "gatheringId": self.gathering, "body": "안녕하세요", "clientId": client_id });
        let payload = self.change("create", &who, graph::CHAT_SEND, input).await;
        if self.dice.random_bool(0.3) {
            let input = json!({ "messageId": payload["edge"]["node"]["id"] });
            self.change("delete", &who, graph::CHAT_DELETE, input).await;
        }
    }

    fn inside(&self) -> Vec<usize> {
        (0..MEMBERS).filter(|guest| self.guests[*guest].standing != Standing::Out).collect()
    }

    fn tell_all(&mut self, guests: &[usize], kind: &str, subject: &str) {
        for guest in guests {
            let member = self.guests[*guest].person.id.clone();
            self.ledger.expect(&member, kind, subject);
        }
    }
}
