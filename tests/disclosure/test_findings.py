"""Findings: the gravest status, their JSON, and how a report sums them up."""

import json

import pytest

from iesoresearch.disclosure.findings import Finding, summary, worst

FOUND = [
    Finding("a", "table:t", "pass", "counts", "Fine.", {"rows": 3}),
    Finding("a", "table:t", "refuse", "small counts", "Not fine."),
    Finding("a", "number:n", "review", "no count behind it", "Look."),
    Finding("b", "run", "pass", "policy", "Fine."),
]


def test_the_gravest_status_counts():
    assert worst(FOUND) == "refuse"
    assert worst(FOUND[2:]) == "review"
    assert worst([]) == "pass"


def test_json_gives_a_finding_back():
    again = [Finding.from_json(json.loads(json.dumps(one.to_json()))) for one in FOUND]
    assert again == FOUND
    with pytest.raises(ValueError, match="'fine' is no status of a finding"):
        Finding.from_json(FOUND[0].to_json() | {"status": "fine"})


def test_a_summary_says_of_every_run_how_its_outputs_are_judged():
    a, b = summary(FOUND)
    assert (a["run"], a["status"]) == ("a", "refuse")
    assert a["counts"] == {"pass": 0, "review": 1, "refuse": 1}
    assert [one["status"] for one in a["outputs"][0]["findings"]] == ["refuse", "pass"]
    assert b["counts"] == {"pass": 1, "review": 0, "refuse": 0}
