"""Bad input: each one a sentence that counts and says what to do, and quotes no answer."""

import re

import numpy as np
import pytest

from iesoresearch.errors import ConvergenceWarning, DataError, NotFittedError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.latent_markov import checks

ITEMS = np.random.default_rng(0).integers(0, 4, (120, 5)).astype(np.int8)
LENGTHS = np.full(40, 3)


def fit(items=ITEMS, lengths=LENGTHS, n_states=2, **parameters):
    usual = {"n_categories": 4, "n_starts": 1, "max_iter": 5, "tol": 0, "random_state": 0}
    return LatentMarkov(n_states, **usual | parameters).fit(items, lengths)


def changed(value, rows=0, columns=0, dtype=np.int8):
    items = ITEMS.astype(dtype)
    items[rows, columns] = value
    return items


def start(**changes):
    init = {
        "initial_probs": np.full(2, 1 / 2),
        "transition_matrix": np.full((2, 2), 1 / 2),
        "item_probs": np.full((2, 5, 4), 1 / 4),
    }
    return init | changes


# ---- items


@pytest.mark.parametrize("shape", [(120,), (40, 3, 5), (120, 0)])
def test_items_of_another_shape(shape):
    message = rf"items has shape {re.escape(str(shape))}; it must have one row per session and one"
    with pytest.raises(DataError, match=message):
        fit(np.zeros(shape, np.int8))


def test_items_without_rows():
    with pytest.raises(DataError, match=r"items has no rows, so there is nobody to fit\. Check"):
        fit(ITEMS[:0])


@pytest.mark.parametrize("dtype", ["float64", "bool", "U1"])
def test_items_that_are_not_whole_numbers(dtype):
    with pytest.raises(DataError, match=r"items holds \S+ values; .*Replace NaN by -1 and convert"):
        fit(ITEMS.astype(dtype))


@pytest.mark.parametrize("value", [128, 300, -129])
def test_numbers_that_int8_would_wrap_around(value):
    with pytest.raises(DataError, match=r"items holds numbers that no questionnaire has"):
        fit(changed(value, dtype=np.int64))


def test_answers_beyond_their_levels_are_counted_by_column():
    message = r"^3 answers lie outside .*: 2 in column 1 \(0 … 3\), 1 in column 4 \(0 … 3\);"
    items = changed(7, rows=[3, 5], columns=1)
    items[9, 4] = -2
    with pytest.raises(DataError, match=message) as caught:
        fit(items)
    assert "7" not in str(caught.value)  # a patient's answer is not quoted


def test_each_item_has_levels_of_its_own():
    items = np.minimum(ITEMS, 1)
    items[4, 2] = 2  # fine for an item of four levels
    fit(items, n_categories=[2, 2, 4, 2, 2])
    with pytest.raises(DataError, match=r"1 answers lie outside .*: 1 in column 2 \("):
        fit(items, n_categories=[2, 2, 2, 2, 4])


@pytest.mark.parametrize(
    "n_categories", [1, 0, 129, 2.5, True, "4", [4] * 4, [4, 4, 4, 4, 1], [[4] * 5]]
)
def test_numbers_of_levels_that_do_not_fit(n_categories):
    message = r"n_categories=.* does not fit 5 items; give one number from 2 to 128, or 5 of them"
    with pytest.raises(ParameterError, match=message):
        fit(n_categories=n_categories)


def test_the_largest_code_an_int8_can_hold_is_an_answer_like_any_other():
    items = np.zeros((700, 1), np.int8)
    items[0] = 127
    items[1] = -1
    model = fit(items, np.full(350, 2), n_states=1, n_categories=128)
    assert model.item_probs_[0, 0, [0, 127]] == pytest.approx([698 / 699, 1 / 699], rel=1e-12)


# ---- lengths


@pytest.mark.parametrize(
    "lengths", [[], [3.0] * 40, [0, *[3] * 40], [-3, *[3] * 41], [[3] * 40], True, 120]
)
def test_lengths_that_are_not_whole_numbers_of_sessions(lengths):
    message = "lengths must hold one whole number of sessions, at least 1, for every person"
    with pytest.raises(DataError, match=message):
        fit(lengths=lengths)


@pytest.mark.parametrize(("lengths", "total"), [([3] * 39, 117), ([3] * 41, 123)])
def test_lengths_that_do_not_add_up(lengths, total):
    message = rf"lengths add up to {total} sessions but items has 120 rows\. Sort both by person"
    with pytest.raises(DataError, match=message):
        fit(lengths=lengths)


def test_short_integers_add_up_without_overflow():
    lengths = LENGTHS.astype(np.int8)  # 120 sessions fit, 240 would not
    twice = fit(np.tile(ITEMS, (2, 1)), np.tile(lengths, 2))
    assert twice.n_people_ == 80


# ---- people, states, parameters


@pytest.mark.parametrize("model", [LatentMarkov, SeverityLadder])
def test_people_without_any_answer(model):
    items = changed(-1, rows=slice(3, 9), columns=slice(None))
    message = r"2 of 40 people answered no item in any session .*Leave them out before fitting"
    with pytest.raises(DataError, match=message):
        model(2, n_categories=4).fit(items, LENGTHS)


def test_more_states_than_people():
    with pytest.raises(DataError, match=r"fewer people than the 41 states asked for\. Ask"):
        fit(n_states=41)


def test_more_parameters_than_answers():
    # 5 + 6 * 5 * 3 + 6 * 5 = 125 parameters
    message = r"6 states need 125 parameters but the data hold only 115 answers\. Ask for fewer"
    with pytest.raises(DataError, match=message):
        fit(ITEMS[:23], [2] * 8 + [1] * 7, n_states=6)


def test_more_parameters_than_answer_patterns():
    # 4 + 5 * 5 = 29 parameters would do; 5 + 6 * 5 = 35 exceed the 2 ** 5 - 1 patterns
    items = np.minimum(ITEMS, 1)
    assert fit(items, None, n_states=5, n_categories=2).n_parameters_ == 29
    message = r"6 states need 35 parameters but one occasion .* has only 31 free cells"
    with pytest.raises(DataError, match=message):
        fit(items, None, n_states=6, n_categories=2)


@pytest.mark.parametrize(
    ("name", "lowest"), [("n_states", 1), ("max_iter", 1), ("n_starts", 1), ("n_jobs", 1),
                         ("random_state", 0)]
)  # fmt: skip
@pytest.mark.parametrize("value", [-5, 2.0, "2", True, [2]])
def test_parameters_that_are_not_whole_numbers(name, lowest, value):
    message = rf"{name}={re.escape(repr(value))} must be a whole number of at least {lowest}\."
    with pytest.raises(ParameterError, match=message):
        fit(**{name: value})


def test_numpy_integers_are_whole_numbers():
    assert fit(n_states=np.int64(2), max_iter=np.int32(3)).n_iter_ == 3


@pytest.mark.parametrize("tol", [-1e-8, 1.0, np.inf, np.nan, None, "small"])
def test_a_tolerance_out_of_range(tol):
    with pytest.raises(ParameterError, match=r"tol=.* must be a number of at least 0 and below 1"):
        fit(tol=tol)


def test_a_seed_beyond_63_bits():
    with pytest.raises(ParameterError, match=r"random_state=.* must be a whole number of at most"):
        fit(random_state=2**63)


def test_ragged_levels():
    with pytest.raises(ParameterError, match=r"n_categories=.* does not fit"):
        fit(n_categories=[4, [4, 4]])


def test_a_refused_fit_leaves_the_model_as_it_was():
    model = fit(n_states=2)
    before = dict(model.__dict__)
    with pytest.raises(DataError, match="answers lie outside"):
        model.fit(np.full((20, 9), 7, dtype=np.int8))
    assert model.__dict__ == before


# ---- given start


@pytest.mark.parametrize(
    "init",
    [[1, 2, 3], {}, start(slopes=1), {k: v for k, v in start().items() if k != "item_probs"},
     {k: v for k, v in start().items() if k != "transition_matrix"}],
)  # fmt: skip
def test_a_start_with_the_wrong_keys(init):
    message = "init must be a dict with the keys initial_probs, transition_matrix, item_probs"
    with pytest.raises(ParameterError, match=message):
        fit(init=init)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [("initial_probs", (3,), "(2,)"), ("transition_matrix", (2, 3), "(2, 2)"),
     ("item_probs", (2, 5, 3), "(2, 5, 4)")],
)  # fmt: skip
def test_a_start_of_another_shape(name, shape, expected):
    message = rf"init\['{name}'\] has shape {re.escape(str(shape))}; it must be "
    with pytest.raises(ParameterError, match=message + re.escape(expected)):
        fit(init=start(**{name: np.full(shape, 1 / shape[-1])}))


@pytest.mark.parametrize("row", [[0.5, 0.4], [1.5, -0.5], [np.nan, 1.0]])
@pytest.mark.parametrize("name", ["initial_probs", "transition_matrix"])
def test_a_start_whose_rows_are_no_probabilities(name, row):
    values = row if name == "initial_probs" else [[0.5, 0.5], row]
    message = rf"init\['{name}'\] must hold probabilities whose rows sum to one"
    with pytest.raises(ParameterError, match=message):
        fit(init=start(**{name: values}))


def test_a_start_under_which_an_answer_is_impossible():
    item_probs = np.full((2, 5, 4), 1 / 4)
    item_probs[:, 2] = [0.5, 0.5, 0.0, 0.0]
    with pytest.raises(DataError, match=r"probability zero .* Give an init"):
        fit(init=start(item_probs=item_probs))


def test_one_session_each_needs_no_transitions_in_the_start():
    for matrix in (None, np.full((2, 2), 1 / 2)):
        model = fit(ITEMS, None, init=start(transition_matrix=matrix))
        assert np.isnan(model.transition_matrix_).all()


# ---- the fitted model


@pytest.mark.parametrize("method", ["score", "score_samples", "predict", "predict_proba", "sample"])
@pytest.mark.parametrize("model", [LatentMarkov, SeverityLadder])
def test_nothing_works_before_fit(model, method):
    message = rf"This {model.__name__} has not been fitted\. Call fit\(items, lengths\) first"
    argument = [1] if method == "sample" else ITEMS
    with pytest.raises(NotFittedError, match=message):
        getattr(model(2), method)(argument)


@pytest.mark.parametrize("method", ["score", "score_samples", "predict", "predict_proba"])
class TestOtherData:
    def test_other_items(self, method):
        message = "items has 4 columns but the model was fitted to 5 items. Pass the same items"
        with pytest.raises(DataError, match=message):
            getattr(fit(), method)(ITEMS[:, :4], LENGTHS)

    def test_other_levels(self, method):
        with pytest.raises(DataError, match=r"1 answers lie outside .*: 1 in column 0 \(0 … 3\);"):
            getattr(fit(), method)(changed(4), LENGTHS)

    def test_other_lengths(self, method):
        with pytest.raises(DataError, match="add up to 119 sessions but items has 120 rows"):
            getattr(fit(), method)(ITEMS, [119])

    def test_second_sessions_for_a_model_of_first_ones(self, method):
        message = "fitted to one session a person and knows no transitions. Pass one session"
        with pytest.raises(DataError, match=message):
            getattr(fit(ITEMS, None), method)(ITEMS, LENGTHS)


@pytest.mark.parametrize("lengths", [[0], [-1, 2], [1.5], [], [[1]], 3])
def test_lengths_that_cannot_be_sampled(lengths):
    message = "lengths must hold one whole number of sessions, at least 1, a person"
    with pytest.raises(DataError, match=message):
        fit().sample(lengths)


def test_a_second_session_cannot_be_sampled_without_transitions():
    with pytest.raises(DataError, match=r"knows no transitions\. Pass one session per person"):
        fit(ITEMS, None).sample([1, 2])


@pytest.mark.parametrize("model", [LatentMarkov, SeverityLadder])
def test_stopping_early_is_a_warning_where_fit_was_called(model):
    message = r"EM stopped at max_iter=2 before the gain fell below tol=1e-08\. Raise max_iter"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        model(2, n_categories=4, n_starts=1, max_iter=2).fit(ITEMS, LENGTHS)
    assert [warning.filename for warning in caught] == [__file__]


# ---- errors


def test_data_errors_end_with_3_and_parameter_errors_with_2():
    with pytest.raises(ValueError, match="no rows") as data:
        checks.check_items(ITEMS[:0])
    with pytest.raises(ValueError, match="n_states=0") as parameter:
        checks.check_whole("n_states", 0, 1)
    assert (data.value.exit_code, parameter.value.exit_code) == (3, 2)


def test_int8_answers_pass_the_checks_as_they_are():
    assert checks.check_items(ITEMS) is ITEMS
    assert np.shares_memory(checks.check_items(ITEMS[::2]), ITEMS)
