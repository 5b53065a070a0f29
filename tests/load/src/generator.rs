//! Whoever asks, as a process of its own, so that its CPU is not taken for the server's.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::loops::{Order, Tally, carry_out};

/// A process that carries out orders, one at a time.
#[derive(Debug)]
pub struct Generator {
    child: Child,
    orders: ChildStdin,
    news: Lines<BufReader<ChildStdout>>,
}

/// What the process tells, a line of JSON each.
#[derive(Serialize, Deserialize)]
enum News {
    Opened,
    Closed(Tally),
    Failed(String),
}

impl Generator {
    /// Starts this very program again with an argument that makes it call [`serve_orders`].
    pub fn start(argument: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the load generator did not start")?;
        let orders = child.stdin.take().context("the load generator takes no orders")?;
        let news = child.stdout.take().context("the load generator tells no news")?;
        Ok(Self { child, orders, news: BufReader::new(news).lines() })
    }

    /// Has an order carried out; `opened` is called when its window opens.
    pub fn carry_out(
        &mut self,
        order: &Order,
        opened: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Tally> {
        writeln!(self.orders, "{}", serde_json::to_string(order)?)?;
        match self.next_news()? {
            News::Opened => opened()?,
            News::Closed(_) => bail!("a window closed that had not opened"),
            News::Failed(why) => bail!("{} {}: {why}", order.method, order.path),
        }
        match self.next_news()? {
            News::Closed(tally) => Ok(tally),
            News::Opened => bail!("a window opened twice"),
            News::Failed(why) => bail!("{} {}: {why}", order.method, order.path),
        }
    }

    fn next_news(&mut self) -> anyhow::Result<News> {
        let line = self.news.next().context("the load generator ended")??;
        serde_json::from_str(&line).with_context(|| format!("the load generator said {line}"))
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Carries out orders from standard input until it ends: what the other process runs.
pub fn serve_orders() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for line in std::io::stdin().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let outcome = runtime.block_on(carry_out(order, || {
            // Should nobody listen, the next line fails as well.
            let _ = tell(&News::Opened);
        }));
        tell(&match outcome {
            Ok(tally) => News::Closed(tally),
            Err(error) => News::Failed(format!("{error:#}")),
        })?;
    }
    Ok(())
}

fn tell(news: &News) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(news)?)?;
    Ok(out.flush()?)
}
