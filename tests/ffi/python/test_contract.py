"""The contract of the border, in Python over the generated binding: what a shell may rely on, in thirteen steps that
build on each other. tests/ffi/kotlin and bindings/swift hold the same contract in their languages.

Run by `cargo xtask test --only python`. LANDFALL_BINDING is the folder of the binding, LANDFALL_PRACTICE the practice
process that holds a real hub and a real desk."""

import hashlib
import hmac
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.environ["LANDFALL_BINDING"])

import landfall as lf  # noqa: E402

PASSCODE = b"40271893"
WRONG = b"11111111"
LANG = "en"
# 2026-03-09 12:00 UTC, four hours west: the border's own zone.
NOON = 1_773_057_600
SENTINEL = "CANARY-0042"


class Practice:
    """The practice process: one JSON object a line."""

    def __init__(self, home):
        self.process = subprocess.Popen(
            [os.environ["LANDFALL_PRACTICE"], "--home", str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.start = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the practice process has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def do(self, what, **fields):
        self.process.stdin.write(json.dumps({"do": what, **fields}) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Guard(lf.KeyGuard):
    """A hardware key in software; it counts, and it can be made to fail."""

    def __init__(self):
        self.calls = 0
        self.aliases = 0
        self.fails = None

    def scope(self):
        return lf.GuardScope.PER_DEVICE

    def derive(self, alias, slot, input):
        self.calls += 1
        if self.fails is not None:
            raise self.fails
        return hmac.new(b"contract" + alias.encode() + bytes([slot]), input, hashlib.sha256).digest()

    def make_alias(self):
        self.aliases += 1
        return f"contract-{self.aliases}"

    def delete_alias(self, alias):
        pass


class Clock(lf.DeviceClock):
    """A clock that the contract sets. While enrolment measures, it passes at each reading: the same costs everywhere."""

    def __init__(self):
        self.wall_s = NOON
        self.elapsed_ms = 60_000
        self.step_ms = 0

    def read(self):
        self.elapsed_ms += self.step_ms
        return lf.DeviceTime(wall_s=self.wall_s, tz_min=-240, elapsed_ms=self.elapsed_ms, boot=7)

    def advance(self, seconds):
        self.wall_s += seconds
        self.elapsed_ms += seconds * 1000


class Pings(lf.Watcher):
    def __init__(self):
        self.count = 0
        self.fails = False

    def changed(self):
        self.count += 1
        if self.fails:
            raise RuntimeError("a screen that fails")


def answer_to(question):
    """The first possible answer to a required question."""
    if question.choices:
        code = question.choices[0].code
        return lf.AnswerValue.CODES([code]) if question.kind == "select_multiple" else lf.AnswerValue.CODE(code)
    if question.kind == "integer":
        return lf.AnswerValue.INTEGER(0)
    raise AssertionError(f"no answer to {question.code} of kind {question.kind}")


def question(view, code):
    return next(q for q in view.questions if q.code == code)


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="landfall-contract-")
        root = pathlib.Path(cls.folder.name)
        cls.home = str(root / "phone")
        cls.practice = Practice(root / "practice")
        cls.invitation = pathlib.Path(cls.practice.start["invitation"]).read_text()
        cls.guard, cls.clock, cls.pings = Guard(), Clock(), Pings()
        cls.app = None

    @classmethod
    def tearDownClass(cls):
        cls.practice.end()
        cls.folder.cleanup()

    def unlock(self, passcode=PASSCODE):
        return lf.FieldApp.unlock(self.home, passcode, self.guard, self.clock)

    def open(self):
        cls = type(self)
        if cls.app is None or cls.app.is_locked():
            cls.app = self.unlock()
            cls.app.set_watcher(self.pings)
        return cls.app

    def assert_invalid(self, question, rule, call):
        with self.assertRaises(lf.FieldError.Invalid) as caught:
            call()
        self.assertEqual((caught.exception.question, caught.exception.rule), (question, rule))

    def begin(self, home, text, passcode=PASSCODE):
        self.clock.step_ms = 600
        try:
            return lf.enrol_begin(home, text, passcode, self.guard, self.clock)
        finally:
            self.clock.step_ms = 0

    def test_01_enrol(self):
        self.assertEqual(lf.device_state(self.home), lf.DeviceState.FRESH)
        self.assert_invalid("invitation", "format", lambda: self.begin(self.home, "no invitation"))
        self.assert_invalid("passcode", "too_short", lambda: self.begin(self.home, self.invitation, b"123"))
        step = self.begin(self.home, self.invitation)
        self.assertEqual(lf.device_state(self.home), lf.DeviceState.WORDS_PENDING)
        with self.assertRaises(lf.FieldError.NotFound):
            self.unlock()
        with self.assertRaises(lf.FieldError.NotFound):
            lf.Courier.open(self.home, self.clock)
        words = self.practice.do("enrol_answer", reply=step.reply_text)["words"]
        self.assertEqual(len(step.words), 6)
        self.assertEqual(step.words, words)
        self.assertTrue(step.organisation)
        self.practice.do("enrol_confirm", words=words)
        lf.enrol_confirm(self.home, PASSCODE, self.guard, self.clock, lf.Comparison.SAME)
        self.assertEqual(lf.device_state(self.home), lf.DeviceState.ENROLLED)
        self.assert_invalid("device", "already_enrolled", lambda: self.begin(self.home, self.invitation))

    def test_02_different_words_erase(self):
        other = self.home + "-other"
        text = pathlib.Path(self.practice.do("invite")["invitation"]).read_text()
        self.begin(other, text)
        lf.enrol_confirm(other, b"", self.guard, self.clock, lf.Comparison.DIFFERENT)
        self.assertEqual(lf.device_state(other), lf.DeviceState.FRESH)

    def test_03_unlock_asks_the_hardware_key(self):
        before = self.guard.calls
        self.unlock().lock()
        each = self.guard.calls - before
        self.assertGreaterEqual(each, 4)
        self.unlock().lock()
        self.assertEqual(self.guard.calls - before, 2 * each)
        type(self).calls = each

    def test_04_wrong_passcode(self):
        for attempt in range(1, 6):
            before = self.guard.calls
            with self.assertRaises(lf.FieldError.WrongPasscode) as caught:
                self.unlock(WRONG)
            self.assertEqual(caught.exception.attempts, attempt)
            self.assertEqual(caught.exception.wait_seconds, 30 if attempt == 5 else 0)
            self.assertIsNone(caught.exception.tries_left)
            self.assertEqual(self.guard.calls - before, self.calls)
        before = self.guard.calls
        with self.assertRaises(lf.FieldError.WrongPasscode) as caught:
            self.unlock()
        self.assertEqual((caught.exception.attempts, caught.exception.wait_seconds), (5, 30))
        self.assertEqual(self.guard.calls, before, "while the wait runs nothing is tried")
        self.clock.advance(31)
        self.unlock().lock()

    def test_05_draft(self):
        app = self.open()
        view = app.start_tally(LANG)
        type(self).draft = view.id
        self.assertEqual(view.form.id, "arrival_tally")
        self.assertIsInstance(question(view, "A01").value, lf.AnswerValue.CODE)
        self.assertIn("A05", view.missing)
        self.assertEqual([row.id for row in app.home(LANG).drafts], [view.id])

    def test_06_answer_is_durable(self):
        app = self.open()
        car = lf.AnswerValue.CODE(question(app.draft(self.draft, LANG), "A05").choices[0].code)
        view = app.answer(self.draft, "A05", car, LANG)
        self.assertEqual(question(view, "A05").value, car)
        app.answer(self.draft, "A06", lf.AnswerValue.TEXT(SENTINEL), LANG)
        count = app.count(self.draft, self.cell(view), 2)
        self.assertEqual((count.value, count.total), (2, 2))
        self.assertEqual(app.count(self.draft, count.cell, -1).value, 1)
        app.lock()
        view = self.open().draft(self.draft, LANG)
        self.assertEqual(question(view, "A05").value, car)
        self.assertEqual(view.totals.people, 1)

    @staticmethod
    def cell(view):
        return next(q.code for q in view.questions if q.relevant and re.match(r"[NT]_m_", q.code))

    def test_07_violation_changes_nothing(self):
        app = self.open()
        before = app.draft(self.draft, LANG)
        self.assert_invalid(
            "A06", "constraint", lambda: app.answer(self.draft, "A06", lf.AnswerValue.TEXT("a name!"), LANG)
        )
        self.assert_invalid(
            "A05", "unknown_choice", lambda: app.answer(self.draft, "A05", lf.AnswerValue.CODE("rocket"), LANG)
        )
        self.assert_invalid(
            "X99", "unknown_question", lambda: app.answer(self.draft, "X99", lf.AnswerValue.INTEGER(1), LANG)
        )
        with self.assertRaises(lf.FieldError.Invalid):
            app.finish_draft(self.draft, LANG)
        self.assertEqual(app.draft(self.draft, LANG), before)

    def test_08_finish(self):
        app = self.open()
        view = app.draft(self.draft, LANG)
        while view.missing:
            code = view.missing[0]
            view = app.answer(self.draft, code, answer_to(question(view, code)), LANG)
        saved = app.finish_draft(self.draft, LANG)
        self.assertEqual(saved.outcome, lf.Outcome.SAVED)
        self.assertEqual(saved.state, lf.RecordState.SAVED)
        self.assertRegex(saved.receipt_code, r"^[0-9A-Z]{4}-[0-9A-Z]{4}$")
        self.assertEqual(len(saved.entries), 1)
        home = app.home(LANG)
        self.assertEqual((home.drafts, home.counts.saved), ([], 1))
        self.assertEqual([row.receipt_code for row in home.done], [saved.receipt_code])
        with self.assertRaises(lf.FieldError.NotFound):
            app.draft(self.draft, LANG)
        type(self).saved = saved

    def test_09_locked(self):
        app = self.open()
        app.lock()
        self.assertTrue(app.is_locked())
        for call in (
            lambda: app.home(LANG),
            lambda: app.start_tally(LANG),
            lambda: app.start_interview(None, LANG),
            lambda: app.draft(self.draft, LANG),
            lambda: app.count(self.draft, "N_m_adult", 1),
            lambda: app.finish_draft(self.draft, LANG),
            lambda: app.record(self.saved.record_id, LANG),
            lambda: app.records(LANG),
        ):
            with self.assertRaises(lf.FieldError.Locked):
                call()
        for path in pathlib.Path(self.home).rglob("*"):
            if path.is_file():
                self.assertNotIn(SENTINEL.encode(), path.read_bytes(), path.name)

    def test_10_the_locked_phone_sends_and_takes_its_receipt(self):
        self.assertTrue(type(self).app.is_locked())
        courier = lf.Courier.open(self.home, self.clock)
        courier.set_watcher(self.pings)
        pulled = lf.CancelToken()
        pulled.cancel()
        with self.assertRaises(lf.FieldError.Cancelled):
            courier.run_once(20_000, pulled)
        with tempfile.TemporaryDirectory() as stick:
            self.assertEqual(courier.export_bundle(os.path.join(stick, "a.landfall")), 1)
        pings = self.pings.count
        report = courier.run_once(20_000, lf.CancelToken())
        self.assertEqual((report.handed, report.received, report.refused), (1, 0, 0))
        self.assertGreater(self.pings.count, pings)
        self.assertEqual(courier.counts().mailbox, 1)
        row = courier.records()[0]
        self.assertEqual((row.receipt_code, row.state), (self.saved.receipt_code, lf.RecordState.MAILBOX))
        desk = self.practice.do("round")
        self.assertEqual((desk["ingested"], desk["quarantined"]), (1, 0))
        self.clock.advance(24 * 3600)
        report = courier.run_due(20_000, lf.CancelToken())
        self.assertEqual(courier.counts().received, 1)
        self.assertEqual(courier.retry_refused(), 0)
        self.assertEqual(report.waiting, 0)
        record = self.open().record(self.saved.record_id, LANG)
        self.assertIn(record.state, (lf.RecordState.RECEIVED, lf.RecordState.BACKED_UP))

    def test_11_errors_are_told_apart(self):
        app = self.open()
        with self.assertRaises(lf.FieldError.NotFound):
            app.draft("00" * 16, LANG)
        with self.assertRaises(lf.FieldError.NotFound):
            app.record("no id", LANG)
        with self.assertRaises(lf.FieldError.NotFound):
            lf.FieldApp.unlock(self.home + "-none", PASSCODE, self.guard, self.clock)
        app.lock()
        for thrown, expected in (
            (lf.GuardError.Gone(), lf.FieldError.Damaged),
            (lf.GuardError.Unavailable(), lf.FieldError.Busy),
            (lf.GuardError.NoHardware(), lf.FieldError.Internal),
            (RuntimeError(SENTINEL), lf.FieldError.Busy),
        ):
            self.guard.fails = thrown
            try:
                with self.assertRaises(expected) as caught:
                    self.unlock()
            finally:
                self.guard.fails = None
            self.assertNotIn(SENTINEL, repr(caught.exception) + str(caught.exception))
        self.unlock().lock()
        for name in (
            "Locked WrongPasscode Invalid NotFound Busy StorageFull Damaged NeedsUpdate NotTrusted Cancelled Internal"
        ).split():
            self.assertTrue(issubclass(getattr(lf.FieldError, name), lf.FieldError))

    def test_12_watcher(self):
        app = self.open()
        before = self.pings.count
        view = app.start_tally(LANG)
        self.assertEqual(self.pings.count, before + 1)
        self.pings.fails = True
        try:
            app.answer(view.id, "A06", lf.AnswerValue.TEXT("KQ-7"), LANG)
        finally:
            self.pings.fails = False
        self.assertEqual(self.pings.count, before + 2)
        kept = question(app.draft(view.id, LANG), "A06").value
        self.assertEqual(kept, lf.AnswerValue.TEXT("KQ-7"), "a screen that fails undoes nothing")
        app.discard_draft(view.id)

    def test_13_a_panic_stays_inside(self):
        with tempfile.TemporaryFile() as printed:
            kept = os.dup(2)
            os.dup2(printed.fileno(), 2)
            try:
                with self.assertRaises(lf.FieldError.Internal) as caught:
                    lf.contract_panic(SENTINEL)
            finally:
                os.dup2(kept, 2)
                os.close(kept)
            printed.seek(0)
            self.assertNotIn(SENTINEL.encode(), printed.read())
        self.assertEqual(caught.exception.code, 900)
        self.assertNotIn(SENTINEL, repr(caught.exception) + str(caught.exception))
        self.open().home(LANG)


if __name__ == "__main__":
    unittest.main()
