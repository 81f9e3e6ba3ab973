//! Drawings as a list of marks, which SVG shows (and later a printed page): bars, lines and words, no gradients, no
//! shadows. Every drawing stands beside a table with the same values and is hidden from assistive technology.

use maud::{Markup, html};

/// One mark. Units are CSS pixels, the origin is at the top start corner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    /// A rectangle: place, size, class.
    Bar(f64, f64, f64, f64, &'static str),
    /// A line from, to, class.
    Line(f64, f64, f64, f64, &'static str),
    /// A word: place of its base line, anchor, class, text.
    Word(f64, f64, Anchor, &'static str, String),
}

/// Which part of a word stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// The drawing of a list of marks.
pub(crate) fn svg(marks: &[Mark], width: f64, height: f64) -> Markup {
    html! {
        svg class="drawing" viewBox=(format!("0 0 {} {}", short(width), short(height))) aria-hidden="true" focusable="false" {
            @for mark in marks {
                @match mark {
                    Mark::Bar(x, y, w, h, class) => {
                        rect x=(short(*x)) y=(short(*y)) width=(short(*w)) height=(short(*h)) class=(class) {}
                    }
                    Mark::Line(x1, y1, x2, y2, class) => {
                        line x1=(short(*x1)) y1=(short(*y1)) x2=(short(*x2)) y2=(short(*y2)) class=(class) {}
                    }
                    Mark::Word(x, y, anchor, class, text) => {
                        text x=(short(*x)) y=(short(*y)) text-anchor=(anchor.word()) class=(class) direction="ltr" { (text) }
                    }
                }
            }
        }
    }
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// One decimal, and none where it is zero.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A round step for a scale with three or four lines above zero.
pub(crate) fn step(largest: u64) -> u64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if largest <= step * factor * 4 {
                return step * factor;
            }
        }
        step *= 10;
    }
}

/// A count as a length; every count above zero is at least two pixels long.
pub(crate) fn length(count: u64, largest: u64, whole: f64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "counts of people are far below 2^52")]
    let share = count as f64 / largest.max(1) as f64;
    if count == 0 { 0.0 } else { (share * whole).max(2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_have_three_or_four_lines() {
        for largest in [5_u64, 9, 26_920, 74_410, 100_000] {
            let lines = largest.div_ceil(step(largest));
            assert!((2..=4).contains(&lines), "{largest}: {lines}");
        }
    }

    #[test]
    fn a_small_bar_can_be_seen_and_none_is_drawn_for_nobody() {
        assert!((length(1, 100_000, 300.0) - 2.0).abs() < f64::EPSILON);
        assert!(length(0, 100_000, 300.0).abs() < f64::EPSILON);
    }
}
