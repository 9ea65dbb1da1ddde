//! Plots as inline SVG: scales, ticks, lines. Colours come from the page's style sheet, by class.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

const WIDTH: f64 = 920.0;
const MARGIN_LEFT: f64 = 64.0;
const MARGIN_RIGHT: f64 = 20.0;
const MARGIN_TOP: f64 = 14.0;
const MARGIN_BOTTOM: f64 = 34.0;
/// Points of a percentile curve for each tenfold of 1 / (1 - quantile).
const POINTS_PER_DECADE: u32 = 24;

/// A latency curve over `1 / (1 - quantile)`, which puts p90, p99 and p99.9 at equal distances. It ends where
/// there is one sample left, at the maximum.
pub fn percentile_points(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let last = histogram.len() as f64;
    let steps = (last.log10() * f64::from(POINTS_PER_DECADE)).floor() as u32;
    let xs = (0..=steps).map(|step| 10f64.powf(f64::from(step) / f64::from(POINTS_PER_DECADE)));
    let point = |x: f64| (x, histogram.value_at_quantile(1.0 - 1.0 / x) as f64 / 1_000.0);
    xs.map(point).chain([(last, histogram.max() as f64 / 1_000.0)]).collect()
}

/// How values become positions.
#[derive(Clone, Copy, Debug)]
pub enum Scale {
    /// In proportion.
    Linear {
        /// The value at the start of the axis.
        low: f64,
        /// The value at its end.
        high: f64,
    },
    /// In proportion to the logarithm.
    Log {
        /// The value at the start of the axis, above zero.
        low: f64,
        /// The value at its end.
        high: f64,
    },
}

impl Scale {
    /// From zero to a round number not below `high`.
    pub fn from_zero(high: f64) -> Self {
        let step = round_step(high.max(1e-9) / 4.0);
        Self::Linear { low: 0.0, high: (high / step).ceil().max(1.0) * step }
    }

    /// Around all of `values`, to the next 1, 2 or 5 below and above.
    pub fn log_around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|value| *value > 0.0)
            .fold((f64::MAX, 1.0f64), |(low, high), value| (low.min(value), high.max(value)));
        let low = low.min(high);
        let below = log_ticks(low / 10.0, low).last().copied().unwrap_or(low);
        let above = log_ticks(high, high * 10.0).first().copied().unwrap_or(high);
        Self::Log { low: below, high: if above > below { above } else { below * 2.0 } }
    }

    /// Where `value` lies, from 0 to 1.
    pub fn place(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { low, high } => (value.max(low) / low).ln() / (high / low).ln(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values along the axis.
    pub fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { low, high } => {
                let step = round_step((high - low) / 5.0);
                let count = ((high - low) / step + 1e-6).floor() as u32;
                (0..=count).map(|index| low + f64::from(index) * step).collect()
            }
            Self::Log { low, high } => {
                let ticks = log_ticks(low, high);
                let is_crowded = ticks.len() > 9;
                ticks.into_iter().filter(|tick| !is_crowded || is_power_of_ten(*tick)).collect()
            }
        }
    }
}

fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all = (first..=last).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    let (least, most) = (low * (1.0 - 1e-9), high * (1.0 + 1e-9));
    all.filter(|tick| (least..=most).contains(tick)).collect()
}

fn is_power_of_ten(value: f64) -> bool {
    (value.log10() - value.log10().round()).abs() < 1e-9
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `wanted`.
fn round_step(wanted: f64) -> f64 {
    let power = 10f64.powf(wanted.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|step| *step >= wanted * 0.999)
        .unwrap_or(power)
}

/// An axis: its scale and how its ticks are written.
pub struct Axis<'a> {
    /// Positions.
    pub scale: Scale,
    /// Words of a tick.
    pub label: &'a dyn Fn(f64) -> String,
    /// Ticks other than the scale's own.
    pub ticks: Option<Vec<f64>>,
}

/// A line of a chart; `class` colours it.
pub struct Line<'a> {
    /// Class of the style sheet.
    pub class: &'a str,
    /// In the units of the axes.
    pub points: &'a [(f64, f64)],
    /// Fill the ground below it as well.
    pub has_area: bool,
}

/// A chart of lines over two axes.
pub struct Chart<'a> {
    /// Height, in the units of the drawing (it is 920 wide).
    pub height: f64,
    /// What it shows, for those who cannot see it.
    pub title: &'a str,
    /// Along the bottom.
    pub x: Axis<'a>,
    /// Along the left side.
    pub y: Axis<'a>,
    /// Drawn in order.
    pub lines: &'a [Line<'a>],
    /// Words shown over a stretch of the x axis, from and to.
    pub notes: &'a [(f64, f64, String)],
}

impl Chart<'_> {
    /// The chart as an `svg` element.
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">\n",
            self.height,
            escape(self.title)
        );
        self.write_grid(&mut svg);
        for line in self.lines {
            self.write_line(&mut svg, line);
        }
        self.write_notes(&mut svg);
        svg += "</svg>\n";
        svg
    }

    fn bottom(&self) -> f64 {
        self.height - MARGIN_BOTTOM
    }

    fn x_at(&self, value: f64) -> f64 {
        MARGIN_LEFT + self.x.scale.place(value) * (WIDTH - MARGIN_LEFT - MARGIN_RIGHT)
    }

    fn y_at(&self, value: f64) -> f64 {
        self.bottom() - self.y.scale.place(value) * (self.bottom() - MARGIN_TOP)
    }

    fn write_grid(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - MARGIN_RIGHT, self.bottom());
        for tick in self.y.ticks.clone().unwrap_or_else(|| self.y.scale.ticks()) {
            let (y, label) = (self.y_at(tick), (self.y.label)(tick));
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{MARGIN_LEFT} {y:.1}H{right}\"/>");
            let _ =
                writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" class=\"end\">{label}</text>", MARGIN_LEFT - 10.0, y + 4.0);
        }
        for tick in self.x.ticks.clone().unwrap_or_else(|| self.x.scale.ticks()) {
            let (x, label) = (self.x_at(tick), (self.x.label)(tick));
            let _ = writeln!(svg, "<path class=\"tick\" d=\"M{x:.1} {bottom}v5\"/>");
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" class=\"middle\">{label}</text>", bottom + 20.0);
        }
        let _ = writeln!(svg, "<path class=\"axis\" d=\"M{MARGIN_LEFT} {bottom}H{right}\"/>");
    }

    fn write_line(&self, svg: &mut String, line: &Line<'_>) {
        let mut path = String::new();
        for (index, &(x, y)) in line.points.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if index == 0 { "M" } else { "L" }, self.x_at(x), self.y_at(y));
        }
        if let (true, Some(first), Some(last)) = (line.has_area, line.points.first(), line.points.last()) {
            let (left, right, bottom) = (self.x_at(first.0), self.x_at(last.0), self.bottom());
            let _ = writeln!(
                svg,
                "<path class=\"area {}\" d=\"{path}L{right:.1} {bottom}L{left:.1} {bottom}Z\"/>",
                line.class
            );
        }
        let _ = writeln!(svg, "<path class=\"line {}\" d=\"{path}\"/>", line.class);
    }

    fn write_notes(&self, svg: &mut String) {
        for (from, to, words) in self.notes {
            let (left, right) = (self.x_at(*from), self.x_at(*to));
            let (width, height) = ((right - left).max(1.0), self.bottom() - MARGIN_TOP);
            let _ = writeln!(
                svg,
                "<rect class=\"note\" x=\"{left:.1}\" y=\"{MARGIN_TOP}\" width=\"{width:.1}\" height=\"{height:.1}\">\
                 <title>{}</title></rect>",
                escape(words)
            );
        }
    }
}

/// Text as it may stand in markup and in attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl Iterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        values.for_each(|value| histogram.record(value).unwrap());
        histogram
    }

    #[test]
    fn a_percentile_curve_rises_from_the_minimum_to_the_maximum() {
        let points = percentile_points(&histogram((1..=10_000).map(|index| index * 1_000)));
        assert_eq!(points.first().map(|point| point.0), Some(1.0));
        assert!((points[0].1 - 1.0).abs() < 0.01);
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
        let (x, y) = *points.last().unwrap();
        assert_eq!(x, 10_000.0);
        assert!((y - 10_000.0).abs() / 10_000.0 < 0.001);
    }

    #[test]
    fn the_curve_passes_through_the_percentiles() {
        let points = percentile_points(&histogram((1..=100_000).map(|index| index * 1_000)));
        for (x, expected) in [(10.0, 90_000.0), (100.0, 99_000.0), (1_000.0, 99_900.0)] {
            let (_, y) = points.iter().find(|point| (point.0 - x).abs() / x < 1e-9).unwrap();
            assert!((y - expected).abs() / expected < 0.002, "{x}: {y}");
        }
    }

    #[test]
    fn few_samples_make_short_curves() {
        assert!(percentile_points(&histogram(std::iter::empty())).is_empty());
        assert_eq!(percentile_points(&histogram([5_000].into_iter())).len(), 2);
    }

    #[test]
    fn scales_enclose_their_values_between_round_numbers() {
        let Scale::Linear { high, .. } = Scale::from_zero(47_300.0) else { panic!("linear") };
        assert!((47_300.0..=60_000.0).contains(&high), "{high}");
        let Scale::Log { low, high } = Scale::log_around([130.0, 4_100.0].into_iter()) else { panic!("log") };
        assert!((low - 100.0).abs() < 1e-6 && (high - 5_000.0).abs() < 1e-6, "{low} {high}");
        assert!(Scale::log_around(std::iter::empty()).place(3.0).is_finite());
        assert_eq!(Scale::Log { low: 1.0, high: 100.0 }.place(10.0), 0.5);
    }
}
