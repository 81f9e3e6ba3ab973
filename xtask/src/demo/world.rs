//! One invented morning at one border, drawn from a seed. Volumes and shares are published figures
//! (docs/data-dictionary.md, "Figures of the demonstration"); every single person and arrival is invented.
//! Never reads the clock: the same seed gives the same morning.

use serde_json::{Value, json};

/// 2026-03-02T00:00 at the border (UTC−5), in seconds since the epoch. A Monday.
pub const MIDNIGHT: i64 = 1_772_427_600;
/// Minutes east of UTC at the border.
pub const ZONE_MIN: i64 = -300;

/// How much is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Phones that record.
    pub devices: usize,
    /// Arrivals in all.
    pub events: usize,
    /// Rapid interviews in all, refusals not counted.
    pub interviews: usize,
}

/// What one phone records, in order.
#[derive(Debug, Default)]
pub struct Shift {
    /// Arrivals with their interviews.
    pub arrivals: Vec<Arrival>,
}

/// One arrival: the answers of its count, and of the people asked.
#[derive(Debug)]
pub struct Arrival {
    /// Seconds since the epoch.
    pub at: i64,
    /// Answers of form `arrival_tally`.
    pub tally: Value,
    /// Answers of form `arrival_observation`, rapid path; a refusal is `K03 = no`.
    pub interviews: Vec<Value>,
}

/// Draws the morning: one shift per device.
pub fn draw(seed: u64, size: Size, points: &[String]) -> Vec<Shift> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut shifts: Vec<Shift> = (0..size.devices).map(|_| Shift::default()).collect();
    for number in 0..size.events {
        let device = number % size.devices.max(1);
        let asked = size.interviews * (number + 1) / size.events - size.interviews * number / size.events;
        // A fifth of the arrivals before 05:00 (domain 7.3), the others until noon.
        let minute = if rng.f64() < 0.2 {
            rng.i64(150..300)
        } else {
            rng.i64(300..720)
        };
        let point = points
            .get(device % points.len().max(1))
            .cloned()
            .unwrap_or_default();
        let arrival = arrival(&mut rng, MIDNIGHT + minute * 60, &point, asked);
        if let Some(shift) = shifts.get_mut(device) {
            shift.arrivals.push(arrival);
        }
    }
    for shift in &mut shifts {
        shift.arrivals.sort_by_key(|a| a.at);
    }
    shifts
}

/// 65 % male; 0–17 22 % (between the two published profiles of 12 and 32 %), 60+ 1.4 % (domain 7.2, 7.3).
fn cell(rng: &mut fastrand::Rng) -> (&'static str, &'static str) {
    let sex = if rng.f64() < 0.65 { "m" } else { "f" };
    let age = match rng.f64() {
        x if x < 0.06 => "0_4",
        x if x < 0.13 => "5_11",
        x if x < 0.22 => "12_17",
        x if x < 0.986 => "18_59",
        _ => "60p",
    };
    (sex, age)
}

fn arrival(rng: &mut fastrand::Rng, at: i64, point: &str, asked: usize) -> Arrival {
    let people = rng.i64(20..=80);
    let mut tally = serde_json::Map::new();
    for sex in ["f", "m", "u"] {
        for age in ["0_4", "5_11", "12_17", "18_59", "60p"] {
            tally.insert(format!("T_{sex}_{age}"), json!(0));
        }
    }
    let mut children = 0;
    for _ in 0..people {
        let (sex, age) = cell(rng);
        children += i64::from(matches!(age, "0_4" | "5_11" | "12_17"));
        if let Some(count) = tally.get_mut(&format!("T_{sex}_{age}")) {
            *count = json!(count.as_i64().unwrap_or(0) + 1);
        }
    }
    // 50.2 % official, 39.3 % of their own accord, 10.6 % other forced (IOM-HT, one week of 2017).
    let (form, procedure) = match rng.f64() {
        x if x < 0.502 => ("deportation", "official"),
        x if x < 0.895 => ("spontaneous", "none"),
        _ => ("pushback", "claimed"),
    };
    let some = |rng: &mut fastrand::Rng, share: f64, of: i64| (0..of).filter(|_| rng.f64() < share).count();
    let mut put = |code: &str, value: Value| {
        tally.insert(code.to_owned(), value);
    };
    put("A01", json!(point));
    put("A02", json!("DOM-HTI"));
    put("A03", json!(local_time(at)));
    put("A04", json!(if rng.f64() < 0.9 { "exact" } else { "within_15m" }));
    put("A07", json!("yes"));
    put("A05", json!(if rng.f64() < 0.7 { "truck" } else { "bus" }));
    put("A08", json!(form));
    put("A09", json!(procedure));
    put(
        "A10",
        json!(pick(rng, &[("h24", 0.2), ("lt24", 0.3), ("no", 0.5)])),
    );
    put(
        "A11",
        json!(pick(rng, &[("full", 0.55), ("partial", 0.35), ("outside", 0.1)])),
    );
    put("A12", json!(["immigration_arr", "intl_org"]));
    put("A20", json!(if rng.f64() < 0.9 { "counted" } else { "partner" }));
    put("A21", json!("yes"));
    if children > 0 {
        // 770 of 49,217 people, about 1.6 %, are unaccompanied; among children that is one in thirteen.
        let alone = some(rng, 0.07, children);
        put("A40", json!(alone));
        put(
            "A41",
            json!(some(rng, 0.03, children - i64::try_from(alone).unwrap_or(0))),
        );
    }
    put("A44", json!(some(rng, 0.012, people)));
    put("A48", json!(some(rng, 0.02, people)));
    put("A51", json!(some(rng, 0.004, people)));
    put(
        "A60",
        json!(pick(rng, &[("yes", 0.5), ("no", 0.4), ("not_observed", 0.1)])),
    );
    put(
        "A61",
        json!(pick(rng, &[("yes", 0.3), ("no", 0.6), ("not_observed", 0.1)])),
    );
    put(
        "A77",
        json!(pick(
            rng,
            &[
                ("individual", 0.35),
                ("family", 0.15),
                ("collective", 0.3),
                ("none", 0.2)
            ]
        )),
    );
    // A refusal for every nine interviews: 10 % (domain 7.3).
    let mut interviews = Vec::new();
    for _ in 0..asked {
        if rng.f64() < 0.111 {
            interviews.push(json!({ "K06": "private", "K03": "no" }));
        }
        interviews.push(interview(rng));
    }
    if tally.get("A51").and_then(Value::as_i64) > Some(0) {
        tally.insert("A73".into(), json!(["police_arr"]));
    }
    Arrival {
        at,
        tally: Value::Object(tally),
        interviews,
    }
}

fn interview(rng: &mut fastrand::Rng) -> Value {
    let (sex, age) = cell(rng);
    let age = match age {
        "0_4" | "5_11" | "12_17" => "a12_17",
        "18_59" => {
            if rng.f64() < 0.35 {
                "a18_24"
            } else {
                "a25_59"
            }
        }
        _ => "a60p",
    };
    let child = age == "a12_17";
    let travelling = if child {
        pick(rng, &[("uac", 0.1), ("separated", 0.1), ("family_part", 0.8)])
    } else {
        pick(
            rng,
            &[("alone", 0.6), ("family_part", 0.25), ("family_all", 0.15)],
        )
    };
    let privacy = pick(
        rng,
        &[("private", 0.6), ("overheard", 0.25), ("officials_present", 0.15)],
    );
    let mut answers = serde_json::Map::new();
    let mut put = |code: &str, value: Value| {
        answers.insert(code.to_owned(), value);
    };
    put("K06", json!(privacy));
    put("K03", json!("yes"));
    put("P01", json!(if sex == "f" { "female" } else { "male" }));
    put("P02", json!(age));
    put("P07", json!(travelling));
    if matches!(travelling, "uac" | "separated") {
        put(
            "F02",
            json!(pick(rng, &[("verified", 0.4), ("unverified", 0.3), ("no", 0.3)])),
        );
    }
    let papers = pick(
        rng,
        &[
            ("none", 0.3),
            ("removal_paper", 0.3),
            ("birth", 0.2),
            ("national_id", 0.2),
        ],
    );
    put("D01", json!([papers]));
    let fact = if privacy == "officials_present" {
        pick(
            rng,
            &[
                ("none", 0.6),
                ("medical_urgent", 0.1),
                ("no_place", 0.2),
                ("family_split", 0.1),
            ],
        )
    } else {
        pick(
            rng,
            &[
                ("none", 0.45),
                ("medical_urgent", 0.06),
                ("med_gap", 0.1),
                ("no_place", 0.15),
                ("items_taken", 0.12),
                ("family_split", 0.06),
                ("fear_today", 0.06),
            ],
        )
    };
    put("RF", json!([fact]));
    if privacy != "officials_present" {
        // 40 % agree to be contacted again (domain 7.3).
        let again = rng.f64() < 0.4;
        put("W03", json!(if again { "yes" } else { "no" }));
        if again {
            put("W04", json!(pick(rng, &[("phone", 0.6), ("via_person", 0.4)])));
        }
    }
    Value::Object(answers)
}

/// One of several codes by weight; the last takes what is left.
fn pick(rng: &mut fastrand::Rng, of: &[(&'static str, f64)]) -> &'static str {
    let mut left = rng.f64();
    for (code, share) in of {
        left -= share;
        if left < 0.0 {
            return code;
        }
    }
    of.last().map_or("", |(code, _)| code)
}

/// RFC 3339 at the border's offset, of a moment of the invented day.
pub fn local_time(at: i64) -> String {
    let second = at - MIDNIGHT;
    let (day, rest) = (2 + second.div_euclid(86_400), second.rem_euclid(86_400));
    format!(
        "2026-03-{day:02}T{:02}:{:02}:{:02}-05:00",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size() -> Size {
        Size {
            devices: 4,
            events: 60,
            interviews: 300,
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_morning() {
        let points = vec!["A".to_owned(), "B".to_owned()];
        let text = |seed| format!("{:?}", draw(seed, size(), &points));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn volumes_and_shares_are_the_published_ones() {
        let shifts = draw(
            7,
            Size {
                devices: 4,
                events: 2_000,
                interviews: 9_000,
            },
            &["A".to_owned()],
        );
        let (mut people, mut male, mut old, mut refused, mut asked) = (0, 0, 0, 0, 0);
        for arrival in shifts.iter().flat_map(|s| &s.arrivals) {
            for (code, value) in arrival.tally.as_object().into_iter().flatten() {
                let n = value.as_i64().unwrap_or(0);
                if code.starts_with("T_") {
                    people += n;
                    male += if code.starts_with("T_m") { n } else { 0 };
                    old += if code.ends_with("60p") { n } else { 0 };
                }
            }
            for interview in &arrival.interviews {
                asked += 1;
                refused += i64::from(interview.get("K03") == Some(&json!("no")));
            }
        }
        let share = |part: i64, of: i64| part * 1000 / of;
        assert!((45..=55).contains(&(people / 2_000)), "{people}");
        assert!((640..=660).contains(&share(male, people)));
        assert!((11..=17).contains(&share(old, people)));
        assert!((90..=110).contains(&share(refused, asked)));
        assert_eq!(asked - refused, 9_000);
    }

    #[test]
    fn times_are_local() {
        assert_eq!(local_time(MIDNIGHT + 4 * 3600 + 61), "2026-03-02T04:01:01-05:00");
    }
}
