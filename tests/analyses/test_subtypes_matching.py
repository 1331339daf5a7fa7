"""`subtypes_matching` end to end on simulated patients, whose best therapy is known."""

import itertools
import re

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.subtypes_matching import fitted as fitting
from iesoresearch.analyses.subtypes_matching import patients, simulated, study, tables, words
from iesoresearch.data import synthetic
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures import PHQ9
from iesoresearch.models import heterogeneity
from iesoresearch.params import Settings
from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers, draw_paths

matching = analyses.get("subtypes_matching")
SMALL = {"n_patients": 2500, "n_starts": 2, "max_subtypes": 5, "seed": 4}
COUNSELLING, CBT = "counselling for depression", "cognitive behaviour therapy"


def parameters(**changes):
    return matching.Params.check(SMALL | changes, "test")


def fit(n_jobs=1, **changes):
    params = parameters(**changes)
    return study.fit(study.load(params, Settings(n_jobs=n_jobs)), params)


@pytest.fixture(scope="module")
def result():
    params = parameters(planted_interaction=3.0)
    return matching.run(matching.load(params, Settings()), params)


@pytest.fixture(scope="module")
def null():
    return fit(planted_effect=-1.0, planted_interaction=0.0)


# The simulated patients


@pytest.mark.parametrize("ill", [0, 1])
def test_planted_effects_are_what_courses_give(ill):
    """Expected last totals by brute force: many courses of one state and therapy."""
    true = simulated.world(-0.5, 2.0, 1.0)
    fewest, most = simulated.SESSIONS
    random = rng(1, "courses", ill)
    for state, planted in [(2, -0.5 + 2.0), (5, -0.5 - 2.0), (6, -0.5)]:
        means = []
        for treatment in (0, 1):
            lengths = random.integers(fewest, most + 1, 20_000)
            path = draw_paths(np.eye(7)[state], true.moves[treatment, state, ill], lengths, random)
            last = draw_answers(path[np.cumsum(lengths) - 1], true.item_probs, random).sum(axis=1)
            error = last.std() / np.sqrt(len(last))
            assert last.mean() == pytest.approx(true.expected[treatment, state, ill], abs=4 * error)
            means.append(true.expected[treatment, state, ill])
        wanted = planted + 1.0 * (ill - simulated.ILL)
        assert means[1] - means[0] == pytest.approx(wanted)


def test_without_an_effect_the_therapies_are_one():
    true = simulated.world(0.0, 0.0, 0.0)
    np.testing.assert_array_equal(true.moves[0], true.moves[1])


def test_what_answers_tell_of_the_state_by_bayes():
    drawn = simulated.draw(5, 3, 0.0, 2.0, 0.0)
    true = simulated.world(0.0, 2.0, 0.0)
    for i in range(5):
        weights = [
            simulated.INITIAL[s]
            * np.prod([true.item_probs[s, j, drawn.items[i, j]] for j in range(9)])
            for s in range(7)
        ]
        mean = np.average(true.expected[:, :, drawn.ill[i]], axis=1, weights=weights)
        assert drawn.expected[i] == pytest.approx(mean)
        assert drawn.effect[i] == pytest.approx(mean[1] - mean[0])


def test_severity_decides_on_the_therapy_but_never_alone():
    drawn = simulated.draw(20_000, 1)
    total = drawn.items.sum(axis=1)
    assert np.corrcoef(total, drawn.propensity)[0, 1] > 0.9
    assert drawn.propensity.min() > 0.02
    assert drawn.propensity.max() < 0.98
    given = drawn.treatment == 1
    assert drawn.outcome[given].mean() - drawn.outcome[~given].mean() > 0.9  # nothing was planted
    assert given.mean() == pytest.approx(drawn.propensity.mean(), abs=0.015)


def test_the_effect_beyond_the_kind_leaves_the_mean_as_it_is():
    drawn = simulated.draw(50_000, 2, -0.5, 0.0, 2.0)
    assert drawn.effect.mean() == pytest.approx(-0.5, abs=0.03)
    assert drawn.effect[drawn.ill == 1] == pytest.approx(-0.5 + 2 * 0.7)


def test_an_effect_that_cannot_be():
    with pytest.raises(ParameterError, match=r"effect of -\d\.\d points is more than .* smaller"):
        simulated.draw(10, 1, -2.0, 3.0, -3.0)


# The result


def test_every_table_and_figure_is_there(result):
    assert set(result.figures) == {"effects", "calibration", "rules"}
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    for table in result.tables.values():
        keys = table.frame.select(list(table.keys))
        assert keys.is_unique().all(), f"{table.title}: rows share their keys"
        assert {v.sensitivity for v in table.values.values()} == {"synthetic"}


def test_every_sentence_can_be_filled(result):
    templates = [c.sentence for c in result.checks] + list(result.text.values())
    templates += [spec.caption for spec in result.figures.values()]
    for template in templates:
        assert "{" not in result.render(template)
    assert "SIMULATED" in result.text["limits"]
    assert "nothing unmeasured" in result.text["limits"]


def test_the_planted_interaction_is_found(result):
    assert result.numbers["verdict"].value == "response differs by subtype"
    status = {check.name: check.status for check in result.checks}
    assert status["claim: response differs by subtype"] == "passed"
    assert status["planted effects recovered"] == "passed"
    assert status["weighting balances what was known"] == "passed"
    assert status["claim: choosing by prediction beats one therapy for everybody"] == "passed"
    somatic = pl.col("group").str.contains("somatic")
    effects = result.tables["effects"].frame
    assert (effects.filter(somatic)["estimate"] > 0).all()
    assert (effects.filter(pl.col("group").str.contains("affective"))["estimate"] < 0).all()


def test_true_values_bound_what_rules_are_worth(result):
    found = {name: number.value for name, number in result.numbers.items()}
    assert 0 < found["true_saved"] <= found["possible"]
    true = dict(result.tables["rules"].frame.select("rule", "true").rows())
    assert true["the therapy predicted to be better"] == min(true.values())


def test_counts_add_up(result):
    assert result.tables["subtypes"].frame["n"].sum() == SMALL["n_patients"]
    predicted = result.numbers["n_predicted"].value
    assert predicted == pytest.approx(0.8 * SMALL["n_patients"], abs=5)
    assert result.tables["calibration"].frame["n"].sum() == predicted
    overlap = result.tables["overlap"].frame
    for column in ("first", "second"):
        assert overlap[column].sum() == result.numbers[f"n_{column}"].value


def test_a_constant_effect_is_no_difference(null):
    assert null.verdict != "response differs by subtype"
    assert not null.anything_found
    found = {c.name: c for c in words.checks(null)}
    name = "claim: choosing by prediction beats one therapy for everybody"
    assert found[name].status == "not applicable"
    assert "give no ground for choosing" in words.text(null)["plain"]
    low, high = null.overall.interval()
    assert low[0] < -1 < high[0]


def test_threads_change_nothing(null):
    again = fit(n_jobs=2, planted_effect=-1.0, planted_interaction=0.0)
    np.testing.assert_array_equal(again.membership, null.membership)
    np.testing.assert_array_equal(again.scores.arms, null.scores.arms)


def test_the_outcome_has_no_say_in_the_subtypes(null):
    params = parameters(planted_effect=-1.0, planted_interaction=0.0)
    given = study.load(params, Settings(n_jobs=1))
    given.outcome[:] = given.outcome[::-1].copy()
    again = study.fit(given, params)
    np.testing.assert_array_equal(again.membership, null.membership)
    assert not np.array_equal(again.scores.arms, null.scores.arms)


def with_effects(fitted, estimate, error, adjusted):
    """`fitted` as if these effects had been found."""
    made = fitting.Fitted(fitted.patients, fitted.model, fitted.membership, fitted.scores)
    covariance = np.diag(np.square(np.broadcast_to(error, len(estimate))))
    made.__dict__["effects"] = heterogeneity.Fit(np.array(estimate), covariance, 2500)
    made.__dict__["adjusted"] = np.array(adjusted)
    return made


@pytest.mark.parametrize(
    ("estimate", "error", "adjusted", "verdict"),
    [
        ([0.0, 3.0], 0.1, [0.025, 1], "response differs by subtype"),
        ([0.0, 3.0], 0.1, [0.026, 1], "inconclusive"),
        ([0.0, 0.3], 0.5, [0.9, 1], "no difference found"),  # 0.3 + 1.96 * 0.71 is below 1.7
        ([0.0, 0.4], 0.5, [0.9, 1], "inconclusive"),
        ([0.4, 0.0], 0.5, [0.9, 1], "inconclusive"),
    ],
)
def test_the_rule_of_the_verdict(null, estimate, error, adjusted, verdict):
    made = with_effects(null, estimate, error, adjusted)
    assert made.verdict == verdict
    assert made.verdict_beyond == "nothing found beyond the subtype"
    assert with_effects(null, estimate, error, [1, 0.02]).verdict_beyond.startswith("response")


def test_no_p_value_is_shown_as_zero(null):
    made = with_effects(null, np.zeros(null.k), 0.1, [1e-9, 1e-9])
    sentences = [check.sentence for check in words.checks(made)[:2]]
    assert all("below 0.001" in sentence for sentence in sentences)


def test_subtypes_too_small_to_compare():
    params = parameters(n_patients=500, n_subtypes=8, n_starts=1)
    with pytest.raises(DataError, match=r"8 or more subtypes.*fewer than 25 .*fewer subtypes"):
        study.fit(study.load(params, Settings()), params)


def test_two_therapies_are_needed():
    with pytest.raises(ParameterError, match="name two different ones"):
        parameters(first_therapy=CBT)


# Patients of a site


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cohort as a site would bring it."""
    where = tmp_path_factory.mktemp("site")
    synthetic.make(9000, 3).write(where / "tables")
    return where / "tables"


@pytest.fixture(scope="module")
def of_site(folder):
    params = parameters(source="folder")
    return study.load(params, Settings((folder,), 1)), params


def test_first_therapies_and_totals_by_a_loop(of_site, folder):
    """One patient after the other, from the tables."""
    found, _ = of_site
    items = list(PHQ9.columns)
    contacts = pl.read_parquet(folder / "contacts.parquet").sort("referral_id", "session")
    expected, why = [], dict.fromkeys(found.left_out, 0)
    patients_seen = 0
    for _, rows in itertools.groupby(contacts.to_dicts(), key=lambda row: row["referral_id"]):
        rows = list(rows)
        given = [sum(row[i] is not None for i in items) for row in rows]
        if not any(given):
            continue
        patients_seen += 1
        treated = [
            row for row in rows
            if row["attendance"] in (None, "attended") and row["purpose"] in (None, "treatment")
            and row["therapy"] is not None
        ]  # fmt: skip
        if not treated:
            why["no therapy was recorded at any treatment attended"] += 1
            continue
        if treated[0]["therapy"] not in (COUNSELLING, CBT):
            why["the first therapy was another"] += 1
            continue
        start = treated[0]["session"]
        scored = [
            (row["session"], sum(row[i] or 0 for i in items) * 9 / n)
            for row, n in zip(rows, given, strict=True)
            if n >= 7
        ]
        before = [total for session, total in scored if session <= start]
        after = [total for session, total in scored if session > start]
        if not before:
            why["no PHQ-9 total before the therapy"] += 1
        elif not after:
            why["no PHQ-9 total after the therapy had begun"] += 1
        else:
            expected.append((treated[0]["therapy"] == CBT, before[0], after[-1]))
    why["no PHQ-9 answer at all"] = 9000 - patients_seen
    assert found.left_out == why
    total = found.features[patients.TOTAL]
    pairs = zip(found.treatment, total, found.outcome, strict=True)
    assert sorted((bool(a), round(b, 6), round(c, 6)) for a, b, c in pairs) == sorted(
        (a, round(b, 6), round(c, 6)) for a, b, c in expected
    )


def test_a_site_is_analysed(of_site):
    found, params = of_site
    result = matching.run(found, params)
    assert {v.sensitivity for t in result.tables.values() for v in t.values.values()} == {"patient"}
    assert "true" not in result.tables["effects"].frame.columns
    assert "true_overall" not in result.numbers
    status = {check.name: check.status for check in result.checks}
    assert status["planted effects recovered"] == "not applicable"
    assert "could not be compared" in result.render(result.text["plain"])
    assert "SIMULATED" not in result.text["limits"]
    rows = dict(matching.summary(found).frame.rows())
    assert rows["patients compared"] == found.n
    assert rows[f"… of them given {CBT}"] == found.treatment.sum()


def test_missing_values_are_marked(of_site):
    features = of_site[0].features
    marked = [name for name in features if name.endswith(" missing")]
    assert marked
    for name in marked:
        values, missing = features[name.removesuffix(" missing")], features[name] == 1
        assert values[missing] == pytest.approx(values[~missing].mean())
    assert all(np.isfinite(values).all() for values in features.values())


def test_an_unknown_therapy(folder):
    params = parameters(source="folder", first_therapy="counseling")
    with pytest.raises(ParameterError, match=r"'counseling' is no therapy .* counselling for dep"):
        study.load(params, Settings((folder,), 1))


def test_a_therapy_that_hardly_anybody_had(folder):
    params = parameters(source="folder", first_therapy="couples therapy for depression")
    with pytest.raises(DataError, match=re.escape("fewer than 100 patients")) as error:
        study.load(params, Settings((folder,), 1))
    assert "compare therapies that more patients were given" in str(error.value)


def test_imbalance_is_that_of_the_table(result):
    table = result.tables["balance"].frame
    assert result.numbers["imbalance"].value == pytest.approx(table["before"].abs().max())
    assert table["after"].abs().max() < table["before"].abs().max()
    assert tables.ALL in result.tables["effects"].frame["group"].to_list()
