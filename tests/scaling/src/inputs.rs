//! What goes in: numbers with their units and where each comes from, read from one file.

use std::collections::BTreeMap;

/// The file that comes along.
const TEXT: &str = include_str!("../inputs.txt");

/// Numbers by name.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    numbers: BTreeMap<String, f64>,
}

impl Inputs {
    /// Those that come along.
    pub fn measured() -> Result<Self, String> {
        Self::parse(TEXT)
    }

    /// Lines of `name number unit # where from`; a line that begins with `#` is for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut numbers = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let said = line.split('#').next().unwrap_or_default();
            let mut words = said.split_whitespace();
            let Some(name) = words.next() else { continue };
            let number = words.next().and_then(|word| word.parse::<f64>().ok());
            let number =
                number.ok_or_else(|| format!("line {}: {name} is no number", index + 1))?;
            if !line.contains('#') {
                return Err(format!("line {}: nobody knows where {name} comes from", index + 1));
            }
            if numbers.insert(name.to_owned(), number).is_some() {
                return Err(format!("line {}: {name} stands there twice", index + 1));
            }
        }
        Ok(Self { numbers })
    }

    /// A number that must be there: the file comes along, and a test reads every name.
    pub fn get(&self, name: &str) -> f64 {
        self.numbers.get(name).copied().unwrap_or(f64::NAN)
    }

    /// A number that is nothing when nobody tells it, such as the cost of an operation where it costs nothing.
    pub fn get_or_zero(&self, name: &str) -> f64 {
        self.numbers.get(name).copied().unwrap_or(0.0)
    }

    /// The same with one number so many times as large.
    #[must_use]
    pub fn with(&self, name: &str, times: f64) -> Self {
        let mut changed = self.clone();
        if let Some(number) = changed.numbers.get_mut(name) {
            *number *= times;
        }
        changed
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }
}
