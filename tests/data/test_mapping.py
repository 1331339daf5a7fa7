"""Files of any shape become the cohort they stand for; only what is unclear is asked."""

import datetime

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import synthetic
from iesoresearch.data.checks import check
from iesoresearch.data.mapping import Mapping, path_of, propose, read, render, write
from iesoresearch.data.mapping.names import match_all, near
from iesoresearch.data.mapping.reading import Layout, guess, look
from iesoresearch.data.mapping.values import known_codes, meaning
from iesoresearch.data.sources import convert, from_folder
from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.measures import GAD7, PHQ9
from iesoresearch.project import find

DAY = datetime.date(2024, 1, 31)


def file(folder, name, rows, separator=",", encoding="utf-8"):
    """A text file of dicts."""
    lines = [separator.join(rows[0])]
    lines += [separator.join("" if x is None else str(x) for x in row.values()) for row in rows]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def proposed(tmp_path, *paths):
    """The proposal, and the mapping after it was written and read back."""
    proposal = propose(list(paths))
    target = tmp_path / "site.yaml"
    target.write_text(render("site", proposal.mapping(), proposal.remarks()), encoding="utf-8")
    assert Mapping.read(target) == proposal.mapping()
    return proposal, Mapping.read(target)


def converted(tmp_path, mapping):
    source = read("site", mapping)
    assert check("site", source.tables, source.problems).errors == []
    convert(source, tmp_path / "tables")
    return from_folder((tmp_path / "tables",))


@pytest.fixture
def truth():
    """A synthetic cohort of people who were seen, with few columns."""
    made = synthetic.make(60, seed=5)
    columns = ["referral_id", "session", "patient_id", "date", *PHQ9.columns, *GAD7.columns]
    # a partner's row is there because something was answered, or a day is known
    contacts = made.contacts.select(columns).sort("referral_id", "session")
    seen = made.referrals.join(contacts, on="referral_id", how="semi")
    referrals = seen.select("referral_id", "patient_id", "referral_date", "discharge_date")
    people = made.patients.join(seen, on="patient_id", how="semi")
    people = people.select("patient_id", "age", "gender", "ethnicity")
    return people.sort("patient_id"), referrals.sort("referral_id"), contacts


GENDER = {"female": "2", "male": "1", "other": "9", "not known": "X"}


def test_long_files_map_without_a_question(tmp_path, truth):
    people, referrals, contacts = truth
    a = people.select(
        pid="patient_id", Age="age", sex=pl.col("gender").cast(pl.String).replace(GENDER),
        ethnic="ethnicity",
    )  # fmt: skip
    b = referrals.select(
        ref_id="referral_id",
        patient="patient_id",
        date_of_referral=pl.col("referral_date").dt.to_string("%d/%m/%Y"),
        discharge_date=pl.col("discharge_date").dt.to_string("%d/%m/%Y"),
    )
    c = contacts.select(
        pl.col("referral_id").alias("ref_id"),
        pl.col("session").alias("appt_no"),
        pl.col("date").dt.to_string("%d/%m/%Y").alias("appt_date"),
        *[pl.col(x).alias(f"PHQ9_Q{i}") for i, x in enumerate(PHQ9.columns, 1)],
        *[pl.col(x).alias(f"gad_{i}") for i, x in enumerate(GAD7.columns, 1)],
    )
    a.write_csv(tmp_path / "people.csv", separator="\t")
    b.write_csv(tmp_path / "referrals.csv", separator=";")
    c.write_parquet(tmp_path / "appointments.parquet")
    paths = [tmp_path / n for n in ("people.csv", "referrals.csv", "appointments.parquet")]
    proposal, mapping = proposed(tmp_path, *paths)
    assert proposal.questions == []
    assert "people.csv: separated by tab, utf-8, decimal point" in proposal.notes
    assert mapping.files[2].columns["phq9_{item}"] == "PHQ9_Q{item}"
    cohort = converted(tmp_path, mapping)
    assert cohort.patients.select(people.columns).equals(people)
    assert cohort.referrals.select(referrals.columns).equals(referrals)
    found = cohort.contacts.select(contacts.columns).sort("referral_id", "session")
    assert found.equals(contacts)


def test_a_wide_file_maps_without_a_question(tmp_path, truth):
    people, _, contacts = truth
    contacts = contacts.filter(pl.col("session") <= 3)
    rows = people.select(study_no="patient_id", sex="gender").rename({"study_no": "patient id"})
    for s in (1, 2, 3):
        own = contacts.filter(pl.col("session") == s).select(
            pl.col("patient_id").alias("patient id"),
            pl.col("date").dt.to_string("%Y-%m-%d").alias(f"S{s:02}_date"),
            *[pl.col(x).alias(f"S{s:02}_PHQ{i}") for i, x in enumerate(PHQ9.columns, 1)],
            *[pl.col(x).alias(f"S{s:02}_gad7_item{i}") for i, x in enumerate(GAD7.columns, 1)],
        )
        rows = rows.join(own, on="patient id", how="left", maintain_order="left")
    rows.write_csv(tmp_path / "wide.csv")
    proposal, mapping = proposed(tmp_path, tmp_path / "wide.csv")
    assert proposal.questions == []
    assert mapping.files[0].columns["phq9_{item}"] == "S{session}_PHQ{item}"
    assert "wide.csv: the column" not in " ".join(proposal.notes)
    cohort = converted(tmp_path, mapping)
    wanted = ["patient_id", "session", "date", *PHQ9.columns, *GAD7.columns]
    found = cohort.contacts.select(wanted).sort("patient_id", "session")
    assert found.equals(contacts.select(wanted).sort("patient_id", "session"))
    # one referral each, for the file knows none
    assert cohort.referrals["referral_id"].to_list() == people["patient_id"].to_list()


def test_totals_only_another_encoding_and_no_numbers_of_sessions(tmp_path):
    rows = [
        {"pid": "a", "date": "02.02.2024", "PHQ9 total": "10,5", "GAD7Total": 4, "Straße": "ß"},
        {"pid": "a", "date": "13.01.2024", "PHQ9 total": "12", "GAD7Total": 5, "Straße": "ä"},
        {"pid": "b", "date": "14.01.2024", "PHQ9 total": "3,0", "GAD7Total": 6, "Straße": "x"},
    ]
    path = file(tmp_path, "a.csv", rows, separator=";", encoding="windows-1252")
    proposal, mapping = proposed(tmp_path, path)
    assert proposal.notes[:2] == [
        "a.csv: separated by semicolon, windows-1252, decimal comma",
        "a.csv: 4 of 5 columns recognised",
    ]
    contacts = converted(tmp_path, mapping).contacts.sort("patient_id", "session")
    assert contacts["phq9_total"].to_list() == [12.0, 10.5, 3.0]
    assert contacts["session"].to_list() == [1, 2, 1]
    assert contacts["date"].to_list()[0] == datetime.date(2024, 1, 13)


def test_everything_unclear_is_asked_at_once(tmp_path):
    rows = [
        {"patiend_id": "a", "appt_date": "01/02/2024", "gender": "femmale", "phq9_total": 3},
        {"patiend_id": "b", "appt_date": "03/02/2024", "gender": "2", "phq9_total": 3},
        {"patiend_id": "c", "appt_date": "03/02/2024", "gender": "Lovelace", "phq9_total": 3},
    ]
    proposal, mapping = proposed(tmp_path, file(tmp_path, "a.csv", rows))
    assert [(q.key, q.candidates) for q in proposal.questions] == [
        ((0, "columns", "patient_id"), ("patiend_id",)),
        ((0, "dates", "date"), ("dd/mm/yyyy", "mm/dd/yyyy")),
        ((0, "codes", "gender", "femmale"), ("female",)),
    ]
    assert mapping.open_lines() == ["columns, patient_id", "dates, date", "codes, gender (1)"]
    text = (tmp_path / "site.yaml").read_text(encoding="utf-8")
    assert 'patient_id: "?"  # a.csv: which column is patient_id? Perhaps: patiend_id.' in text
    assert "Lovelace" not in text + " ".join(proposal.notes)
    assert "a.csv: 1 value(s) of gender are no known code" in " ".join(proposal.notes)
    for question, answer in zip(
        list(proposal.questions), ["patiend_id", "dd/mm/yyyy", "female"], strict=True
    ):
        assert proposal.problem(question, answer) is None
        assert proposal.problem(question, "nonsense") is not None
        proposal.answer(question, answer)
    source = read("site", proposal.mapping())
    report = check("site", source.tables, source.problems)
    assert [str(e) for e in report.errors] == [
        "a.csv: gender: 1 value(s) are not among the codes of the mapping"
    ]


def test_two_columns_for_one_of_ours_are_asked_about(tmp_path):
    rows = [{"pid": "a", "sex": 1, "gender_code": 2, "phq9": 3}]
    proposal, _ = proposed(tmp_path, file(tmp_path, "a.csv", rows))
    assert [q.candidates for q in proposal.questions] == [("sex", "gender_code")]
    proposal.answer(proposal.questions[0], "")
    assert "gender" not in proposal.mapping().files[0].columns


def test_appointments_must_say_their_referral_if_another_file_does(tmp_path):
    one = file(tmp_path, "a.csv", [{"ref_id": "r", "pid": "a", "referral_date": "2024-01-31"}])
    two = file(tmp_path, "b.csv", [{"pid": "a", "appt_date": "2024-02-13", "phq9": 3}])
    proposal, _ = proposed(tmp_path, one, two)
    assert [q.key for q in proposal.questions] == [(1, "columns", "referral_id")]
    proposal.answer(proposal.questions[0], "")
    source = read("site", proposal.mapping())
    text = "1 file(s) of appointments have no column for referral_id, though another file has"
    assert ("contacts", text) in [(p.table, p.text) for p in source.problems]


NAMES = {
    "S1_PHQ9_Q3": ("phq9_3", 1), "t2_gad": ("gad7_total", 2), "phq_9": ("phq9_total", None),
    "CareContDate": ("date", None), "NHS pseudonym": ("patient_id", None),
    "wsas_relationships": ("wsas_5", None), "phq9_total_4": ("phq9_total", 4),
    "ref no": ("referral_id", None), "date3": ("date", 3),
    "IMD Decile": ("deprivation_decile", None),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    match = match_all((name,))[name]
    assert (match.column, match.session) == NAMES[name]


def test_names_that_nobody_is_taken_at():
    assert match_all(("weight", "phq9_10", "gad8", "colour", "q1", "q2")) == {}
    assert near("appt_dt")[0] == "date"


@pytest.mark.parametrize(
    ("stem", "code", "n"), [("phq", "phq9", 9), ("q", "phq9", 9), ("q", "gad7", 7)]
)
def test_items_without_a_number_of_the_scale(stem, code, n):
    found = match_all(tuple(f"{stem}{i}" for i in range(1, n + 1)))
    assert {m.column for m in found.values()} == {f"{code}_{i}" for i in range(1, n + 1)}
    assert {m.pattern for m in found.values()} == {f"{stem}{{item}}"}


CODES = {
    ("gender", " 01"): "male", ("gender", "F"): "female", ("employment_first", "1"): "employed",
    ("employment_last", "zz"): "not stated", ("attendance", "5.0"): "attended",
    ("problem", "F41.1"): "generalised anxiety disorder", ("problem", "F32.9"): "depression",
    ("ethnicity", "White - British"): "A", ("ethnicity", "99"): "Z",
    ("source", "A1"): "primary care",
    ("source", "B1"): "self", ("source", "B2"): "carer", ("disability", "Y"): "yes",
    ("therapy", "304891004"): "cognitive behaviour therapy", ("gender", "7"): None,
    ("attendance", "7"): None, ("problem", "Z99"): None,
}  # fmt: skip


@pytest.mark.parametrize(("column", "code"), CODES)
def test_codes(column, code):
    assert meaning(column, code, known_codes(column)) == CODES[column, code]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("a,b\n1.5,2\n", Layout()),
        ("a;b\n1,5;2\n", Layout("semicolon", decimal="comma")),
        ("\ufeffa\tb\n1\t2\n", Layout("tab")),
        ('a|b\n"x,y,z"|2\n', Layout("bar")),
        ('a,b\n"x;y;z",2\n', Layout()),
    ],
)
def test_layouts(text, layout):
    assert guess(text, "utf-8") == layout


UNREADABLE = {
    "no file": (None, "is not there, or is no file"),
    "empty": (b"", "is empty (0 bytes). Export it again."),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "is in UTF-16. Save it again as “CSV UTF-8”."),
    "spreadsheet": (b"PK\x03\x04\0\0", "is no text: it may be a spreadsheet. Export it as CSV."),
    "names twice": (b"a,a\n1,2\n", "has 1 name(s) of columns more than once"),
}


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_files(tmp_path, content, message):
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        look(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "header", ["Lovelace,Ada,31/01/2024", "Lovelace,1,2", "Lovelace,Ada,Byron"]
)
def test_a_file_without_header_row_is_refused_and_not_quoted(tmp_path, header):
    (tmp_path / "a.csv").write_text(f"{header}\nx,y,z\n")
    with pytest.raises(DataError, match="Give the file a header row") as caught:
        propose([tmp_path / "a.csv"])
    assert "Lovelace" not in str(caught.value)


def test_identifiers_stop_the_proposal(tmp_path):
    rows = [{"pid": i, "phq9": 3, "contact": f"x{i}@example.org"} for i in range(3)]
    with pytest.raises(DataError, match=r"a.csv: column 3 looks like an identifier \(e-mail"):
        propose([file(tmp_path, "a.csv", rows)])


BROKEN = {
    "unknown column": (
        {"columns": {"colour": "x"}},
        "columns: 'colour' is no column of the schema",
    ),
    "unknown format": (
        {"columns": {"date": "d"}, "dates": {"date": "when"}},
        "dates: date needs one of yyyy-mm-dd, dd/mm/yyyy",
    ),
    "unknown word": (
        {"columns": {"gender": "g"}, "codes": {"gender": {1: "boy"}}},
        "codes: gender needs one of female, male, other, not known",
    ),
    "no code list": (
        {"columns": {"age": "g"}, "codes": {"age": {1: "2"}}},
        "codes: 'age' has no code list",
    ),
    "unknown key": ({"columns": {}, "colour": 1}, "files.0.colour: Extra inputs are not permitted"),
    "separator": (
        {"columns": {}, "separator": "dot"},
        "files.0.separator: Input should be 'comma'",
    ),
}


@pytest.mark.parametrize(("entry", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_mapping_that_cannot_be(tmp_path, entry, message):
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"folder": "f", "files": [{"file": "a.csv", **entry}]}))
    with pytest.raises(ParameterError) as caught:
        Mapping.read(path)
    assert message in str(caught.value)


def test_no_mapping_and_a_torn_one(tmp_path):
    with pytest.raises(ParameterError, match="Make it with `iesoresearch site init x FILES…`"):
        Mapping.read(tmp_path / "x.yaml")
    (tmp_path / "x.yaml").write_text("files: [")
    with pytest.raises(ParameterError, match="cannot be read as YAML"):
        Mapping.read(tmp_path / "x.yaml")


def test_the_example_is_a_mapping():
    mapping = Mapping.read(find().params / "sites" / "example.yaml")
    assert mapping.open_lines() == []
    assert mapping.files[1].is_wide


def test_an_old_mapping_stays(tmp_path):
    write(tmp_path / "sites" / "x.yaml", "mine")
    with pytest.raises(OutputError, match="is there already and was left as it is"):
        write(tmp_path / "sites" / "x.yaml", "other")
    assert (tmp_path / "sites" / "x.yaml").read_text() == "mine"
    with pytest.raises(ParameterError, match="cannot be the name of a site"):
        path_of("../x", tmp_path)
    with pytest.raises(ParameterError, match=r"sites/disclosure\.yaml is the file of its rules"):
        path_of("disclosure", tmp_path)
    with pytest.raises(ParameterError, match=r"sites/statements\.yaml is the file of what it st"):
        path_of("statements", tmp_path)


def test_a_mapped_column_that_is_gone(tmp_path):
    path = file(tmp_path, "a.csv", [{"pid": "a", "phq9": 3}])
    _, mapping = proposed(tmp_path, path)
    file(tmp_path, "a.csv", [{"Lovelace": "a", "phq9": 3}])
    source = read("site", mapping)
    assert [str(p) for p in source.problems] == [
        "a.csv: the column that is mapped to patient_id is absent"
    ]


MARKER = st.from_regex(r"Zq[a-z0-9]{6}", fullmatch=True)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.one_of(MARKER, st.sampled_from(["", "1", "01/02/2024", "femmale"]))] * 6),
        min_size=1,
        max_size=6,
    )
)
def test_no_message_holds_a_cell(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("random")
    names = ["pid", "ref_id", "appt_date", "sex", "phq9_total", "colour"]
    path = file(folder, "a.csv", [dict(zip(names, row, strict=True)) for row in rows])
    proposal, _ = proposed(folder, path)
    said = [*proposal.notes, *(q.text for q in proposal.questions)]
    for question in list(proposal.questions):
        proposal.answer(question, question.candidates[0])
    source = read("site", proposal.mapping())
    report = check("site", source.tables, source.problems)
    said += [*map(str, report.problems), (folder / "site.yaml").read_text(encoding="utf-8")]
    markers = [cell for row in rows for cell in row if cell.startswith("Zq")]
    assert not [m for m in markers if m in " ".join(said)]


def test_writing_below_a_file(tmp_path):
    _, mapping = proposed(tmp_path, file(tmp_path, "a.csv", [{"pid": "a", "phq9": 3}]))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        convert(read("site", mapping), tmp_path / "file" / "below")
    with pytest.raises(OutputError, match=r"is not empty. Name a new folder"):
        convert(read("site", mapping), tmp_path)
