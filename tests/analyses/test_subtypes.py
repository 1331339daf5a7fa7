"""`subtypes` end to end on small data whose truth is known."""

import functools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.subtypes.fitted import Data
from iesoresearch.data import synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9
from iesoresearch.params import Settings
from iesoresearch.results import Result

subtypes = analyses.get("subtypes")
SMALL = {
    "source": "synthetic",
    "n_patients": 300,
    "max_states": 3,
    "n_starts": 3,
    "n_folds": 2,
    "n_bootstrap": 20,
    "seed": 5,
}


def compute(n_jobs=1, **changes):
    params = subtypes.Params.check(SMALL | changes, "test")
    return subtypes.run(subtypes.load(params, Settings(n_jobs=n_jobs)), params)


@pytest.fixture(scope="module")
def result():
    return compute()


def test_every_table_and_figure_is_there(result):
    drawn = "criteria residuals item_profiles people transitions state_shares flow"
    assert set(result.figures) == set(drawn.split())
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    assert not result.not_applicable
    for table in result.tables.values():
        keys = table.frame.select(list(table.keys))
        assert keys.is_unique().all(), f"{table.title}: rows share their keys"


def test_every_sentence_can_be_filled(result):
    templates = [c.sentence for c in result.checks] + list(result.text.values())
    templates += [spec.caption for spec in result.figures.values()]
    for template in templates:
        assert "{" not in result.render(template)


def test_simulated_data_say_so(result):
    assert "SIMULATED" in result.text["limits"]
    assert {v.sensitivity for t in result.tables.values() for v in t.values.values()} == {
        "synthetic"
    }


def test_probabilities(result):
    moves = result.tables["transitions"].frame
    sums = moves.group_by("origin", maintain_order=True).agg(pl.col("probability").sum())
    assert sums["probability"].to_list() == pytest.approx([1.0] * len(sums))
    shares = result.tables["state_shares"].frame
    sums = shares.group_by("session", maintain_order=True).agg(pl.col("share").sum())
    assert sums["share"].to_list() == pytest.approx([1.0] * len(sums))


def test_item_profile_adds_up_to_the_expected_total(result):
    profile = result.tables["item_profiles"].frame
    sums = profile.group_by("state", maintain_order=True).agg(pl.col("score").sum())["score"]
    totals = result.tables["states"].frame["total"]
    assert sums.to_list() == pytest.approx(totals.to_list())
    assert totals.is_sorted()


@pytest.fixture(scope="module")
def n_answering():
    """How many of the 300 referred ever answered an item, counted another way."""
    contacts = synthetic.make(300, SMALL["seed"]).contacts
    answered = contacts.filter(pl.any_horizontal(pl.col(PHQ9.columns).is_not_null()))
    return answered["patient_id"].n_unique()


def test_criteria_by_hand(result, n_answering):
    fit = result.tables["fit"].frame.row(2, named=True)
    deviance = -2 * fit["log_likelihood"]
    assert fit["n_parameters"] == 2 + 3 * 27 + 6
    assert fit["aic"] == pytest.approx(deviance + 2 * 89)
    assert fit["bic"] == pytest.approx(deviance + 89 * np.log(n_answering))
    assert fit["icl"] >= fit["bic"]
    best = result.tables["criteria"].frame.filter(
        n_states=3, criterion="BIC (n = people)", start=1
    )["value"]
    assert best.item() == pytest.approx(fit["bic"])


def test_people_present_at_each_session(result, n_answering):
    shares = result.tables["state_shares"].frame
    first = shares.filter(session=1)["n"].unique().to_list()
    assert first == [n_answering]
    people = shares.group_by("session", maintain_order=True).first()["n"].to_list()
    assert people == sorted(people, reverse=True)


def test_threads_change_nothing(result):
    again = compute(n_jobs=2)
    assert again.numbers == result.numbers
    for name, table in result.tables.items():
        assert again.tables[name].frame.equals(table.frame), name


def test_number_of_states_can_be_chosen():
    result = compute(n_states=2)
    assert result.numbers["n_states"].value == 2
    assert len(result.tables["states"].frame) == 2


def test_edge_of_the_range_is_said(result):
    check = {c.name: c for c in result.checks}["number of states inside the range tried"]
    assert check.status == "inconclusive"
    assert "Raise max_states" in check.sentence


def test_released_tables_show_no_small_group(result):
    found = release(result, Policy(10, 5))
    for name, share in (("state_shares", "share"), ("transitions", "probability")):
        frame, exact = found.tables[name].frame, result.tables[name].frame
        shown = frame[share].is_not_null()
        people = (exact[share] * exact["n"]).filter(shown)
        assert people.min() >= 10
        assert 0 < shown.sum() < len(shown)
        for end in ("low", "high"):
            assert (frame[f"{share}_{end}"].is_not_null() == shown).all()


def test_released_numbers_do_not_tell_how_many_people_had_a_session(result):
    """No released column determines the number that the released count is rounded from."""
    frame = release(result, Policy(10, 5)).tables["state_shares"].frame.drop_nulls("share")
    exact = result.tables["state_shares"].frame
    half = (frame["share_high"] - frame["share_low"]) / 2 / 1.96
    implied = frame["share"] * (1 - frame["share"]) / half**2
    pairs = frame.select("session", "state", implied=implied).join(exact, on=["session", "state"])
    assert ((pairs["implied"] - pairs["n"]).abs() / pairs["n"]).median() > 0.05


def test_models_of_too_many_parameters_for_their_people_are_hidden(result, n_answering):
    """Three states have 2 + 3 · 27 + 6 parameters, two 1 + 2 · 27 + 2; a profile has 27."""
    spare = n_answering - 89
    shown = {
        more: release(result, Policy(degrees_of_freedom=spare + more)).tables for more in (0, 1)
    }
    for name, columns in (("fit", ["aic", "log_likelihood"]), ("stability", ["value"]),
                          ("residuals", ["residual"])):  # fmt: skip
        rows = {more: tables[name].frame.select(columns) for more, tables in shown.items()}
        exact = result.tables[name].frame.select(columns)
        assert rows[0].null_count().equals(exact.null_count())
        hidden = rows[1].null_count().sum_horizontal().item()
        assert hidden == len(columns) * (1 if name == "fit" else exact.height)
    assert shown[1]["fit"].frame["aic"].is_null().to_list() == [False, False, True]
    assert shown[0]["criteria"].frame["value"].null_count() == 0
    assert shown[1]["criteria"].frame.drop_nulls("value").is_empty()
    people = result.tables["item_profiles"].frame["n"].min()
    few = release(result, Policy(degrees_of_freedom=int(people) - 26)).tables["item_profiles"]
    assert few.frame.group_by("state").agg(pl.col("score").null_count())["score"].max() == 9


def people_by_hand(tables):
    """Everybody in all tables, and those with a session beside each of its states."""
    everybody, frame = ("fit", "n", (1,)), tables["state_shares"].frame
    for name in ("criteria", "fit", "stability", "residuals", "other_assumptions"):
        for row in tables[name].frame.select(list(tables[name].keys)).rows():
            yield everybody, ((name, "n", row),), True
    for row in frame.select("session", "state").rows():
        yield everybody, (("state_shares", "n", row),), row[0] == 1
        yield ("state_shares", "n", (row[0], 1)), (("state_shares", "n", row),), True


def test_few_people_without_a_session_cannot_be_told_from_all_tables(result, proved):
    """Of all but four of the people a session is shown, so their number is not."""
    n = result.numbers["n_people"].value
    tables = dict(result.tables)
    second = tables["state_shares"].frame.with_columns(
        n=pl.when(pl.col("session") == 2).then(n - 4).otherwise("n")
    )
    tables["state_shares"] = replace(tables["state_shares"], frame=second)
    relations = list(people_by_hand(tables))
    for related, told in ((True, False), (False, True)):
        given = {
            name: table if related else replace(table, related=()) for name, table in tables.items()
        }
        released = release(Result(tables=given), Policy())
        found = proved(tables, released.tables, Policy(), relations)
        assert bool(found) == told


def one_occasion(n, seed=0):
    random = np.random.default_rng(seed)
    ids = [str(i) for i in range(n)]
    contacts = pl.DataFrame(
        {"referral_id": ids, "patient_id": ids, "session": [1] * n}
        | {c: random.integers(0, 4, n) for c in PHQ9.columns}
    )
    tables = {
        "patients": pl.DataFrame({"patient_id": ids}),
        "referrals": pl.DataFrame({"referral_id": ids, "patient_id": ids}),
        "contacts": contacts,
    }
    cohort = Cohort.checked("Test data", "patient", tables, "none")
    return Data(cohort, cohort.sequences(PHQ9))


def test_more_states_than_the_data_can_carry():
    params = subtypes.Params.check(SMALL | {"max_states": 8}, "test")
    with pytest.raises(DataError, match="Ask for fewer states or bring more data"):
        subtypes.run(one_occasion(5), params)


def test_one_occasion_has_no_transitions():
    params = subtypes.Params.check(SMALL | {"max_states": 2}, "test")
    result = subtypes.run(one_occasion(200), params)
    assert "transitions" not in result.tables
    assert set(result.not_applicable) == {
        *("transitions", "state_shares", "flow", "other_assumptions")
    }
    assert "everybody was seen once" in result.not_applicable["transitions"]
    assert result.numbers["verdict"].value == "not applicable"  # noise: one state is enough


def test_shares_by_session_against_a_loop():
    cohort = one_occasion(4).cohort
    contacts = pl.DataFrame(
        {"referral_id": list("000112"), "session": [2, 3, 5, 2, 3, 3]}
    ).with_columns(
        pl.col("referral_id").alias("patient_id"), *(pl.lit(1).alias(c) for c in PHQ9.columns)
    )
    tables = {"patients": cohort.patients, "referrals": cohort.referrals, "contacts": contacts}
    data = Data(made := Cohort.checked("x", "patient", tables, "none"), made.sequences(PHQ9))
    assert data.sessions.tolist() == [2, 3, 5]
    assert data.people_by_session.tolist() == [2, 3, 1]
    posterior = np.arange(14.0).reshape(7, 2)  # person 0: sessions 2 3 (4) 5; person 1: 2 3; 2: 3
    expected = [posterior[[0, 4]].mean(0), posterior[[1, 5, 6]].mean(0), posterior[3]]
    assert np.allclose(data.by_session(posterior, np.ones(3)), expected)
    weighted = (posterior[0] + 3 * posterior[4]) / 4
    assert np.allclose(data.by_session(posterior, np.array([1.0, 3.0, 5.0]))[0], weighted)


@pytest.mark.parametrize("k", [1, 2])
def test_one_or_two_states_are_not_asked_about_kinds(k):
    result = compute(n_states=k, max_states=2)
    assert result.numbers["verdict"].value == "not applicable"
    assert result.checks[0].status == "not applicable"
    wanted = "one group, with" if k == 1 else "in 2 groups, as was asked for"
    assert wanted in result.render(result.text["plain"])


def test_pure_severity_is_called_so(monkeypatch):
    """States that differ in severity only, with answers that do not follow the ladder's formula."""
    monkeypatch.setattr(synthetic, "make", functools.partial(synthetic.make, lean=0.0))
    result = compute(n_patients=1000, max_states=5)
    assert result.numbers["n_states"].value >= 4
    assert result.numbers["verdict"].value == "severity only"


def test_kinds_are_called_so(monkeypatch):
    """Two kinds far apart: somatic or cognitive-affective symptoms, hardly ever both."""
    monkeypatch.setattr(synthetic, "make", functools.partial(synthetic.make, lean=3.0))
    result = compute(n_patients=1000, max_states=6)
    assert result.numbers["verdict"].value == "differs in kind"


def test_few_people_are_not_enough_for_any_answer():
    """A loss on unseen people from too few people says nothing about severity."""
    params = subtypes.Params.check(SMALL | {"max_states": 3, "n_states": 3}, "test")
    result = subtypes.run(one_occasion(60), params)
    assert result.numbers["gain_low"].value < 0
    assert result.numbers["verdict"].value == "inconclusive"


def test_an_item_that_never_varies():
    data = one_occasion(200)
    data.sequences.items[:, 8] = 0
    result = subtypes.run(data, subtypes.Params.check(SMALL | {"max_states": 3}, "test"))
    assert np.isfinite(result.numbers["distance"].value)
