"""The queue of `waiting`: what it takes from published figures and inputs, and what it shows."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.computed import Computed, Data, model_of
from iesoresearch.analyses.waiting.england import England
from iesoresearch.analyses.waiting.queue_checked import QUEUE_TEXT, queue_checks, queue_numbers
from iesoresearch.analyses.waiting.queue_shown import (
    MEDIAN,
    P90,
    WAITING,
    queue_figures,
    queue_tables,
)
from iesoresearch.analyses.waiting.queues import (
    ADDED,
    AS_IS,
    CHANGES,
    LONGEST,
    PARTS,
    Queues,
    ladder_name,
    published_waits,
    routes,
    scenarios,
)
from iesoresearch.data.health_economics import load_inputs
from iesoresearch.errors import ParameterError
from iesoresearch.models import queue
from iesoresearch.reporting import markup
from iesoresearch.results import Result


def made(n_jobs=1, **changes):
    inputs = load_inputs()
    data = Data(inputs, England.read(inputs), {}, 1, n_jobs)
    settings = {"queue_referrals": 1000, "queue_replications": 2, "n_draws": 1000}
    return Queues(Computed(data, Params(**settings | changes)))


@pytest.fixture(scope="module")
def queues():
    return made()


@pytest.fixture(scope="module")
def found(queues):
    tables, numbers = queue_tables(queues), queue_numbers(queues)
    return SimpleNamespace(tables=tables, numbers=numbers, checks=queue_checks(queues, numbers))


# What goes in


def test_published_figures_are_those_of_the_facts(queues):
    """Finished courses of England 2024-25, percentages as printed there."""
    england = queues.computed.data.england
    waits = published_waits(england.frame, england.year)
    assert 100 * np.array(waits.first) == pytest.approx([81.4, 13.6, 2.7, 2.2], abs=0.06)
    assert 100 * np.array(waits.second) == pytest.approx([40.1, 21.7, 14.5, 23.7], abs=0.06)
    assert waits.further_first == pytest.approx({6.0: 0.916, 18.0: 0.987}, abs=5e-4)
    low, high = routes(england.frame, england.year, 15.0)
    # 267,299 low only, 260,902 both, 111,901 high only
    assert low.share == pytest.approx(528_201 / 640_102)
    assert low.share + high.share == 1


def test_severity_is_that_of_a_normal_distribution(queues):
    """PHQ-9 bands mild to severe start at 5, 10, 15 and 20."""
    value = queues.values
    law = stats.norm(value["phq9_mean"], value["phq9_sd"])
    at = law.cdf([4.5, 9.5, 14.5, 19.5, 27.5])
    assert queues.mix == pytest.approx(np.diff(at) / (at[-1] - at[0]))


def test_hazards_and_price_are_those_of_the_inputs(queues):
    service = queues.accounts[queue.ROUTES].service
    assert service.drop_out[0] == pytest.approx(-np.log(1 - queues.values["dropout_per_week"]))
    eight_weeks = -np.log(1 - queues.values["remission_waiting_list"])  # Mekonen et al. 2022
    assert service.recovery == pytest.approx([eight_weeks / 8] * 4)
    prices, base = queues.prices(), queues.computed.base["depression"]
    assert prices.course + prices.assessment == pytest.approx(base.course @ queues.mix)
    assert queues.prices(1000.0).course + queues.prices(1000.0).assessment == pytest.approx(1000)


def test_costs_are_those_of_the_waiting_model_without_therapy(queues):
    base = queues.computed.base["depression"]
    draws = base.draws | {"engaged_nhs_tt": np.ones(len(base.draws["engaged_nhs_tt"]))}
    out = model_of("depression", queues.params, second_wait_weeks=1).evaluate(draws, [0, 26, 52])
    work = out.cost_of_waiting("productivity")
    health = out.cost_of_waiting("health", wtp=20_000.0)
    background = out.background - out.background[:, :, :1]
    for part, expected in zip(PARTS, (background, work, health), strict=True):
        np.testing.assert_allclose(queues.costs[part][:, :, [0, 26, 52]], expected, atol=1e-9)
    coarse = queues.cost_of_waits(4)
    for part, cost in queues.costs.items():
        assert np.abs(coarse[part] - cost).max() < 0.01 * np.abs(cost).max()


def test_scenarios_add_the_places_they_say(queues):
    for account in queues.accounts.values():
        service = account.service
        places = sum(route.places for route in service.routes)
        for where, steps in ADDED.items():
            for added in steps:
                scenario = account.simulated.scenarios[account.place(ladder_name(where, added))]
                after = [route.places for route in service.scaled(scenario).routes]
                assert sum(after) - places == pytest.approx(added / 100 * places, abs=2.01)
                if where == LONGEST:
                    same = [r.places for r in service.routes if r.name != account.longest]
                    assert all(n in after for n in same)
        names = [s.name for s in scenarios(service)]
        assert len(set(names)) == len(names)
        assert names[0] == AS_IS


# What comes out


def test_tables_hold_what_was_simulated(queues, found):
    account = queues.accounts[queue.SERVICES]
    k = account.place("referrals +10 %")
    over_time = found.tables["queue"].frame.filter(
        account=account.name, scenario="referrals +10 %", week=16
    )
    shown = dict(over_time.select("measure", "shown").rows())
    waiting = account.simulated.waiting[k].sum(axis=1)[:, 16]  # 1,000 referrals a year
    assert shown[WAITING] == pytest.approx(waiting.mean())
    assert shown[MEDIAN] == pytest.approx(account.simulated.waits[k, :, 2, 0, 1].mean())
    assert shown[P90] == pytest.approx(account.simulated.waits[k, :, 2, 1, 1].mean())
    costs = found.tables["queue_costs"].frame.filter(
        account=account.name, scenario="referrals +10 %"
    )
    assert costs["net"].item() == pytest.approx(account.saving.net[k].mean() / 1000)
    assert costs["capacity"].item() == 0


def test_no_cell_is_empty(found):
    for name, table in found.tables.items():
        assert not table.frame.null_count().sum_horizontal().item(), name
        assert not any("–" in cell.split() for row in table.rows() for cell in row), name


def test_assumptions_are_shown_as_they_are(queues, found, tmp_path):
    """The table is read back from CSV as text, where a bare number is rounded to whole ones."""
    table = found.tables["queue_assumptions"]
    text = {label: value for label, value, _ in table.rows()}
    for label, value in table.frame.select("label", "value").rows():
        digits = table.values["value"].digits
        assert markup.shown(str(value), digits) == text[label] == value
    assert text["Leaves either list while waiting"] == "1 % a week"
    assert text["Courses over first sessions"] == "52 %"
    held = queues.accounts[queue.ROUTES].calibration.mean_wait["first"]
    assert text["First wait"] == f"{held:.1f} weeks on average"
    assert not any(value.startswith("0") for label, value in text.items() if "Cost" not in label)


def test_a_chance_that_no_draw_shows_is_not_called_none(queues, found):
    way = queues.accounts[queue.ROUTES].net(ladder_name(LONGEST, 5.0), "NHS cash")
    assert not (way > 0).any()
    assert str(found.numbers["queue_chance_cash_patients"]) == "< 0.3%"  # 3 of 1,000 draws


def test_parts_add_up_to_the_net_saving(found):
    for name in ("queue_costs", "break_even"):
        frame = found.tables[name].frame
        parts = frame["cash"] + frame["work"] + frame["health"] - frame["capacity"]
        np.testing.assert_allclose(parts, frame["net"], atol=1e-9)


def test_shares_of_waits_add_up(found):
    frame = found.tables["queue_fit"].frame
    sums = frame.group_by("account", "wait", maintain_order=True).agg(
        pl.col("published", "fitted", "simulated").sum()
    )
    for name in ("published", "fitted", "simulated"):
        np.testing.assert_allclose(sums[name], 100)


def test_demand_and_capacity_work_the_right_way(found):
    frame = found.tables["queue_waits"].frame
    for account in frame["account"].unique(maintain_order=True):
        weeks = dict(frame.filter(account=account).select("scenario", "weeks").rows())
        base = weeks[AS_IS]
        assert weeks["referrals −10 %"] < base < weeks["referrals +10 %"]
        assert weeks["referrals +10 %"] < weeks["referrals +20 %"]
        assert base < weeks["places −10 %"] < weeks["places −20 %"]
        assert weeks[ladder_name(LONGEST, 10.0)] < base


def test_severity_adds_up_to_all_weeks(queues, found):
    frame = found.tables["queue_severity"].frame.filter(account=queue.ROUTES, scenario=AS_IS)
    whole = found.tables["queue_waits"].frame.filter(account=queue.ROUTES, scenario=AS_IS)
    assert frame["weeks"].sum() == pytest.approx(whole["weeks"].item())


def test_worth_of_a_course_is_the_net_saving_over_courses(queues, found):
    account = queues.accounts[queue.ROUTES]
    name = f"a course a week more: {account.longest}"
    frame = found.tables["queue_marginal"].frame
    row = frame.filter(account=account.name, where=account.longest, assumed="base case")
    # 15 places of courses of 15 weeks for 104 weeks
    assert row["net"].item() == pytest.approx(account.net(name).mean() / 104)
    assert row["price"].item() == pytest.approx(queues.prices().course.mean())
    assert frame["assumed"].n_unique() == 6


def test_sentences_and_captions_find_their_numbers(found):
    result = Result(tables=found.tables, numbers=found.numbers)
    for check in found.checks:
        assert result.render(check.sentence)
    for text in (*QUEUE_TEXT.values(), *(f.caption for f in queue_figures().values())):
        assert "{" not in result.render(text)
    assert {f.table for f in queue_figures().values()} <= set(found.tables)


def test_the_queue_passes_its_own_checks(found):
    status = {check.name: check.status for check in found.checks}
    assert status.pop("queue_steady") in ("passed", "inconclusive")
    assert set(status.values()) == {"passed"}


def test_threads_change_nothing(queues):
    other = made(n_jobs=2)
    for part, cost in queues.costs.items():
        np.testing.assert_array_equal(other.costs[part], cost)
    few = [queue.Scenario(AS_IS), queue.Scenario("x", **CHANGES["places −10 %"])]
    service = queues.accounts[queue.ROUTES].service
    one, two = (q.simulate(service, few) for q in (queues, other))
    np.testing.assert_array_equal(one.accrued, two.accrued)


def test_a_horizon_too_short_is_refused():
    with pytest.raises(
        ParameterError, match="queue_weeks=26 should be greater than or equal to 52"
    ):
        Params.check({"queue_weeks": 26}, "test")
