"""Samples for coders inside: few, redacted, without anything of anybody's care."""

import datetime
import hashlib

import polars as pl
import pytest

from iesoresearch.errors import DataError, DisclosureError
from iesoresearch.library import choices, store
from iesoresearch.library.extract import agreement as agreements
from iesoresearch.library.extract import annotation, opening
from iesoresearch.library.extract.agreement import Refused
from iesoresearch.library.store.keys import Keys

DAY = datetime.date(2026, 6, 1)
PLAIN = {
    "id": "coding",
    "title": "Elements of therapy",
    "kind": "annotation inside",
    "purpose": "Tag what therapists do in sessions.",
    "recipient": {"organisation": "Here", "territory": "GB", "people": [{"role": "coder"}]},
    "lawful_basis": "public task",
    "approvals": ["EXAMPLE-2"],
    "signed": [
        {"party": "provider", "role": "guardian", "date": DAY},
        {"party": "recipient", "role": "coder", "date": DAY},
    ],
    "expires": DAY + datetime.timedelta(30),
    "sample": {"sessions": 12},
    "retention": {"until": DAY + datetime.timedelta(30), "then": "deleted"},
}
N = 300
RARE = 12  # patients with a rare problem


def agreed(**changes):
    return agreements.Agreement.check(PLAIN | changes, "test")


@pytest.fixture(scope="module")
def tables():
    people = [hashlib.sha256(str(i).encode()).hexdigest()[:32] for i in range(N)]
    problem = ["social phobia" if i < RARE else "depression" for i in range(N)]
    referrals = pl.DataFrame(
        {"referral_id": [p[::-1] for p in people], "patient_id": people, "problem": problem}
    )
    sessions = referrals.join(pl.DataFrame({"session": [1, 2]}), how="cross")
    contacts = sessions.select(
        "referral_id", "patient_id", "session", therapy=pl.lit("counselling")
    )
    words = pl.DataFrame({"position": [0, 1], "speaker": ["therapist", "patient"]})
    text = pl.lit("we looked at the homework of ") + pl.col("referral_id").str.slice(0, 4)
    planted = pl.lit("you can reach me on 07700 900123")
    utterances = sessions.join(words, how="cross").with_columns(
        # the second half of the patients left a number that ingest did not see
        text=pl.when(pl.col("referral_id").rank("dense") > N / 2).then(planted).otherwise(text)
    )
    return {"referrals": referrals, "contacts": contacts, "utterances": utterances}


@pytest.fixture(scope="module")
def library(tables, tmp_path_factory):
    home = tmp_path_factory.mktemp("library")
    made = store.create(home / "lib", Keys.make(home / "key"), territory="UK", who="tester")
    with made.writing("ingest", "test") as draft:
        for name, frame in tables.items():
            part = pl.col("patient_id").str.slice(0, 1)
            for i in range(16):
                rows = frame.filter(part == f"{i:x}")
                rows = rows.drop("patient_id", "problem") if name == "utterances" else rows
                draft.write(name, rows, part=f"{i:02}")
        matching = tables["referrals"].select(
            "patient_id", national=pl.lit(None, pl.String), local=pl.lit(None, pl.String)
        )
        draft.write("matching", matching, compartment="choices")
    return made


def _annotate(library, where, agreement=None):
    return annotation.annotate(
        library, agreement or agreed(), where / "s", key_file=where / "k", why="test", on=DAY
    )


@pytest.fixture(scope="module")
def made(library, tmp_path_factory):
    where = tmp_path_factory.mktemp("made")
    found = _annotate(library, where)
    opening.open_extract(where / "s", where / "k", where / "out", on=DAY)
    return found, pl.read_csv(where / "out" / "utterances.csv")


def test_coders_get_words_under_random_codes_and_nothing_else(made, tables):
    _, words = made
    assert words.columns == ["code", "position", "speaker", "text"]
    assert words["code"].n_unique() == PLAIN["sample"]["sessions"]
    assert words.group_by("code").len()["len"].unique().to_list() == [2]
    ids = "".join(tables["referrals"]["patient_id"])
    assert not any(code in ids for code in words["code"])


def test_what_ingest_missed_is_found_again_and_left_out(made):
    found, words = made
    assert not words["text"].str.contains("07700").any()
    assert any("second search" in line for line in found.report)


def test_one_session_of_a_patient_and_strata_take_turns(library, made, tables):
    found, _ = made
    held = library.read("extracts", compartment="choices", part=found.extract_id)
    assert held["patient_id"].n_unique() == held.height == PLAIN["sample"]["sessions"]
    problems = held.join(tables["referrals"], on="patient_id")["problem"]
    # by chance alone 12 of 300 patients would hardly be a quarter of the sample
    assert (problems == "social phobia").sum() >= 3


def test_the_log_says_what_was_read_by_whom(library, made):
    found, _ = made
    entry = next(e for e in library.log() if e["what"] == "annotate")
    assert entry["details"]["extract_id"] == found.extract_id
    assert entry["details"]["patients"] == PLAIN["sample"]["sessions"]
    assert entry["details"]["tables"] == {"utterances": ["code", "position", "speaker", "text"]}


def test_a_sample_opens_no_more_after_its_day(made, tmp_path):
    found, _ = made
    with pytest.raises(DisclosureError, match="opens no more"):
        opening.open_extract(
            found.folder, found.key_file, tmp_path / "o", on=DAY + datetime.timedelta(31)
        )


def test_samples_together_are_a_small_number(library, made, tmp_path):
    """Many small samples would be a large one; those that have ended count no more."""
    later, end = DAY + datetime.timedelta(31), DAY + datetime.timedelta(60)
    more = agreed(
        id="more", expires=end, sample={"sessions": 19}, retention={"until": end, "then": "deleted"}
    )
    with pytest.raises(Refused, match="samples that have not ended hold 12") as caught:
        _annotate(library, tmp_path, more)
    assert caught.value.kind == "sample too large"
    annotation.annotate(
        library, more, tmp_path / "s", key_file=tmp_path / "k", why="test", on=later
    )


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"sample": {"sessions": 101}}, "sample too large", "at most 100, and at most 5%"),
        ({"sample": {"sessions": 31}}, "sample too large", "asks for 31 sessions"),
        (
            {"recipient": PLAIN["recipient"] | {"territory": "IE"}},
            "territory",
            "settings allow no other",
        ),
        ({"expires": DAY - datetime.timedelta(1)}, "expired", "ran out"),
        ({"kind": "research"}, "kind", "Coders need one of the kind"),
    ],
)
def test_what_is_no_small_sample_inside_is_refused_and_logged(
    library, tmp_path, changes, kind, message
):
    with pytest.raises(Refused, match=message):
        _annotate(library, tmp_path, agreed(**changes))
    assert library.log()[-1]["what"] == "annotate refused"
    assert library.log()[-1]["details"]["kind"] == kind
    assert list(tmp_path.iterdir()) == []


def test_people_who_opted_out_are_not_read(library, tables, tmp_path, monkeypatch):
    people = tables["referrals"]["patient_id"]
    monkeypatch.setattr(
        choices, "excluded", lambda reader, on: pl.DataFrame({"patient_id": people, "reason": "x"})
    )
    with pytest.raises(Refused, match="of those there are"):
        _annotate(library, tmp_path)


def test_a_library_without_transcripts_says_so(tmp_path):
    empty = store.create(tmp_path / "l", Keys.make(tmp_path / "key"), territory="GB", who="t")
    with pytest.raises(DataError, match="holds no transcripts"):
        _annotate(empty, tmp_path)
