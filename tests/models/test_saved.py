"""Models as JSON: the same to the bit after a round trip, and broken files refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch import __version__
from iesoresearch.errors import DataError, NotFittedError, OutputError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.latent_markov.saved import FORMAT, LARGEST, load, save

from . import oracle

OPTIONS = [
    {},
    {"transitions": "by_occasion"},
    {"stayers": True},
    {"transitions": "by_occasion", "stayers": True},
]


def fitted(seed, n_states=3, levels=(4, 2, 3), longest=4, dropout=False, **options):
    random = np.random.default_rng(seed)
    truth = oracle.random_model(random, n_states, levels)
    lengths = random.integers(1, longest + 1, 60)
    lengths[0] = longest
    items, _ = oracle.simulate(truth, lengths, seed, missing=0.1)
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    known = {"dropped_out": random.integers(-1, 2, 60)} if dropout else {}
    model = LatentMarkov(
        n_states, n_categories=list(levels), n_starts=1, max_iter=3, tol=0, random_state=seed,
        **options,
    )  # fmt: skip
    return model.fit(items, lengths, **known), items, lengths, known


def names(model):
    return [f"item {i}" for i in range(model.n_items_)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("saved") / "model.json"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.lists(st.integers(2, 5), min_size=1, max_size=4),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from(OPTIONS),
)
def test_a_loaded_model_says_the_same_to_the_bit(
    path, seed, n_states, levels, longest, dropout, options
):
    if longest == 1:  # one session of few items identifies few states
        n_states, options = 1, {}
    model, items, lengths, known = fitted(seed, n_states, levels, longest, dropout, **options)
    save(path, model, items=names(model), fitted_to="drawn answers")
    found = load(path)
    assert found.items == tuple(names(model))
    for ask in ("score_samples", "predict_proba", "predict"):
        was, now = (getattr(m, ask)(items, lengths, **known) for m in (model, found.model))
        np.testing.assert_array_equal(was, now)
    for was, now in zip(*(m.sample(lengths, random_state=1) for m in (model, found.model)),
                        strict=True):  # fmt: skip
        np.testing.assert_array_equal(was, now)
    for name in ("log_likelihood_", "bic_", "n_people_", "n_parameters_", "converged_"):
        assert getattr(model, name) == getattr(found.model, name)
    for name in ("initial_probs_", "transition_matrix_", "item_probs_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(found.model, name))
    before = path.read_bytes()
    save(path, found.model, items=found.items, fitted_to=found.fitted_to)
    assert path.read_bytes() == before


@pytest.mark.parametrize("options", [{"items": "ordinal"}, {"dependent_pairs": [(0, 2), (1, 0)]}])
def test_ordinal_items_and_dependent_pairs_too(path, options):
    model, items, lengths, _ = fitted(1, **options)
    save(path, model, items=names(model), fitted_to="drawn answers")
    found = load(path).model
    np.testing.assert_array_equal(
        model.predict_proba(items, lengths), found.predict_proba(items, lengths)
    )
    assert found.items == model.items


def test_the_file_is_small_and_says_what_it_is(path):
    model, *_ = fitted(0, n_states=7, levels=[4] * 9)
    phq9 = [f"phq9_{i}" for i in range(1, 10)]
    save(path, model, items=phq9, fitted_to="60 people drawn by a test")
    text = path.read_text(encoding="utf-8")
    assert len(text) < 20_000
    assert text.count("\n") < 130
    assert max(map(len, text.splitlines())) < 200
    content = json.loads(text)
    assert content["format"] == FORMAT
    assert content["version"] == 1
    assert content["package"] == load(path).package == __version__
    assert content["n_states"] == 7
    assert content["items"][2] == {"name": "phq9_3", "levels": 4}
    assert load(path).fitted_to == "60 people drawn by a test"
    assert text.splitlines()[-5].strip().startswith("[")  # a row of probabilities on one line


# ---- what is not saved


def test_unknown_options_and_results_are_not_lost_but_refused(path, monkeypatch):
    model, *_ = fitted(0)
    model.smoothed_ = True
    with pytest.raises(ParameterError, match="The model has smoothed_, which version 1"):
        save(path, model, items=names(model), fitted_to="")
    del model.smoothed_
    model.colour = "blue"
    defaults = model._parameter_defaults()
    monkeypatch.setattr(
        LatentMarkov, "_parameter_defaults", classmethod(lambda cls: {**defaults, "colour": None})
    )
    with pytest.raises(ParameterError, match="The model has colour, which version 1"):
        save(path, model, items=names(model), fitted_to="")
    model.colour = None  # as by default: the option is off
    save(path, model, items=names(model), fitted_to="")


def test_models_with_covariates_are_refused(path):
    _, items, lengths, _ = fitted(0)
    covariate = np.random.default_rng(0).normal(size=(60, 1))
    model = LatentMarkov(2, n_categories=[4, 2, 3], n_starts=1, random_state=0)
    model.fit(items, lengths, initial_covariates=covariate)
    with pytest.raises(ParameterError, match="initial_coefs_"):
        save(path, model, items=names(model), fitted_to="")


def test_other_models_and_wrong_names_are_refused(path):
    with pytest.raises(NotFittedError):
        save(path, LatentMarkov(2), items=["a"], fitted_to="")
    model, items, lengths, _ = fitted(0)
    ladder = SeverityLadder(2, n_categories=4, n_starts=1, max_iter=2, tol=0, random_state=0)
    with pytest.raises(ParameterError, match="and not a SeverityLadder"):
        save(path, ladder.fit(items, lengths), items=["a", "b", "c"], fitted_to="")
    for wrong in (["a", "b"], ["a", "b", "b"], ["a", "b", ""]):
        with pytest.raises(ParameterError, match="items must be 3 different names"):
            save(path, model, items=wrong, fitted_to="")
    with pytest.raises(OutputError):
        save(path.parent / "nowhere" / "x.json", model, items=names(model), fitted_to="")


# ---- what is not loaded


@pytest.fixture(scope="module")
def content(path):
    """A saved model of two states as plain JSON."""
    model, *_ = fitted(3, n_states=2, levels=(3, 2))
    save(path, model, items=names(model), fitted_to="a test")
    return json.loads(path.read_text(encoding="utf-8"))


def changed(content, where, value):
    """A copy of `content` with one entry replaced; a value of ... takes it away."""
    copy = json.loads(json.dumps(content))
    *outer, last = where
    inner = copy
    for key in outer:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return copy


PARAMETERS = "parameters"
WRONG = [
    (["format"], "something else", "its format is not"),
    (["format"], ..., "its format is not"),
    (["version"], 2, "another version of the format"),
    (["version"], ..., "another version of the format"),
    (["n_states"], 3, "has not the shape|item_probs are not those"),
    (["n_states"], "2", "at n_states"),
    (["n_states"], 0, "at n_states"),
    (["n_people"], -1, "at n_people"),
    (["log_likelihood"], None, "at log_likelihood"),
    (["colour"], "blue", "at colour"),
    (["fitted_to"], ..., "at fitted_to"),
    (["options", "transitions"], "by_moon", "at options → transitions"),
    (["options", "stayers"], True, "stayer_shares does not fit the options"),
    (["options", "dependent_pairs"], [[0, 1]], "pair_associations does not fit the options"),
    (["options", "dependent_pairs"], [[0, 5]], "dependent_pairs are no pairs"),
    (["options", "dependent_pairs"], [[0, 0]], "dependent_pairs are no pairs"),
    (["options", "transitions"], "by_occasion", "transition_matrix has not the shape"),
    (["items"], [], "at items"),
    (["items", 0, "levels"], 4, "item_probs has not the shape"),
    (["items", 0, "levels"], 1, "at items → 0 → levels"),
    (["items", 0, "name"], "item 1", "two items have one name"),
    ([PARAMETERS, "initial_probs"], [0.5, 0.4], "rows of initial_probs do not sum to one"),
    ([PARAMETERS, "initial_probs"], [1.5, -0.5], "no probabilities"),
    ([PARAMETERS, "initial_probs"], [1.0], "initial_probs has not the shape"),
    ([PARAMETERS, "initial_probs"], ["a", "b"], "at parameters → initial_probs"),
    ([PARAMETERS, "transition_matrix"], None, "several sessions and no transitions"),
    ([PARAMETERS, "transition_matrix"], [[1.0, 0.0], [1.0]], "has not the shape"),
    ([PARAMETERS, "transition_matrix", 0], [0.5, 0.51], "rows of transition_matrix do not sum"),
    ([PARAMETERS, "item_probs", 0, 0], [0.5, 0.5], "item_probs has not the shape"),
    ([PARAMETERS, "item_probs", 1], [[1.0]], "item_probs are not those of 2 states"),
    ([PARAMETERS, "item_probs", 1, 1], [0.5, 0.6], "rows of item_probs do not sum"),
    ([PARAMETERS, "stayer_shares"], [0.1, 0.2], "stayer_shares does not fit the options"),
    ([PARAMETERS, "dropout_probs"], [0.1, 1.2], "no probabilities"),
    ([PARAMETERS, "dropout_probs"], [0.1], "dropout_probs has not the shape"),
]


@pytest.mark.parametrize(("where", "value", "message"), WRONG)
def test_what_could_not_have_been_saved(tmp_path, content, where, value, message):
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(changed(content, where, value)), encoding="utf-8")
    with pytest.raises(DataError, match=message) as raised:
        load(file)
    assert "broken.json" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(tmp_path, content, number):
    file = tmp_path / "broken.json"
    text = json.dumps(changed(content, ["bic"], "HERE")).replace('"HERE"', number)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"is no JSON file|at bic"):
        load(file)


@pytest.mark.parametrize(
    "text", ["", "[]", "no json", "[" * 100_000, '{"format": 1, "format": 1}', "\udcff", "1" * 5000]
)
def test_what_is_no_json_and_no_model(tmp_path, text):
    file = tmp_path / "broken.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"is no JSON file|is no saved model"):
        load(file)


def test_files_that_are_not_there_or_huge(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "nothing.json")
    huge = tmp_path / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    with pytest.raises(DataError, match="is larger than 10,000,000 bytes"):
        load(huge)
