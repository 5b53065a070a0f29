//! What rounds come to: medians, and how far apart rounds were.

use crate::rounds::{Measured, Round};

/// A median with the least and the greatest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// In the middle.
    pub median: f64,
    /// Of the round with the least.
    pub least: f64,
    /// Of the round with the most.
    pub most: f64,
}

impl Spread {
    /// Of some figures; zeros of none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            at(middle)
        } else {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        };
        Self { median, least: at(0), most: at(sorted.len().saturating_sub(1)) }
    }

    /// Of one figure over both sides of each round, GraphQL to floor.
    pub fn of_ratios(rounds: &[Round], figure: fn(&Measured) -> f64) -> Self {
        Self::of(rounds.iter().map(|round| figure(&round.graphql) / figure(&round.floor)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_between_the_extremes() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0]).median, 2.5);
        assert_eq!(Spread::of([]), Spread { median: 0.0, least: 0.0, most: 0.0 });
    }
}
