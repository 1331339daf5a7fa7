"""`subtypes` end to end on small data whose truth is known."""

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.subtypes.fitted import Data, session_numbers
from iesoresearch.data.cohort import Cohort
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9
from iesoresearch.params import Settings

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
    assert set(result.figures) == {"criteria", "item_profiles", "transitions", "state_shares"}
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
    answers = result.tables["item_probabilities"].frame
    sums = answers.group_by("state", "item", maintain_order=True).agg(pl.col("probability").sum())
    assert sums["probability"].to_list() == pytest.approx([1.0] * len(sums))


def test_item_profile_adds_up_to_the_expected_total(result):
    profile = result.tables["item_profiles"].frame
    sums = profile.group_by("state", maintain_order=True).agg(pl.col("score").sum())["score"]
    totals = result.tables["states"].frame["total"]
    assert sums.to_list() == pytest.approx(totals.to_list())
    assert totals.is_sorted()


def test_criteria_by_hand(result):
    fit = result.tables["fit"].frame.row(2, named=True)
    deviance = -2 * fit["log_likelihood"]
    assert fit["n_parameters"] == 2 + 3 * 27 + 6
    assert fit["aic"] == pytest.approx(deviance + 2 * 89)
    assert fit["bic"] == pytest.approx(deviance + 89 * np.log(300))
    assert fit["icl"] >= fit["bic"]
    best = result.tables["criteria"].frame.filter(
        n_states=3, criterion="BIC (n = people)", start=1
    )["value"]
    assert best.item() == pytest.approx(fit["bic"])


def test_people_present_at_each_session(result):
    shares = result.tables["state_shares"].frame
    first = shares.filter(session=1)["n"].unique().to_list()
    assert first == [300]
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
    found = release(result, Policy(10, 5)).tables["state_shares"].frame
    shown = found.drop_nulls("share")
    assert (shown["share"] * shown["n"]).min() >= 10 - 2.5 * shown["share"].max()
    hidden = found.filter(pl.col("share").is_null())
    assert hidden["share_low"].null_count() == hidden["share_high"].null_count() == len(hidden) > 0


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
    assert set(result.not_applicable) == {"transitions", "state_shares"}
    assert "everybody was seen once" in result.not_applicable["transitions"]
    assert result.numbers["verdict"].value != "differs in kind"  # answers are pure noise


def test_session_numbers():
    assert session_numbers(np.array([2, 1, 3])).tolist() == [1, 2, 1, 1, 2, 3]
