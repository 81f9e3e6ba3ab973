//! Consent: what a person allowed, one scope at a time.
//!
//! Owns the body of a `consent` entry (domain 2.7 ConsentRecord, 6.1 to 6.3) and how it follows from an interview's
//! answers. A scope that was not asked is in neither list; a bundle ("all") does not exist.

use std::collections::BTreeSet;
use std::fmt;

use landfall_form::{Answer, Answers};

use crate::header;
use crate::kind::codes;
use crate::{CaseCode, Error};

codes! {
    /// What a consent is about (domain 2.2, list `scope`).
    Scope {
        /// Keep the answers under a code and count them.
        Record = "record",
        /// Contact again.
        Contact = "contact",
        /// Share needed facts with a chosen service.
        Refer = "refer",
        /// Coded answers, without code or text, outside the network.
        Research = "research",
        /// Use the story without identifying the person.
        Story = "story",
        /// Share with the person's lawyer.
        LegalCase = "legal_case",
        /// File a complaint.
        Complaint = "complaint",
        /// Tell the organisation that reported the return.
        ShareOriginOrg = "share_origin_org",
        /// Keep a file.
        Attachment = "attachment",
    }
}

codes! {
    /// How a consent was given (domain 2.2, list `consent_mode`).
    ConsentMode {
        /// Spoken; the monitor confirms.
        Spoken = "spoken",
        /// Given on the person's own device.
        SelfTap = "self_tap",
        /// A guardian's consent and the child's assent.
        Guardian = "guardian",
        /// Best interests of a child without guardian: record and refer to child protection only.
        BestInterest = "best_interest",
        /// Danger to life.
        Vital = "vital",
    }
}

/// Scopes that question K04 of an interview asks one by one; the others are asked where they arise.
const ASKED_BY_K04: [Scope; 4] = [Scope::Refer, Scope::Research, Scope::Story, Scope::ShareOriginOrg];

/// The body of a `consent` entry.
///
/// `Debug` prints the number of scopes only.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// The case it is about.
    pub case_code: CaseCode,
    /// How it was given.
    pub mode: ConsentMode,
    /// Scopes that were allowed.
    pub granted: BTreeSet<Scope>,
    /// Scopes that were asked and refused, or withdrawn.
    pub refused: BTreeSet<Scope>,
    /// The exact text version that was read (`start_text` and its version).
    pub text_id: String,
    /// Language of that text, BCP 47.
    pub lang: String,
    /// Whether the text was read aloud.
    pub read_aloud: bool,
    /// When it was given, RFC 3339 with offset.
    pub given_at: String,
    /// When it lapses, RFC 3339 with offset.
    pub expires_at: String,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Consent({} granted, {} refused)",
            self.granted.len(),
            self.refused.len()
        )
    }
}

fn code_of<'a>(answers: &'a Answers, question: &str) -> Option<&'a str> {
    match answers.get(question) {
        Some(Answer::Code(code) | Answer::Text(code)) => Some(code),
        _ => None,
    }
}

fn scopes(codes: &BTreeSet<Scope>) -> Answer {
    Answer::Codes(codes.iter().map(|scope| scope.code().to_owned()).collect())
}

fn read_scopes(body: &Answers, field: &'static str) -> Result<BTreeSet<Scope>, Error> {
    match body.get(field) {
        Some(Answer::Codes(codes)) => codes
            .iter()
            .map(|code| Scope::from_code(code).ok_or(Error::Body(field)))
            .collect(),
        _ => Err(Error::Body(field)),
    }
}

fn read_text(body: &Answers, field: &'static str) -> Result<String, Error> {
    match body.get(field) {
        Some(Answer::Code(text) | Answer::Text(text) | Answer::DateTime(text)) => Ok(text.clone()),
        _ => Err(Error::Body(field)),
    }
}

impl Consent {
    /// Derives the scopes from an interview's answers: K03 grants or refuses `record`, W03 `contact`, and each of
    /// the four of K04 is granted where it is ticked and refused where K04 was asked and it is not (domain 3.2).
    #[must_use]
    pub fn scopes_of_interview(answers: &Answers) -> (BTreeSet<Scope>, BTreeSet<Scope>) {
        let mut granted = BTreeSet::new();
        let mut refused = BTreeSet::new();
        for (question, scope) in [("K03", Scope::Record), ("W03", Scope::Contact)] {
            match code_of(answers, question) {
                Some("yes") => granted.insert(scope),
                Some("no") => refused.insert(scope),
                _ => false,
            };
        }
        if let Some(Answer::Codes(ticked)) = answers.get("K04") {
            for scope in ASKED_BY_K04 {
                if ticked.iter().any(|code| code == scope.code()) {
                    granted.insert(scope);
                } else {
                    refused.insert(scope);
                }
            }
        }
        (granted, refused)
    }

    /// Derives how the consent of an interview was given (domain 6.3): a child without guardian falls under best
    /// interest, a guardian who answers consents for the child, anybody else has spoken.
    #[must_use]
    pub fn mode_of_interview(answers: &Answers) -> ConsentMode {
        let child = matches!(code_of(answers, "P02"), Some("a0_4" | "a5_11" | "a12_17"));
        let alone = code_of(answers, "K05") == Some("child_alone")
            || matches!(code_of(answers, "P07"), Some("uac" | "separated"));
        match code_of(answers, "K05") {
            Some("guardian") => ConsentMode::Guardian,
            Some("child_alone") => ConsentMode::BestInterest,
            _ if child && alone => ConsentMode::BestInterest,
            _ => ConsentMode::Spoken,
        }
    }

    /// Returns the body that is signed.
    #[must_use]
    pub fn to_body(&self) -> Answers {
        let yes_no = if self.read_aloud { "yes" } else { "no" };
        let mut body = Answers::new();
        for (field, answer) in [
            (header::CASE_CODE, Answer::Text(self.case_code.to_text())),
            ("mode", Answer::Code(self.mode.code().to_owned())),
            ("granted", scopes(&self.granted)),
            ("refused", scopes(&self.refused)),
            ("text_id", Answer::Text(self.text_id.clone())),
            ("lang", Answer::Text(self.lang.clone())),
            ("read_aloud", Answer::Code(yes_no.to_owned())),
            ("given_at", Answer::DateTime(self.given_at.clone())),
            ("expires_at", Answer::DateTime(self.expires_at.clone())),
        ] {
            body.insert(field.to_owned(), answer);
        }
        body
    }

    /// Reads the body of a `consent` entry; fields that it does not know are left alone.
    ///
    /// # Errors
    /// [`Error::Body`] names the field that is missing or wrong.
    pub fn from_body(body: &Answers) -> Result<Consent, Error> {
        let consent = Consent {
            case_code: header::case_code(body)?.ok_or(Error::Body(header::CASE_CODE))?,
            mode: ConsentMode::from_code(&read_text(body, "mode")?).ok_or(Error::Body("mode"))?,
            granted: read_scopes(body, "granted")?,
            refused: read_scopes(body, "refused")?,
            text_id: read_text(body, "text_id")?,
            lang: read_text(body, "lang")?,
            read_aloud: match read_text(body, "read_aloud")?.as_str() {
                "yes" => true,
                "no" => false,
                _ => return Err(Error::Body("read_aloud")),
            },
            given_at: read_text(body, "given_at")?,
            expires_at: read_text(body, "expires_at")?,
        };
        if crate::time::parse(&consent.given_at)? > crate::time::parse(&consent.expires_at)? {
            return Err(Error::Body("expires_at"));
        }
        if consent.granted.intersection(&consent.refused).next().is_some() {
            return Err(Error::Body("refused"));
        }
        Ok(consent)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn answers(pairs: &[(&str, &str)]) -> Answers {
        pairs
            .iter()
            .map(|(code, value)| ((*code).to_owned(), Answer::Code((*value).to_owned())))
            .collect()
    }

    fn consent() -> Consent {
        Consent {
            case_code: CaseCode::from_random([1, 2, 3, 4, 5]),
            mode: ConsentMode::Spoken,
            granted: [Scope::Record].into(),
            refused: [Scope::Contact].into(),
            text_id: "start_text/1".to_owned(),
            lang: "ht".to_owned(),
            read_aloud: true,
            given_at: "2025-11-22T10:40:00-04:00".to_owned(),
            expires_at: "2027-02-20T10:40:00-04:00".to_owned(),
        }
    }

    #[test]
    fn the_body_reads_back() {
        assert_eq!(Consent::from_body(&consent().to_body()).unwrap(), consent());
        assert_eq!(format!("{:?}", consent()), "Consent(1 granted, 1 refused)");
    }

    #[test]
    fn every_field_is_required_and_checked() {
        let body = consent().to_body();
        for field in body.keys() {
            let mut without = body.clone();
            without.remove(field);
            assert!(Consent::from_body(&without).is_err(), "{field}");
        }
        let mut both = consent();
        both.refused.insert(Scope::Record);
        assert_eq!(Consent::from_body(&both.to_body()), Err(Error::Body("refused")));
        let mut lapsed = consent();
        lapsed.expires_at = "2020-01-01T00:00:00+00:00".to_owned();
        assert_eq!(
            Consent::from_body(&lapsed.to_body()),
            Err(Error::Body("expires_at"))
        );
        let mut unknown = body;
        unknown.insert("granted".to_owned(), Answer::Codes(vec!["everything".to_owned()]));
        assert_eq!(Consent::from_body(&unknown), Err(Error::Body("granted")));
    }

    #[test]
    fn scopes_follow_from_what_was_asked() {
        let rapid = answers(&[("K03", "yes"), ("W03", "no")]);
        assert_eq!(
            Consent::scopes_of_interview(&rapid),
            ([Scope::Record].into(), [Scope::Contact].into())
        );
        let in_front_of_officials = answers(&[("K03", "yes")]);
        assert_eq!(
            Consent::scopes_of_interview(&in_front_of_officials),
            ([Scope::Record].into(), [].into())
        );
        let mut full = rapid;
        full.insert("K04".to_owned(), Answer::Codes(vec!["research".to_owned()]));
        let (granted, refused) = Consent::scopes_of_interview(&full);
        assert_eq!(granted, [Scope::Record, Scope::Research].into());
        assert_eq!(
            refused,
            [Scope::Contact, Scope::Refer, Scope::Story, Scope::ShareOriginOrg].into()
        );
        full.insert("K04".to_owned(), Answer::Skipped);
        assert_eq!(Consent::scopes_of_interview(&full).1, [Scope::Contact].into());
    }

    #[test]
    fn a_child_without_guardian_falls_under_best_interest() {
        for (pairs, mode) in [
            (&[("P02", "a25_59"), ("P07", "alone")][..], ConsentMode::Spoken),
            (
                &[("P02", "a12_17"), ("P07", "uac")][..],
                ConsentMode::BestInterest,
            ),
            (
                &[("P02", "a12_17"), ("P07", "family_all")][..],
                ConsentMode::Spoken,
            ),
            (
                &[("P02", "a5_11"), ("K05", "guardian")][..],
                ConsentMode::Guardian,
            ),
            (&[("K05", "child_alone")][..], ConsentMode::BestInterest),
        ] {
            assert_eq!(Consent::mode_of_interview(&answers(pairs)), mode, "{pairs:?}");
        }
    }
}
