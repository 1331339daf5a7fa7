"""Laws of the waiting model, closed forms, and what it refuses."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data.health_economics import load_inputs
from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting import SCENARIOS, WaitingModel, base_case, draw_inputs
from iesoresearch.models.waiting.ranges import check_draws

INPUTS = load_inputs()
DRAWS = draw_inputs(INPUTS, 8, 3)
WEEKS_PER_YEAR = 365.25 / 7
WAITS = (0, 1, 5, 20, 52)


def fixed(draws=DRAWS, **values):
    """The draws with inputs whose name begins with a key set to its value."""
    found = dict(draws)
    for start, value in values.items():
        names = [name for name in found if name.startswith(start)]
        assert names, start
        found |= {name: np.full(len(found[name]), float(value)) for name in names}
    return found


def counted(horizon, discount, first=0, last=None):
    """Discounted weeks by the trapezoidal rule, from week `first` up to but not with `last`."""
    weights = np.ones(horizon + 1)
    weights[[0, -1]] = 0.5
    weeks = weights * (1 + discount) ** (-np.arange(horizon + 1) / WEEKS_PER_YEAR)
    return weeks[first:last].sum()


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 1000),
    recovery=st.sampled_from(list(SCENARIOS)),
    horizon=st.sampled_from([52, 104, 156, 260]),
)
def test_no_extra_wait_costs_nothing(seed, recovery, horizon):
    draws = draw_inputs(INPUTS, 2, seed, "depression")
    out = WaitingModel(recovery=recovery, horizon_weeks=horizon).evaluate(draws, WAITS)
    for perspective in ("nhs cash", "productivity", "health"):
        assert (out.cost_of_waiting(perspective)[..., 0] == 0).all()


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 1000),
    condition=st.sampled_from(["depression", "anxiety"]),
    recovery=st.sampled_from(list(SCENARIOS)),
    horizon=st.sampled_from([52, 104, 260]),
    treat_recovered=st.booleans(),
)
def test_qalys_fall_with_the_wait(seed, condition, recovery, horizon, treat_recovered):
    """Therapy free and not harmful, no relapse, no deterioration, the same second wait for all."""
    if condition not in SCENARIOS[recovery].conditions:
        return
    draws = fixed(draw_inputs(INPUTS, 3, seed), relapse=0, deterioration=0, response_cv=0)
    draws["effect_mean"] = abs(draws["effect_mean"])
    model = WaitingModel(
        condition,
        recovery,
        horizon,
        second_wait_weeks=4,
        effect="mean",
        treat_recovered=treat_recovered,
    )
    for qaly in model.evaluate(draws).qaly.values():
        assert (np.diff(qaly, axis=-1) <= 1e-12).all()


@pytest.mark.parametrize("recovery", list(SCENARIOS))
def test_without_an_effect_health_does_not_depend_on_the_wait(recovery):
    draws = fixed(effect=0)
    out = WaitingModel(recovery=recovery).evaluate(draws, WAITS)
    for found in (*out.qaly.values(), out.background, out.productivity_weeks):
        assert np.ptp(found, axis=-1) == pytest.approx(0, abs=1e-9)
    draws = fixed(rr_nonresponse=1)
    out = WaitingModel("anxiety").evaluate(draws, WAITS)
    assert np.ptp(out.qaly["SF-6D"], axis=-1) == pytest.approx(0, abs=1e-12)


def test_people_who_stay_where_they_are_have_a_closed_form():
    draws = fixed(base_case(INPUTS), effect=0, deterioration=0, relapse=0)
    out = WaitingModel(recovery="none", horizon_weeks=104).evaluate(draws, [0, 10])
    weeks = counted(104, 0.035)
    utilities = np.array([0.715, 0.65, 0.605, 0.565])
    assert out.qaly["SF-6D"][0, :, 1] == pytest.approx(utilities * weeks / WEEKS_PER_YEAR)
    month = np.array([44.525, 48.235, 61.35, 74.46])
    assert out.background[0, :, 0] == pytest.approx(month * weeks * 12 / WEEKS_PER_YEAR)
    course = np.array([671.5, 657.5, 697.5, 777.5])
    first = 0.15 * course * 0.99**10 * 1.035 ** (-10 / WEEKS_PER_YEAR)
    shares, waits = np.array([268954, 145392, 97487, 158586]), np.array([2, 6, 10, 20])
    shares = shares / shares.sum()  # of those who came to the second session
    comes = 1 / (shares / 0.99**waits).sum()
    rest = 0.85 * course * 0.904 * 0.99**10 * comes
    rest *= (shares * 1.035 ** (-(10 + waits) / WEEKS_PER_YEAR)).sum()
    assert out.therapy[0, :, 1] == pytest.approx(first + rest, rel=1e-5)
    assert out.treated[0, :, 1] == pytest.approx(0.904 * 0.99**10 * comes, rel=1e-5)
    assert out.weeks_waited[0, :, 1] == pytest.approx((1 - 0.99**10) / 0.01)


@pytest.mark.parametrize("horizon", [52, 104, 156, 260])
@pytest.mark.parametrize("wait", [0, 12, 52])
def test_a_course_that_helps_has_a_closed_form_at_every_horizon(horizon, wait):
    draws = fixed(base_case(INPUTS), deterioration=0, relapse=0, treatment_weeks=15)
    model = WaitingModel(recovery="none", horizon_weeks=horizon, second_wait_weeks=5)
    found = model.evaluate(draws, [wait]).qaly["SF-6D"][0, :, 0]
    moves = model.arrays(draws).effect[0, 1:]
    utilities = np.array([0.75, 0.715, 0.65, 0.605, 0.565])
    gain = moves @ utilities - utilities[1:]
    treated = 0.904 * 0.99 ** (wait + 5)
    after = counted(horizon, 0.035, wait + 20)
    expected = utilities[1:] * counted(horizon, 0.035) + treated * gain * after
    assert found == pytest.approx(expected / WEEKS_PER_YEAR)


def test_a_horizon_that_cuts_off_the_benefit_makes_waiting_look_cheap():
    draws = fixed(relapse=0, deterioration=0)
    costs = [
        WaitingModel(recovery="none", effect="mean", horizon_weeks=h)
        .evaluate(draws, [0, 26, 52])
        .cost_of_waiting("health")[..., 2]
        for h in (52, 104, 156, 260)
    ]
    assert (np.diff(costs, axis=0) > 0).all()


@pytest.mark.parametrize("drop_out", [0.0, 0.02])
@pytest.mark.parametrize("second", [1, 7])
def test_who_leaves_before_the_second_session_paid_the_first_and_stays_untreated(drop_out, second):
    """A list of people, week by week in plain Python: nobody recovers, worsens or relapses."""
    draws = fixed(
        base_case(INPUTS), deterioration=0, relapse=0, dropout=drop_out, discount_per_year=0
    )
    model = WaitingModel(recovery="none", horizon_weeks=104, second_wait_weeks=second)
    out = model.evaluate(draws, [0, 6])
    arrays = model.arrays(draws)
    listed, first = 1.0, 0.0
    for _ in range(6):
        listed -= drop_out * listed
    first = listed * arrays.first[0, 2]
    listed *= 0.904
    for _ in range(second):
        listed -= drop_out * listed
    assert out.treated[0, 1, 1] == pytest.approx(listed)
    assert out.therapy[0, 1, 1] == pytest.approx(first + listed * arrays.rest[0, 2])
    gain = arrays.effect[0, 2] @ arrays.values[0, 1] - arrays.values[0, 1, 2]
    weeks = 104 - (6 + second + 15) + 0.5  # by the trapezoidal rule, the last counts half
    assert arrays.names[1] == "SF-6D"
    untreated = 104 * arrays.values[0, 1, 2]
    assert out.qaly["SF-6D"][0, 1, 1] == pytest.approx(untreated + listed * gain * weeks)


def test_waits_of_those_who_come_to_the_second_session_are_the_published_ones():
    draws = fixed(base_case(INPUTS), dropout=0.02)
    arrays = WaitingModel().arrays(draws)
    came = arrays.second_shares * 0.98**arrays.second_weeks
    published = np.array([268954, 145392, 97487, 158586])
    assert came[0] / came.sum() == pytest.approx(published / published.sum(), abs=1e-5)


def test_what_waits_changes_in_the_shares():
    out = WaitingModel().evaluate(DRAWS, range(53))
    assert (np.diff(out.treated, axis=-1) <= 0).all()
    assert (out.weeks_waited <= out.waits + 1e-12).all()
    everybody = WaitingModel(treat_recovered=True).evaluate(fixed(dropout=0, engaged=1), WAITS)
    assert everybody.treated == pytest.approx(1)
    assert everybody.weeks_waited == pytest.approx(np.broadcast_to(WAITS, (8, 4, 5)))


def test_threads_subsets_of_waits_and_of_draws_change_nothing():
    model = WaitingModel()
    every = model.evaluate(DRAWS, range(53))
    some = model.evaluate({k: v[2:5] for k, v in DRAWS.items()}, [3, 40], n_jobs=3)
    for a, b in ((every.background, some.background), (every.therapy, some.therapy)):
        assert (a[2:5][..., [3, 40]] == b).all()


def test_a_service_among_the_trials_or_their_mean():
    draws = fixed(effect_place=0)
    both = [WaitingModel(effect=e).evaluate(draws, WAITS) for e in ("predictive", "mean")]
    assert (both[0].qaly["SF-6D"] == both[1].qaly["SF-6D"]).all()
    spread = [
        WaitingModel(effect=e).arrays(draw_inputs(INPUTS, 400, 1)).effect[:, 2, 0].std()
        for e in ("predictive", "mean")
    ]
    assert spread[0] > 2 * spread[1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"condition": "grief"}, 'condition must be one of depression, anxiety; found "grief"'),
        ({"provider": "none"}, "provider must be one of nhs_tt, ieso"),
        ({"effect": "best"}, "effect must be one of predictive, mean"),
        ({"horizon_weeks": 0}, "must be 1 or more; found 0 and None"),
        ({"second_wait_weeks": 0}, "must be 1 or more; found 260 and 0"),
        ({"condition": "anxiety", "recovery": "constant"}, "says nothing of anxiety"),
    ],
)
def test_bad_settings_are_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        WaitingModel(**values)


def test_bad_waits_and_draws_are_refused():
    model = WaitingModel()
    for waits in ([], [0.5], [-1], [3, 3], [4, 2]):
        with pytest.raises(ParameterError, match="waits must be whole weeks, 0 or more"):
            model.evaluate(DRAWS, waits)
    few = {k: v for k, v in DRAWS.items() if k != "dropout_per_week"}
    with pytest.raises(ParameterError, match="The draws lack the input dropout_per_week"):
        model.evaluate(few)
    with pytest.raises(ParameterError, match="week_of_work"):
        model.evaluate({k: v for k, v in DRAWS.items() if k != "week_of_work"})
    with pytest.raises(ParameterError, match="the same number of draws"):
        model.evaluate({**DRAWS, "dropout_per_week": np.zeros(3)})
    bad = DRAWS["dropout_per_week"].copy()
    bad[5] = np.nan
    with pytest.raises(ParameterError, match="dropout_per_week is not a finite number in draw 5"):
        model.evaluate({**DRAWS, "dropout_per_week": bad})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dropout_per_week", 1.0, "must be a probability of 0 or more and below 1; draw 5 holds 1"),
        ("dropout_per_week", -0.1, "must be a probability .*; draw 5 holds -0.1"),
        ("remission_waiting_list", 1.2, "must be a probability .*; draw 5 holds 1.2"),
        ("utility_sf6d_depression_mild", 1.7, "must be a utility of 1 or less; draw 5 holds 1.7"),
        ("background_depression_severe", -3.0, "must be 0 or more; draw 5 holds -3"),
        ("course_nhs_tt_depression_mild", -1.0, "must be 0 or more; draw 5 holds -1"),
        ("engaged_nhs_tt", 1.01, "must be a share between 0 and 1; draw 5 holds 1.01"),
        ("discount_per_year", -0.01, "must be 0 or more; draw 5 holds -0.01"),
        ("treatment_weeks", -2.0, "must be 0 or more; draw 5 holds -2"),
        ("weeks_waiting_list_anxiety", 0.0, "must be above 0; draw 5 holds 0"),
        ("phq9_sd", 0.0, "must be above 0; draw 5 holds 0"),
        ("gad7_mean", 22.0, "must be a GAD-7 score between 0 and 21; draw 5 holds 22"),
    ],
)
def test_values_that_cannot_be_are_refused_with_input_and_draw(name, value, message):
    bad = DRAWS[name].copy()
    bad[5:7] = value
    with pytest.raises(ParameterError, match=f"Input {name} {message}. Correct its distribution"):
        WaitingModel().evaluate({**DRAWS, name: bad})


def test_shares_sum_to_one_and_waits_end_by_the_horizon():
    more = DRAWS["second_wait_share_to_28_days"] + 0.1
    with pytest.raises(ParameterError, match=r"second_wait_share_… must sum to 1; in draw 0 they"):
        WaitingModel().evaluate({**DRAWS, "second_wait_share_to_28_days": more})
    with pytest.raises(ParameterError, match="300 weeks ends after the horizon of 260"):
        WaitingModel().evaluate(DRAWS, [0, 300])
    never = WaitingModel().evaluate(DRAWS, [260])
    assert not never.treated.any()
    assert not never.therapy.any()


def test_the_shipped_inputs_and_both_of_their_ends_lie_in_the_ranges():
    check_draws(draw_inputs(INPUTS, 20_000, 1))
    for end in ("low", "high"):
        check_draws({x.name: np.array([getattr(x, end)]) for x in INPUTS})


def test_the_model_is_a_value():
    assert dataclasses.replace(WaitingModel(), provider="ieso") == WaitingModel(provider="ieso")
    assert WaitingModel("anxiety").starting_bands == ("mild", "moderate", "severe")
