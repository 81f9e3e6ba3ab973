package landfall.ui.previews

import androidx.compose.runtime.Composable
import landfall.ui.core.Counts
import landfall.ui.core.RecordState
import landfall.ui.parts.Ways
import landfall.ui.screens.*
import landfall.ui.words.Words

/** A screen with a sample state: what the pictures show and what the size and contrast tests measure. Figures are invented. */
class Preview(val name: String, val locked: Boolean, val content: @Composable (Words) -> Unit)

private object Still : Ways {
    override fun back() = Unit
    override fun leave() = Unit
}

/** Labels of the form in the two languages of the pictures; the app itself takes them from the form. */
private class Sample(private val w: Words) {
    fun t(en: String, ar: String) = if (w.lang == "ar") ar else en
    fun o(code: String, en: String, ar: String, chosen: Boolean = false) = Option(code, t(en, ar), chosen)

    val day get() = "Ouanaminthe · " + w.day(java.time.OffsetDateTime.parse("2026-11-22T14:52:00-05:00"))
    val time get() = w.isolate(w.digits("14:20"))
    val flight get() = t("Charter flight", "رحلة مستأجرة") + " · " + time

    fun home() = HomeState(
        day,
        listOf(HomeState.Unfinished("1", false, t("Bus", "حافلة") + (if (w.rightToLeft) "، " else ", ") + time + " · " + w.count("home_people_so_far", 36))),
        listOf(
            HomeState.Done("4", w.isolate(w.digits("13:05")), t("Truck or caged vehicle", "شاحنة أو مركبة بقفص") + " · " + w.count("people", 21), w.count("home_interviews", 3), RecordState.Mailbox, "e3"),
            HomeState.Done("3", w.isolate(w.digits("11:35")), t("On foot", "سيرًا") + " · " + w.count("people", 12), w.count("home_interviews", 2), RecordState.Saved, "e2"),
            HomeState.Done("2", w.isolate(w.digits("09:10")), t("Bus", "حافلة") + " · " + w.count("people", 48), w.count("home_interviews", 7), RecordState.Received, "e1"),
        ),
        6,
    )

    fun header() = TallyHeaderState(
        day,
        t("When did the people arrive (local time)?", "متى وصل الناس (بالتوقيت المحلي)؟"),
        time,
        w("header_today", "ago" to w.count("minutes_ago", 32)),
        listOf(o("exact", "Exact", "دقيق"), o("within_15m", "Within 15 minutes", "في حدود ١٥ دقيقة", true), o("within_1h", "Within 1 hour", "في حدود ساعة"), o("part_of_day", "Only part of day", "جزء من اليوم فقط")),
        null,
        t("How did they arrive?", "كيف وصلوا؟"),
        listOf(o("flight_charter", "Charter flight", "رحلة مستأجرة"), o("bus", "Bus", "حافلة", true), o("truck", "Truck or caged vehicle", "شاحنة أو مركبة بقفص"), o("foot", "On foot", "سيرًا على الأقدام")),
        6,
        listOf(
            TallyHeaderState.Row("A02", w("header_row_corridor"), t("DOM to HTI", "DOM إلى HTI"), false),
            TallyHeaderState.Row("A08", w("header_row_kind"), w("header_choose"), true),
            TallyHeaderState.Row("A09", w("header_row_how"), w("header_choose"), true),
            TallyHeaderState.Row("A10", w("header_row_announced"), t("Not announced", "لم يُعلن"), false),
            TallyHeaderState.Row("A11", w("header_row_access"), t("Full access", "دخول كامل"), false),
            TallyHeaderState.Row("A12", w("header_row_received"), t("Immigration, country of arrival", "هجرة بلد الوصول"), false),
            TallyHeaderState.Row("A20", w("header_row_counted"), t("Counted one by one", "عُدّوا واحدًا واحدًا"), false),
            TallyHeaderState.Row("A21", w("header_row_by_age"), w("header_by_age_yes"), false),
        ),
        2,
        null,
        null,
    )

    private val grid = listOf("0_4" to listOf(2, 1, 0), "5_11" to listOf(4, 3, 0), "12_17" to listOf(1, 5, 1), "18_59" to listOf(22, 61, 3), "60p" to listOf(5, 7, 0))

    fun tally() = TallyState(
        flight, 115, 17, listOf("f", "m", "u").map { w("tally_column_$it") },
        grid.map { (age, figures) ->
            TallyState.Row(
                w("tally_age_$age"),
                figures.mapIndexed { i, n ->
                    val sex = "fmu"[i]
                    TallyState.Cell("T_${sex}_$age", w("tally_cell_$sex", "age" to w("tally_age_$age")), n)
                },
                age == "18_59",
            )
        },
        TallyState.Last("T_m_18_59", 1, 1), w("tally_cell_m", "age" to w("tally_age_18_59")), false, null,
    )

    fun seen() = SeenState(
        flight,
        listOf(
            SeenState.Group(
                w("seen_first"),
                listOf(
                    SeenState.Asked("A40", t("Children without any adult", "أطفال بلا أي بالغ"), SeenState.Shape.Number, emptyList(), w.number(2), "", null),
                    SeenState.Asked("A48", t("People injured or in need of a doctor", "مصابون أو محتاجون إلى طبيب"), SeenState.Shape.Number, emptyList(), w.number(0), "", null),
                    SeenState.Asked("A51", t("People taken away by officials", "أشخاص أخذهم مسؤولون"), SeenState.Shape.Number, emptyList(), null, "", null),
                    SeenState.Asked(
                        "A77", t("How were people asked about their needs?", "كيف سُئل الناس عن حاجاتهم؟"), SeenState.Shape.One,
                        listOf(o("individual", "Each person asked alone", "كل شخص على حدة"), o("family", "By family", "حسب العائلة"), o("collective", "As a group", "جماعة", true), o("none", "No screening", "بلا سؤال"), o("not_observed", "Could not see", "تعذرت الرؤية")),
                        null, "", null,
                    ),
                ),
            ),
            SeenState.Group(
                w("seen_place"),
                listOf(
                    SeenState.Asked(
                        "A60", t("Drinking water available?", "هل كان ماء الشرب متاحًا؟"), SeenState.Shape.Three,
                        listOf(o("yes", "Yes", "نعم", true), o("no", "No", "لا"), o("not_observed", "Could not see", "تعذرت الرؤية")), null, "", null,
                    ),
                ),
            ),
        ),
        true, null,
    )

    fun summary(): TallySummaryState {
        val rows = grid.map { (age, figures) -> TallySummaryState.Row(w("tally_age_$age"), figures + figures.sum()) }
        return TallySummaryState(
            flight + (if (w.rightToLeft) "، " else ", ") + t("exact", "دقيق"),
            TallySummaryState.Count(
                115, 17, t("Counted one by one", "عُدّوا واحدًا واحدًا"), listOf("f", "m", "u").map { w("tally_column_$it") } + w("summary_all"),
                rows + TallySummaryState.Row(w("summary_all"), (0..3).map { i -> rows.sumOf { it.figures[i] } }),
            ),
            listOf(w.number(115) to w("summary_you"), w.number(118) to w("summary_officials")),
            true,
            listOf(t("Children without any adult", "أطفال بلا أي بالغ") to w.number(2), t("How were people asked about their needs?", "كيف سُئل الناس عن حاجاتهم؟") to t("As a group", "جماعة")),
            emptyList(), null, null, false, null,
        )
    }

    fun start() = InterviewStartState(
        t("Amina's group", "مجموعة أمينة"),
        listOf(Option("e1", time + " · " + w.count("people", 115), true), Option("", w("start_no_event"), false)),
    )

    private fun papers() = RapidState.Card(
        "D01", t("Which papers do you have now?", "ما الأوراق التي معك الآن؟"), w("rapid_hint_several"), true,
        listOf(
            RapidState.Group(
                null,
                listOf(
                    o("passport", "Passport", "جواز سفر"), o("national_id", "National identity card", "بطاقة هوية"), o("birth", "Birth certificate", "شهادة ميلاد"),
                    o("etd", "Emergency travel document", "وثيقة سفر طارئة"), o("consular", "Consular letter", "رسالة قنصلية"), o("removal_paper", "Only removal papers", "أوراق الإبعاد فقط", true),
                    o("copy", "Only copies", "نسخ فقط"), o("none", "None", "لا شيء"), o("withheld", "Taken or kept by officials", "أخذها مسؤولون"), o("lost", "Lost in the return", "ضاعت في العودة"),
                ),
            ),
        ),
    )

    private fun facts(chosen: Boolean) = RapidState.Card(
        "RF", t("What do you see or hear now?", "ماذا ترى أو تسمع الآن؟"), w("rapid_hint_facts"), true,
        listOf(
            RapidState.Group(
                w("rapid_group_body"),
                listOf(
                    o("medical_urgent", "Needs a doctor now", "يحتاج طبيبًا الآن"), o("injured", "Visible injury", "إصابة ظاهرة"), o("med_gap", "Medicine running out", "الدواء ينفد", chosen),
                    o("pregnant", "Pregnant", "حامل"), o("disability", "Disability", "إعاقة"), o("self_harm", "May hurt themselves", "قد يؤذي نفسه"),
                ),
            ),
            RapidState.Group(
                w("rapid_group_danger"),
                listOf(o("fear_today", "Afraid for today", "خائف اليوم"), o("fear_state", "Afraid of officials", "خائف من مسؤولين"), o("held_now", "Being held or taken away", "محتجز أو يُؤخذ"), o("traffick_sign", "Possible trafficking", "اتجار محتمل")),
            ),
        ),
    )

    private val soFar get() = t("Private, agrees, female, 18–24, adult alone", "على انفراد، موافق، أنثى، ١٨–٢٤، بالغ وحده")

    fun rapid() = RapidState(flight, 6, 8, soFar, papers(), facts(false), RapidState.Bar.Ask(skip = false, next = true), false, null, null, false)

    fun consent() = RapidState(
        flight, 2, 8, t("Private", "على انفراد"),
        RapidState.Card("K03", t("May I write down your answers, without your name?", "هل أكتب أجوبتك دون اسمك؟"), null, false, emptyList()), null,
        RapidState.Bar.Consent(listOf(o("yes", "Yes", "نعم"), o("no", "No", "لا")), false), false, null, null, false,
    )

    fun rapidEnd() = RapidState(
        flight, 7, 8, t("Agrees, female, 18–24, adult alone, only removal papers", "موافق، أنثى، ١٨–٢٤، بالغ وحده، أوراق الإبعاد فقط"), facts(true), null,
        RapidState.Bar.Contact(t("May we contact you again, up to 5 times in a year?", "هل نتصل بك مرة أخرى، حتى ٥ مرات في السنة؟")), false, null, null, false,
    )
}

/** Every screen of the app with a sample state. */
val previews: List<Preview> = listOf(
    Preview("enrol", true) { EnrolScreen(EnrolState(EnrolState.Step.Text(""), false, null)) {} },
    Preview("enrol-passcode", true) { w -> EnrolScreen(EnrolState(EnrolState.Step.Passcode("48213905", "4821", w("passcode_strength_days")), false, null)) {} },
    Preview("enrol-words", true) { w ->
        EnrolScreen(
            EnrolState(EnrolState.Step.Compare("landfall reply\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IG1sa2VtNzY4eDI1NTE5", listOf("acorn", "basket", "cedar", "dolphin", "ember", "fabric"), Sample(w).start().organisation), false, null),
        ) {}
    },
    Preview("unlock", true) { w -> UnlockScreen(UnlockState("", false, false, w("error_passcode_title"), 30, false, false)) {} },
    Preview("home", false) { w -> HomeScreen(Sample(w).home(), Still) {} },
    Preview("header", false) { w -> TallyHeaderScreen(Sample(w).header(), Still) {} },
    Preview("tally", false) { w -> TallyScreen(Sample(w).tally(), Still) {} },
    Preview("seen", false) { w -> SeenScreen(Sample(w).seen(), Still) {} },
    Preview("summary", false) { w -> TallySummaryScreen(Sample(w).summary(), Still) {} },
    Preview("start", false) { w -> InterviewStartScreen(Sample(w).start(), Still) {} },
    Preview("consent", false) { w -> RapidScreen(Sample(w).consent(), Still) {} },
    Preview("rapid", false) { w -> RapidScreen(Sample(w).rapid(), Still) {} },
    Preview("rapid-end", false) { w -> RapidScreen(Sample(w).rapidEnd(), Still) {} },
    Preview("refused", false) { RefusedScreen(Still) {} },
    Preview("saved", false) { SavedScreen(SavedState(true, "QK7F-41MC", RecordState.Saved, false), Still) {} },
    Preview("sending", false) { SendingScreen(SendingState(Counts(6, 12, 131, 1), false, null, true), Still) {} },
    Preview("error", false) { ErrorScreen(ErrorViewState("storage_full", 40, null, null), Still) {} },
)
