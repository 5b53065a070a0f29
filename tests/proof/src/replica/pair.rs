//! A host and a member who write in every way, and read at once what they wrote, at the other endpoint.

use moim_e2e::{Client, Memory, Person, Platform, held, in_hours, json};
use tokio::time::{Instant, sleep};

use super::{ASK_EVERY, SETTLES_WITHIN};
use crate::graph::{self, act};

/// How many ways there are.
pub const KINDS: usize = 9;
/// Notices that a member can mark as read one after the other.
const NOTICES: usize = 60;
const FEE: i64 = 1_000;

const MARK_READ: (&str, &str) = ("notificationMarkRead", "viewer { unreadNotificationCount }");
const BIO: &str = "{ viewer { member { bio } } }";
const MEMBERS: &str = "query($id: ID!) { node(id: $id) { ... on Gathering {
  title members(first: 100) { edges { node { member { nickname } } } } } } }";
const SEAT: &str = "query($id: ID!) { node(id: $id) { ... on Schedule {
  viewerAttendance { state order { id } } } } }";
const SAID: &str = "query($id: ID!) { node(id: $id) { ... on Gathering {
  messages(last: 1) { edges { node { body } } } } } }";
const REVIEWS: &str = "query($id: ID!) { node(id: $id) { ... on Schedule {
  reviews(first: 1) { edges { node { body } } } } } }";
const COUNTS: &str = "{ viewer { unreadNotificationCount wallet { balance } } }";
const NOTIFICATIONS: &str = "{ viewer { notifications(first: 100) { edges { node {
  id subject { ... on Schedule { id } } } } } } }";

/// Two people with a gathering of their own, so that nothing but what they do changes what they are shown.
pub struct Pair {
    host: Person,
    member: Person,
    urls: [String; 2],
    pub gathering: String,
    /// What the gathering is called by now.
    pub title: String,
    free: String,
    paid: String,
    over: String,
    /// The member's notices, oldest first, and how many of them are read.
    notices: Vec<String>,
    read: usize,
    balance: i64,
    /// Whether the member goes for nothing, and the host for money.
    goes: [bool; 2],
    /// Counts what is written, so that nothing is written twice.
    number: usize,
    named: usize,
}

impl Pair {
    /// Everything that takes others' doing is done before.
    pub async fn move_in(platform: &Platform, named: usize) -> Self {
        let host = platform.sign_up(&format!("host{named}")).await;
        let member = platform.sign_up(&format!("member{named}")).await;
        let gathering = host.create_gathering(json!({})).await;
        member.join(&gathering).await;
        let free = host.create_schedule(&gathering, json!({})).await;
        let fee = json!({ "fee": FEE, "startsAt": in_hours(400), "endsAt": in_hours(401) });
        let paid = host.create_schedule(&gathering, fee).await;
        host.top_up(1_000_000).await;
        let over = held(&host, &gathering, &[&member]).await.schedule;
        let mut last = String::new();
        for _ in 0..NOTICES {
            last = host.create_schedule(&gathering, json!({ "capacity": 3 })).await;
        }
        let urls = [0, 1].map(|at| platform.client_at(at).url().to_owned());
        let mut pair = Self {
            host,
            member,
            urls,
            gathering,
            title: String::new(),
            free,
            paid,
            over,
            notices: Vec::new(),
            read: 0,
            balance: 0,
            goes: [false; 2],
            number: 0,
            named,
        };
        pair.retitle().await;
        pair.settle(&last).await;
        // That one was there is the host's word, which is on its way to the room of reviews.
        let body = pair.text();
        pair.member.review(&pair.over, 3, &body).await;
        pair
    }

    /// Waits until the member has been told of every schedule, of which this is the last.
    async fn settle(&mut self, last: &str) {
        let due = Instant::now() + SETTLES_WITHIN;
        loop {
            let data = self.member.data(NOTIFICATIONS, json!({})).await;
            let edges = data["viewer"]["notifications"]["edges"].as_array().unwrap();
            if edges.first().is_some_and(|edge| edge["node"]["subject"]["id"] == last) {
                let ids = edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned());
                self.notices = ids.rev().collect();
                return;
            }
            assert!(Instant::now() < due, "the member was not told of {last}: {data}");
            sleep(ASK_EVERY).await;
        }
    }

    /// Something that nobody has written yet.
    fn text(&mut self) -> String {
        self.number += 1;
        format!("p{}n{}", self.named, self.number)
    }

    /// Gives the gathering another title.
    pub async fn retitle(&mut self) {
        let title = self.text();
        let input = json!({ "gatheringId": self.gathering, "title": title });
        act(&self.host.client, graph::GATHERING_UPDATE, input).await;
        self.title = title;
    }

    /// Writes in the way of this number at one endpoint and reads at the other; true when the read shows it.
    pub async fn write_and_read(&mut self, number: usize, remembering: bool) -> bool {
        let turn = (number / KINDS + number) % 2;
        let ends = |person: &Person| {
            let client = if remembering {
                person.client.clone()
            } else {
                person.client.remembering(Memory::None)
            };
            Ends { one: client.at(&*self.urls[turn]), other: client.at(&*self.urls[1 - turn]) }
        };
        let (host, member) = (ends(&self.host), ends(&self.member));
        match number % KINDS {
            0 => self.profile(member).await,
            1 => self.card(member).await,
            2 => self.gathering(host).await,
            3 => self.seat(member, 0).await,
            4 => self.seat(host, 1).await,
            5 => self.message(member).await,
            6 => self.review(member).await,
            7 if self.read < self.notices.len() => self.notice(member).await,
            _ => self.money(member).await,
        }
    }

    async fn profile(&mut self, member: Ends) -> bool {
        let bio = self.text();
        act(&member.one, graph::MEMBER_UPDATE, json!({ "bio": bio })).await;
        member.other.data(BIO, json!({})).await["viewer"]["member"]["bio"] == bio
    }

    /// The new name stands on the card that the room of gatherings keeps, too.
    async fn card(&mut self, member: Ends) -> bool {
        let name = self.text();
        act(&member.one, graph::MEMBER_UPDATE, json!({ "nickname": name })).await;
        let data = member.other.data(MEMBERS, json!({ "id": self.gathering })).await;
        let edges = data["node"]["members"]["edges"].as_array().unwrap();
        edges.iter().any(|edge| edge["node"]["member"]["nickname"] == name)
    }

    async fn gathering(&mut self, host: Ends) -> bool {
        let title = self.text();
        let input = json!({ "gatheringId": self.gathering, "title": title });
        act(&host.one, graph::GATHERING_UPDATE, input).await;
        let data = host.other.data(MEMBERS, json!({ "id": self.gathering })).await;
        let shown = data["node"]["title"] == title;
        self.title = title;
        shown
    }

    /// Goes or goes no more, for nothing or for money, which two rooms then agree about.
    async fn seat(&mut self, of: Ends, paid: usize) -> bool {
        let schedule = [&self.free, &self.paid][paid].clone();
        let goes = &mut self.goes[paid];
        *goes = !*goes;
        let way = if *goes { graph::SCHEDULE_ATTEND } else { graph::SCHEDULE_WITHDRAW };
        let answer = act(&of.one, way, json!({ "scheduleId": schedule })).await;
        let data = of.other.data(SEAT, json!({ "id": schedule })).await;
        let shown = &data["node"]["viewerAttendance"];
        let state = shown["state"].as_str().unwrap_or("NONE");
        if !*goes {
            return ["NONE", "WITHDRAWN"].contains(&state);
        }
        // A payment that took longer than its answer was waited for may have come by now.
        let told = answer["attendance"]["state"].as_str().unwrap();
        (state == told || state == "GOING") && (paid == 0 || shown["order"].is_object())
    }

    async fn message(&mut self, member: Ends) -> bool {
        let body = self.text();
        let client_id = uuid::Uuid::now_v7().to_string();
        let input = json!({ "gatheringId": self.gathering, "body": body, "clientId": client_id });
        act(&member.one, graph::CHAT_SEND, input).await;
        let data = member.other.data(SAID, json!({ "id": self.gathering })).await;
        data["node"]["messages"]["edges"][0]["node"]["body"] == body
    }

    async fn review(&mut self, member: Ends) -> bool {
        let body = self.text();
        let input = json!({ "scheduleId": self.over, "rating": 4, "body": body });
        act(&member.one, graph::REVIEW_WRITE, input).await;
        let data = member.other.data(REVIEWS, json!({ "id": self.over })).await;
        data["node"]["reviews"]["edges"][0]["node"]["body"] == body
    }

    /// What is left unread is read twice: within the operation that writes, and afterwards.
    async fn notice(&mut self, member: Ends) -> bool {
        let input = json!({ "upToId": self.notices[self.read] });
        self.read += 1;
        let left = self.notices.len() - self.read;
        let answer = act(&member.one, MARK_READ, input).await;
        let data = member.other.data(COUNTS, json!({})).await;
        [&answer["viewer"], &data["viewer"]].iter().all(|it| it["unreadNotificationCount"] == left)
    }

    async fn money(&mut self, member: Ends) -> bool {
        self.balance += FEE;
        act(&member.one, graph::WALLET_TOP_UP, json!({ "amount": FEE })).await;
        let data = member.other.data(COUNTS, json!({})).await;
        data["viewer"]["wallet"]["balance"] == self.balance
    }
}

/// Where somebody writes, and where they read.
struct Ends {
    one: Client,
    other: Client,
}
