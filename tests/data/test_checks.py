"""Twenty and more planted faults: every one is reported, in one go, with its count and no value."""

import datetime
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import synthetic
from iesoresearch.data.checks import check
from iesoresearch.data.mapping import Mapping, propose, read, render
from iesoresearch.data.schema import TABLES
from iesoresearch.data.sources import convert, from_folder, scan
from iesoresearch.errors import DataError

TODAY = datetime.date(2025, 6, 1)
N_PATIENTS, N_SESSIONS = 30, 4
NHS_NUMBERS = ("9434765919", "9434765870")  # published as examples of valid check digits


def clean():
    """Files of a partner, as lists of rows: appointments, referrals, people."""
    appointments, referrals, people = [], [], []
    for p in range(N_PATIENTS):
        person, referral = f"A{p:03}", f"R{p:03}"
        people.append(
            {"pid": person, "sex": 1 + p % 2, "ethnic": "ABHZ"[p % 4], "age": 30, "imd": 5}
        )
        referrals.append(
            {
                "ref_id": referral,
                "pid": person,
                "referral_date": "15/01/2024",
                "discharge_date": "30/06/2024",
            }
        )
        for s in range(1, N_SESSIONS + 1):
            items = [(p + s + i) % 4 for i in range(9)]
            appointments.append(
                {
                    "ref_id": referral,
                    "pid": person,
                    "appt_no": s,
                    "appt_date": f"{10 + p % 18}/0{1 + s}/2024",
                    "attended": 5,
                    **{f"phq{i + 1}": x for i, x in enumerate(items)},
                    "phq_total": sum(items),
                    **{f"gad_{i}": (p + i) % 4 for i in range(1, 8)},
                    **{f"wsas_{w}": 2 for w in ("work", "home", "social", "private")},
                    "wsas_relationships": 3,
                    "old_number": f"x{p}",
                }
            )
    return {"appointments": appointments, "referrals": referrals, "people": people}


def write(folder, tables):
    folder.mkdir()
    for name, rows in tables.items():
        cells = {column: [str(row[column]) for row in rows] for column in rows[0]}
        pl.DataFrame(cells).write_csv(folder / f"{name}.csv", separator=";")
    return folder


def mapping_of(folder, *more):
    """The mapping that is proposed for clean files: nothing is left to ask."""
    proposal = propose([*sorted(folder.glob("*.csv")), *more])
    assert proposal.questions == []
    (folder.parent / "site.yaml").write_text(
        render("test", proposal.mapping(), {}), encoding="utf-8"
    )
    return Mapping.read(folder.parent / "site.yaml")


def session(p, s):
    return p * N_SESSIONS + s - 1


def plant(tables):
    """Change rows so that each line of FAULTS is true."""
    a, r, p = tables["appointments"], tables["referrals"], tables["people"]
    r[0]["discharge_date"] = "01/01/2024"  # before the referral, so four sessions lie after it
    a[session(1, 1)]["appt_date"] = "01/01/2024"
    a[session(2, 1)]["appt_date"] = "02/01/2024"
    a[session(3, 4)]["appt_date"] = "05/07/2024"
    r[4]["discharge_date"] = "30/06/2031"
    a.append(a[session(5, 4)] | {"appt_no": 5})
    for p_ in (6, 7, 8):
        a[session(p_, 2)]["appt_date"] = "03/25/2024"
    p[0]["sex"], p[2]["sex"] = "01", " 1"
    p[9]["ethnic"] = p[10]["ethnic"] = "Q"
    a[session(9, 1)]["phq1"] = 7
    a[session(9, 2)]["phq2"] = "often"
    a[session(10, 1)]["gad_3"] = -1
    a[session(10, 2)]["phq_total"] = 99
    for p_ in (11, 12, 13, 14):
        a[session(p_, 1)]["wsas_work"] = 9
    a[session(15, 1)]["phq_total"] += 1
    a[session(15, 2)]["phq_total"] -= 1
    p.append(p[16] | {"age": 71, "sex": 2, "ethnic": "R"})
    r.append(r[17] | {"pid": "A018"})
    for s in (1, 2):
        a[session(19, s)]["ref_id"] = "1.23E+15"
    p.append(p[20] | {"pid": "00077"})
    r.append(r[20] | {"pid": "77", "ref_id": "R900"})
    for row in p:
        row["imd"] = ""
    a[session(21, 4)]["appt_no"] = 9
    a[session(22, 1)]["ref_id"] = ""
    a[session(23, 2)]["appt_no"] = 1
    a[session(24, 3)]["appt_date"] = "soon"
    a[session(25, 1)]["attended"] = 8
    p.append(p[26] | {"pid": "A900"})
    for i, row in enumerate(a):
        row["old_number"] = NHS_NUMBERS[i % 2]
    return tables


FILE = {"appointments": "appointments.csv", "people": "people.csv"}

#: (kind, where, what, how many)
FAULTS = {
    "discharge before referral": (
        "warning",
        "referrals",
        "1 referral(s) have a discharge_date before their referral_date",
        1,
    ),
    "session before the referral": (
        "warning",
        "contacts",
        "2 session(s) lie before the referral_date of their referral",
        2,
    ),
    "treatment after discharge": (
        "warning",
        "contacts",
        "5 session(s) that are no follow-up lie after the discharge_date of their referral",
        5,
    ),
    "date in the future": (
        "warning",
        "referrals",
        "discharge_date: 1 date(s) lie in the future",
        1,
    ),
    "duplicate contact": (
        "warning",
        "contacts",
        "1 contact(s) repeat another of the same referral, date and answers",
        1,
    ),
    "mixed date formats": (
        "error",
        FILE["appointments"],
        "date: 3 date(s) are in another format than dd/mm/yyyy: formats are mixed",
        3,
    ),
    "no date at all": ("error", FILE["appointments"], "date: 1 value(s) are no date", 1),
    "codes 1, 01 and ' 1'": (
        "warning",
        FILE["people"],
        "gender: 2 code(s) have spaces or leading zeros that others of the column lack; they were "
        "read as the same",
        2,
    ),
    "unknown ethnic code": (
        "error",
        "patients",
        f"ethnicity: 2 value(s) are not one of {', '.join('ABCDEFGHJKLMNPRSZ')}",
        2,
    ),
    "unknown attendance code": (
        "error",
        FILE["appointments"],
        "attendance: 1 value(s) are not among the codes of the mapping",
        1,
    ),
    "item above its scale": (
        "error",
        "contacts",
        "phq9_1: 1 value(s) beyond the maximum of 3",
        1,
    ),
    "item below its scale": (
        "error",
        "contacts",
        "gad7_3: 1 value(s) beyond the minimum of 0",
        1,
    ),
    "total above its scale": (
        "error",
        "contacts",
        "phq9_total: 1 value(s) beyond the maximum of 27",
        1,
    ),
    "words for an answer": ("error", "contacts", "phq9_2: 1 value(s) are not a whole number", 1),
    "WSAS work item 9": (
        "warning",
        "contacts",
        "wsas_1: 4 answer(s) say “not applicable” and are left out of totals",
        4,
    ),
    "total contradicts its items": (
        "warning",
        "contacts",
        # the two planted, the total of 99, and the one beside the answer of 7
        "phq9_total: 4 total(s) contradict their items; the items count",
        4,
    ),
    "two people under one id": (
        "error",
        "patients",
        "1 id(s) stand for two people: their age, gender or ethnicity contradict",
        1,
    ),
    "one referral of two patients": (
        "error",
        "referrals",
        "1 referral(s) belong to more than one patient",
        1,
    ),
    "id rounded by a spreadsheet": (
        "error",
        "contacts",
        "referral_id: 2 id(s) were turned into rounded numbers by a spreadsheet (like 1.23E+15) "
        "and cannot be told apart",
        2,
    ),
    "lost leading zeros": (
        "error",
        "all tables",
        "patient_id: 1 id(s) are written in more than one way (leading zeros, “.0” at the end, or "
        "capitals), so one would count as two",
        1,
    ),
    "empty column": (
        "warning",
        "patients",
        "1 column(s) are there, but empty in every row: deprivation_decile",
        1,
    ),
    "gap in the sessions": (
        "warning",
        "contacts",
        # session 9 after 3; 1, 1, 3, 4 are as many as they should be, their double number is said
        "1 referral(s) have gaps in the numbers of their sessions",
        1,
    ),
    "missing id": ("error", "contacts", "referral_id: 1 value(s) are missing", 1),
    "one session twice": ("error", "contacts", "2 rows share their referral_id and session", 2),
    "people without referral": ("warning", "patients", "2 people have no referral", 2),
    "referral without contact": ("warning", "referrals", "1 referral(s) have no contact", 1),
    "referral of nobody": (
        "error",
        "referrals",
        "1 row(s) have a patient_id that patients does not know",
        1,
    ),
    "contacts of no referral": (
        "error",
        "contacts",
        "2 row(s) have a referral_id that referrals does not know",
        2,
    ),
    "NHS numbers": (
        "error",
        FILE["appointments"],
        f"column {5 + 9 + 1 + 7 + 5 + 1} looks like an identifier (NHS numbers)",
        N_PATIENTS * N_SESSIONS + 1,
    ),
    "empty file": ("error", "zz_more.csv", None, 1),
}


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    """The report on the messy files, by way of the mapping of the clean ones."""
    home = tmp_path_factory.mktemp("partner")
    folder = write(home / "clean", clean() | {"zz_more": clean()["people"][:1]})
    mapping = mapping_of(folder)
    bad = write(home / "bad", plant(clean()))
    (bad / "zz_more.csv").write_text("")
    source = read("test", mapping, bad)
    return check("test", source.tables, source.problems, today=TODAY)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault(messy, fault):
    severity, where, text, n = FAULTS[fault]
    if text is None:
        assert any(p.table == where and "is empty (0 bytes)" in p.text for p in messy.errors)
        return
    assert (severity, where, text, n) in {
        (p.severity, p.table, p.text, p.n) for p in messy.problems
    }


def test_there_are_at_least_twenty_and_nothing_else_is_reported(messy):
    assert len(FAULTS) >= 20
    expected = {text for _, _, text, _ in FAULTS.values()}
    strange = [p for p in messy.problems if p.text not in expected and "0 bytes" not in p.text]
    assert strange == []


def test_clean_files_have_no_problem(tmp_path):
    folder = write(tmp_path / "clean", clean())
    source = read("test", mapping_of(folder))
    report = check("test", source.tables, source.problems, today=TODAY)
    assert report.problems == ()
    assert report.rows == {
        "patients": N_PATIENTS,
        "referrals": N_PATIENTS,
        "contacts": N_PATIENTS * N_SESSIONS,
    }


def test_missing_cells_are_counted_by_column(messy):
    empty = {(m.table, m.column): (m.n, m.rows) for m in messy.missing}
    assert empty["patients", "deprivation_decile"] == (32, 32)  # 30 people, 00077 and A900
    assert empty["patients", "gender"] == (0, 32)
    assert empty["contacts", "referral_id"] == (1, N_PATIENTS * N_SESSIONS + 1)


# Canonical tables -------------------------------------------------------------------------------


def canonical(tmp_path, **tables):
    """A synthetic cohort as a folder of canonical tables, some of them changed."""
    folder = tmp_path / "site"
    synthetic.make(60, seed=3).write(folder)
    for name, change in tables.items():
        path = folder / f"{name}.parquet"
        frame = pl.read_parquet(path) if path.exists() else pl.DataFrame()
        change(frame).write_parquet(path)
    return folder


def found(folder):
    source = scan((folder,))
    return check(source.name, source.tables, source.problems, today=datetime.date(2060, 1, 1))


def scores(frame):
    ids = frame.head(3)
    return pl.DataFrame(
        {
            "referral_id": ids["referral_id"],
            "patient_id": ids["patient_id"],
            "date": [datetime.date(2024, 5, 1)] * 3,
            "instrument": ["spin", "spin", "goals"],
            "item": [0, 0, 0],
            "value": [68.0, 69.0, 5.0],
        }
    )


def test_scores_outside_their_scale(tmp_path):
    folder = canonical(tmp_path)
    scores(pl.read_parquet(folder / "contacts.parquet").unique("referral_id")).write_parquet(
        folder / "scores.parquet"
    )
    report = found(folder)
    # SPIN runs from 0 to 68 in the data set's definitions
    assert [str(e) for e in report.errors] == ["scores: value: 1 total(s) lie outside their scale"]
    assert "scores: instrument: 1 score(s) are of a scale whose range is not known" in map(
        str, report.warnings
    )
    with pytest.raises(DataError, match=r"1 total\(s\) lie outside their scale"):
        from_folder((folder,))


def test_optional_tables_are_loaded(tmp_path):
    folder = canonical(tmp_path)
    sessions = pl.read_parquet(folder / "contacts.parquet").select("referral_id", "session").head(2)
    content = sessions.with_columns(element=pl.lit("agenda"), words=pl.lit(12, pl.UInt32))
    content.write_parquet(folder / "content.parquet")
    cohort = from_folder((folder,))
    assert cohort.content.equals(content)
    content.with_columns(session=pl.lit(900)).write_parquet(folder / "content.parquet")
    with pytest.raises(DataError, match=r"2 row\(s\) have a referral_id and session that"):
        from_folder((folder,))


def test_what_the_check_lets_pass_loads(tmp_path):
    folder = canonical(tmp_path)
    assert found(folder).errors == []
    assert from_folder((folder,)).patients.height == 60


def test_a_column_of_names_is_refused_at_loading(tmp_path):
    names = pl.Series("therapist_id", ["Susan Taylor", "John Evans"])
    folder = canonical(
        tmp_path,
        contacts=lambda f: f.with_columns(
            names.gather(pl.Series(range(f.height)) % 2).alias("therapist_id")
        ),
    )
    with pytest.raises(DataError, match="therapist_id looks like an identifier") as caught:
        from_folder((folder,))
    assert "Susan" not in str(caught.value)
    assert "names of people" in str(caught.value)


def test_ages_that_contradict_each_other(tmp_path):
    def older(frame):
        return pl.concat([frame, frame.head(1).with_columns(
            referral_id=pl.lit("R9999"),
            age_at_referral=(pl.col("age_at_referral") + 20).cast(pl.UInt8),
        )])  # fmt: skip

    report = found(canonical(tmp_path, referrals=older))
    assert "patients: 1 id(s) stand for two people: their age, gender or ethnicity contradict" in [
        str(e) for e in report.errors
    ]


def test_a_csv_folder_with_mixed_dates_and_another_encoding(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "contacts.csv").write_text("referral_id,session,patient_id\nr1,1,p1\n")
    (folder / "referrals.csv").write_text(
        "referral_id,patient_id,referral_date\nr1,p1,31/01/2024\n"
    )
    (folder / "patients.csv").write_text(
        "patient_id,ethnicity_as_recorded\np1,Gälisch\n", encoding="windows-1252"
    )
    errors = [str(e) for e in found(folder).errors]
    assert (
        "referrals: referral_date: 1 date(s) are in another format than yyyy-mm-dd: formats are "
        "mixed" in errors
    )
    assert any("patients.csv is not UTF-8 from line 2 on" in e for e in errors)


def test_a_row_with_too_many_cells(tmp_path):
    folder = write(tmp_path / "site", {})
    (folder / "contacts.csv").write_text("referral_id,session,patient_id\nr1,1,p1,Lovelace\n")
    errors = [str(e) for e in found(folder).errors]
    assert (
        "contacts: cannot be read to its end as a table; a row may have more cells than the header"
        in errors
    )


# Memory -----------------------------------------------------------------------------------------


FALLBACK = 'fillcolor="0.0 0.3 1.0"'  # polars marks so what it cannot stream


def in_memory(query):
    """Nodes of a plan for which the whole table would be taken into memory."""
    plan = query.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    return [line for line in plan.splitlines() if FALLBACK in line]


def test_what_the_plan_says_of_a_query_that_does_not_stream():
    table = pl.LazyFrame({"a": ["x"]})
    assert in_memory(table.select(pl.col("a").str.len_bytes().sum())) == []
    assert len(in_memory(table.select(pl.col("a").replace("x", "y")))) == 1


def wide(tables):
    """The appointments side by side, a row per patient."""
    rows = {}
    for a in tables["appointments"]:
        row = rows.setdefault(a["pid"], {"pid": a["pid"], "sex": 1})
        row |= {
            f"s{a['appt_no']}_{c}": a[c] for c in ("appt_date", *(f"phq{i}" for i in range(1, 10)))
        }
    return {"wide": list(rows.values())}


@pytest.mark.parametrize("shape", [lambda t: t, wide], ids=["long", "wide"])
def test_a_file_larger_than_the_memory_streams(tmp_path, monkeypatch, shape):
    """Every result is a single row of counts, and no plan takes a whole table into memory."""
    folder = write(tmp_path / "clean", shape(clean()))
    heights, fallbacks = [], []
    collect, collect_all = pl.LazyFrame.collect, pl.collect_all

    def watched(self, *args, engine="auto", **kwargs):
        assert engine == "streaming"
        fallbacks.extend(in_memory(self))
        made = collect(self, *args, engine=engine, **kwargs)
        heights.append(made.height)
        return made

    def watched_all(queries, *, engine="auto"):
        assert engine == "streaming"
        for query in queries:
            fallbacks.extend(in_memory(query))
        made = collect_all(queries, engine=engine)
        heights.extend(m.height for m in made)
        return made

    mapping = mapping_of(folder)
    monkeypatch.setattr(pl.LazyFrame, "collect", watched)
    monkeypatch.setattr(pl, "collect_all", watched_all)
    for eager in ("read_csv", "read_parquet"):
        monkeypatch.setattr(pl, eager, None)
    source = read("test", mapping)
    report = check("test", source.tables, source.problems, today=TODAY)
    assert report.errors == []
    convert(source, tmp_path / "tables")
    assert len(heights) > 20
    assert set(heights) == {1}
    assert fallbacks == []
    assert in_memory(source.tables["contacts"]) == []


# No value ---------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.data(),
    st.lists(st.from_regex(r"Zq[a-z0-9]{6}", fullmatch=True), min_size=4, max_size=4, unique=True),
)
def test_no_message_holds_a_cell(data, markers):
    tables = {}
    for name, schema in TABLES.items():
        columns = data.draw(
            st.lists(st.sampled_from(schema.column_names()), min_size=1, max_size=8, unique=True)
        )
        columns += data.draw(st.lists(st.sampled_from(markers), max_size=2, unique=True))
        cells = st.lists(
            st.sampled_from([*markers, "1", "01", "", "31/01/2024", "9434765919"]),
            min_size=3,
            max_size=3,
        )
        tables[name] = pl.DataFrame({c: data.draw(cells) for c in columns}).lazy()
    report = check("test", tables)
    said = " ".join([*map(str, report.problems), report.verdict()])
    assert not any(marker in said for marker in markers)
    assert re.search(r"31/01/2024|9434765919", said) is None
    assert report.problems
