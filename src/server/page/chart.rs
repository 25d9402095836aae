//! The chart: how many requests found what they asked for, over some time, as shapes of an SVG and as rows of a table.
//!
//! A span of time is one unit wide and a panel is 100 units high; the page stretches both to the room that there is, so there
//! is no text in the drawing.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::server::history::{Counts, HOURS, MINUTES, Scale, Tally, Timeline};

/// How much time a chart shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Range {
    /// An hour, by minutes.
    Hour,
    /// A day, by quarters of an hour.
    #[default]
    Day,
    /// 30 days, by six hours.
    Month,
}

impl Range {
    pub(super) const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// Bars, and the seconds of each.
    fn bars(self) -> (u64, u64) {
        match self {
            Self::Hour => (60, 60),
            Self::Day => (96, 15 * 60),
            Self::Month => (120, 6 * 60 * 60),
        }
    }

    /// Marks below the chart, the last one being now.
    fn marks(self) -> [&'static str; 5] {
        match self {
            Self::Hour => ["60 min ago", "45 min", "30 min", "15 min", "now"],
            Self::Day => ["24 h ago", "18 h", "12 h", "6 h", "now"],
            Self::Month => ["30 days ago", "22 days", "15 days", "7 days", "now"],
        }
    }

    /// What it is called among the others.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "1 hour",
            Self::Day => "24 hours",
            Self::Month => "30 days",
        }
    }

    /// `the last hour`, for sentences.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Hour => "the last hour",
            Self::Day => "the last 24 hours",
            Self::Month => "the last 30 days",
        }
    }

    /// The timeline that has it.
    pub(super) fn timeline(self, counts: &Counts) -> (&Timeline, Scale) {
        match self {
            Self::Hour | Self::Day => (&counts.minutes, MINUTES),
            Self::Month => (&counts.hours, HOURS),
        }
    }

    /// All that was counted in it.
    pub(super) fn total(self, counts: &Counts, now: u64) -> Tally {
        let (timeline, scale) = self.timeline(counts);
        let (bars, seconds) = self.bars();
        timeline.last(scale, now, bars * seconds)
    }
}

/// A drawing with its words.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// Its width in units.
    width: usize,
    /// The most requests that a bar stands for.
    most: u64,
    marks: [&'static str; 5],
    bars: Vec<Bar>,
    /// The hit rate as a line of steps, and as the area below it.
    line: String,
    area: String,
}

/// A span of time.
#[derive(Debug, Serialize)]
struct Bar {
    x: usize,
    /// When it begins, in seconds since 1970.
    begin: u64,
    tally: Tallied,
    /// Where hits and misses begin, from the top, and how high they are.
    hits: Block,
    misses: Block,
}

#[derive(Debug, Serialize)]
struct Block {
    y: f64,
    height: f64,
}

/// A tally, in words that templates understand.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Tallied {
    hits: u64,
    misses: u64,
    lookups: u64,
    stored: u64,
    rate: Option<f64>,
}

impl From<Tally> for Tallied {
    fn from(tally: Tally) -> Self {
        let Tally { hits, misses, stored } = tally;
        Self { hits, misses, lookups: tally.lookups(), stored, rate: tally.rate() }
    }
}

impl Chart {
    pub(super) fn new(range: Range, counts: &Counts, now: u64) -> Self {
        let ((timeline, scale), (number, seconds)) = (range.timeline(counts), range.bars());
        // The last bar is the one that is being filled.
        let last = now / seconds * seconds;
        let begins = (0..number).rev().map(|back| last.saturating_sub(back * seconds));
        let tallies: Vec<_> = begins.map(|begin| (begin, timeline.between(scale, begin, seconds))).collect();
        let most = tallies.iter().map(|(_, tally)| tally.lookups()).max().unwrap_or_default();
        let rates: Vec<_> = tallies.iter().map(|(_, tally)| tally.rate()).collect();
        let bars = tallies.iter().enumerate().map(|(x, (begin, tally))| bar(x, *begin, *tally, most));
        let (line, area) = steps(&rates);
        Self { width: rates.len(), most, marks: range.marks(), bars: bars.collect(), line, area }
    }
}

fn bar(x: usize, begin: u64, tally: Tally, most: u64) -> Bar {
    let height = |count: u64| rounded(100.0 * count as f64 / most.max(1) as f64);
    let (hits, misses) = (height(tally.hits), height(tally.misses));
    Bar {
        x,
        begin,
        tally: tally.into(),
        hits: Block { y: rounded(100.0 - hits), height: hits },
        misses: Block { y: rounded(100.0 - hits - misses), height: misses },
    }
}

/// A line of steps through the rates, with gaps where there is none, and the area below it.
fn steps(rates: &[Option<f64>]) -> (String, String) {
    let (mut line, mut area) = (String::new(), String::new());
    let mut x = 0;
    for run in rates.chunk_by(|one, other| one.is_some() == other.is_some()) {
        let levels: Vec<_> = run.iter().flatten().map(|rate| rounded(100.0 - 100.0 * rate)).collect();
        if let Some(first) = levels.first() {
            _ = write!(line, "M{x} {first}");
            _ = write!(area, "M{x} 100V{first}");
            for (step, level) in levels.iter().enumerate() {
                let step = format!("V{level}H{}", x + step + 1);
                line += &step;
                area += &step;
            }
            area += "V100Z";
        }
        x += run.len();
    }
    (line, area)
}

/// Two digits are finer than any screen.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_gaps_where_nobody_asked() {
        let (line, area) = steps(&[Some(1.0), Some(0.5), None, Some(0.25)]);
        assert_eq!(line, "M0 0V0H1V50H2M3 75V75H4");
        assert_eq!(area, "M0 100V0V0H1V50H2V100ZM3 100V75V75H4V100Z");
        assert_eq!(steps(&[None, None]), (String::new(), String::new()));
    }

    #[test]
    fn bars_are_as_high_as_they_have_requests() {
        let half = bar(7, 0, Tally { hits: 3, misses: 1, stored: 0 }, 8);
        assert_eq!((half.hits.y, half.hits.height, half.misses.y, half.misses.height), (62.5, 37.5, 50.0, 12.5));
        let none = bar(0, 0, Tally::default(), 0);
        assert_eq!((none.hits.height, none.misses.height), (0.0, 0.0));
    }

    #[test]
    fn every_range_ends_now() {
        for range in Range::ALL {
            let (now, mut counts) = (1_763_632_845, Counts::default());
            counts.count(None, now, Tally::HIT);
            let chart = Chart::new(range, &counts, now);
            assert_eq!(chart.bars.last().map(|bar| bar.tally.hits), Some(1), "{range:?}");
            assert_eq!((chart.width, range.total(&counts, now).hits), (chart.bars.len(), 1), "{range:?}");
            assert!(chart.bars[..chart.width - 1].iter().all(|bar| bar.tally.lookups == 0), "{range:?}");
        }
    }
}
