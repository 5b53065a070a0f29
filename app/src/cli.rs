//! Arguments and commands of the program.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use moim_kit::{config as layers, telemetry};
use moim_storage::Db;

use crate::config::Config;
use crate::house::{House, Plan, ROOMS, nouns};
use crate::{callers, explain, healthy, migrate, town, welcome};

/// The backend of a small-gatherings platform: one GraphQL endpoint over gRPC rooms.
///
/// Without a command every room runs in this process, and an empty house is filled with a small town.
#[derive(Debug, Parser)]
#[command(name = "moim", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Configuration file (TOML); see config.default.toml for every knob.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of SQLite files.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the GraphQL endpoint listens.
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Leave an empty house empty.
    #[arg(long, global = true)]
    no_town: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run these rooms (member, gathering, schedule, search, bff and so on), reaching the others by their configured addresses.
    Run {
        /// Rooms to run; all when none is named.
        #[arg(value_parser = ROOMS)]
        rooms: Vec<String>,
    },
    /// Have rooms tell the bus once more everything they keep, as after it has lost something.
    Replay {
        /// Rooms that are to do so.
        #[arg(required = true, value_parser = ROOMS)]
        rooms: Vec<String>,
    },
    /// Bring the databases of rooms to the shape of this version, and leave; safe while the version before runs.
    Migrate {
        /// Rooms; all when none is named.
        #[arg(value_parser = ROOMS)]
        rooms: Vec<String>,
    },
    /// Ask a room of this configuration, where it listens, whether it may be sent work; fails when it may not.
    Healthy {
        /// The room.
        #[arg(value_parser = ROOMS)]
        room: String,
        /// Ask only whether it lives: one that has lost its database does.
        #[arg(long)]
        alive: bool,
    },
    /// Print which rooms call which, as JSON.
    Wiring,
    /// See what the search room holds, and how it understands people.
    Search {
        #[command(subcommand)]
        question: Question,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Print the configuration in force, secrets covered.
    Config,
    /// Fill an empty house with the small town and leave.
    Town,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Tell how a query is understood and why its first results stand where they do.
    Explain {
        /// What somebody typed.
        query: String,
        /// How many results to explain.
        #[arg(long, default_value_t = 10)]
        first: i32,
    },
    /// List every document of the index in the data directory: noun, id, version, category and region.
    List,
}

/// For requests in flight at the end.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Does what the arguments of this process say; how it ended is for whoever started it.
pub fn answer() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence with its causes; a backtrace would help nobody who runs it.
            eprintln!("moim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the arguments say; returns once it is done or was asked to stop.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Some(Command::Schema) => return print(&moim_bff::schema::sdl()),
        Some(Command::Wiring) => return print(&callers::wiring()),
        _ => {}
    }
    let config = configure(&arguments)?;
    if matches!(arguments.command, Some(Command::Config)) {
        return print(&config.to_toml()?);
    }
    if let Some(Command::Healthy { room, alive }) = &arguments.command {
        // Asked every few seconds: it logs nothing, and answers in one sentence.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("the runtime did not start")?;
        return print(&runtime.block_on(healthy::ask(&config, room, *alive))?);
    }
    telemetry::init(&config.telemetry).context("the configuration is wrong")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime did not start")?;
    runtime.block_on(async {
        match arguments.command {
            Some(Command::Town) => fill_only(&config).await,
            Some(Command::Migrate { rooms }) => print(&migrate::migrate(&config, &rooms).await?),
            Some(Command::Replay { rooms }) => replay(&config, &rooms).await,
            Some(Command::Search { question: Question::Explain { query, first } }) => {
                print(&explain::explain(&config, &query, first).await?)
            }
            Some(Command::Search { question: Question::List }) => {
                print(&explain::list(&config).await?)
            }
            Some(Command::Run { rooms }) if !rooms.is_empty() => {
                let rooms: BTreeSet<_> =
                    ROOMS.into_iter().filter(|room| rooms.iter().any(|it| it == room)).collect();
                stand(&config, Plan::of(rooms)).await
            }
            _ => stand(&config, Plan::of(ROOMS)).await,
        }
    })
}

fn configure(arguments: &Arguments) -> anyhow::Result<Config> {
    let mut config: Config = layers::load(arguments.config.as_deref())?;
    if let Some(data) = &arguments.data {
        config.house.data.clone_from(data);
    }
    if let Some(listen) = arguments.listen {
        config.bff.listen = listen;
    }
    if arguments.no_town {
        config.house.town = false;
    }
    Ok(config)
}

async fn stand(config: &Config, plan: Plan) -> anyhow::Result<()> {
    // Before anything is opened, so that an interrupt while the town is being filled also ends cleanly.
    let mut stop = Stop::listen()?;
    let whole = plan.is_whole();
    let open = async {
        if whole && config.house.town {
            town::fill_if_empty(config).await?;
        }
        House::open(config, plan).await
    };
    let house = tokio::select! {
        house = open => house?,
        _ = stop.asked() => return Ok(()),
    };
    if let Some(address) = house.endpoint {
        let has_town = whole && town::stands_in(&house).await?;
        let url = config.bff.public_url(address);
        let now = house.clock.now();
        print(&welcome::text(&url, config.bff.is_development(), has_town, now))?;
    }
    let drain = match stop.asked().await {
        By::Supervisor => Duration::from_millis(config.house.drain_ms),
        By::Terminal => Duration::ZERO,
    };
    tracing::info!("stopping");
    let close = async {
        house.leave(drain).await;
        house.close(STOP_WITHIN).await;
    };
    tokio::select! {
        () = close => Ok(()),
        _ = stop.asked() => bail!("stopped at once, as asked twice"),
    }
}

async fn fill_only(config: &Config) -> anyhow::Result<()> {
    if town::fill_if_empty(config).await? {
        print("The town is filled.\n")
    } else {
        print("The house is not empty; nothing was changed.\n")
    }
}

async fn replay(config: &Config, rooms: &[String]) -> anyhow::Result<()> {
    if config.bus.url.is_empty() {
        bail!(
            "bus.url is empty: rooms read each other's outbox, and there is nothing to tell again"
        );
    }
    for room in rooms {
        let telling = ROOMS.into_iter().find(|it| it == room && !nouns(it).is_empty());
        let Some(room) = telling else { bail!("the {room} room tells nothing") };
        let replayed = async {
            let db = Db::open(&config.storage, &config.house.data, room).await?;
            let replayed = moim_storage::replay(&db).await;
            db.close().await;
            replayed
        };
        replayed.await.with_context(|| format!("the {room} room cannot tell anything again"))?;
        print(&format!("The {room} room tells everything it keeps once more.\n"))?;
    }
    Ok(())
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Who asks a program to stop: one sends others here until it has heard that we go, the other waits for us.
enum By {
    Supervisor,
    Terminal,
}

/// Interrupt and termination, by which a program is asked to stop.
struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    #[cfg(unix)]
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn asked(&mut self) -> By {
        tokio::select! {
            _ = self.terminate.recv() => By::Supervisor,
            _ = self.interrupt.recv() => By::Terminal,
        }
    }

    #[cfg(not(unix))]
    async fn asked(&mut self) -> By {
        let _ = tokio::signal::ctrl_c().await;
        By::Terminal
    }
}
