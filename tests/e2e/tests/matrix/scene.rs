//! A gathering in full swing, the people around it, and names for everything in it.

use std::collections::BTreeMap;
use std::time::Duration;

use moim_e2e::{
    Client, Person, Platform, Value, eventually, expect_data, held, in_hours, in_time, json,
};

/// How somebody stands to the gathering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nobody is signed in.
    Stranger,
    /// Signed in, and the host of another gathering.
    Outsider,
    /// A member without any further rights.
    Member,
    /// The host.
    Host,
}

/// In the order of every table's columns.
pub const ROLES: [Role; 4] = [Role::Stranger, Role::Outsider, Role::Member, Role::Host];

/// Everybody who takes part, whatever happens to the gathering.
pub struct Cast {
    pub stranger: Client,
    pub outsider: Person,
    pub member: Person,
    pub host: Person,
    /// Another member, about whom others do things.
    pub guest: Person,
    /// Asks to join.
    pub applicant: Person,
}

/// One gathering with everything that can be in it; texts name its parts as `<gathering>`.
pub struct Scene {
    pub cast: Cast,
    names: BTreeMap<&'static str, String>,
}

impl Cast {
    async fn sign_up(platform: &Platform) -> Self {
        let host = platform.sign_up("host").await;
        let profile = json!({ "bio": "걷는 사람", "avatarUrl": "https://img.example/host.png" });
        host.data(UPDATE_PROFILE, json!({ "input": profile })).await;
        Self {
            stranger: platform.client(),
            outsider: platform.sign_up("outsider").await,
            member: platform.sign_up("member").await,
            host,
            guest: platform.sign_up("guest").await,
            applicant: platform.sign_up("applicant").await,
        }
    }

    /// Whoever has this role.
    pub fn client(&self, role: Role) -> &Client {
        self.person(role).map_or(&self.stranger, |person| &person.client)
    }

    /// Whoever has this role, when they have an account.
    pub fn person(&self, role: Role) -> Option<&Person> {
        match role {
            Role::Stranger => None,
            Role::Outsider => Some(&self.outsider),
            Role::Member => Some(&self.member),
            Role::Host => Some(&self.host),
        }
    }
}

impl Scene {
    /// Signs everybody up and sets the scene for the first time.
    pub async fn set(platform: &Platform) -> Self {
        let cast = Cast::sign_up(platform).await;
        let region = cast.host.region().await;
        let own = cast.outsider.create_gathering(json!({ "title": "남의 모임" })).await;
        let names = BTreeMap::from([
            ("region", region),
            ("host", cast.host.id.clone()),
            ("member", cast.member.id.clone()),
            ("guest", cast.guest.id.clone()),
            ("guestEmail", cast.guest.email.clone()),
            ("guestPassword", cast.guest.password.clone()),
            ("viewer", cast.member.viewer_id.clone()),
            ("outsidersGathering", own),
        ]);
        let mut scene = Self { cast, names };
        scene.pay().await;
        scene.reset().await;
        scene.hear().await;
        scene
    }

    /// Adds a gathering whose schedules cost something: one the member has paid for, and one that only the
    /// member can pay for: `<paid>`, `<paidAttendance>`, `<order>`, `<entry>`, `<payable>`.
    async fn pay(&mut self) {
        let Cast { host, member, .. } = &self.cast;
        let gathering = host.create_gathering(json!({ "title": "유료 모임" })).await;
        member.join(&gathering).await;
        let costly = |days: i64| json!({ "fee": 12_000, "startsAt": in_hours(24 * days), "endsAt": in_hours(24 * days + 1) });
        let paid = host.create_schedule(&gathering, costly(10)).await;
        let payable = host.create_schedule(&gathering, costly(11)).await;
        member.top_up(1_000_000).await;
        host.top_up(5_000).await;
        let attendance = attend(member, &paid).await;
        // Money moves by itself.
        let (order, entry) = eventually(async || {
            let data = member.data(PAYMENT, json!({})).await;
            let line = &data["viewer"]["wallet"]["entries"]["edges"][0]["node"];
            let ids = line["order"]["id"].as_str().zip(line["id"].as_str());
            ids.map(|(order, entry)| (order.to_owned(), entry.to_owned())).ok_or(data)
        })
        .await;
        self.names.extend([
            ("paid", paid),
            ("payable", payable),
            ("paidAttendance", attendance),
            ("order", order),
            ("entry", entry),
        ]);
    }

    /// Waits until the host and the member were notified of something, which takes its time; the newest
    /// one of the member is `<notification>`.
    async fn hear(&mut self) {
        for person in [&self.cast.host, &self.cast.member] {
            let heard = eventually(async || {
                let data = person.data(NEWEST, json!({})).await;
                let edges = &data["viewer"]["notifications"]["edges"];
                edges[0]["node"]["id"].as_str().map(str::to_owned).ok_or(data)
            });
            self.names.insert("notification", heard.await);
        }
        // What is searched follows by itself, and what was searched is popular.
        eventually(async || {
            let data = self.cast.host.data(SEARCHED, json!({})).await;
            let found = &data["search"]["edges"][0]["cursor"];
            if found.is_null() { Err(data) } else { Ok(()) }
        })
        .await;
    }

    /// Adds a schedule that is over, where the member and the guest were, and the member's review of it:
    /// `<past>`, `<over>`, `<review>`.
    pub async fn end(&mut self) {
        let Cast { host, member, guest, .. } = &self.cast;
        let gathering = host.create_gathering(json!({ "title": "지난 모임" })).await;
        member.join(&gathering).await;
        guest.join(&gathering).await;
        let over = held(host, &gathering, &[member, guest]).await;
        let review = member.review(&over.schedule, 4, "즐거웠어요.").await;
        // The gathering hears of it by itself.
        eventually(async || {
            let data = host.data(RATING, json!({ "id": gathering })).await;
            if data["node"]["rating"].is_null() { Err(data) } else { Ok(()) }
        })
        .await;
        self.names.extend([("past", gathering), ("over", over.schedule), ("review", review)]);
    }

    /// Starts over with another gathering: the member and the guest are in, the applicant waits; one
    /// schedule is full with the guest in line, one is free, one is at the same time as the full one.
    pub async fn reset(&mut self) {
        let Cast { host, member, guest, applicant, .. } = &self.cast;
        let image = json!({ "imageUrl": "https://img.example/cover.png" });
        let gathering = host.create_gathering(image).await;
        let membership = member.join(&gathering).await;
        let guest_membership = guest.join(&gathering).await;
        let approval = json!({ "gatheringId": gathering, "joinPolicy": "APPROVAL" });
        host.data(UPDATE_GATHERING, json!({ "input": approval })).await;
        let request = json!({ "gatheringId": gathering, "message": "함께 걷고 싶어요." });
        let joined = applicant.data(JOIN, json!({ "input": request })).await;
        let variables = json!({ "id": gathering });
        let own = host.data(OWN_MEMBERSHIP, variables).await;

        let schedule = host.create_schedule(&gathering, json!({ "capacity": 2 })).await;
        // From here on the schedule room knows the member, and the member hears of what is next.
        let attendance = attend(member, &schedule).await;
        let tomorrow = json!({ "startsAt": in_hours(24), "endsAt": in_hours(26) });
        let free = host.create_schedule(&gathering, tomorrow).await;
        let overlapping = host.create_schedule(&gathering, json!({})).await;
        attend(host, &schedule).await;
        let waiting = attend(guest, &schedule).await;
        let said = member.say(&gathering, "몇 시에 만나요?").await;
        let answered = guest.say(&gathering, "일곱 시요!").await;
        if let Some(over) = self.names.get("over") {
            // Whoever took it back, it stands again.
            let review = member.review(over, 4, "즐거웠어요.").await;
            self.names.insert("review", review);
        }

        self.names.extend([
            ("gathering", gathering),
            ("hostMembership", text(&own["node"]["viewerMembership"]["id"])),
            ("membership", membership),
            ("guestMembership", guest_membership),
            ("applicant", text(&joined["gatheringJoin"]["membership"]["id"])),
            ("schedule", schedule),
            ("free", free),
            ("overlapping", overlapping),
            ("attendance", attendance),
            ("waiting", waiting),
            ("said", text(&said["node"]["id"])),
            ("answered", text(&answered["node"]["id"])),
        ]);
    }

    /// Adds a gathering of the host whose one schedule has begun, with the member there and the
    /// guest still in line: `<begun>`, `<begunAttendance>`, `<begunWaiting>`.
    pub async fn begin(&mut self) {
        let Cast { host, member, guest, .. } = &self.cast;
        let gathering = host.create_gathering(json!({ "title": "시작한 모임" })).await;
        member.join(&gathering).await;
        guest.join(&gathering).await;
        let mut lead = Duration::from_secs(2);
        let (begun, attendance, waiting) = loop {
            let times = json!({ "startsAt": in_time(lead), "endsAt": in_hours(2), "capacity": 1 });
            let schedule = host.create_schedule(&gathering, times).await;
            let overlap = json!({ "allowOverlap": true });
            let here = member.try_attend(&schedule, overlap.clone()).await;
            let there = guest.try_attend(&schedule, overlap).await;
            let id = |body: &Value| body["data"]["scheduleAttend"]["attendance"]["id"].clone();
            // A slow machine may be late for it; then another with more time is announced.
            if let (Value::String(here), Value::String(there)) = (id(&here), id(&there)) {
                break (schedule, here, there);
            }
            assert!(lead < Duration::from_secs(120), "nobody can attend: {here:#} {there:#}");
            lead *= 2;
        };
        loop {
            let data = host.data(STATUS, json!({ "id": begun })).await;
            if data["node"]["status"] == "CLOSED" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.names.extend([
            ("begun", begun),
            ("begunAttendance", attendance),
            ("begunWaiting", waiting),
        ]);
    }

    /// What a name stands for.
    pub fn id(&self, name: &str) -> &str {
        self.names.get(name).unwrap_or_else(|| panic!("nothing is called <{name}>"))
    }

    /// True when something has this name.
    pub fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// A text with every `<name>` replaced by what it stands for; `<fresh>` is new each time.
    pub fn fill(&self, text: &str) -> String {
        let mut parts = text.split('<');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('>').expect("a name ends with >");
            match name {
                "fresh" => filled.push_str(&uuid::Uuid::now_v7().simple().to_string()),
                "sooner" => filled.push_str(&in_hours(24)),
                "soon" => filled.push_str(&in_hours(48)),
                "later" => filled.push_str(&in_hours(50)),
                name => filled.push_str(self.id(name)),
            }
            filled.push_str(rest);
        }
        filled
    }
}

/// No process took any of it for a defect: nothing panicked and nothing was logged as an error.
pub fn assert_quiet(platform: &Platform) {
    for process in &platform.processes {
        let said = process.stderr();
        let defects: Vec<_> = said
            .lines()
            .filter(|line| line.contains(" ERROR ") || line.contains("panicked"))
            .collect();
        assert!(defects.is_empty(), "defects were logged:\n{}", defects.join("\n"));
    }
}

/// An id of the same noun that nothing has.
pub fn missing(id: &str) -> String {
    let other = if id.as_bytes()[12] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &id[..12], &id[13..])
}

/// The text in an answer.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Takes a place, whatever earlier scenes left in the way; the attendance's id.
async fn attend(person: &Person, schedule: &str) -> String {
    let body = person.try_attend(schedule, json!({ "allowOverlap": true })).await;
    text(&expect_data(&body)["scheduleAttend"]["attendance"]["id"])
}

const UPDATE_PROFILE: &str = "mutation($input: MemberUpdateInput!) {
  memberUpdate(input: $input) { userErrors { code message path } }
}";
const UPDATE_GATHERING: &str = "mutation($input: GatheringUpdateInput!) {
  gatheringUpdate(input: $input) { userErrors { code message path } }
}";
const JOIN: &str = "mutation($input: GatheringJoinInput!) {
  gatheringJoin(input: $input) { membership { id } userErrors { code message path } }
}";
const OWN_MEMBERSHIP: &str = "query($id: ID!) {
  node(id: $id) { ... on Gathering { viewerMembership { id } } }
}";
const SEARCHED: &str = "{ search(query: \"아침 산책\", first: 1) { edges { cursor } } }";
const NEWEST: &str = "{ viewer { notifications(first: 1) { edges { node { id } } } } }";
const PAYMENT: &str =
    "{ viewer { wallet { entries(first: 1) { edges { node { id order { id } } } } } } }";
const RATING: &str = "query($id: ID!) { node(id: $id) { ... on Gathering { rating } } }";
const STATUS: &str = "query($id: ID!) { node(id: $id) { ... on Schedule { status } } }";
