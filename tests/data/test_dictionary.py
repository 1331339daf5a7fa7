"""The dictionary says what the schema says, in every format."""

import csv
import io
import json
import re

from iesoresearch.data import dictionary
from iesoresearch.data.schema import TABLES


def test_every_column_is_described():
    found = {(e.table, e.column) for e in dictionary.entries()}
    assert found == {(t, c) for t, s in TABLES.items() for c in s.column_names()}
    assert [e for e in dictionary.entries() if not e.meaning or not e.type] == []


def test_what_it_says_of_some_columns():
    by_name = {(e.table, e.column): e for e in dictionary.entries()}
    item = by_name["contacts", "phq9_9"]
    assert (item.type, item.allowed, item.required) == ("whole number", "0 to 3", "")
    assert "self-harm thoughts" in item.meaning
    assert by_name["patients", "gender"].allowed == "female | male | other | not known"
    assert by_name["patients", "patient_id"].required == "yes"
    assert by_name["scores", "instrument"].required == "if the table is there"
    assert by_name["contacts", "wsas_1"].allowed == "0 to 9"  # 9 = not applicable
    assert by_name["patients", "weight"].allowed == "0 or more"


def test_the_formats_agree():
    columns = json.loads(dictionary.as_text("json"))["columns"]
    assert list(csv.DictReader(io.StringIO(dictionary.as_text("csv")))) == columns
    text = dictionary.as_text("markdown")
    for column in columns:
        assert f"| {column['column']} | {column['type']} |" in text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    table = [line for line in lines if line.startswith("| gender ")]
    assert len(re.split(r"(?<!\\)\|", table[0])) == 5 + 2  # bars of a code list are escaped


def test_open_data_say_where_they_are_published():
    open_data = json.loads(dictionary.as_text("json"))["open_data"]
    assert {f["name"] for f in open_data} >= {
        "DPQ_J.XPT",
        "measures_annual.parquet",
        "nhanes_phq9_2007_2018.parquet",
    }
    for file in open_data:
        assert re.fullmatch(r"[0-9a-f]{64}", file["sha256"])
        assert file["address"].startswith("https://")
    assert "Copyright NHS England" in dictionary.as_text("markdown")
