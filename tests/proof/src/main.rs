//! The proofs as commands; `docs/proofs.md` says what each showed.
#![allow(clippy::print_stdout, reason = "its figures are what it is for")]

use clap::{Parser, Subcommand};
use moim_proof::{burst, crowd, findable, replica, resume, rolling, saga, search, storm};

#[derive(Parser)]
#[command(name = "moim-proof")]
struct Arguments {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(Subcommand)]
enum Proof {
    /// Changes through the services while consumers die, the bus restarts and is wiped.
    Storm(storm::Size),
    /// Numbered notifications to one member whose socket is cut and whose endpoint dies.
    Resume(resume::Size),
    /// A fleet of which every process is replaced, one after another, under load.
    Rolling(rolling::Size),
    /// Idle subscribers, one busy chat, and readers that stall.
    Crowd(crowd::Size),
    /// Paid orders whose rooms are killed at every step, stopped and cut off.
    Saga(saga::Size),
    /// Two thousand people who want a hundred paid seats at once.
    Burst(burst::Size),
    /// Changes of what can be found while search rooms die, also as they commit and rebuild their index.
    Search(search::Size),
    /// Writes that are read at once while nothing comes to the replica of the database.
    Replica(replica::Size),
    /// Changes at a steady rate, some of which are searched for until they are found.
    Findable(findable::Size),
}

#[tokio::main]
async fn main() {
    let report = match Arguments::parse().proof {
        Proof::Storm(size) => storm::run(size).await,
        Proof::Resume(size) => resume::run(size).await,
        Proof::Rolling(size) => rolling::run(size).await,
        Proof::Crowd(size) => crowd::run(size).await,
        Proof::Saga(size) => saga::run(size).await,
        Proof::Burst(size) => burst::run(size).await,
        Proof::Search(size) => search::run(size).await,
        Proof::Replica(size) => replica::run(size).await,
        Proof::Findable(size) => findable::run(size).await,
    };
    println!("{report}");
}
