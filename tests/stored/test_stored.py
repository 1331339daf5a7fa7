"""What is written of a result is read back as it was, declarations included."""

import json
from dataclasses import fields, replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from iesoresearch import stored
from iesoresearch.errors import DataError
from iesoresearch.results import Check, FigureSpec, Number, Result, Table, Value


def draw(name, folder):
    (folder / f"{name}.png").write_bytes(b"a picture")


def assert_equal(read, given):
    """Field by field: a frame has no plain equality, and NaN none at all."""
    for f in fields(Result):
        a, b = getattr(read, f.name), getattr(given, f.name)
        if f.name == "tables":
            assert list(a) == list(b)
            for name, table in b.items():
                assert_frame_equal(a[name].frame, table.frame, check_exact=True)
                for part in fields(Table):
                    if part.name != "frame":
                        assert getattr(a[name], part.name) == getattr(table, part.name), part.name
        elif f.name == "documents":
            assert list(a) == list(b)
        elif f.name == "numbers":
            assert repr(a) == repr(b)  # NaN is written as NaN
        elif f.name != "private":
            assert a == b, f.name


def a_result():
    """Something of every kind: a result as an analysis declares it, released."""
    frame = pl.DataFrame(
        {
            "group": ["a,\n", "", None, "d"],
            "year": [2020, 2021, None, 2023],
            "day": [date(2020, 2, 29), None, date(1, 1, 1), date(2023, 1, 1)],
            "n": [20, 1230, None, 40],
            "better": [None, 30, 10, 20],
            "worse": [10, 20, None, 10],
            "rate": [0.1 + 0.2, float("nan"), None, -0.0],
            "yes": [True, False, None, True],
            "status": ["released", "suppressed", None, "released"],
        }
    )
    count = Value("count", "People", 0, sensitivity="synthetic")
    rate = Value("rate", "Rate", 3, "n", ("year",), follows="n", sensitivity="open")
    table = Table(
        "Groups",
        frame,
        {"group": "Group", "year": "Year", "day": "Day"},
        {
            "n": replace(count, parts_of=()),
            "better": replace(count, within=("n", "elsewhere")),
            "worse": replace(count, within="n", apart_from="better"),
            "rate": rate,
            "yes": Value("model", "Yes?", 0),
        },
        population="courses of {year}",
        broader={("a,\n", 2020): (("d", 2023), ("", 2021)), ("d", 2023): ()},
        related=((("x", "n", ("d", 2023)), (("y", "n", (1, None)), ("x", "better", ())), True),),
    )
    return Result(
        tables={"groups": table, "none": replace(table, frame=frame.head(0))},
        numbers={
            "people": Number(1230, 1230, "people", kind="count", sensitivity="open"),
            "gain": Number(0.1 + 0.2, 20, "SD", 2, "mean", "synthetic"),
            "hidden": Number(None, None, "%", 1, "rate", status="suppressed"),
            "odd": Number(float("nan"), 20),
            "word": Number("better {not}", 30, digits=3),
        },
        checks=[Check("range", "passed", "{people}: {{in}} range."), Check("x", "failed", "No.")],
        text={"plain": "Of {people}, {hidden}.", "limits": "Nothing {{more}}."},
        figures={
            "dots": FigureSpec("groups", "Dots", "All {people}."),
            "d": FigureSpec("none", "D", "None."),
        },
        not_applicable={"waves": "Waves: nothing moved."},
        documents={"model.json": lambda result, path: path.write_text(str(result.numbers["gain"]))},
        provenance={"data": "d", "sensitivity": "synthetic", "disclosure": {"min_count": 10}},
        evidence={"20a": ["table:groups"], "24": ["not done: {people}", "text:plain"]},
        checklist="cheers",
    )


def test_round_trip(tmp_path):
    result = a_result()
    stored.write_result(result, tmp_path, draw)
    assert_equal(stored.read_result(tmp_path), result)


def test_what_was_read_is_written_as_it_was(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    stored.write_result(a_result(), first, draw)
    stored.write_result(stored.read_result(first), second, draw)
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert [(first / n).read_bytes() for n in names] == [(second / n).read_bytes() for n in names]
    assert (second / "model.json").read_text(encoding="utf-8") == "0.30 SD"


def test_rows_of_patients_are_neither_written_nor_read(tmp_path):
    rows = {"predictions": pl.DataFrame({"patient_id": ["row-of-patient-4711"]})}
    stored.write_result(replace(a_result(), private=rows), tmp_path, draw)
    assert not any(b"4711" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert stored.read_result(tmp_path).private == {}


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=6)
CELLS = {
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.UInt8(): st.integers(0, 255),
    pl.Float64(): st.floats(allow_nan=False),
    pl.Float32(): st.floats(width=32, allow_nan=False),
    pl.String(): WORDS,
    pl.Boolean(): st.booleans(),
    pl.Date(): st.dates(),
    pl.Enum(["", "a", "b,\n"]): st.sampled_from(["", "a", "b,\n"]),
    pl.Null(): st.none(),
}


@st.composite
def tables(draw):
    """Any frame that a CSV file can hold, with any declarations."""
    height = draw(st.integers(0, 4))
    types = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=5))
    columns = {
        f"c{i}": pl.Series(
            draw(st.lists(st.none() | CELLS[t], min_size=height, max_size=height)), dtype=t
        )
        for i, t in enumerate(types)
    }
    n_keys = draw(st.integers(0, len(types)))
    keys = {c: draw(WORDS) for c in list(columns)[:n_keys]}
    values = {
        c: Value(
            draw(st.sampled_from(["rate", "mean", "model"])),
            draw(WORDS),
            draw(st.integers(0, 9)),
            denominator=draw(st.none() | st.sampled_from(list(columns))),
            parts_of=draw(st.none() | st.just(tuple(keys))),
            sensitivity=draw(st.sampled_from(["open", "synthetic", "patient"])),
        )
        for c in list(columns)[n_keys:]
    }
    row = st.tuples(*[WORDS | st.integers() | st.none() for _ in keys])
    broader = draw(st.dictionaries(row, st.lists(row, max_size=2).map(tuple), max_size=2))
    return Table(draw(WORDS), pl.DataFrame(columns), keys, values, draw(st.none() | WORDS), broader)


def test_a_word_of_a_carriage_return_is_a_word(tmp_path):
    frame = pl.DataFrame({"group": ["a\r", "\r", None], "n": [20, None, 30]})
    count = Value("count", "People", 0, sensitivity="open")
    table = Table("Groups", frame, {"group": "Group"}, {"n": count})
    stored.write_result(Result(tables={"t": table}), tmp_path, draw)
    assert_frame_equal(stored.read_result(tmp_path).tables["t"].frame, frame)


@given(table=tables(), number=st.floats() | st.integers() | WORDS | st.none(), words=WORDS)
@settings(max_examples=50, deadline=None)
def test_any_result_is_read_as_it_was_written(tmp_path_factory, table, number, words):
    folder = tmp_path_factory.mktemp("any")
    numbers = {"x": Number(number, 12, words, 2)}
    text = {"plain": words + "{x}"}
    result = Result(tables={"t": table}, numbers=numbers, text=text, provenance={"w": words})
    stored.write_result(result, folder, draw)
    assert_equal(stored.read_result(folder), result)


def change(path, edit):
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("result.json", lambda c: c.pop("format")),
        ("result.json", lambda c: c.update(format=99)),
        ("result.json", lambda c: c["tables"]["groups"].update(surprise=1)),
        ("result.json", lambda c: c["tables"]["groups"]["values"]["n"].update(kind="tally")),
        ("result.json", lambda c: c["tables"]["groups"]["values"]["n"].update(sensitivity="no")),
        ("result.json", lambda c: c["tables"]["groups"]["values"]["n"].update(digits=10**6)),
        ("result.json", lambda c: c["tables"]["groups"]["values"].pop("n")),
        ("result.json", lambda c: c["tables"]["groups"]["types"].update(n="Object")),
        ("result.json", lambda c: c["tables"].update({"../up": c["tables"]["groups"]})),
        ("result.json", lambda c: c.update(documents=["../../etc"])),
        ("result.json", lambda c: c["figures"].update({"../up": c["figures"]["dots"]})),
        ("result.json", lambda c: c["figures"]["dots"].update(table="absent")),
        ("result.json", lambda c: c.update(tables=[1])),
        ("numbers.json", lambda c: c["people"].update(value=[1])),
        ("numbers.json", lambda c: c["people"].update(n="20")),
        ("numbers.json", lambda c: c["people"].pop("kind")),
        ("numbers.json", lambda c: c["people"].update(surprise=1)),
        ("checks.json", lambda c: c.append(1)),
    ],
)
def test_a_changed_file_is_one_sentence(tmp_path, file, edit):
    folder = tmp_path / "groups-run"
    folder.mkdir()
    stored.write_result(a_result(), folder, draw)
    change(folder / file, edit)
    with pytest.raises(DataError, match="The result in groups-run cannot be read: a file"):
        stored.read_result(folder)


@pytest.mark.parametrize("content", ["", "group\n", "group,year\na\n", "\0", "group,n\n1,2,3\n"])
def test_a_changed_table_is_one_sentence(tmp_path, content):
    stored.write_result(a_result(), tmp_path, draw)
    (tmp_path / "tables" / "groups.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="absent or damaged"):
        stored.read_result(tmp_path)


def test_a_column_that_no_file_can_hold_is_refused_when_it_is_written(tmp_path):
    table = Table("T", pl.DataFrame({"k": [[1]]}), {"k": "K"}, {})
    with pytest.raises(ValueError, match="column of type List"):
        stored.write_result(Result(tables={"t": table}), tmp_path, draw)
