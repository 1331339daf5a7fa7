"""Two extracts in one hand, as the recipient sees them: opened, and laid side by side by days."""

import datetime
import secrets
import shutil
from collections import defaultdict
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from iesoresearch.library import extract, register, store
from iesoresearch.library.choices.removal import remove_excluded
from iesoresearch.library.extract import agreement as agreements
from iesoresearch.library.extract import (
    earlier,
    generalise,
    identifiability,
    making,
    opening,
    selection,
    together,
)
from iesoresearch.library.extract.agreement import Refused
from iesoresearch.library.extract.quasi import QUASI_IDENTIFIERS
from iesoresearch.library.store.keys import Keys
from iesoresearch.seeds import rng

DAY = datetime.date(2026, 6, 1)
K, N = 5, 240
YEARS = ["2023-24", "2024-25"]
PLAIN = {
    "id": "plain",
    "title": "Who recovers",
    "kind": "research",
    "purpose": "Describe who recovers.",
    "lawful_basis": "public task",
    "approvals": ["EXAMPLE-1"],
    "signed": [
        {"party": "provider", "role": "guardian", "date": DAY},
        {"party": "recipient", "role": "head", "date": DAY},
    ],
    "expires": DAY,
    "retention": {"until": DAY, "then": "deleted"},
}


def agreed(columns, organisation="University of Example", **changes):
    """An agreement on quasi-identifiers (column -> level) with days, k of 5, nobody left out."""
    tables = {t: [c for c in columns if (c == "age_at_referral") == (t == "referrals")]
              for t in ("patients", "referrals")}  # fmt: skip
    content = {
        "recipient": {"organisation": organisation, "territory": "GB",
                      "people": [{"role": "statistician"}]},
        "tables": tables | {"contacts": ["session", "date"]},
        "generalise": {c: level for c, level in columns.items() if level},
        "limits": {"k": K, "l": 1},
    }  # fmt: skip
    return agreements.Agreement.check(PLAIN | content | changes, "test")


@pytest.fixture(scope="module")
def tables():
    """Patients, every third with referrals in two years; no two courses of days are equal."""
    random = rng(1, "tests", "together")
    people = [f"{i % 16:x}{i:031x}" for i in range(N)]
    patients = pl.DataFrame(
        {
            "patient_id": people,
            "gender": random.choice(["female", "male"], N),
            "ethnicity": random.choice(["A", "B", "M"], N, p=[0.5, 0.4, 0.1]),
            "deprivation_decile": random.integers(1, 5, N).astype("u1"),
        }
    )
    owner = [i for i in range(N) for _ in range(1 + (i % 3 == 0))]
    n = len(owner)
    referrals = pl.DataFrame(
        {
            "referral_id": [f"{i:032x}" for i in range(n)],
            "patient_id": [people[i] for i in owner],
            "referral_year": [YEARS[random.integers(2)] for _ in owner],
            "age_at_referral": random.choice([20, 28, 33, 45], n).astype("u1"),
            "problem": random.choice(["depression", "social phobia"], n, p=[0.8, 0.2]),
        }
    )
    first = datetime.date(2024, 1, 1)
    contacts = referrals.select("referral_id", "patient_id").with_columns(
        session=[1, 2], date=pl.Series([[first, first + datetime.timedelta(i)] for i in range(n)])
    )
    contacts = contacts.explode("session", "date").with_columns(pl.col("session").cast(pl.UInt16))
    return {"patients": patients, "referrals": referrals, "contacts": contacts}


def write(library, tables):
    with library.writing("ingest", "test") as draft:
        for name, frame in tables.items():
            for i in range(16):
                own = frame.filter(pl.col("patient_id").str.starts_with(f"{i:x}"))
                draft.write(name, own, part=f"{i:02}")


@pytest.fixture(scope="module")
def library(tables, tmp_path_factory):
    home = tmp_path_factory.mktemp("library")
    made = store.create(home / "lib", Keys.make(home / "key"), territory="GB", who="tester")
    write(made, tables)
    return made


@pytest.fixture
def copy(library, tmp_path):
    """A copy of the library that may be written."""
    shutil.copytree(library.folder, tmp_path / "copy")
    return store.open_library(tmp_path / "copy", library._keys, who="tester")


@pytest.fixture
def give(library, tmp_path):
    """Make an extract and open it, as its recipient does: report and tables."""

    def given(agreement, source=library):
        where = tmp_path / secrets.token_hex(4)
        where.mkdir()
        made = extract.extract(
            source, agreement, where / "sealed", key_file=where / "key", why="test", on=DAY
        )
        opening.open_extract(where / "sealed", where / "key", where / "out", on=DAY)
        names = ("patients", "referrals", "contacts")
        return made, {name: pl.read_parquet(where / "out" / f"{name}.parquet") for name in names}

    return given


def known(opened):
    """Course of days -> patient and what her referral tells; patient -> what she tells."""
    days = defaultdict(list)
    for row in opened["contacts"].sort("session").iter_rows(named=True):
        days[row["referral_id"]].append(row["date"])
    referrals, of_patient = {}, {}
    for row in opened["referrals"].iter_rows(named=True):
        course = tuple((b - a).days for a, b in pairwise(days[row["referral_id"]]))
        referrals[course] = (row["patient_id"], row.get("age_at_referral"))
    for row in opened["patients"].iter_rows(named=True):
        patient = row.pop("patient_id")
        of_patient[patient] = tuple(row.values())
    assert len(referrals) == opened["referrals"].height
    return referrals, of_patient


def smallest_class(first, second):
    """Patients in the smallest class of what both tell of the second's patients."""
    (one, ones), (two, twos) = known(first), known(second)
    same = {two[course][0]: one[course][0] for course in one.keys() & two.keys()}
    back = {a: b for b, a in same.items()}
    found = defaultdict(set)
    for course in one.keys() | two.keys():
        a, b = one.get(course), two.get(course)
        person = b[0] if b else back.get(a[0])
        if person is None:
            continue  # not in the second
        before = ones.get(same.get(person))
        found[a and a[1:], b and b[1:], before, twos[person]].add(person)
    return min(map(len, found.values()))


LEVELS = {
    "gender": [None],
    "ethnicity": [None, "groups"],
    "deprivation_decile": [None, "quintiles"],
    "age_at_referral": [None, "ten years", "published bands"],
}
COLUMNS = st.fixed_dictionaries({}, optional={c: st.sampled_from(v) for c, v in LEVELS.items()})
ROWS = st.sampled_from([{}, {"referral_years": YEARS[:1]}, {"problems": ["depression"]}])
FINE = {"gender": None, "deprivation_decile": None}
OTHER = {"ethnicity": "groups", "age_at_referral": None}


@settings(max_examples=6, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(COLUMNS, ROWS, COLUMNS, ROWS)
@example({"age_at_referral": None}, {"referral_years": YEARS[:1]}, {"gender": None}, {})
@example({"deprivation_decile": "quintiles"}, {}, FINE, {"referral_years": YEARS[1:]})
@example({"gender": None}, {"problems": ["depression"]}, {"ethnicity": "groups"}, {})
def test_no_class_of_two_extracts_laid_side_by_side_is_below_k(give, one, rows, two, others):
    organisation = f"University {secrets.token_hex(4)}"
    few = {"k": K, "l": 1, "suppress_at_most": 0.2}
    try:
        _, first = give(agreed(one, organisation, rows=rows, limits=few))
        _, second = give(agreed(two, organisation, rows=others, limits=few))
    except Refused:
        return
    assert smallest_class(first, second) >= K


def test_what_is_refused_would_have_told_patients_apart(give, monkeypatch):
    organisation = "University of Elsewhere"
    _, first = give(agreed(FINE, organisation))
    second = agreed(OTHER, organisation)
    with pytest.raises(Refused) as raised:
        give(second)
    monkeypatch.setattr(earlier, "held", lambda *_: [])
    assert smallest_class(first, give(second)[1]) < K
    assert raised.value.kind == "identifiability together"


def test_a_refusal_says_which_extracts_and_columns_and_what_to_do(library, give):
    made, _ = give(agreed(FINE, "King's College, London"))
    with pytest.raises(Refused) as raised:
        give(agreed(OTHER, "KINGS COLLEGE (London)"))
    for text in (
        f"holds already: {made.extract_id} of ",
        "(gender, deprivation_decile)",
        "those of the new extract (ethnicity in groups, age_at_referral)",
        "in which of the extracts somebody is",
        "patients are like fewer than 5",
        "Make coarser first (generalise): ",
        f"see that {made.extract_id} is destroyed",
        f"iesoresearch library destroyed LIBRARY {made.extract_id} --date DAY --why TEXT",
    ):
        assert text in str(raised.value)
    last = library.log()[-1]
    assert last["what"] == "extract refused"
    assert last["details"]["kind"] == "identifiability together"


def test_what_is_destroyed_and_what_others_hold_do_not_count(library, give):
    made, _ = give(agreed(FINE, "One College"))
    second, _ = give(agreed(OTHER, "Another College"))
    assert any("Judged by itself" in line for line in second.report)
    long_after = DAY + datetime.timedelta(400)  # its agreement ended on DAY
    assert [e.extract_id for e in earlier.held(library, "One College", long_after)] == [
        made.extract_id
    ]
    day = DAY + datetime.timedelta(1)
    register.destroyed(library, made.extract_id, on=day, why="its certificate")
    with pytest.raises(Refused, match="see that"):
        give(agreed(OTHER, "One College"))  # it is not destroyed yet on the day
    assert [e.extract_id for e in earlier.held(library, "One College", DAY)] == [made.extract_id]
    assert earlier.held(library, "One College", day) == []


def test_the_report_says_what_was_judged_together(give):
    made, _ = give(agreed({"gender": None}, "A Trust"))
    found, _ = give(agreed({"deprivation_decile": "quintiles"}, "A Trust"))
    (line,) = (line for line in found.report if line.startswith("Judged together"))
    assert f"{made.extract_id} of " in line
    assert "(gender). 240 of the patients are in it." in line
    assert not any("narrow" in line for line in found.report)
    years = {"patients": [], "referrals": ["referral_year"], "contacts": ["session"]}
    third, _ = give(agreed({}, "A Trust", tables=years))
    assert any("(gender); " in line and found.extract_id in line for line in third.report)
    assert any("shifted dates and another years: together they narrow" in r for r in third.report)


def test_whoever_is_only_in_one_of_two_is_left_out(give, tables):
    """Three patients were not in the first, and nothing else tells them apart."""
    few = tables["patients"]["patient_id"].head(3)
    give(agreed({}, "B Trust"))
    path = pytest.MonkeyPatch()
    with path.context() as patch:
        patch.setattr("iesoresearch.library.choices.excluded",
                      lambda *_: pl.DataFrame({"patient_id": few, "reason": ""}))  # fmt: skip
        give(agreed({}, "C Trust"))
    with pytest.raises(Refused, match="Coarser columns of the new extract alone do not help"):
        give(agreed({}, "C Trust"))
    limits = {"k": K, "l": 1, "suppress_at_most": 0.2}
    found, opened = give(agreed({}, "C Trust", limits=limits))
    assert opened["patients"].height == N - 3
    assert any("Left out to reach k: fewer than 10" in line for line in found.report)


def test_a_line_of_an_older_version_is_taken_at_its_worst(give, monkeypatch):
    coarse = {"deprivation_decile": "quintiles"}
    with monkeypatch.context() as patch:
        patch.setattr(earlier, "described", lambda *_: {})
        patch.setattr(making, "REFERRALS", "not_kept_then")
        old, _ = give(agreed(coarse, "D Trust", rows={"referral_years": YEARS[:1]}))
    found, _ = give(agreed({"gender": None}, "D Trust"))
    (line,) = (line for line in found.report if line.startswith("Judged together"))
    assert "(deprivation_decile)" in line
    assert any(f"does not say how fine the columns of {old.extract_id}" in r for r in found.report)


def test_lines_of_the_log_that_tell_nothing_are_taken_for_all_columns():
    class Library:
        def log(self):
            details = {"recipient": "F Trust"}
            return [{"n": 7, "what": "extract", "when": "2026-01-02T00:00:00Z", "details": details}]

    (one,) = earlier.held(Library(), "F Trust", DAY)
    assert (one.extract_id, one.day, one.told) == ("7", "2026-01-02", False)
    assert one.levels == dict.fromkeys(QUASI_IDENTIFIERS, generalise.AS_STORED)


def test_classes_together_vary_in_what_is_sensitive(give):
    """The first tells of problems; the second cuts its classes, and asks for more of them."""
    limits = {"k": K, "l": 2, "sensitive": ["problem"]}
    columns = {"patients": ["gender"], "referrals": ["problem"], "contacts": ["session"]}
    give(agreed({"gender": None}, "E Trust", tables=columns, limits=limits))
    with pytest.raises(Refused, match="in a class where problem has fewer than 9 values") as no:
        give(agreed({"deprivation_decile": "quintiles"}, "E Trust", limits={"k": K, "l": 9}))
    assert "Make columns of the new extract coarser, or take some out" in str(no.value)


def test_bands_that_cut_each_other_are_as_fine_as_both(library, monkeypatch):
    """Ages of 20, 28, 33 and 45, cut at 30, and before at 25 and 40, are four classes."""
    cuts = {"ten years": (0, 30), "published bands": (0, 25, 40)}
    monkeypatch.setattr(generalise, "_AGE_LEVELS", cuts)
    agreement = agreed({"age_at_referral": "ten years"})
    before = earlier.Earlier("not recorded", "", {"age_at_referral": "published bands"})
    selected = selection.select(library, agreement, DAY)
    joint = together.laid(library, selected, agreement, [before])
    assert joint.n_shared == N  # who was in it is not known: everybody
    assert identifiability.classes(joint.rows, joint.quasi).height == 4
    assert identifiability.classes(joint.rows, ["age_at_referral"]).height == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("University of Example", "UNIVERSITY OF EXAMPLE", True),
        ("University of Example", "The  University-of Example.", True),
        ("Université de l'Exemple", "Universite de l’Exemple", True),
        ("Smith & Sons", "Smith and Sons", True),
        ("University of Example, Department of Psychology", "University of Example", True),
        ("Department of Psychology (University of Example)", "University of Example", True),
        ("Oxford University", "The University of Oxford", True),
        ("Example Therapies Ltd.", "Example Therapies Limited", True),
        ("N.H.S. Example", "NHS Example", True),
        ("University of Example", "University of Elsewhere", False),
        ("University of Example", "UoE", False),
        ("Department of Psychology, University of X", "Department of Psychology, X", False),
    ],
)
def test_names_of_organisations(one, other, same):
    assert earlier.same(one, other) == earlier.same(other, one) == same


def test_a_new_agreement_does_not_loosen_what_an_earlier_one_asks(give):
    """Women and men of ethnicity M are about 12 each: enough for the second agreement alone."""
    give(agreed({"gender": None}, "G Trust", limits={"k": 20, "l": 1}))
    give(agreed({"gender": None}, "H Trust", limits={"k": 5, "l": 1}))
    with pytest.raises(Refused, match=r"fewer than 20.* the largest limits hold"):
        give(agreed({"ethnicity": None}, "G Trust"))
    found, _ = give(agreed({"ethnicity": None}, "H Trust"))
    assert any(line.endswith("which tells that.") and "at least 5" in line for line in found.report)


def test_what_an_earlier_agreement_calls_sensitive_stays_as_varied(give):
    """In the classes of one sex, four in five have depression; in a smaller class nearly all."""
    columns = {"patients": ["gender"], "referrals": ["problem"], "contacts": ["session"]}
    limits = {"k": K, "l": 2, "l_entropy": 1.5, "sensitive": ["problem"]}
    give(agreed({"gender": None}, "I Trust", tables=columns, limits=limits))
    with pytest.raises(Refused, match="a class where problem has fewer than 2 values, or nearly"):
        give(agreed({"ethnicity": None}, "I Trust"))


def again(tables, people):
    """The same tables with one more referral of some patients."""
    first = tables["referrals"].unique("patient_id", keep="first", maintain_order=True)
    new = first.filter(pl.col("patient_id").is_in(people)).with_columns(
        referral_id=pl.format("f{}", pl.col("referral_id").str.slice(1))
    )
    seen = (
        tables["contacts"]
        .head(0)
        .vstack(
            new.select(
                "referral_id",
                "patient_id",
                session=pl.lit(1, pl.UInt16),
                date=pl.lit(datetime.date(2024, 6, 1)),
            )
        )
    )
    last = seen.with_columns(
        session=pl.lit(2, pl.UInt16),
        date=pl.date(2026, 1, 1) + pl.duration(days=pl.int_range(pl.len())),
    )
    more = {"referrals": new, "contacts": pl.concat([seen, last])}
    return {n: pl.concat([t, more[n]]) if n in more else t for n, t in tables.items()}


def test_who_was_referred_again_since_an_extract_is_known_by_it(give, copy, tables):
    """Three of many: nothing else tells them apart."""
    _, first = give(agreed({}, "J Trust"), copy)
    single = tables["referrals"].filter(pl.col("patient_id").is_unique())
    write(copy, again(tables, single["patient_id"].head(3).to_list()))
    second = agreed({}, "J Trust")
    with pytest.raises(Refused, match="in which of the extracts somebody is, fewer than 10"):
        give(second, copy)
    _, apart = give(agreed({}, "K Trust"), copy)
    assert smallest_class(first, apart) == 3


def test_a_referral_that_fits_the_earlier_filter_no_more_is_still_held(give, copy, tables):
    """Three problems were corrected since: who was in the first is not one of three by that."""
    give(agreed({}, "L Trust", rows={"problems": ["depression"]}), copy)
    single = pl.col("patient_id").is_unique() & (pl.col("problem") == "depression")
    few = tables["referrals"].filter(single)["referral_id"].head(3).to_list()
    corrected = pl.when(pl.col("referral_id").is_in(few)).then(pl.lit("social phobia"))
    referrals = tables["referrals"].with_columns(problem=corrected.otherwise("problem"))
    write(copy, tables | {"referrals": referrals})
    _, second = give(agreed({}, "L Trust"), copy)
    assert second["patients"].height == N


def test_the_judgement_is_the_same_after_a_new_key_and_an_opt_out_that_ended(give, copy, tables,
                                                                             tmp_path):  # fmt: skip
    made, _ = give(agreed(FINE, "M Trust"), copy)

    def joint():
        before = earlier.held(copy, "M Trust", DAY)
        agreement = agreed(OTHER, "M Trust")
        return together.laid(copy, selection.select(copy, agreement, DAY), agreement, before)

    first = joint()
    gone = tables["patients"]["patient_id"].head(7)
    with copy.writing("opt-outs", "test") as draft:
        assert remove_excluded(draft, gone) == 7
    assert joint().rows["patient_id"].n_unique() == N - 7
    write(copy, tables)
    copy.rotate(Keys.make(tmp_path / "new"), "test", data=True)
    assert joint().rows.equals(first.rows)
    assert joint().earlier[0].extract_id == made.extract_id
    with pytest.raises(Refused, match="would let patients be told apart together"):
        give(agreed(OTHER, "M Trust"), copy)


def test_the_report_names_whose_extracts_it_was_not_judged_with(give, copy):
    give(agreed({"gender": None}, "University of Somewhere"), copy)
    found, _ = give(agreed({"ethnicity": "groups"}, "UoS"), copy)
    (line,) = (line for line in found.report if line.startswith("Not judged together with"))
    assert "University of Somewhere. If one of them" in line
    assert "UoS" not in line
    assert "let both agreements have one name, and make the extract again" in line
