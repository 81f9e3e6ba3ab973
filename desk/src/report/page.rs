//! The page itself. Takes protected figures and words; every sentence comes from the table of words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_stats::{Cell, Safe, Share, Table};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::ReportInput;
use super::draw::{self, Anchor, Mark};
use super::figures::{AGES, Figures, GROUPS, SEEN, sum};
use super::numbers::{self, count, percent, percent_text};
use super::words::Words;

const STYLE: &str = include_str!("style.css");
const REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.woff2");
const BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.woff2");

/// Width of a drawing inside a figure box, in CSS pixels.
const WIDE: f64 = 680.0;

/// The page and what it needs to speak.
struct Page<'a> {
    input: &'a ReportInput,
    figures: &'a Figures,
    words: &'a Words,
}

/// Renders the report.
pub(crate) fn render(input: &ReportInput, figures: &Figures, words: &Words, check: &str) -> String {
    Page {
        input,
        figures,
        words,
    }
    .page(check)
    .into_string()
}

impl Page<'_> {
    fn page(&self, check: &str) -> Markup {
        let words = self.words;
        html! {
            (DOCTYPE)
            html lang=(self.input.lang) dir="ltr" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; font-src data:";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title()) }
                    style { (PreEscaped(fonts())) (PreEscaped(STYLE)) }
                }
                body {
                    (self.cover())
                    main {
                        (self.in_short())
                        (self.how_many())
                        (self.when())
                        (self.who())
                        (self.place())
                        (self.on_arrival())
                        (self.not_seen())
                        (self.method())
                    }
                    footer {
                        p {
                            (self.input.organisation) " · " (words.get("edition")) " "
                            (numbers::date(self.input.edition, words)) " · " (words.get("check")) " " (spaced(check))
                        }
                    }
                }
            }
        }
    }

    // ---- cover ----

    fn title(&self) -> String {
        self.words.fill("title", &[("period", &self.period())])
    }

    fn period(&self) -> String {
        let months = self.input.period.months();
        let name = |month: &String| {
            month
                .get(5..7)
                .and_then(|m| m.parse::<u32>().ok())
                .map(|m| m.saturating_sub(1))
        };
        let year = self.input.period.year();
        match (
            months.len(),
            months.first().and_then(name),
            months.last().and_then(name),
        ) {
            (1, Some(month), _) => format!("{} {year}", self.words.month(month)),
            (3, Some(first), Some(last)) => {
                format!(
                    "{} {} {} {year}",
                    self.words.month(first),
                    self.words.get("to"),
                    self.words.month(last)
                )
            }
            _ => year.to_string(),
        }
    }

    fn cover(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        let where_to = match figures.corridor_names.as_slice() {
            [(from, to)] => words.fill("cover_one_corridor", &[("from", from), ("to", to)]),
            _ => words.get("cover_corridors").to_owned(),
        };
        let points = figures.watched_points.0 + figures.watched_points.1;
        let key = |n: usize| if n == 1 { "cover_point" } else { "cover_points" };
        html! {
            header class="cover" {
                div class="column" {
                    svg class="mark" viewBox="0 0 48 48" aria-hidden="true" focusable="false" {
                        rect width="48" height="48" rx="9" class="mark-ground" {}
                        path d="M9 30h30M15 30a9 9 0 0 1 18 0" class="mark-line" {}
                    }
                    h1 { (self.title()) }
                    p class="lead" { (where_to) }
                    p class="facts" {
                        (self.input.organisation) " · " (self.period()) " · " (words.get("edition")) " "
                        (numbers::date(self.input.edition, words)) " · " (words.get("language"))
                    }
                }
            }
            div class="column" {
                dl class="four" {
                    div { dt { (words.get("cover_people")) } dd { (self.cell(figures.total())) } }
                    div { dt { (words.get("cover_arrivals")) } dd { (count(figures.arrivals)) } }
                    div { dt { (words.get("cover_interviewed")) } dd { (self.cell(figures.consent.numerator.cell(&[]))) } }
                    div {
                        dt { (words.fill("cover_watched", &[("share", &self.coverage())])) }
                        dd { (words.fill(key(points), &[("n", &count(points as u64))])) }
                    }
                }
            }
        }
    }

    /// Share of the planned hours that was watched; never for fewer than three points.
    fn coverage(&self) -> String {
        if self.figures.planned_points < 3 || self.figures.planned_hours == 0 {
            return self.words.get("coverage_unknown").to_owned();
        }
        let (watched, planned) = (self.figures.watched_hours, self.figures.planned_hours);
        percent_text(
            Some(Cell::Count(watched)),
            Some(Cell::Count(planned.max(watched))),
            self.words,
        )
    }

    fn in_short(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        let total = self.cell(figures.total());
        let (night, known) = figures.night();
        let children = figures.children();
        let alone = figures.alone.numerator.cell(&[None]);
        let (agreed, asked) = self.consent();
        html! {
            section class="column" {
                h2 { (words.get("in_short")) }
                ol class="short" {
                    li { b { (words.fill("short_people", &[("n", &total)])) } " " (words.fill("short_people_rest", &[("arrivals", &count(figures.arrivals))])) }
                    @if percent(night, known).is_some() {
                        li {
                            b { (words.fill("short_night", &[("share", &percent_text(night, known, words))])) } " "
                            (words.get("short_night_rest")) " " (figure_link(1, words))
                        }
                    }
                    @if percent(children, figures.total()).is_some() {
                        li {
                            b { (words.fill("short_children", &[("share", &percent_text(children, figures.total(), words))])) } " "
                            @if let Some(Cell::Count(n)) = alone { (words.fill("short_alone", &[("n", &count(n))])) " " }
                            (figure_link(2, words))
                        }
                    }
                    @if percent(agreed, asked).is_some() {
                        li { (words.fill("short_consent", &[("n", &self.cell(agreed)), ("share", &percent_text(agreed, asked, words))])) }
                    }
                    li { b { (words.fill("short_unknown", &[("share", &self.coverage())])) } " " (words.get("short_unknown_rest")) }
                }
                p class="cannot" { b { (words.get("cannot_say")) } " " (words.get("cannot_say_rest")) }
                p class="key" {
                    (words.get("marks")) " " b { "<5" } " " (words.get("marks_less")) " · " b { (words.get("mark_withheld")) } " "
                    (words.get("marks_withheld")) " · " b { (words.get("mark_too_few")) } " " (words.get("marks_too_few")) " · " b { "0" } " "
                    (words.get("marks_zero")) " · " b { "–" } " " (words.get("marks_none"))
                }
            }
        }
    }

    fn consent(&self) -> (Option<Cell>, Option<Cell>) {
        let consent = &self.figures.consent;
        (
            consent.numerator.cell(&[]),
            consent.denominator.as_ref().and_then(|table| table.cell(&[])),
        )
    }

    // ---- 1 how many ----

    fn how_many(&self) -> Markup {
        let (words, table) = (self.words, &self.figures.people.numerator);
        let months = table
            .dimensions()
            .first()
            .map_or(&[][..], |d| d.values.as_slice());
        let watches = count(self.figures.watches);
        let key = if self.figures.watches == 1 {
            "how_many_watch"
        } else {
            "how_many_watches"
        };
        html! {
            section class="column" {
                h2 { "1 " (words.get("how_many")) }
                p {
                    (words.fill("how_many_sentence", &[("n", &self.cell(self.figures.total())), ("arrivals", &count(self.figures.arrivals)), ("period", &self.period())]))
                    @if self.figures.watches > 0 { " " (words.fill(key, &[("n", &watches)])) }
                }
                @if months.len() >= 2 { (self.months(months)) }
            }
        }
    }

    fn months(&self, months: &[String]) -> Markup {
        let (words, table) = (self.words, &self.figures.people.numerator);
        let cells: Vec<Option<Cell>> = (0..months.len()).map(|n| table.cell(&[Some(n)])).collect();
        let largest = cells
            .iter()
            .filter_map(|c| c.and_then(Cell::count))
            .max()
            .unwrap_or(0);
        let mut sorted: Vec<u64> = cells.iter().filter_map(|c| c.and_then(Cell::count)).collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        // A finding needs a lead of a tenth over the second.
        let leads = matches!(sorted.as_slice(), [first, second, ..] if first * 10 >= second * 11);
        let top = cells
            .iter()
            .position(|c| c.and_then(Cell::count) == Some(largest))
            .filter(|_| leads);
        let name = |n: usize| {
            months
                .get(n)
                .and_then(|m| m.get(5..7))
                .and_then(|m| m.parse::<usize>().ok())
                .map_or(0, |m| m.saturating_sub(1))
        };
        let title = match top {
            Some(n) => words.fill(
                "months_finding",
                &[
                    ("month", words.month(u32::try_from(name(n)).unwrap_or(0))),
                    ("n", &count(largest)),
                ],
            ),
            None => words.get("months_neutral").to_owned(),
        };
        let mut marks = Vec::new();
        let (left, base, high) = (80.0, 190.0, 170.0);
        scale(&mut marks, largest, left, base, high);
        let slot = (WIDE - left) / months.len() as f64;
        for (n, cell) in cells.iter().enumerate() {
            let x = left + slot * n as f64;
            let class = if top == Some(n) { "strong" } else { "mid" };
            match cell {
                Some(Cell::Count(people)) => {
                    let length = draw::length(*people, top_of(largest), high);
                    marks.push(Mark::Bar(
                        x + slot * 0.14,
                        base - length,
                        slot * 0.72,
                        length,
                        class,
                    ));
                }
                Some(other) => {
                    marks.push(Mark::Word(
                        x + slot / 2.0,
                        base - 6.0,
                        Anchor::Middle,
                        "soft",
                        numbers::cell(*other, words),
                    ));
                }
                None => {}
            }
        }
        html! {
            figure class="box" id="figure-months" {
                h3 { (title) }
                p class="line" { (words.fill("months_line", &[("period", &self.period())])) }
                (draw::svg(&marks, WIDE, 196.0))
                div class="scroll" { table class="months" {
                    thead { tr { th scope="row" { (self.input.period.year()) } @for n in 0..months.len() { th scope="col" { (words.short_month(name(n))) } } } }
                    tbody { tr { th scope="row" { (words.get("people")) } @for cell in &cells { (self.td(*cell)) } } }
                } }
            }
        }
    }

    // ---- 2 when ----

    fn when(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        let (night, known) = figures.night();
        let known_enough = percent(known, figures.total()).is_some_and(|share| share >= 80);
        let title = match percent(night, known).filter(|_| known_enough) {
            Some(share) => match numbers::fraction(share, words) {
                Some(fraction) => words.fill("hours_finding", &[("share", fraction)]),
                None => words.fill("hours_finding", &[("share", &format!("{share}% of the"))]),
            },
            None => words.get("hours_neutral").to_owned(),
        };
        let unknown = figures.corridors.cell(&[None, Some(2)]);
        html! {
            section class="column" {
                h2 { "2 " (words.get("when")) }
                figure class="box" id="figure-1" {
                    h3 { (title) }
                    p class="line" { (words.fill("hours_line", &[("n", "1"), ("period", &self.period())])) }
                    @match &figures.hours {
                        None => { p { (words.get("hours_withheld")) } }
                        Some(table) if figures.joined => { (self.parts(table)) }
                        Some(table) => { (self.hours(table)) }
                    }
                    p class="note" {
                        @match unknown {
                            Some(Cell::Count(0) | Cell::NotWatched) | None => { (words.get("hours_all_known")) }
                            cell => { (words.fill("hours_unknown", &[("n", &self.cell(cell))])) }
                        }
                        " " (words.get("hours_few_at_night"))
                    }
                }
            }
        }
    }

    fn hours(&self, table: &Table<Safe>) -> Markup {
        let words = self.words;
        let cells: Vec<Option<Cell>> = (0..24).map(|n| table.cell(&[Some(n)])).collect();
        let largest = cells
            .iter()
            .filter_map(|c| c.and_then(Cell::count))
            .max()
            .unwrap_or(0);
        let (left, base, high) = (56.0, 196.0, 140.0);
        let slot = (WIDE - left) / 24.0;
        let x = |n: usize| left + slot * n as f64;
        let mut marks = vec![
            Mark::Bar(x(17), 6.0, slot * 7.0, base - 6.0, "ground"),
            Mark::Word(
                x(17) + slot * 3.5,
                24.0,
                Anchor::Middle,
                "bold",
                words.get("night_hours").to_owned(),
            ),
        ];
        scale(&mut marks, largest, left, base, high);
        if let Some((from, until)) = self.figures.agreed {
            let (a, b) = (x((from + 19) % 24), x((until + 19) % 24));
            if b > a {
                let text = words.fill(
                    "agreed_hours",
                    &[("from", &format!("{from:02}")), ("until", &format!("{until:02}"))],
                );
                marks.push(Mark::Line(a, 34.0, b, 34.0, "bracket"));
                marks.push(Mark::Line(a, 29.0, a, 39.0, "bracket"));
                marks.push(Mark::Line(b, 29.0, b, 39.0, "bracket"));
                marks.push(Mark::Word((a + b) / 2.0, 24.0, Anchor::Middle, "word", text));
            }
        }
        for (n, cell) in cells.iter().enumerate() {
            let people = cell.and_then(Cell::count).unwrap_or(0);
            let length = draw::length(people, top_of(largest), high);
            let class = if n >= 17 { "strong" } else { "mid" };
            if length > 0.0 {
                marks.push(Mark::Bar(x(n) + 2.0, base - length, slot - 4.0, length, class));
            }
            if [5, 8, 11, 14, 17, 20, 22, 2].contains(&((n + 5) % 24)) {
                marks.push(Mark::Line(x(n), base, x(n), base + 5.0, "axis"));
                marks.push(Mark::Word(
                    x(n),
                    base + 18.0,
                    Anchor::Middle,
                    "tick",
                    format!("{:02}", (n + 5) % 24),
                ));
            }
        }
        marks.push(Mark::Word(
            x(24),
            base + 18.0,
            Anchor::End,
            "tick",
            "05".to_owned(),
        ));
        let mut bottom = base + 24.0;
        if let Some(strip) = self.figures.strip {
            marks.push(Mark::Word(
                left,
                bottom + 14.0,
                Anchor::Start,
                "soft",
                words.get("strip").to_owned(),
            ));
            for (n, share) in strip.iter().enumerate() {
                marks.push(Mark::Bar(x(n) + 2.0, bottom + 21.0, slot - 4.0, 18.0, "frame"));
                #[allow(clippy::cast_precision_loss, reason = "a share of 0 to 100")]
                let length = 18.0 * (*share).min(100) as f64 / 100.0;
                if length > 0.0 {
                    marks.push(Mark::Bar(
                        x(n) + 2.0,
                        bottom + 39.0 - length,
                        slot - 4.0,
                        length,
                        "seen",
                    ));
                }
            }
            bottom += 42.0;
        }
        html! {
            (draw::svg(&marks, WIDE, bottom + 4.0))
            table class="hours" {
                @for half in 0..2 {
                    tbody {
                        tr { th scope="row" { (words.get("hour_from")) } @for n in 0..12 { th scope="col" { (format!("{:02}", (half * 12 + n + 5) % 24)) } } }
                        tr { th scope="row" { (words.get("people")) } @for n in 0..12 { (self.td(cells.get(half * 12 + n).copied().flatten())) } }
                    }
                }
            }
        }
    }

    fn parts(&self, table: &Table<Safe>) -> Markup {
        let words = self.words;
        let largest = (0..4)
            .filter_map(|n| table.cell(&[Some(n)]).and_then(Cell::count))
            .max()
            .unwrap_or(0);
        html! {
            table class="bars" {
                thead { tr { th scope="col" { (words.get("part_of_day")) } th scope="col" class="n" { (words.get("people")) } th {} } }
                tbody {
                    @for (n, key) in ["part_morning", "part_midday", "part_evening", "part_night"].into_iter().enumerate() {
                        tr {
                            th scope="row" { (words.get(key)) }
                            (self.td(table.cell(&[Some(n)])))
                            td { (bar(table.cell(&[Some(n)]), largest, if n == 3 { "strong" } else { "mid" })) }
                        }
                    }
                }
            }
            p class="note" { (words.get("hours_joined")) }
        }
    }

    // ---- 3 who ----

    fn who(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        let total = figures.total();
        let (women, men, unknown) = (figures.sex(0), figures.sex(1), figures.sex(2));
        let children = figures.children();
        let sex_known = percent(sum(&[women, men]), total).is_some_and(|share| share >= 80);
        let title = match (percent(children, total), percent(men, total)) {
            (Some(_), Some(_)) if sex_known => words.fill(
                "who_finding",
                &[
                    ("children", &percent_text(children, total, words)),
                    ("men", &percent_text(men, total, words)),
                ],
            ),
            _ => words.get("who_neutral").to_owned(),
        };
        html! {
            section class="column" {
                h2 { "3 " (words.get("who")) }
                figure class="box" id="figure-2" {
                    h3 { (title) }
                    p class="line" { (words.fill("who_line", &[("n", "2"), ("period", &self.period())])) }
                    (self.pyramid())
                    p class="note" {
                        @match unknown {
                            Some(Cell::Count(0) | Cell::NotWatched) => { (words.get("who_sex_known")) }
                            cell => { (words.fill("who_sex_unknown", &[("n", &self.cell(cell))])) }
                        }
                    }
                }
            }
        }
    }

    fn pyramid(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        let rows = AGES.len() + GROUPS.len();
        let drawn = (0..rows).flat_map(|row| (0..2).map(move |sex| (row, sex)));
        let counts = drawn.filter_map(|(row, sex)| figures.row(row, Some(sex)).and_then(Cell::count));
        let largest = counts.max().unwrap_or(0);
        let (left, right, whole) = (280.0, 398.0, 208.0);
        let mut marks = vec![
            Mark::Word(left, 14.0, Anchor::End, "bold", words.get("women").to_owned()),
            Mark::Word(
                (left + right) / 2.0,
                14.0,
                Anchor::Middle,
                "soft",
                words.get("age").to_owned(),
            ),
            Mark::Word(right, 14.0, Anchor::Start, "bold", words.get("men").to_owned()),
        ];
        let side = |marks: &mut Vec<Mark>, cell: Option<Cell>, sex: usize, y: f64, outlined: bool| {
            let text = self.cell(cell);
            let length = cell
                .and_then(Cell::count)
                .map_or(0.0, |n| draw::length(n, largest, whole));
            let class = match (outlined, sex) {
                (true, 0) => "outline-strong",
                (true, _) => "outline-mid",
                (false, 0) => "strong",
                (false, _) => "mid",
            };
            let style = if cell.and_then(Cell::count).is_some() {
                "bold"
            } else {
                "soft"
            };
            let (x, word, anchor) = if sex == 0 {
                (left - length, left - length - 6.0, Anchor::End)
            } else {
                (right, right + length + 6.0, Anchor::Start)
            };
            if length > 0.0 {
                marks.push(Mark::Bar(x, y, length, 22.0, class));
            }
            marks.push(Mark::Word(word, y + 16.0, anchor, style, text));
        };
        let mut y = 28.0;
        for (row, age) in AGES.iter().enumerate() {
            if row == 2 {
                y += 10.0;
            }
            for sex in 0..2 {
                side(&mut marks, figures.row(row, Some(sex)), sex, y, false);
            }
            marks.push(Mark::Word(
                (left + right) / 2.0,
                y + 16.0,
                Anchor::Middle,
                "tick",
                words.get(&format!("age_{age}")).to_owned(),
            ));
            y += 32.0;
        }
        marks.push(Mark::Line(left, 24.0, left, y, "axis"));
        marks.push(Mark::Line(right, 24.0, right, y, "axis"));
        let grouped = (AGES.len()..rows).any(|row| {
            !matches!(
                figures.row(row, None),
                None | Some(Cell::NotWatched | Cell::Count(0))
            )
        });
        if grouped {
            y += 24.0;
            marks.push(Mark::Word(
                8.0,
                y,
                Anchor::Start,
                "bold",
                words.get("only_groups").to_owned(),
            ));
            y += 10.0;
            for (row, group) in GROUPS.iter().enumerate() {
                for sex in 0..2 {
                    side(&mut marks, figures.row(AGES.len() + row, Some(sex)), sex, y, true);
                }
                marks.push(Mark::Word(
                    (left + right) / 2.0,
                    y + 16.0,
                    Anchor::Middle,
                    "tick",
                    words.get(&format!("group_{group}")).to_owned(),
                ));
                y += 28.0;
            }
        }
        html! {
            div class="wide" { (draw::svg(&marks, WIDE, y + 4.0)) }
            table class="plain under" {
                caption class="hidden" { (words.get("who_caption")) }
                thead { tr {
                    th scope="col" { (words.get("age")) } th scope="col" class="n" { (words.get("women")) }
                    th scope="col" class="n" { (words.get("men")) } th scope="col" class="n" { (words.get("not_determined")) }
                    th scope="col" class="n" { (words.get("all")) }
                } }
                tbody {
                    @for (row, age) in AGES.iter().enumerate() {
                        tr { th scope="row" { (words.get(&format!("age_{age}"))) } @for sex in 0..3 { (self.td(figures.row(row, Some(sex)))) } (self.td(figures.row(row, None))) }
                    }
                    @if grouped { @for (row, group) in GROUPS.iter().enumerate() {
                        tr { th scope="row" { (words.get(&format!("group_{group}"))) } @for sex in 0..3 { (self.td(figures.row(AGES.len() + row, Some(sex)))) } (self.td(figures.row(AGES.len() + row, None))) }
                    } }
                }
            }
        }
    }

    // ---- 4 where ----

    fn place(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        html! {
            section class="column" {
                h2 { "4 " (words.get("where")) }
                figure class="box" {
                    h3 { (words.get("corridors_title")) }
                    p class="line" { (words.fill("corridors_line", &[("n", "1"), ("period", &self.period())])) }
                    table class="plain" {
                        thead { tr {
                            th scope="col" { (words.get("from_to")) } th scope="col" class="n" { (words.get("people")) }
                            th scope="col" class="n" { (words.get("at_night")) } th scope="col" class="n" { (words.get("alone_per_1000")) }
                        } }
                        tbody {
                            @for (row, (from, to)) in figures.corridor_names.iter().enumerate() {
                                @let night = figures.corridors.cell(&[Some(row), Some(0)]);
                                @let known = sum(&[night, figures.corridors.cell(&[Some(row), Some(1)])]);
                                tr {
                                    th scope="row" { (from) br; b { (to) } }
                                    (self.td(figures.corridors.cell(&[Some(row), None])))
                                    td class="n" { (percent_text(night, known, words)) }
                                    td class="n" { (self.alone(row)) }
                                }
                            }
                        }
                    }
                    p class="note" { (words.get("corridors_note")) }
                }
                figure class="box" {
                    h3 { (words.get("points_title")) }
                    p class="line" { (words.fill("points_line", &[("n", "2"), ("period", &self.period())])) }
                    table class="plain" {
                        thead { tr {
                            th scope="col" { (words.get("point")) } th scope="col" class="n" { (words.get("people")) }
                            th scope="col" class="n" { (words.get("children")) } th scope="col" class="n" { (words.get("share_children")) }
                        } }
                        tbody {
                            @for (row, name) in figures.point_names.iter().map(Some).chain([None]).enumerate() {
                                @let at = name.map(|_| row);
                                @let cut = figures.points.dimensions().len() == 2;
                                @let people = if cut { figures.points.cell(&[at, None]) } else { figures.points.cell(&[at]) };
                                @let children = if cut { figures.points.cell(&[at, Some(1)]) } else { Some(Cell::Withheld) };
                                tr class=[name.is_none().then_some("total")] {
                                    th scope="row" { @match name {
                                        Some(name) if name == super::figures::UNOFFICIAL => { (words.get("unofficial")) }
                                        Some(name) => { (name) }
                                        None => { (words.get("all_points")) }
                                    } }
                                    (self.td(people)) (self.td(children)) td class="n" { (percent_text(children, people, words)) }
                                }
                            }
                        }
                    }
                    (self.kept_back(&figures.points))
                }
            }
        }
    }

    fn alone(&self, row: usize) -> String {
        // A share of a figure that is not printed would print it.
        if self
            .figures
            .corridors
            .cell(&[Some(row), None])
            .and_then(Cell::count)
            .is_none()
        {
            return self.words.get("mark_too_few").to_owned();
        }
        let shares = &self.figures.alone.shares;
        let share = shares
            .iter()
            .find(|(place, _)| place.first() == Some(&Some(row)))
            .map_or(Share::TooFew, |(_, share)| *share);
        numbers::share(share, 1000, self.words)
    }

    fn kept_back(&self, table: &Table<Safe>) -> Markup {
        let n = table.kept_back();
        let key = if n == 1 { "kept_back_one" } else { "kept_back" };
        html! { @if n > 0 { p class="note" { (self.words.fill(key, &[("n", &count(n as u64))])) } } }
    }

    // ---- 5 on arrival ----

    fn on_arrival(&self) -> Markup {
        let (words, table) = (self.words, &self.figures.seen);
        html! {
            section class="column" {
                h2 { "5 " (words.get("on_arrival")) }
                figure class="box" {
                    h3 { (words.get("seen_title")) }
                    p class="line" { (words.fill("seen_line", &[("n", "3"), ("period", &self.period())])) }
                    p class="legend" aria-hidden="true" {
                        span class="chip strong" {} " " (words.get("yes")) "  " span class="chip none" {} " " (words.get("no")) "  "
                        span class="chip hatch" {} " " (words.get("not_seen_short"))
                    }
                    table class="bars seen" {
                        thead { tr {
                            th scope="col" { (words.get("what_was_seen")) } th scope="col" class="n" { (words.get("yes")) }
                            th scope="col" class="n" { (words.get("no")) } th scope="col" class="n" { (words.get("not_seen_short")) } th {}
                        } }
                        tbody {
                            @for (row, (code, _)) in SEEN.iter().enumerate() {
                                tr {
                                    th scope="row" { (words.get(&format!("seen_{code}"))) }
                                    @for answer in 0..3 { (self.td(table.cell(&[Some(row), Some(answer)]))) }
                                    td { (three(row, table)) }
                                }
                            }
                        }
                    }
                    p class="note" { (words.get("seen_note")) }
                    (self.kept_back(table))
                }
            }
        }
    }

    // ---- 7 not seen, 8 method ----

    fn not_seen(&self) -> Markup {
        let (words, figures, input) = (self.words, self.figures, self.input);
        let (agreed, asked) = self.consent();
        let n = |n: usize| count(n as u64);
        html! {
            section class="column" {
                h2 { "7 " (words.get("not_seen")) }
                ul {
                    li { (words.fill("ns_points", &[("planned", &n(figures.planned_points)), ("official", &n(figures.watched_points.0)), ("unofficial", &n(figures.watched_points.1))])) }
                    li { (words.fill("ns_days", &[("days", &n(figures.watched_days)), ("all", &n(figures.days)), ("share", &self.coverage())])) }
                    li { (words.fill("ns_access", &[("n", &count(figures.outside)), ("all", &count(figures.arrivals))])) }
                    li { (words.fill("ns_refusals", &[("agreed", &self.cell(agreed)), ("asked", &self.cell(asked)), ("share", &percent_text(agreed, asked, words))])) }
                    li { (words.fill("ns_missing", &[("missing", &count(input.missing)), ("aside", &count(input.set_aside))])) }
                    li { (words.get("ns_after")) }
                }
            }
        }
    }

    fn method(&self) -> Markup {
        let (words, figures) = (self.words, self.figures);
        let n = |n: usize| count(n as u64);
        let (official, own) = (figures.official, figures.with_official);
        let [one_by_one, estimated, partner] = figures.counted.map(count);
        html! {
            section class="column" {
                h2 { "8 " (words.get("method")) }
                ol class="method" {
                    li { (words.fill("m_counted", &[("arrivals", &count(figures.arrivals)), ("points", &n(figures.watched_points.0 + figures.watched_points.1)), ("one", &one_by_one), ("estimated", &estimated), ("partner", &partner)])) }
                    li { (words.fill("m_not", &[("share", &self.coverage())])) }
                    li { (words.fill("m_two", &[("n", &n(self.input.counted_again))])) }
                    li { @match (official, own) {
                        (Some(Cell::Count(official)), Some(Cell::Count(own))) => { (words.fill("m_official", &[("official", &count(official)), ("own", &count(own))])) }
                        _ => { (words.get("m_official_none")) }
                    } }
                    li { (words.get("m_interviews")) }
                    li { (words.get("m_small")) }
                    li { (words.get("m_corrections")) }
                    li { (words.get("m_safe")) }
                }
                h3 { (words.get("definitions")) }
                dl class="definitions" {
                    @for key in ["people", "arrival", "night", "child", "alone", "unofficial", "consent", "coverage"] {
                        dt { (words.get(&format!("def_{key}"))) } dd { (words.get(&format!("def_{key}_is"))) }
                    }
                }
                p { (words.fill("cite", &[("organisation", &self.input.organisation), ("title", &self.title()), ("edition", &numbers::date(self.input.edition, words))])) }
            }
        }
    }

    // ---- cells ----

    fn cell(&self, cell: Option<Cell>) -> String {
        cell.map_or_else(|| "–".to_owned(), |cell| numbers::cell(cell, self.words))
    }

    fn td(&self, cell: Option<Cell>) -> Markup {
        let class = if cell == Some(Cell::Withheld) {
            "n withheld"
        } else {
            "n"
        };
        html! { td class=(class) { (self.cell(cell)) } }
    }
}

/// Grid lines with figures at the start side, and the axis.
fn scale(marks: &mut Vec<Mark>, largest: u64, left: f64, base: f64, high: f64) {
    let step = draw::step(largest.max(1));
    let mut at = step;
    while at <= top_of(largest) {
        let y = base - draw::length(at, top_of(largest), high);
        marks.push(Mark::Line(left, y, WIDE, y, "grid"));
        marks.push(Mark::Word(left - 10.0, y + 5.0, Anchor::End, "tick", count(at)));
        at += step;
    }
    marks.push(Mark::Line(left, base, WIDE, base, "axis"));
}

/// The value at the top of a scale: the first grid line at or above the largest value.
fn top_of(largest: u64) -> u64 {
    let step = draw::step(largest.max(1));
    largest.max(1).div_ceil(step) * step
}

fn bar(cell: Option<Cell>, largest: u64, class: &'static str) -> Markup {
    let length = cell
        .and_then(Cell::count)
        .map_or(0.0, |n| draw::length(n, largest, 240.0));
    let marks = if length > 0.0 {
        vec![Mark::Bar(0.0, 2.0, length, 16.0, class)]
    } else {
        Vec::new()
    };
    html! { @if !marks.is_empty() { span class="in-row" { (draw::svg(&marks, 240.0, 20.0)) } } }
}

/// Yes, no and not seen of one row as one bar; no bar where one of the three is kept back.
fn three(row: usize, table: &Table<Safe>) -> Markup {
    let cells = [0, 1, 2].map(|answer| table.cell(&[Some(row), Some(answer)]).and_then(Cell::count));
    let [Some(yes), Some(no), Some(not_seen)] = cells else {
        return html! {};
    };
    let all = yes + no + not_seen;
    let mut marks = Vec::new();
    let mut x = 0.0;
    for (n, class) in [(yes, "strong"), (no, "none"), (not_seen, "hatch")] {
        let length = draw::length(n, all, 180.0);
        if length > 0.0 {
            marks.push(Mark::Bar(x, 2.0, (length - 1.0).max(1.0), 16.0, class));
            x += length;
        }
    }
    html! { span class="in-row" { (draw::svg(&marks, 182.0, 20.0)) } }
}

fn figure_link(n: u8, words: &Words) -> Markup {
    html! { a href=(format!("#figure-{n}")) { (words.fill("figure_link", &[("n", &n.to_string())])) } }
}

fn fonts() -> String {
    [(400, REGULAR), (700, BOLD)]
        .map(|(weight, bytes)| {
            format!(
                "@font-face{{font-family:'Noto Sans';font-weight:{weight};src:url(data:font/woff2;base64,{}) format('woff2')}}",
                STANDARD.encode(bytes)
            )
        })
        .concat()
}

fn spaced(check: &str) -> String {
    check
        .chars()
        .enumerate()
        .flat_map(|(n, c)| (n > 0 && n % 4 == 0).then_some(' ').into_iter().chain([c]))
        .collect()
}
