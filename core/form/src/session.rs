//! A session: one form being answered. It decides what is asked, refuses what may not be answered and computes what the
//! form computes. The draft (what was answered) is kept apart from the state (what is relevant now), so that an answer
//! survives becoming irrelevant and comes back with its question; a finished set holds only what is relevant.
//!
//! **In front of officials** (domain 1.5(5)). A form's setting `officials` is an expression that is true while officials
//! can see or hear; in form b it is also true as long as nobody has said how private it is. While it is true, every
//! question with `officials` = hide is absent from [`Session::questions`] and [`Session::path`], a choice with `officials`
//! = hide is absent from the choices, and an answer to either is refused with [`Rule::OfficialsPresent`], whatever sent
//! it. Answers given before stay in the draft and stand in the finished set, sealed for the desk, as far as they would be
//! relevant with the values of the setting `unwatched` in place; no expression on the device sees them.
//!
//! Nothing here reads a clock, and nothing prints an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::choice::{Choice, Table, is_exclusive};
use crate::expr::{EvalError, Expr, Scope};
use crate::form::{Class, Form, Kind, ListSource, Officials, Question};
use crate::value::{Value, parse_date, parse_date_time};
use crate::{Answer, Answers, Now, Pack, limits};

/// Which rule an answer breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// The form has no such question.
    UnknownQuestion,
    /// The question has no such choice, or does not offer it now.
    UnknownChoice,
    /// The answer is of another type than the question, or is not what it says it is.
    WrongType,
    /// The text or code is too long, or there are too many codes.
    TooLong,
    /// The number has more than nine digits, or the decimal more than 32 characters.
    OutOfRange,
    /// The question's constraint is not satisfied.
    Constraint,
    /// The question must be answered.
    Required,
    /// A code that excludes all others stands beside another.
    Exclusive,
    /// Officials can see or hear, and the question or choice is not asked in front of them.
    OfficialsPresent,
    /// The question is not asked now.
    NotRelevant,
    /// The question is computed, handed in or fixed.
    ReadOnly,
    /// The question cannot be skipped.
    NotSkippable,
    /// An expression of the form could not be evaluated.
    Calculation,
}

impl Rule {
    /// Returns the rule's name as commands and shells write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownQuestion => "unknown_question",
            Self::UnknownChoice => "unknown_choice",
            Self::WrongType => "wrong_type",
            Self::TooLong => "too_long",
            Self::OutOfRange => "out_of_range",
            Self::Constraint => "constraint",
            Self::Required => "required",
            Self::Exclusive => "exclusive",
            Self::OfficialsPresent => "officials_present",
            Self::NotRelevant => "not_relevant",
            Self::ReadOnly => "read_only",
            Self::NotSkippable => "not_skippable",
            Self::Calculation => "calculation",
        }
    }
}

/// An answer that was refused, or one that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{question}: {}", .rule.as_str())]
pub struct Violation {
    /// The question's code.
    pub question: String,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// Whether somebody has read the words that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Review {
    /// A person has reviewed them.
    Reviewed,
    /// A translation that nobody has reviewed.
    Draft,
    /// There are none in this language; those of the default language stand in.
    Missing,
}

/// One choice as a shell shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceState {
    /// The code.
    pub code: String,
    /// The label.
    pub label: String,
    /// Whether it excludes all others.
    pub exclusive: bool,
    /// Whether the label was reviewed.
    pub review: Review,
}

/// One question as a shell shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct QuestionState {
    /// The code.
    pub code: String,
    /// The kind.
    pub kind: Kind,
    /// The label.
    pub label: String,
    /// The hint.
    pub hint: Option<String>,
    /// Its sensitivity.
    pub class: Class,
    /// The innermost group's code.
    pub group: Option<String>,
    /// Whether it is asked now.
    pub relevant: bool,
    /// Whether it must be answered.
    pub required: bool,
    /// Whether it can be skipped (domain 3: every select question of forms b and c unless marked Y).
    pub skippable: bool,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// The answer, the default, or what the form computed.
    pub value: Option<Answer>,
    /// The choices offered now.
    pub choices: Vec<ChoiceState>,
    /// Its turn in the rapid variant.
    pub rapid: Option<u16>,
    /// Whether the monitor answers it without asking.
    pub monitor_only: bool,
    /// Whether the label was reviewed.
    pub review: Review,
}

/// How a form ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With answers to keep.
    Kept(Answers),
    /// The person did not agree (setting `refusal`, K03 = no): nothing of it is kept but that it happened once.
    Refused,
}

#[derive(Debug, Clone, PartialEq)]
struct State {
    relevant: bool,
    value: Value,
    calculated: Option<Answer>,
    failed: bool,
}

/// One form being answered.
#[derive(Debug, Clone)]
pub struct Session {
    form: Arc<Form>,
    tables: BTreeMap<String, Arc<Table>>,
    hidden: Answers,
    draft: Answers,
    states: Vec<State>,
    forced: BTreeMap<usize, Value>,
    now: Now,
    evaluated: u64,
}

struct View<'a> {
    session: &'a Session,
    here: Option<&'a Value>,
    choice: Option<Offer<'a>>,
}

impl Scope for View<'_> {
    fn question(&self, code: &str) -> Value {
        let state = self
            .session
            .form
            .position(code)
            .and_then(|at| self.session.states.get(at));
        state.map_or_else(Value::empty, |state| state.value.clone())
    }
    fn now(&self) -> Now {
        self.session.now
    }
    fn here(&self) -> Value {
        self.here.cloned().unwrap_or_else(Value::empty)
    }
    fn column(&self, name: &str) -> Option<String> {
        match self.choice? {
            Offer::Choice(choice) => choice.column(name).map(str::to_owned),
            Offer::Row(row) => row.get(name).map(str::to_owned),
        }
    }
    fn table(&self, name: &str) -> Option<&Table> {
        self.session.tables.get(name).map(Arc::as_ref)
    }
}

#[derive(Clone, Copy)]
enum Offer<'a> {
    Choice(&'a Choice),
    Row(crate::choice::TableRow<'a>),
}

impl<'a> Offer<'a> {
    fn code(&self) -> &'a str {
        match self {
            Self::Choice(choice) => choice.code(),
            Self::Row(row) => row.code(),
        }
    }

    fn in_front_of_officials(&self) -> bool {
        match self {
            Self::Choice(choice) => choice.asked_in_front_of_officials(),
            Self::Row(_) => true,
        }
    }
}

impl Session {
    /// Begins a form. `hidden` are the values that whoever opens the form hands in, `prefill` answers to begin with;
    /// those that the form refuses are left out. Dynamic defaults are computed now and stand in the draft from here on.
    #[must_use]
    pub fn begin(form: Arc<Form>, pack: &Pack, hidden: Answers, prefill: Answers, now: Now) -> Self {
        let mut session = Self::resume(form, pack, hidden, Answers::new(), now);
        let form = Arc::clone(&session.form);
        for question in form.questions() {
            let dynamic = question.default.as_ref().is_some_and(Expr::is_volatile);
            if dynamic
                && question.kind.is_asked()
                && let Some(value) = question
                    .default
                    .as_ref()
                    .and_then(|expr| session.eval(expr, None).ok())
                && let Some(answer) = answer_of(question.kind, &value)
            {
                session.draft.insert(question.code.clone(), answer);
            }
        }
        session.refresh_all();
        // In form order, so that an answer that makes another question relevant comes first.
        for question in form.questions() {
            if let Some(answer) = prefill.get(&question.code) {
                drop(session.set(&question.code, answer.clone(), now));
            }
        }
        session
    }

    /// Goes on with a draft. Its answers were accepted when they were given, so they are not refused here; what does not
    /// fit any more shows in [`Session::violations`].
    #[must_use]
    pub fn resume(form: Arc<Form>, pack: &Pack, hidden: Answers, answers: Answers, now: Now) -> Self {
        let draft = form.typed(&answers);
        let hidden = form.typed(&hidden);
        let blank = State {
            relevant: false,
            value: Value::empty(),
            calculated: None,
            failed: false,
        };
        let states = vec![blank; form.questions().len()];
        let tables = pack.tables().clone();
        let mut session = Self {
            form,
            tables,
            hidden,
            draft,
            states,
            forced: BTreeMap::new(),
            now,
            evaluated: 0,
        };
        session.refresh_all();
        session
    }

    /// Returns the form.
    #[must_use]
    pub fn form(&self) -> &Arc<Form> {
        &self.form
    }

    /// Returns the draft: what was answered, relevant or not. Keep it after every change and hand it to
    /// [`Session::resume`].
    #[must_use]
    pub fn answers(&self) -> &Answers {
        &self.draft
    }

    /// Returns how many relevances and values were evaluated since the session was made. A change evaluates only what
    /// depends on it; a test holds on to that.
    #[must_use]
    pub fn evaluated(&self) -> u64 {
        self.evaluated
    }

    /// Answers a question. On an error nothing changes.
    ///
    /// # Errors
    /// The [`Violation`] of the first rule that the answer breaks.
    pub fn set(&mut self, code: &str, answer: Answer, now: Now) -> Result<(), Violation> {
        let form = Arc::clone(&self.form);
        let refuse = |rule: Rule| {
            Err(Violation {
                question: shorten(code),
                rule,
            })
        };
        let (Some(question), Some(at)) = (form.question(code), form.position(code)) else {
            return refuse(Rule::UnknownQuestion);
        };
        self.set_now(now);
        if let Err(rule) = self.changeable(question, at) {
            return refuse(rule);
        }
        let watched = self.officials_present();
        let answer = match self.accept(question, answer, watched) {
            Ok(answer) => answer,
            Err(rule) => return refuse(rule),
        };
        let mut kept = self.kept_codes(question, watched);
        match answer {
            None if kept.is_empty() => drop(self.draft.remove(code)),
            Some(answer) if kept.is_empty() => drop(self.draft.insert(code.to_owned(), answer)),
            // What was told before the officials came stays beside what is seen now.
            answer => {
                if let Some(Answer::Codes(codes)) = answer {
                    kept.extend(codes);
                }
                let kept = self.in_list_order(question, kept);
                self.draft.insert(code.to_owned(), Answer::Codes(kept));
            }
        }
        self.refresh(at);
        Ok(())
    }

    /// Skips a question: it counts as unknown.
    ///
    /// # Errors
    /// As [`Session::set`]; [`Rule::NotSkippable`] when it must be answered or is no select question.
    pub fn skip(&mut self, code: &str, now: Now) -> Result<(), Violation> {
        self.set(code, Answer::Skipped, now)
    }

    /// Takes an answer back; the question's default stands again.
    ///
    /// # Errors
    /// As [`Session::set`], as far as it concerns the question.
    pub fn clear(&mut self, code: &str, now: Now) -> Result<(), Violation> {
        self.set(code, Answer::Text(String::new()), now)
    }

    /// Returns a question's value as expressions see it: the answer, the default or what was computed, and nothing when
    /// it is not relevant.
    #[must_use]
    pub fn value(&self, code: &str) -> Option<Answer> {
        let (question, at) = (self.form.question(code)?, self.form.position(code)?);
        self.answer_at(question, at)
    }

    /// Says whether a question is asked now.
    #[must_use]
    pub fn is_relevant(&self, code: &str) -> bool {
        self.form
            .position(code)
            .and_then(|at| self.states.get(at))
            .is_some_and(|state| state.relevant)
    }

    /// Says whether officials can see or hear, or nobody has said that they cannot. An expression that cannot be
    /// evaluated counts as officials present.
    #[must_use]
    pub fn officials_present(&self) -> bool {
        let officials = self.form.officials.as_ref();
        officials.is_some_and(|expr| self.eval(expr, None).map_or(true, |value| value.to_bool()))
    }

    /// Says whether this is the rapid variant.
    #[must_use]
    pub fn rapid(&self) -> bool {
        self.holds(self.form.rapid.as_ref())
    }

    /// Says whether the person refused: the form ends, and nothing of it may be kept.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.holds(self.form.refusal.as_ref())
    }

    /// Returns the questions in form order. Hidden ones are left out, and those that are not asked in front of officials
    /// while there are any.
    #[must_use]
    pub fn questions(&self, lang: &str) -> Vec<QuestionState> {
        let watched = self.officials_present();
        let shown = self.form.questions().iter().enumerate();
        shown
            .filter(|(_, question)| question.kind != Kind::Hidden)
            .filter(|(_, question)| !(watched && question.officials == Officials::Hide))
            .map(|(at, question)| self.question_state(question, at, lang, watched))
            .collect()
    }

    /// Returns what a shell walks through: the relevant questions that somebody answers, in order; in the rapid variant
    /// only those of its path, in its own order (for form b: K06 K03 P01 P02 P07 (F02) D01 (D02) RF W03 (W04)).
    #[must_use]
    pub fn path(&self, lang: &str) -> Vec<QuestionState> {
        let rapid = self.rapid();
        let mut path = self.questions(lang);
        path.retain(|question| {
            question.relevant && question.kind.is_asked() && (!rapid || question.rapid.is_some())
        });
        if rapid {
            path.sort_by_key(|question| question.rapid);
        }
        path
    }

    /// Returns the required questions that are asked now and not answered.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let questions = self.form.questions().iter().enumerate();
        questions
            .filter(|(at, question)| self.is_missing(question, *at))
            .map(|(_, question)| question.code.clone())
            .collect()
    }

    /// Returns everything that stands against finishing, in form order: missing answers, constraints that a later answer
    /// broke, choices that are not offered any more.
    #[must_use]
    pub fn violations(&self, now: Now) -> Vec<Violation> {
        let mut session = self.clone();
        session.set_now(now);
        session.found()
    }

    fn found(&self) -> Vec<Violation> {
        let watched = self.officials_present();
        let mut found = Vec::new();
        for (at, question) in self.form.questions().iter().enumerate() {
            let Some(state) = self.states.get(at).filter(|state| state.relevant) else {
                continue;
            };
            let mut report = |rule: Rule| {
                found.push(Violation {
                    question: question.code.clone(),
                    rule,
                })
            };
            if state.failed {
                report(Rule::Calculation);
                continue;
            }
            if self.is_missing(question, at) {
                report(Rule::Required);
                continue;
            }
            let Some(answer) = self.answer_at(question, at) else {
                continue;
            };
            if question.kind.is_asked() {
                if let Err(rule) = self.accept(question, answer, watched) {
                    report(rule);
                }
            } else if let Err(rule) = self.constrain(question, &state.value) {
                report(rule);
            }
        }
        found
    }

    /// Finishes the form: the answers that are relevant, with defaults, computed values and what was handed in.
    ///
    /// # Errors
    /// Everything that [`Session::violations`] finds.
    pub fn finish(&self, now: Now) -> Result<Outcome, Vec<Violation>> {
        let mut session = self.clone();
        session.set_now(now);
        if session.refused() {
            return Ok(Outcome::Refused);
        }
        let found = session.found();
        if !found.is_empty() {
            return Err(found);
        }
        let mut answers = Answers::new();
        for (at, question) in session.form.questions().iter().enumerate() {
            if let Some(answer) = session.answer_at(question, at) {
                answers.insert(question.code.clone(), answer);
            }
        }
        if session.officials_present() {
            session.add_kept(&mut answers);
        }
        Ok(Outcome::Kept(answers))
    }

    /// Adds the answers that were given before officials could see or hear.
    fn add_kept(&self, answers: &mut Answers) {
        let mut before = self.clone();
        for (at, value) in &self.form.unwatched {
            before.forced.insert(*at, Value::Text(value.clone()));
        }
        before.refresh_all();
        for (at, question) in self.form.questions().iter().enumerate() {
            let relevant = before.states.get(at).is_some_and(|state| state.relevant);
            let Some(answer) = self
                .draft
                .get(&question.code)
                .filter(|_| relevant && question.kind.is_asked())
            else {
                continue;
            };
            if question.officials == Officials::Hide {
                answers.insert(question.code.clone(), answer.clone());
            } else if !self.kept_codes(question, true).is_empty() {
                answers.insert(question.code.clone(), without_exclusive(answer));
            }
        }
    }

    // ---- evaluation

    fn eval(&self, expr: &Expr, here: Option<&Value>) -> Result<Value, EvalError> {
        expr.eval(&View {
            session: self,
            here,
            choice: None,
        })
    }

    /// Says whether a condition of the form holds; one that cannot be evaluated does not.
    fn holds(&self, expr: Option<&Expr>) -> bool {
        expr.is_some_and(|expr| self.eval(expr, None).is_ok_and(|value| value.to_bool()))
    }

    fn set_now(&mut self, now: Now) {
        if self.now != now {
            self.now = now;
            let form = Arc::clone(&self.form);
            self.propagate(form.volatile.iter().copied());
        }
    }

    fn refresh_all(&mut self) {
        let form = Arc::clone(&self.form);
        for at in &form.order {
            self.evaluate(&form, *at);
        }
    }

    fn refresh(&mut self, at: usize) {
        self.propagate([at]);
    }

    /// Evaluates the given questions and, as far as something changed, what depends on them, each once.
    fn propagate(&mut self, first: impl IntoIterator<Item = usize>) {
        let form = Arc::clone(&self.form);
        let rank = |at: usize| (form.rank.get(at).copied().unwrap_or_default(), at);
        let mut waiting: BTreeSet<(usize, usize)> = first.into_iter().map(rank).collect();
        while let Some((_, at)) = waiting.pop_first() {
            if self.evaluate(&form, at) {
                waiting.extend(form.dependents.get(at).into_iter().flatten().copied().map(rank));
            }
        }
    }

    /// Evaluates one question; says whether its state changed.
    fn evaluate(&mut self, form: &Form, at: usize) -> bool {
        let Some(question) = form.questions().get(at) else {
            return false;
        };
        self.evaluated += 1;
        let mut failed = false;
        let mut relevant = true;
        let around = form.around(question).map(|group| group.relevant.as_ref());
        for expr in around.chain([question.relevant.as_ref()]).flatten() {
            match self.eval(expr, None) {
                Ok(value) => relevant &= value.to_bool(),
                // What cannot be evaluated is asked rather than lost, and shows as a violation.
                Err(_) => failed = true,
            }
        }
        let watched = question.officials == Officials::Hide && self.officials_present();
        relevant &= !watched;
        let mut calculated = None;
        let mut value = Value::empty();
        if let Some(forced) = self.forced.get(&at) {
            value = forced.clone();
        } else if relevant {
            match question.kind {
                Kind::Hidden => {
                    value = self
                        .hidden
                        .get(&question.code)
                        .map_or_else(Value::empty, Value::of)
                }
                Kind::Note => {}
                _ if question.calculation.is_some() => {
                    let before = self.states.get(at).map(|state| state.value.clone());
                    let result = question
                        .calculation
                        .as_ref()
                        .map(|expr| self.eval(expr, before.as_ref()));
                    match result {
                        Some(Ok(result)) => {
                            calculated = answer_of(question.kind, &result);
                            value = calculated.as_ref().map_or_else(Value::empty, Value::of);
                        }
                        _ => failed = true,
                    }
                }
                _ => value = self.shown(question).as_ref().map_or_else(Value::empty, Value::of),
            }
        }
        let state = State {
            relevant,
            value,
            calculated,
            failed,
        };
        match self.states.get_mut(at) {
            Some(old) if *old != state => {
                *old = state;
                true
            }
            _ => false,
        }
    }

    // ---- answers

    /// Returns the answer in the draft, or the default, as far as it may be shown.
    fn shown(&self, question: &Question) -> Option<Answer> {
        let answer = match self.draft.get(&question.code) {
            Some(answer) => answer.clone(),
            None => {
                let default = question.default.as_ref().filter(|expr| !expr.is_volatile())?;
                answer_of(question.kind, &self.eval(default, None).ok()?)?
            }
        };
        let Answer::Codes(codes) = &answer else {
            return Some(answer);
        };
        if !self.kept_codes(question, true).is_empty() {
            if self.officials_present() {
                let kept = self.kept_codes(question, true);
                let seen: Vec<String> = codes
                    .iter()
                    .filter(|code| !kept.contains(code))
                    .cloned()
                    .collect();
                return Some(if seen.is_empty() {
                    Answer::Skipped
                } else {
                    Answer::Codes(seen)
                });
            }
            return Some(without_exclusive(&answer));
        }
        Some(answer)
    }

    /// Returns the codes in the draft that may not be shown in front of officials.
    fn kept_codes(&self, question: &Question, watched: bool) -> Vec<String> {
        let (true, Some(Answer::Codes(codes)), Some(ListSource::List(list))) = (
            watched && self.form.officials.is_some(),
            self.draft.get(&question.code),
            &question.list,
        ) else {
            return Vec::new();
        };
        let choices = self.form.list(list).unwrap_or_default();
        let hidden = |code: &&String| {
            choices
                .iter()
                .any(|choice| choice.code() == *code && !choice.asked_in_front_of_officials())
        };
        codes.iter().filter(hidden).cloned().collect()
    }

    fn answer_at(&self, question: &Question, at: usize) -> Option<Answer> {
        let state = self.states.get(at).filter(|state| state.relevant)?;
        match question.kind {
            Kind::Note => None,
            Kind::Hidden => self.hidden.get(&question.code).cloned(),
            _ if question.calculation.is_some() => state.calculated.clone(),
            _ => self.shown(question),
        }
    }

    fn is_missing(&self, question: &Question, at: usize) -> bool {
        self.states.get(at).is_some_and(|state| state.relevant)
            && question.kind.is_asked()
            && self.holds(question.required.as_ref())
            && self
                .answer_at(question, at)
                .is_none_or(|answer| answer == Answer::Skipped)
    }

    fn changeable(&self, question: &Question, at: usize) -> Result<(), Rule> {
        if !question.kind.is_asked() || question.calculation.is_some() {
            return Err(Rule::ReadOnly);
        }
        // Before relevance, so that what is refused for safety says so.
        if question.officials == Officials::Hide && self.officials_present() {
            return Err(Rule::OfficialsPresent);
        }
        if !self.states.get(at).is_some_and(|state| state.relevant) {
            return Err(Rule::NotRelevant);
        }
        if self.holds(question.read_only.as_ref()) {
            return Err(Rule::ReadOnly);
        }
        Ok(())
    }

    /// Checks an answer and returns it as it is kept; an empty one is none.
    fn accept(&self, question: &Question, answer: Answer, watched: bool) -> Result<Option<Answer>, Rule> {
        let answer = match (question.kind, answer) {
            // An empty text or list takes the answer back, whatever the kind.
            (_, Answer::Text(text)) if text.is_empty() => return Ok(None),
            (_, Answer::Codes(codes)) if codes.is_empty() => return Ok(None),
            (kind, Answer::Skipped) => {
                let skippable =
                    self.form.skippable && kind.is_select() && !self.holds(question.required.as_ref());
                return if skippable {
                    Ok(Some(Answer::Skipped))
                } else {
                    Err(Rule::NotSkippable)
                };
            }
            (Kind::Text, Answer::Text(text)) => {
                if text.chars().count() > limits::TEXT {
                    return Err(Rule::TooLong);
                }
                Answer::Text(text)
            }
            (Kind::Integer, Answer::Integer(number)) => {
                if number.abs_diff(0) > limits::INTEGER.unsigned_abs() {
                    return Err(Rule::OutOfRange);
                }
                Answer::Integer(number)
            }
            (Kind::Decimal, Answer::Integer(number)) => {
                return self.accept(question, Answer::Decimal(number.to_string()), watched);
            }
            (Kind::Decimal, Answer::Decimal(text)) => {
                if text.chars().count() > limits::DECIMAL {
                    return Err(Rule::OutOfRange);
                }
                if crate::value::parse_number(&text).is_nan() || text.trim() != text {
                    return Err(Rule::WrongType);
                }
                Answer::Decimal(text)
            }
            (Kind::Date, Answer::Date(text)) if parse_date(&text).is_some() && text.len() == 10 => {
                Answer::Date(text)
            }
            (Kind::Time, Answer::Time(text)) if is_time(&text) => Answer::Time(text),
            (Kind::DateTime, Answer::DateTime(text)) if is_date_time(&text) => Answer::DateTime(text),
            (Kind::Acknowledge, Answer::Code(code)) => {
                if code != "OK" {
                    return Err(Rule::UnknownChoice);
                }
                Answer::Code(code)
            }
            (Kind::SelectOne, Answer::Code(code)) => {
                self.offered(question, &code, watched)?;
                Answer::Code(code)
            }
            (Kind::SelectMultiple, Answer::Codes(codes)) => {
                if codes.len() > limits::CODES {
                    return Err(Rule::TooLong);
                }
                for code in &codes {
                    self.offered(question, code, watched)?;
                }
                let codes = self.in_list_order(question, codes);
                if codes.len() > 1 && codes.iter().any(|code| is_exclusive(code)) {
                    return Err(Rule::Exclusive);
                }
                Answer::Codes(codes)
            }
            _ => return Err(Rule::WrongType),
        };
        self.constrain(question, &Value::of(&answer))?;
        Ok(Some(answer))
    }

    fn constrain(&self, question: &Question, value: &Value) -> Result<(), Rule> {
        let Some(expr) = &question.constraint else {
            return Ok(());
        };
        match self.eval(expr, Some(value)) {
            Ok(result) if result.to_bool() => Ok(()),
            Ok(_) => Err(Rule::Constraint),
            Err(_) => Err(Rule::Calculation),
        }
    }

    fn offered(&self, question: &Question, code: &str, watched: bool) -> Result<(), Rule> {
        if code.chars().count() > limits::CODE {
            return Err(Rule::TooLong);
        }
        let Some(offer) = self.offer(question, code) else {
            return Err(Rule::UnknownChoice);
        };
        if watched && !offer.in_front_of_officials() {
            return Err(Rule::OfficialsPresent);
        }
        if self.passes(question, offer) {
            Ok(())
        } else {
            Err(Rule::UnknownChoice)
        }
    }

    fn offer(&self, question: &Question, code: &str) -> Option<Offer<'_>> {
        match question.list.as_ref()? {
            ListSource::List(list) => self
                .form
                .list(list)?
                .iter()
                .find(|choice| choice.code() == code)
                .map(Offer::Choice),
            ListSource::Table(table) => self.tables.get(table)?.row(code).map(Offer::Row),
        }
    }

    /// Says whether the choice filter lets a choice through.
    fn passes(&self, question: &Question, offer: Offer<'_>) -> bool {
        let Some(filter) = &question.choice_filter else {
            return true;
        };
        let view = View {
            session: self,
            here: None,
            choice: Some(offer),
        };
        filter.eval(&view).is_ok_and(|value| value.to_bool())
    }

    fn offers(&self, question: &Question) -> Vec<Offer<'_>> {
        let all: Vec<Offer<'_>> = match &question.list {
            None => Vec::new(),
            Some(ListSource::List(list)) => self
                .form
                .list(list)
                .unwrap_or_default()
                .iter()
                .map(Offer::Choice)
                .collect(),
            Some(ListSource::Table(table)) => self
                .tables
                .get(table)
                .map(|table| table.rows().map(Offer::Row).collect())
                .unwrap_or_default(),
        };
        all.into_iter()
            .filter(|offer| self.passes(question, *offer))
            .collect()
    }

    /// Sorts codes as the list has them and drops repeated ones, so that one choice has one encoding.
    fn in_list_order(&self, question: &Question, codes: Vec<String>) -> Vec<String> {
        let wanted: BTreeSet<String> = codes.into_iter().collect();
        let mut sorted: Vec<String> = match &question.list {
            Some(ListSource::List(list)) => {
                let choices = self.form.list(list).unwrap_or_default().iter();
                choices
                    .map(|choice| choice.code().to_owned())
                    .filter(|code| wanted.contains(code))
                    .collect()
            }
            _ => return wanted.into_iter().collect(),
        };
        let known: BTreeSet<String> = sorted.iter().cloned().collect();
        sorted.extend(wanted.into_iter().filter(|code| !known.contains(code)));
        sorted
    }

    // ---- what is shown

    fn question_state(&self, question: &Question, at: usize, lang: &str, watched: bool) -> QuestionState {
        let relevant = self.states.get(at).is_some_and(|state| state.relevant);
        let required = question.kind.is_asked() && self.holds(question.required.as_ref());
        let (label, review) = self.words(question, "label", lang);
        let (hint, _) = self.words(question, "hint", lang);
        let choices = if relevant {
            self.offers(question)
        } else {
            Vec::new()
        };
        QuestionState {
            code: question.code.clone(),
            kind: question.kind,
            label: label.unwrap_or_else(|| question.code.clone()),
            hint,
            class: question.class,
            group: question
                .group
                .and_then(|at| self.form.groups().get(at))
                .map(|group| group.code.clone()),
            relevant,
            required,
            skippable: self.form.skippable && question.kind.is_select() && !required,
            read_only: !question.kind.is_asked()
                || question.calculation.is_some()
                || self.holds(question.read_only.as_ref()),
            value: self.answer_at(question, at),
            choices: choices
                .into_iter()
                .filter(|offer| !watched || offer.in_front_of_officials())
                .map(|offer| self.choice_state(offer, lang))
                .collect(),
            rapid: question.rapid.map(|rapid| rapid.order),
            monitor_only: question.monitor_only,
            review,
        }
    }

    fn words(&self, question: &Question, column: &str, lang: &str) -> (Option<String>, Review) {
        let default = self.form.default_language();
        match question.words(column, lang) {
            Some(words) => (
                Some(words.to_owned()),
                review_of(question.words("review", lang), lang == default),
            ),
            None => (
                question.words(column, default).map(str::to_owned),
                Review::Missing,
            ),
        }
    }

    fn choice_state(&self, offer: Offer<'_>, lang: &str) -> ChoiceState {
        let default = self.form.default_language();
        let (label, review) = match offer {
            Offer::Choice(choice) => {
                let own = choice.labels().contains_key(lang);
                let review = review_of(choice.review(lang), lang == default);
                (choice.label(lang), if own { review } else { Review::Missing })
            }
            Offer::Row(row) => {
                let own = row.has_label(lang) || lang == default;
                let mark = row.get(&format!("review:{lang}")).filter(|mark| !mark.is_empty());
                (
                    row.label(lang),
                    if own {
                        review_of(mark, lang == default)
                    } else {
                        Review::Missing
                    },
                )
            }
        };
        let code = offer.code().to_owned();
        ChoiceState {
            exclusive: is_exclusive(&code),
            code,
            label: label.to_owned(),
            review,
        }
    }
}

/// The default language's words are the source; all others count as drafts until they are marked `reviewed`.
fn review_of(mark: Option<&str>, source: bool) -> Review {
    match mark {
        Some("reviewed") => Review::Reviewed,
        None if source => Review::Reviewed,
        _ => Review::Draft,
    }
}

fn without_exclusive(answer: &Answer) -> Answer {
    match answer {
        Answer::Codes(codes) if codes.len() > 1 => {
            Answer::Codes(codes.iter().filter(|code| !is_exclusive(code)).cloned().collect())
        }
        other => other.clone(),
    }
}

/// Returns a value as an answer of a kind: a computed integer question is rounded to none of its own accord.
fn answer_of(kind: Kind, value: &Value) -> Option<Answer> {
    let answer = value.to_answer()?;
    Some(match (kind, answer) {
        (Kind::SelectOne | Kind::Acknowledge, Answer::Text(text)) => Answer::Code(text),
        (Kind::SelectMultiple, Answer::Text(text)) => Answer::codes(text.split_whitespace()),
        (Kind::Decimal, Answer::Integer(number)) => Answer::Decimal(number.to_string()),
        (Kind::Integer, Answer::Text(text)) => Answer::Integer(text.trim().parse().ok()?),
        (Kind::Text, Answer::Integer(number)) => Answer::Text(number.to_string()),
        (Kind::Text, Answer::Decimal(number)) => Answer::Text(number),
        (Kind::Date, Answer::Text(text)) => Answer::Date(text),
        (Kind::Time, Answer::Text(text)) => Answer::Time(text),
        (Kind::DateTime, Answer::Text(text)) => Answer::DateTime(text),
        (_, answer) => answer,
    })
}

/// RFC 3339 with an offset.
fn is_date_time(text: &str) -> bool {
    text.len() <= 40 && parse_date_time(text).is_some() && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// The time of RFC 3339 with an offset.
fn is_time(text: &str) -> bool {
    text.len() <= 30 && chrono::DateTime::parse_from_rfc3339(&format!("1970-01-01T{text}")).is_ok()
}

/// A code from outside may be anything; a violation names no more of it than a code can be long.
fn shorten(code: &str) -> String {
    code.chars().take(limits::CODE).collect()
}
