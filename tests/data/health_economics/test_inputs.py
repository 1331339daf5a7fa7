"""The table of inputs is that of the sources, and a bad one is refused with its place."""

import pytest
import yaml

from iesoresearch.data import published
from iesoresearch.data.health_economics import load_inputs
from iesoresearch.data.health_economics.distributions import PARAMETERS
from iesoresearch.errors import DataError

GOOD = {
    "sources": {"paper": {"citation": "A paper", "doi": "10.1000/xyz"}},
    "groups": [
        {
            "group": "costs",
            "condition": "depression",
            "inputs": [
                {
                    "name": "cost",
                    "label": "A cost",
                    "value": 10,
                    "unit": "£ per month",
                    "price_year": "2019-20",
                    "distribution": {"kind": "gamma", "relative_sd": 0.15},
                    "status": "sourced",
                    "source": "paper",
                    "reason": "Printed.",
                }
            ],
        }
    ],
}


def changed(**fields):
    content = yaml.safe_load(yaml.safe_dump(GOOD))
    entry = content["groups"][0]["inputs"][0]
    entry.update(fields)
    for name in [k for k, v in fields.items() if v == "absent"]:
        del entry[name]
    return yaml.safe_dump(content, allow_unicode=True)


SHIPPED = {x.name: x for x in load_inputs()}


def test_the_shipped_table_is_sound_and_every_row_has_its_ground():
    inputs = load_inputs()
    assert len({x.name for x in inputs}) == len(inputs)
    for x in inputs:
        assert x.status in ("sourced", "derived", "assumption")
        assert x.reason
        assert x.distribution in PARAMETERS
        assert x.low <= x.value <= x.high
        assert (x.price_year is not None) == x.unit.startswith("£")
        assert x.status == "assumption" or x.source
    assumed = {x.name for x in inputs if x.status == "assumption"}
    # The issue names these as assumptions.
    assert {"dropout_per_week", "relapse_depression", "relapse_anxiety", "week_of_work"} <= assumed
    assert {"employed_share"} <= assumed


def test_derived_inputs_are_those_of_the_paper():
    """Midpoints of the printed ranges in Catarino et al. 2023, doi:10.1038/s44220-023-00106-z."""
    bands = ("minimal", "mild", "moderate", "moderately_severe", "severe")
    tables = {
        "utility_sf6d_depression": (0.75, 0.715, 0.65, 0.605, 0.565),
        "background_depression": (19.76, 44.525, 48.235, 61.35, 74.46),
        "deterioration_depression": (None, 0.019, 0.0235, 0.025, None),
        "recovery_depression": (None, 0.03665, 0.0208, 0.02175, 0.01325),
        "course_nhs_tt_depression": (None, 671.5, 657.5, 697.5, 777.5),
        "course_ieso_depression": (None, 458.5, 499, 511.5, 500),
        # Kolovos et al. 2017, doi:10.1007/s11136-017-1536-2
        "utility_eq5d_depression": (0.70, 0.62, 0.57, 0.52, 0.39),
        "utility_sf6d_anxiety": (0.75, 0.695, 0.63, None, 0.56),
        "background_anxiety": (32.085, 31.64, 34.875, None, 47.29),
        "recovery_anxiety": (None, 0.006, 0.006, None, 0.006),
        "course_nhs_tt_anxiety": (None, 520, 604.5, None, 698.5),
        "course_ieso_anxiety": (None, 467, 501.5, None, 541),
    }
    for name, values in tables.items():
        for band, value in zip(bands, values, strict=True):
            if value is not None:
                assert SHIPPED[f"{name}_{band}"].value == value


def test_inputs_of_the_nhs_are_the_published_figures():
    figures = published.load().filter(period="2024-25", org="England")

    def one(**where):
        return figures.filter(**where)["value"].item()

    waits = figures.filter(breakdown="second wait", measure="finished")
    counts = dict(zip(waits["group"], waits["value"], strict=True))
    rows = {
        "<=28 days": "to_28_days",
        "29-56 days": "29_to_56_days",
        "57-90 days": "57_to_90_days",
        ">90 days": "over_90_days",
    }
    for group, name in rows.items():
        x = SHIPPED[f"second_wait_share_{name}"]
        assert x.parameters["count"] == counts[group]
        assert x.value == pytest.approx(counts[group] / sum(counts.values()), abs=1e-5)
    cbt = {"breakdown": "problem, cognitive behaviour therapy", "group": "depression"}
    assert SHIPPED["phq9_mean"].value == one(**cbt, measure="phq9 first", statistic="mean")
    assert SHIPPED["phq9_sd"].value == one(**cbt, measure="phq9 first", statistic="sd")
    gad = {**cbt, "group": "generalised anxiety disorder"}
    assert SHIPPED["gad7_mean"].value == one(**gad, measure="gad7 first", statistic="mean")
    every = {"breakdown": "therapy", "group": "cognitive behaviour therapy"}
    assert SHIPPED["gad7_sd"].value == one(**every, measure="gad7 first", statistic="sd")


def test_a_range_that_is_not_given_is_that_of_95_percent():
    (x, *_) = load_inputs(changed())
    gamma = x.law().frozen()
    assert (x.low, x.high) == pytest.approx((gamma.ppf(0.025), gamma.ppf(0.975)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "absent"}, "costs, cost: source is missing"),
        ({"source": "book"}, 'costs, cost: source "book" is not among the sources'),
        ({"price_year": "absent"}, "costs, cost: price_year is missing, though it is money"),
        ({"reason": "absent"}, "costs, cost: reason is missing"),
        ({"lable": "A"}, r"lable is no field of an input \(did you mean label\?\)"),
        ({"value": -1}, "costs, cost: value is negative: -1 £ per month"),
        (
            {"value": -0.02, "unit": "probability per month"},
            "value is negative: -0.02 probability per month",
        ),
        ({"value": 1.2, "unit": "utility"}, "value 1.2 is above 1, the most of a utility"),
        ({"value": float("nan")}, "value is not finite"),
        ({"value": "ten"}, "value is not a number"),
        ({"unit": "$ per month"}, r'unit "\$ per month" is not known'),
        ({"low": 11, "high": 12}, "value lies outside low … high"),
        ({"status": "known"}, "status must be one of sourced, derived, assumption"),
        ({"status": "assumption"}, "an assumption needs low; .*an assumption needs high"),
        ({"distribution": "gamma"}, "distribution must be a mapping with a kind"),
        (
            {"value": 0.9, "unit": "utility", "distribution": {"kind": "beta", "sd": 0.4}},
            "distribution: no beta distribution has mean 0.9 and standard deviation 0.4; with "
            "that mean it is below 0.3",
        ),
        (
            {
                "value": 0.9,
                "unit": "utility",
                "distribution": {"kind": "uniform", "low": 0.7, "high": 1.1},
            },
            "distribution: it gives draws above 1, the most of a utility",
        ),
        (
            {"value": 1, "distribution": {"kind": "uniform", "low": -1, "high": 3}},
            "distribution: it gives negative draws",
        ),
    ],
)
def test_a_bad_input_is_named_with_its_place(fields, message):
    with pytest.raises(DataError, match=message):
        load_inputs(changed(**fields))


def test_all_problems_are_told_at_once():
    content = yaml.safe_load(changed(value=-1))
    content["groups"][0]["inputs"].append({"name": "other"})
    content["groups"].append({"group": "empty"})
    with pytest.raises(DataError, match=r"cost: value is negative.*other: label is missing.*\[1\]"):
        load_inputs(yaml.safe_dump(content))


def test_what_is_no_table_is_refused():
    with pytest.raises(DataError, match="is not YAML"):
        load_inputs("a: [")
    with pytest.raises(DataError, match="there must be sources and groups"):
        load_inputs("a: 1")
    content = yaml.safe_load(changed())
    content["groups"][0]["inputs"] *= 2
    with pytest.raises(DataError, match="cost: the name is used twice"):
        load_inputs(yaml.safe_dump(content))
    content = yaml.safe_load(changed())
    content["sources"]["paper"]["doi"] = "doi.org/10"
    with pytest.raises(DataError, match="is no DOI"):
        load_inputs(yaml.safe_dump(content))
    content["sources"]["paper"] = {"doi": "10.1000/xyz"}
    with pytest.raises(DataError, match="its source has no citation"):
        load_inputs(yaml.safe_dump(content))
    content = yaml.safe_load(changed())
    content["groups"][0]["condition"] = "grief"
    with pytest.raises(DataError, match="condition must be one of depression, anxiety, both"):
        load_inputs(yaml.safe_dump(content))
