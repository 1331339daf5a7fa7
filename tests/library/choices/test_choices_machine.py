"""Whatever is done in whatever order: no extract holds anybody excluded, and all others are there.

Beside the library runs a plain model of it, of days, sets and a walk from record to record.
"""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError
from iesoresearch.library import choices, store
from iesoresearch.library.choices import consent, ledger, withdrawal
from iesoresearch.library.choices.people import LOCAL, NATIONAL
from iesoresearch.library.store.keys import Keys

from ..library_double import Double, add, held, nhs_numbers

N = nhs_numbers(4)
ANN, BO, CY = ("Ann Lee", "ann@x.org"), ("Bo Öz", "bo@x.org"), ("Cy O'Neil", "cy@x.org")
#: Pseudonym -> ways in which it may come in. p0 and p1 are one person, p2 and p3 share a name.
PEOPLE = {
    "p0": [(N[0], ANN)],
    "p1": [(None, ANN)],
    "p2": [(N[1], BO), (N[1], CY)],
    "p3": [(N[2], BO)],
    "p4": [(None, CY), (None, None)],
}
KEYS = {NATIONAL: N, LOCAL: [ANN, BO, CY]}
START = date(2026, 1, 5)
STUDY = """
id: talk
title: Talk
kind: trial
scope: {tables: {patients: [age]}, purposes: [to learn]}
ethics: {committee: A, reference: B, approved: 2025-01-01}
opened: 2025-02-01
"""
DAYS = st.integers(-2, 2)
REASONS = {NATIONAL: ledger.NATIONAL_OPTOUT, LOCAL: ledger.LOCAL_OPTOUT}
SOME = st.sampled_from([NATIONAL, LOCAL]).flatmap(
    lambda by: st.tuples(
        st.just(by), st.lists(st.sampled_from(KEYS[by]), min_size=1, max_size=2, unique=True)
    )
)
#: Few, so that the same people change their mind again and again.
ONE = st.sampled_from([(NATIONAL, N[:1]), (NATIONAL, N[1:2]), (LOCAL, [ANN]), (LOCAL, [BO])])


class Model:
    """What should be, in plain words."""

    def __init__(self):
        self.matching, self.present = set(), set()
        self.choices, self.events, self.newest = [], [], {}

    def reached(self, keys):
        """Pseudonyms and keys that are reached from keys, by what records share."""
        found = set(keys)
        while True:
            more = {one for row in self.matching if found & set(row) - {None} for one in row}
            if more - {None} <= found:
                return found
            found |= more - {None}

    def patients(self, keys):
        return self.reached(keys) & set(PEOPLE)

    def valid(self, reason, day):
        return {
            key
            for r, key, start, end in self.choices
            if r == reason and start <= day and (end is None or day < end)
        }

    def excluded(self, day):
        reasons = {reason for reason, *_ in self.choices}
        return self.patients({key for reason in reasons for key in self.valid(reason, day)})

    def start(self, reason, keys, day):
        for key in set(keys) - self.valid(reason, day):
            later = [s for r, k, s, _ in self.choices if (r, k) == (reason, key) and s > day]
            self.choices.append([reason, key, day, min(later, default=None)])

    def end(self, reason, keys, day):
        for row in self.choices:
            if row[0] == reason and row[1] in keys and row[2] <= day:
                row[3] = day if row[3] is None else min(row[3], day)

    def exactly(self, key):
        """Patients with a key; of two with one name and address, but two numbers, neither."""
        rows = [row for row in self.matching if key in row]
        numbers = {number for _, number, _ in rows} - {None}
        return set() if key not in N and len(numbers) > 1 else {patient for patient, *_ in rows}

    def consenting(self, day):
        found = set()
        for patient in PEOPLE:
            given = [
                d for what, k, d in self.events if what == "given" and patient in self.exactly(k)
            ]
            back = [
                d for what, k, d in self.events if what == "back" and patient in self.patients({k})
            ]
            given, back = [d for d in given if d <= day], [d for d in back if d <= day]
            if given and (not back or max(given) > max(back)):
                found.add(patient)
        return found - self.excluded(day)


class Both:
    """A library and its model, to which the same is done."""

    def __init__(self, home, library=None):
        self.library, self.model, self.today = library or Double(), Model(), START
        self.home = home
        (home / "study.yaml").write_text(STUDY)
        self.ingest([(patient, 0) for patient in PEOPLE])

    def file(self, by, keys, more=""):
        named = by == LOCAL
        heading, lines = ("name,email", map(",".join, keys)) if named else ("nhs_number", keys)
        columns = ",date_given,form_version,date_withdrawn" if more else ""
        path = self.home / "people.csv"
        path.write_text("\n".join([heading + columns, *(line + more for line in lines)]))
        return path

    def ingest(self, people):
        new = {patient: PEOPLE[patient][way] for patient, way in people}
        with self.library.writing("ingest", "test") as draft:
            add(draft, new, self.today)
        self.model.matching |= {(patient, *ways) for patient, ways in new.items()}
        self.model.present |= set(new) - self.model.excluded(self.today)

    def opt_out(self, some, days, way):
        (by, keys), on, reason = some, self.today + timedelta(days), REASONS[some[0]]
        options = {} if way == "added" else {way: True}
        options |= {by: self.file(by, keys), "on": on, "why": "test", "today": self.today}
        newest = max((d for d in self.model.newest.get(by, []) if d <= self.today), default=on)
        if way != "added" and on < newest:
            with pytest.raises(DataError, match="is older"):
                choices.record_optouts(self.library, **options)
            return
        choices.record_optouts(self.library, **options)
        if way == "lifted":
            self.model.end(reason, keys, on)
        if way == "complete":
            self.model.end(reason, self.model.valid(reason, on) - set(keys), on)
        if way != "lifted":
            self.model.start(reason, keys, on)
        self.model.newest.setdefault(by, []).append(on)
        self.model.present -= self.model.excluded(self.today)

    def withdraw(self, some):
        by, keys = some
        withdrawal.withdraw(self.library, self.file(by, keys), why="test", on=self.today)
        self.model.start("withdrawn", self.model.reached(keys), self.today)
        self.model.present -= self.model.patients(keys)

    def consent(self, some, days, gives):
        (by, keys), on = some, self.today + timedelta(days)
        path = self.file(by, keys, f",{on},1," if gives else f",,,{on}")
        consent.record_consents(self.library, self.home / "study.yaml", path, why="test")
        self.model.events += [("given" if gives else "back", key, on) for key in keys]

    def wait(self, days):
        self.today += timedelta(days)

    def compare(self):
        """The extract of today."""
        assert held(self.library) == self.model.present
        assert self._out(self.today) == self.model.excluded(self.today)

    def compare_in_full(self):
        """Every table, the study, and what was and will be."""
        for table in ("referrals", "content"):
            ids = held(self.library, table, "referral_id")
            assert {patient[1:] for patient in ids} == self.model.present
        for day in (self.today - timedelta(2), self.today + timedelta(2)):
            assert self._out(day) == self.model.excluded(day)
        if self.model.events:
            found = set(consent.consenting(self.library, "talk", self.today))
            assert found == self.model.consenting(self.today)

    def _out(self, day):
        return set(choices.excluded(self.library, day).get_column("patient_id"))


COMING = [(patient, i) for patient, ways in PEOPLE.items() for i in range(len(ways))]
OPT_OUT = st.tuples(st.just("opt_out"), ONE, DAYS, st.sampled_from(["added", "lifted", "complete"]))
STEPS = st.one_of(
    OPT_OUT,
    OPT_OUT,
    st.tuples(st.just("ingest"), st.lists(st.sampled_from(COMING), min_size=2, max_size=4)),
    st.tuples(st.just("consent"), SOME, DAYS, st.booleans()),
    st.tuples(st.just("withdraw"), SOME),
    st.tuples(st.just("wait"), st.integers(1, 3)),
)


@given(st.lists(STEPS, min_size=6, max_size=9))
@settings(deadline=None, max_examples=25)
def test_no_extract_holds_anybody_excluded_and_all_others_are_there(steps):
    with tempfile.TemporaryDirectory() as home:
        both = Both(Path(home))
        for name, *arguments in steps:
            getattr(both, name)(*arguments)
            both.compare()
        both.compare_in_full()


def test_so_it_is_with_the_store_itself(tmp_path):
    keys = Keys.make(tmp_path / "key")
    library = store.create(tmp_path / "library", keys, territory="GB", who="tests")
    both = Both(tmp_path, library)
    both.opt_out((NATIONAL, N[:1]), -1, "added")
    both.compare()
    both.consent((LOCAL, [CY]), 0, gives=True)
    both.opt_out((LOCAL, [BO]), 2, "added")
    both.wait(3)
    both.compare()
    both.opt_out((NATIONAL, N[1:2]), 0, "complete")
    both.ingest([("p0", 0), ("p1", 0), ("p2", 1)])
    both.compare()
    both.withdraw((NATIONAL, N[2:3]))
    both.ingest([("p3", 0), ("p4", 0)])
    both.compare()
    both.compare_in_full()
    assert both.model.present == {"p0", "p1"}  # p4 has the name and address p2 came with
    library.close()
