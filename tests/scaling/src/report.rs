//! The tables of docs/scaling.md, as the program prints them.

use std::fmt::Write as _;

use crate::inputs::Inputs;
use crate::limits::{LIMITS, first, full_at};
use crate::network::{Network, Took};
use crate::rush::{Rush, play};
use crate::stations::{Costs, OURS, STATIONS, Week, week};
use crate::traffic::{ASKED, RUSH, Traffic, hours};

/// The sizes that are looked at.
pub const SIZES: [f64; 3] = [1e4, 1e6, 1e8];
const SEED: u64 = 20_261_127;
/// Requests that are followed one by one.
const FOLLOWED: usize = 40_000;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// All tables, each under its name.
pub fn tables(inputs: &Inputs) -> Vec<(&'static str, String)> {
    vec![
        ("demand", demand(inputs)),
        ("stations", stations(inputs)),
        ("answers", answers(inputs)),
        ("rush", rushes(inputs)),
        ("limits", limits(inputs)),
        ("sensitivity", sensitivity(inputs)),
    ]
}

/// Three digits, and a word for the rest.
fn round(number: f64) -> String {
    let scales = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")];
    let (scale, word) = scales.into_iter().find(|(scale, _)| number >= *scale).unwrap_or((1.0, ""));
    let shown = number / scale;
    match shown {
        _ if shown < 1.0 => format!("{shown:.3}"),
        _ if shown >= 100.0 => format!("{shown:.0}{word}"),
        _ if shown >= 10.0 => format!("{shown:.1}{word}"),
        _ => format!("{shown:.2}{word}"),
    }
}

fn row(out: &mut String, first: &str, cells: impl IntoIterator<Item = String>) {
    let cells: String = cells.into_iter().map(|cell| format!(" {cell} |")).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "| {first} |{cells}");
}

fn head(out: &mut String, first: &str, cells: &[&str]) {
    row(out, first, cells.iter().map(|cell| (*cell).to_owned()));
    row(out, "---", cells.iter().map(|_| "---:".to_owned()));
}

fn by_size(inputs: &Inputs, of: impl Fn(&Traffic) -> String) -> [String; 3] {
    SIZES.map(|members| of(&Traffic::new(inputs, members)))
}

fn asked(traffic: &Traffic, minute: usize) -> f64 {
    traffic.rates(minute)[..ASKED].iter().sum()
}

/// The busiest minute without a rush.
fn evening(traffic: &Traffic) -> usize {
    let minutes = hours().filter(|minute| *minute != RUSH);
    minutes
        .max_by(|one, other| asked(traffic, *one).total_cmp(&asked(traffic, *other)))
        .unwrap_or(0)
}

fn demand(inputs: &Inputs) -> String {
    let mut out = String::new();
    head(&mut out, "in a week", &["10 thousand members", "1 million", "100 million"]);
    let week = |at: usize| by_size(inputs, |traffic| round(traffic.weekly()[at]));
    row(&mut out, "requests", by_size(inputs, |it| round(it.weekly()[..ASKED].iter().sum())));
    row(&mut out, "messages said", week(8));
    row(&mut out, "and delivered to who follows", week(13));
    row(&mut out, "seats taken", week(9));
    row(&mut out, "notifications", week(14));
    row(
        &mut out,
        "requests/s, mean",
        by_size(inputs, |it| round(it.weekly()[..ASKED].iter().sum::<f64>() / 604_800.0)),
    );
    row(
        &mut out,
        "requests/s, busiest evening",
        by_size(inputs, |it| round(asked(it, evening(it)))),
    );
    row(&mut out, "requests/s, minute of a rush", by_size(inputs, |it| round(asked(it, RUSH))));
    let open = |it: &Traffic| hours().map(|at| it.open(at)).fold(0.0, f64::max);
    row(&mut out, "sockets open at most", by_size(inputs, |it| round(open(it))));
    let memory = |it: &Traffic| open(it) * inputs.get("socket.kib") / 1024.0 / 1024.0;
    row(&mut out, "GiB for them", by_size(inputs, |it| round(memory(it))));
    out
}

/// Servers of every station that keep its busiest minute short of queues.
fn servers(inputs: &Inputs, weeks: &[Week; STATIONS.len()]) -> [usize; STATIONS.len()] {
    weeks.map(|week| week.peak.servers(inputs.get("busy"), inputs.get("wait_ms") / 1_000.0))
}

fn replicas(inputs: &Inputs, servers: usize) -> usize {
    ((servers as f64 / inputs.get("replica.cores")).ceil() as usize).max(2)
}

fn when(minute: usize) -> String {
    let (day, of_day) = (minute / (24 * 60), minute % (24 * 60));
    format!("{} {:02}:{:02}", DAYS[day % 7], of_day / 60, of_day % 60)
}

/// Load, cores and pods of every station.
pub fn stations(inputs: &Inputs) -> String {
    let mut out = String::new();
    let heads = [
        "busiest",
        "10 thousand: load",
        "cores",
        "pods",
        "1 million: load",
        "cores",
        "pods",
        "100 million: load",
        "cores",
        "pods",
    ];
    head(&mut out, "station", &heads);
    let costs = Costs::new(inputs);
    let sizes = SIZES.map(|members| {
        let weeks = week(&costs, &Traffic::new(inputs, members));
        (weeks, servers(inputs, &weeks))
    });
    for (at, station) in STATIONS.into_iter().enumerate() {
        let mut cells = vec![when(sizes[1].0[at].minute)];
        for (weeks, servers) in &sizes {
            let pods =
                if at < OURS { replicas(inputs, servers[at]).to_string() } else { String::new() };
            cells.extend([round(weeks[at].peak.load), servers[at].to_string(), pods]);
        }
        row(&mut out, station, cells);
    }
    out
}

/// Requests of the busiest evening one by one, with the cores of the table before.
pub fn follow(inputs: &Inputs, members: f64, requests: usize) -> Took {
    let (costs, traffic) = (Costs::new(inputs), Traffic::new(inputs, members));
    let servers = servers(inputs, &week(&costs, &traffic));
    Network::new(&costs, traffic.rates(evening(&traffic)), &servers, SEED)
        .over(inputs.get("network.rtt_ms") / 1_000.0, inputs.get("commit.ms") / 1_000.0)
        .play(requests)
}

fn answers(inputs: &Inputs) -> String {
    let mut out = String::new();
    head(&mut out, "busiest evening, ms", &["10 thousand members", "1 million", "100 million"]);
    let took = SIZES.map(|members| follow(inputs, members, FOLLOWED));
    let ms = |of: fn(&Took) -> f64| took.map(|took| format!("{:.1}", of(&took) * 1_000.0));
    row(&mut out, "half of all answers within", ms(|took| took.p50_s));
    row(&mut out, "99 of 100", ms(|took| took.p99_s));
    row(&mut out, "99 of 100 that only read", ms(|took| took.reads_p99_s));
    out
}

/// The rush of a house of this size, with claims decided one by one or in batches.
pub fn rush(inputs: &Inputs, members: f64, batched: bool) -> Rush {
    let traffic = Traffic::new(inputs, members);
    let (people, over_s) = traffic.rush();
    let weeks = week(&Costs::new(inputs), &traffic);
    let endpoints = replicas(inputs, servers(inputs, &weeks)[0]);
    Rush {
        people: people as usize,
        over_s,
        writes_per_s: inputs.get(if batched { "claims.batched" } else { "claims.writing" }),
        refusals_per_s: inputs.get(if batched {
            "claims.batched_refused"
        } else {
            "claims.refused"
        }),
        writing: inputs.get("rush.writing"),
        places: endpoints * inputs.get("shield.places") as usize,
        again_s: inputs.get("rush.again_s"),
        patience_s: inputs.get("deadline.mutation_s"),
    }
}

fn rushes(inputs: &Inputs) -> String {
    let mut out = String::new();
    let heads = [
        "who want a seat",
        "told to come again, by person",
        "half have an answer within, s",
        "99 of 100, s",
        "everybody, s",
        "decided in batches: 99 of 100, s",
        "everybody, s",
    ];
    head(&mut out, "one schedule", &heads);
    for (members, name) in
        SIZES.into_iter().zip(["10 thousand members", "1 million", "100 million"])
    {
        let (single, batched) = (rush(inputs, members, false), rush(inputs, members, true));
        let (went, faster) = (play(single, SEED), play(batched, SEED));
        let s = |seconds: f64| format!("{seconds:.1}");
        let cells = [
            round(single.people as f64),
            format!("{:.2}", went.again),
            s(went.p50_s),
            s(went.p99_s),
            s(went.most_s),
            s(faster.p99_s),
            s(faster.most_s),
        ];
        row(&mut out, name, cells);
    }
    out
}

fn limits(inputs: &Inputs) -> String {
    let mut found: Vec<_> = LIMITS.iter().map(|it| (full_at(it, inputs), it)).collect();
    found.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut out = String::new();
    head(
        &mut out,
        "there is one of it",
        &["full at members", "10 thousand use", "1 million", "100 million"],
    );
    for (full, limit) in found {
        let used = SIZES.map(|members| (limit.used)(inputs, members));
        let shown = used.map(|used| match used {
            _ if used >= 10.0 => format!("{} times", round(used)),
            _ => format!("{:.1} %", used * 100.0),
        });
        row(&mut out, limit.name, [round(full)].into_iter().chain(shown));
    }
    out
}

/// What is doubled, one at a time.
const DOUBLED: [&[&str]; 11] = [
    &["active.weekday", "active.weekend"],
    &["daily.say"],
    &["daily.attend"],
    &["daily.page"],
    &["members_by_gathering"],
    &["announcements_by_gathering_and_day"],
    &["rush.share"],
    &["log_in.member", "sign_up.member"],
    &["page.bff", "home.bff", "browse.bff"],
    &["find.search"],
    &["bytes.say", "bytes.attend"],
];

fn sensitivity(inputs: &Inputs) -> String {
    let mut out = String::new();
    head(
        &mut out,
        "twice as much",
        &["cores of rooms at 100 million", "of PostgreSQL", "first full", "at members"],
    );
    let mut tell = |name: &str, inputs: &Inputs| {
        let weeks = week(&Costs::new(inputs), &Traffic::new(inputs, 1e8));
        let servers = servers(inputs, &weeks);
        let (what, full) = first(inputs);
        let ours: usize = servers[..OURS].iter().sum();
        let cells = [
            ours.to_string(),
            (servers[9] + servers[10]).to_string(),
            what.to_owned(),
            round(full),
        ];
        row(&mut out, name, cells);
    };
    tell("nothing", inputs);
    for names in DOUBLED {
        let changed = names.iter().fold(inputs.clone(), |inputs, name| inputs.with(name, 2.0));
        tell(&names.join(", "), &changed);
    }
    out
}
