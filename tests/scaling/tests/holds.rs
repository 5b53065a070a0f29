//! The tables in docs/scaling.md are what the program prints, and the program's queues are what queues do.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use moim_scaling::inputs::Inputs;
use moim_scaling::limits::{LIMITS, first, full_at};
use moim_scaling::queue::Demand;
use moim_scaling::random::Random;
use moim_scaling::report::{follow, rush, stations, tables};
use moim_scaling::rush::play;
use moim_scaling::traffic::{ASKED, Traffic};

const DOCUMENT: &str = include_str!("../../../docs/scaling.md");

fn inputs() -> Inputs {
    Inputs::measured().unwrap()
}

/// Waits at a station with so many servers, one arrival after another; first come, first served.
fn played(demand: Demand, servers: usize, share: f64) -> f64 {
    let (mut random, mut free) = (Random::new(7), vec![0.0_f64; servers]);
    let (mut now, mut waits) = (0.0, Vec::new());
    for _ in 0..200_000 {
        now += random.wait(1.0 / demand.rate);
        let soonest = free.iter_mut().min_by(|one, other| one.total_cmp(other)).unwrap();
        let begins = soonest.max(now);
        *soonest = begins + random.wait(demand.mean_s());
        waits.push(begins - now);
    }
    waits.sort_by(f64::total_cmp);
    waits[(waits.len() as f64 * share) as usize]
}

#[test]
fn the_tables_of_the_document_are_what_the_program_prints() {
    for (name, table) in tables(&inputs()) {
        assert!(DOCUMENT.contains(&table), "docs/scaling.md is to say of {name}:\n{table}");
        // A number that is asked for and not there is none.
        assert!(!table.contains("NaN") && !table.contains("inf"), "{name}:\n{table}");
    }
}

#[test]
fn a_number_that_changes_changes_the_tables() {
    let inputs = inputs();
    assert!(DOCUMENT.contains(&stations(&inputs)));
    assert!(!DOCUMENT.contains(&stations(&inputs.with("page.bff", 1.3))));
}

#[test]
fn every_number_says_where_it_comes_from() {
    assert!(Inputs::parse("busy 0.6 of a core").unwrap_err().contains("comes from"));
    assert!(Inputs::parse("busy much # guessed").unwrap_err().contains("no number"));
    assert!(Inputs::parse("busy 1 # one\nbusy 2 # two").unwrap_err().contains("twice"));
}

#[test]
fn the_formula_waits_as_long_as_a_queue_that_is_played() {
    for (servers, busy) in [(1, 0.6), (2, 0.8), (8, 0.9), (40, 0.85)] {
        let mut demand = Demand::default();
        demand.add(busy * servers as f64 / 0.004, 0.004);
        let (told, played) = (demand.wait_s(servers, 0.99), played(demand, servers, 0.99));
        let apart = (told - played).abs() / played;
        assert!(apart < 0.15, "{servers} servers, {busy} busy: {told} s told, {played} s played");
    }
}

#[test]
fn unequal_work_makes_longer_lines_and_enough_servers_make_short_ones() {
    let (mut equal, mut unequal) = (Demand::default(), Demand::default());
    equal.add(700.0, 0.001);
    unequal.add(680.0, 0.000_3);
    unequal.add(20.0, 0.024_8);
    assert!((equal.load - unequal.load).abs() < 1e-9);
    assert!(unequal.wait_s(1, 0.99) > 2.0 * equal.wait_s(1, 0.99));
    let servers = unequal.servers(0.6, 0.005);
    assert!(unequal.wait_s(servers, 0.99) <= 0.005 && unequal.load / servers as f64 <= 0.6);
    assert!(unequal.wait_s(0, 0.99).is_infinite());
}

#[test]
fn twice_the_members_ask_twice_as_much() {
    let week = |members| Traffic::new(&inputs(), members).weekly()[..ASKED].iter().sum::<f64>();
    let ratio = week(2e6) / week(1e6);
    assert!((ratio - 2.0).abs() < 1e-6, "{ratio}");
}

#[test]
fn followed_requests_take_at_least_their_work_and_no_more_than_they_are_promised() {
    let took = follow(&inputs(), 1e6, 10_000);
    // Endpoint, a room and its database, with a way to each.
    assert!(
        took.p50_s > 0.001 && took.p50_s < took.reads_p99_s && took.reads_p99_s < 0.05,
        "{took:?}"
    );
}

#[test]
fn a_rush_ends_no_sooner_than_its_row_allows_and_batches_end_it_sooner() {
    let (single, batched) = (rush(&inputs(), 1e8, false), rush(&inputs(), 1e8, true));
    let (went, faster) = (play(single, 1), play(batched, 1));
    let least = single.people as f64 * single.writing / single.writes_per_s;
    assert!(went.most_s > 0.9 * least - single.over_s, "{went:?}");
    assert!(went.again > 1.0 && faster.p99_s < went.p99_s / 4.0, "{went:?} {faster:?}");
    let small = play(rush(&inputs(), 1e4, false), 1);
    assert!(small.again == 0.0 && small.p99_s < 0.1, "{small:?}");
}

#[test]
fn each_limit_is_reached_where_it_says() {
    let inputs = inputs();
    for limit in &LIMITS {
        let full = full_at(limit, &inputs);
        let (below, above) = ((limit.used)(&inputs, full * 0.9), (limit.used)(&inputs, full * 1.1));
        assert!(below <= 1.0 && above >= 1.0, "{}: {below} {above}", limit.name);
    }
    let (_, full) = first(&inputs);
    assert!(LIMITS.iter().all(|limit| full_at(limit, &inputs) >= full));
}
