//! The closed lists of an entry's header: kind, role, provenance, retention.
//!
//! Owns their codes, which are those of domain 2.2 and never change once released. It holds no labels: words belong
//! to the shells and to forms/.

macro_rules! codes {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$note])* $variant,)+ }

        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// Returns the stable code that is written into entries.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }

            /// Reads a code; `None` for one that this version does not know.
            #[must_use]
            pub fn from_code(code: &str) -> Option<$name> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use codes;

codes! {
    /// What an entry is (domain 2.2, list `kind`, and the two kinds of the log itself).
    Kind {
        /// Corridor of the directory.
        Corridor = "corridor",
        /// Monitoring point of the directory.
        Point = "point",
        /// Partner organisation.
        Partner = "partner",
        /// Service of a partner.
        Service = "service",
        /// Expected return.
        ExpectedReturn = "expected_return",
        /// Arrival event: a tally, a headcount.
        ArrivalEvent = "arrival_event",
        /// What the desk adds to a case.
        Case = "case",
        /// Contact card.
        ContactCard = "contact_card",
        /// Consent.
        Consent = "consent",
        /// Arrival observation: an interview.
        Observation = "observation",
        /// Risk assessment.
        RiskAssessment = "risk_assessment",
        /// Incident.
        Incident = "incident",
        /// Referral.
        Referral = "referral",
        /// Check-in.
        Checkin = "checkin",
        /// Complaint.
        Complaint = "complaint",
        /// Attachment.
        Attachment = "attachment",
        /// Disclosure.
        Disclosure = "disclosure",
        /// Monitoring task.
        Task = "task",
        /// Feedback to the organisation that reported a return.
        Feedback = "feedback",
        /// Closes a gap in a device's chain honestly: the named numbers can no longer be sent.
        Gone = "gone",
        /// Confirms that an erasure order was carried out.
        Erased = "erased",
    }
}

codes! {
    /// Who wrote an entry (domain 2.2, list `role`).
    Role {
        /// Reporting partner.
        ReportingPartner = "reporting_partner",
        /// Coordinator at the desk.
        DeskCoordinator = "desk_coordinator",
        /// Analyst at the desk.
        DeskAnalyst = "desk_analyst",
        /// Monitor.
        Monitor = "monitor",
        /// Returned person.
        Returnee = "returnee",
        /// Service partner.
        ServicePartner = "service_partner",
        /// Legal partner.
        LegalPartner = "legal_partner",
    }
}

codes! {
    /// Where the content of an entry comes from (domain 2.2, list `provenance`).
    Provenance {
        /// Seen by the monitor.
        SeenByMonitor = "seen_by_monitor",
        /// Said by the person.
        SaidByPerson = "said_by_person",
        /// Said by someone else.
        SaidByOther = "said_by_other",
        /// Figure given by officials.
        OfficialFigure = "official_figure",
        /// Reported by a partner.
        PartnerReport = "partner_report",
        /// Document seen.
        DocumentSeen = "document_seen",
        /// Computed by the app.
        Computed = "computed",
    }
}

codes! {
    /// How long an entry may be kept (domain 6.5).
    Retention {
        /// Headcounts: no limit.
        Tally = "tally",
        /// Directory: while active and 12 months after.
        Directory = "directory",
        /// Expected returns, tasks, feedback.
        Task = "task",
        /// Cases: 24 months after arrival.
        Case = "case",
        /// Contact cards: until the last wave and 30 days.
        Contact = "contact",
        /// Incidents, attachments and complaints under scope complaint or legal_case.
        Evidence = "evidence",
        /// Consent, disclosure, withdrawal: as long as what they are about and 24 months.
        Log = "log",
    }
}

impl Kind {
    /// Returns the retention class that an entry of this kind has unless a rule of domain 6.5 says otherwise.
    #[must_use]
    pub const fn usual_retention(self) -> Retention {
        match self {
            Kind::ArrivalEvent => Retention::Tally,
            Kind::Corridor | Kind::Point | Kind::Partner | Kind::Service => Retention::Directory,
            Kind::ExpectedReturn | Kind::Task | Kind::Feedback => Retention::Task,
            Kind::Case
            | Kind::Observation
            | Kind::RiskAssessment
            | Kind::Incident
            | Kind::Referral
            | Kind::Checkin
            | Kind::Complaint
            | Kind::Attachment => Retention::Case,
            Kind::ContactCard => Retention::Contact,
            Kind::Consent | Kind::Disclosure | Kind::Gone | Kind::Erased => Retention::Log,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back_and_counted() {
        assert_eq!(Kind::ALL.len(), 21, "nineteen of the domain, gone and erased");
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
        }
        assert_eq!(Role::ALL.len(), 7);
        assert_eq!(Provenance::ALL.len(), 7);
        assert_eq!(Retention::ALL.len(), 7);
        assert_eq!(Kind::from_code("Case"), None);
    }
}
