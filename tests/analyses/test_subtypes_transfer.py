"""`subtypes_transfer` on small samples whose truth is planted, and on the open data."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.subtypes_transfer import study
from iesoresearch.analyses.subtypes_transfer.fitted import Distances
from iesoresearch.analyses.subtypes_transfer.samples import Data
from iesoresearch.data import locate, nhanes
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures import PHQ9
from iesoresearch.params import Settings
from iesoresearch.seeds import derive

transfer = analyses.get("subtypes_transfer")
SMALL = {"max_states": 3, "n_states": 3, "n_starts": 3, "n_bootstrap": 20, "seed": 5}
SHARES = np.array([0.5, 0.3, 0.2])


def profiles(low, somatic, high):
    """Item probabilities of three states: binomial answers with these means of 0 to 3."""
    p = np.array([low, somatic, high])[:, :, None] / 3
    c = np.arange(4)
    return np.array([1, 3, 3, 1]) * p**c * (1 - p) ** (3 - c)


SOMATIC = profiles([0.2] * 9, [0.4] * 2 + [1.8] * 3 + [0.3] * 4, [2.2] * 9)
AFFECTIVE = profiles([0.2] * 9, [1.8] * 2 + [0.4] * 3 + [1.2] * 4, [2.2] * 9)


def people(n, probs, shares, seed):
    random = np.random.default_rng(seed)
    state = random.choice(3, n, p=shares)
    items = (random.random((n, 9, 1)) > probs[state].cumsum(axis=2)).sum(axis=2)
    return np.where(random.random((n, 9)) < 0.02, -1, items).astype(np.int8)


def samples(new_probs=SOMATIC, new_shares=SHARES, n=900, n_jobs=1):
    return Data(
        fit_name="Old data",
        new_name="New data",
        fit_items=people(n, SOMATIC, SHARES, 1),
        new_items=people(n, new_probs, new_shares, 2),
        halved=False,
        sensitivity="open",
        licence="",
        fingerprint="none",
        n_jobs=n_jobs,
    )


def compute(data, **changes):
    return transfer.run(data, transfer.Params.check(SMALL | changes, "test"))


@pytest.fixture(scope="module", autouse=True)
def few_ladders():
    """Long ladders converge slowly and decide nothing here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "RUNGS", (2, 4))
        yield


@pytest.fixture(scope="module")
def same():
    return compute(samples())


@pytest.fixture(scope="module")
def moved():
    """The same states in other proportions."""
    return compute(samples(new_shares=np.array([0.3, 0.3, 0.4])))


def test_every_table_and_figure_is_there(same):
    assert set(same.tables) == {
        "likelihood", "class_shares", "states", "item_profiles", "certainty",
    }  # fmt: skip
    assert {spec.table for spec in same.figures.values()} == {"item_profiles", "class_shares"}
    for table in same.tables.values():
        assert table.frame.select(list(table.keys)).is_unique().all(), table.title
        assert table.frame.null_count().sum_horizontal().item() == 0, table.title


def test_every_sentence_can_be_filled(same):
    templates = [c.sentence for c in same.checks] + list(same.text.values())
    templates += [spec.caption for spec in same.figures.values()]
    for template in templates:
        assert "{" not in same.render(template)
    assert "States were fitted in Old data and assigned in New data." in same.text["plain"]
    assert "unweighted" in same.text["limits"]


def test_the_same_population_holds(same):
    assert same.checks[0].status == "passed"
    assert same.checks[1].status == "passed"  # somatic symptoms are off any ladder
    assert "found again" in same.render(same.text["plain"])
    states = same.tables["states"].frame
    assert states["total"].to_list() == pytest.approx(
        [(SOMATIC @ np.arange(4)).sum(axis=1)[k] for k in range(3)], abs=0.6
    )


def test_other_proportions_of_the_same_states_hold_and_are_found(moved):
    """Planted: the first class loses 20 points of 100, the third gains them."""
    states = moved.tables["states"].frame
    assert states["moved"].to_list() == pytest.approx([-0.2, 0.0, 0.2], abs=0.05)
    assert states["moved_high"][0] < 0 < states["moved_low"][2]
    assert states["moved_low"][1] < 0 < states["moved_high"][1]
    assert moved.numbers["distance_high"].value < 0.2
    shares = moved.tables["class_shares"].frame
    new = shares.filter(sample="new sample, states carried over")["share"].to_list()
    again = shares.filter(sample="new sample, states refitted")["share"].to_list()
    assert new == pytest.approx(again, abs=0.02)
    sums = shares.group_by("sample", maintain_order=True).agg(pl.col("share").sum())["share"]
    assert sums.to_list() == pytest.approx([1.0] * 3)


def test_another_state_does_not_hold():
    result = compute(samples(new_probs=AFFECTIVE))
    assert result.checks[0].status == "failed"
    assert result.checks[1].status == "failed"  # worse than a ladder
    assert result.numbers["loss_low"].value > 0.05
    far = result.tables["states"].frame["beyond_low"].to_list()
    assert far[1] > 0.5 > max(far[0], far[2])
    assert "are not those of the second" in result.render(result.text["plain"])


def test_too_few_people_decide_nothing():
    result = compute(samples(n=60))
    assert result.checks[0].status == "inconclusive"
    assert "with so few people" in result.render(result.text["plain"])


def test_likelihoods_add_up(same):
    frame = same.tables["likelihood"].frame
    carried = frame["log_likelihood"][0]
    assert (carried - frame["log_likelihood"]).to_list() == pytest.approx(frame["gain"].to_list())
    assert same.numbers["loss"].value == pytest.approx(-frame["gain"][1])
    assert same.numbers["lead"].value == pytest.approx(frame["gain"][2])
    assert (frame["gain_low"] <= frame["gain"]).all()


def test_the_carried_over_likelihood_is_that_of_the_model():
    """Every answer occurs in every state, so that nothing is smoothed."""
    probs = 0.7 * SOMATIC + 0.3 / 4
    old, new = (people(600, probs, SHARES, seed) for seed in (1, 2))
    data = dataclasses.replace(samples(), fit_items=old, new_items=new)
    fitted = study.fit(data, transfer.Params.check(SMALL, "test"))
    assert fitted.model.item_probs_.min() > 1e-9
    assert fitted.new_scores == pytest.approx(fitted.model.score_samples(new))
    likely = fitted.model.predict_proba(new).max(axis=1)
    assert fitted.uncertain["rate"][1] == pytest.approx((likely < 0.8).mean())


def test_threads_change_nothing(same):
    again = compute(samples(n_jobs=2))
    assert again.numbers == same.numbers
    for name, table in same.tables.items():
        assert again.tables[name].frame.equals(table.frame), name


@pytest.mark.parametrize("k", [1, 2])
def test_one_or_two_states_are_not_asked_about_kinds(k):
    result = compute(samples(n=300), n_states=k)
    assert result.numbers["n_states"].value == k
    assert result.checks[1].status == "not applicable"


def test_chance_is_taken_off_distances():
    """Two points measured with known errors, by simulation."""
    random = np.random.default_rng(1)
    for true in (0.0, 3.0):
        first, second = random.normal(0, 0.1, (200, 50)), random.normal(true, 0.1, (200, 50))
        squared = ((first - second) ** 2).mean(axis=1)
        noise = np.array([0.02])
        replicates = squared[:, None] + random.normal(0, 0.01, (200, 1)) + 0.02
        found = Distances.of(squared[:1], noise, replicates)
        assert found.beyond[0] == pytest.approx(true, abs=0.1)
        assert found.low[0] <= true + 0.1
        assert found.high[0] >= true - 0.1
        assert found.chance[0] == pytest.approx(np.sqrt(0.02))


# Samples


def survey(name, numbers, answers=1):
    ids = [str(n) for n in numbers]
    contacts = pl.DataFrame({"referral_id": ids, "patient_id": ids}).with_columns(
        pl.lit(1).alias("session"), *(pl.lit(answers).alias(c) for c in PHQ9.columns)
    )
    patients = pl.DataFrame({"patient_id": ids})
    referrals = pl.DataFrame({"referral_id": ids, "patient_id": ids})
    tables = {"patients": patients, "referrals": referrals, "contacts": contacts}
    return Cohort.checked(name, "open", tables, "none")


def test_cycles_apart_are_kept_whole():
    data = Data.of(survey("A", range(10), 1), survey("B", range(10, 30), 2), 1, "", 1)
    assert not data.halved
    assert data.fit_items.tolist() == [[1] * 9] * 10
    assert data.new_items.tolist() == [[2] * 9] * 20


def test_a_cycle_that_is_fitted_too_is_halved():
    """Everybody is in one sample; those of the other cycle are all fitted."""
    data = Data.of(survey("A, B", range(31)), survey("B", range(10, 31)), 1, "", 1)
    assert data.halved
    assert len(data.fit_items) == 10 + 10
    assert len(data.new_items) == 11


def test_halves_share_nobody_and_follow_the_seed():
    """Answers tell people apart: everybody is somewhere, once."""
    cohort = nhanes.load()
    one = study.load(transfer.Params(seed=1), Settings())
    again, other = (Data.of(cohort, cohort, derive(seed, "samples"), "", 1) for seed in (1, 2))
    assert (len(one.fit_items), len(one.new_items)) == (2546, 2547)
    both = np.concatenate([one.fit_items, one.new_items])
    everybody = cohort.sequences(PHQ9).items
    assert sorted(map(tuple, both)) == sorted(map(tuple, everybody))
    assert (again.new_items == one.new_items).all()
    assert (other.new_items != one.new_items).any()


def test_halves_are_said():
    halves = dataclasses.replace(samples(n=80), halved=True, new_name="Old data")
    result = compute(halves, n_states=1, max_states=1)
    assert "split at random into halves: one is fitted" in result.text["plain"]
    assert "differ by chance only" in result.text["limits"]


def test_people_seen_twice_are_refused():
    cohort = survey("A", range(4))
    twice = pl.concat([cohort.contacts, cohort.contacts.with_columns(session=pl.lit(2, pl.UInt16))])
    with pytest.raises(DataError, match="A: people were seen more than once"):
        Data.of(survey("B", range(5, 9)), dataclasses.replace(cohort, contacts=twice), 1, "", 1)


# Parameters


def test_the_fingerprint_covers_all_cycles_once_however_they_are_called():
    params = transfer.Params.check({"fit_cycles": ["2017-2018"], "assign_cycle": "j"}, "test")
    assert params.survey == {"cycles": ("2017-2018",)}
    assert transfer.fingerprint(params, Settings()) == locate.fingerprint("nhanes", ())
    apart = transfer.Params.check({"fit_cycles": ["G", "2007-2008"]}, "test")
    assert apart.survey == {"cycles": ("G", "2007-2008", "2017-2018")}
    with pytest.raises(DataError, match=r"NHANES 2007-2008 was not found|NHANES G was not found"):
        transfer.fingerprint(apart, Settings())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fit_cycles": []}, "fit_cycles"),
        ({"n_states": 5, "max_states": 4}, "n_states=5 is beyond max_states=4"),
        ({"source": "folder"}, "source='folder' should be 'nhanes'"),
    ],
)
def test_parameters_that_make_no_sense(values, message):
    with pytest.raises(ParameterError, match=message):
        transfer.Params.check(values, "test")


def test_a_name_that_is_no_cycle():
    params = transfer.Params.check({"assign_cycle": "last"}, "test")
    with pytest.raises(ParameterError, match="'last' is no NHANES cycle"):
        transfer.fingerprint(params, Settings())


def test_cdcs_files_of_other_cycles():
    settings = Settings.from_environment()
    params = transfer.Params.check(
        {"fit_cycles": ["2007-2008", "G"], "assign_cycle": "2015-2016"}, "test"
    )
    try:
        data = transfer.load(params, settings)
    except DataError:
        pytest.skip("the files of NHANES 2007-08, 2011-12, 2015-16 are not in IESORESEARCH_DATA")
    assert (len(data.fit_items), len(data.new_items)) == (5447 + 4949, 5164)
    assert (data.fit_name, data.new_name) == ("NHANES 2007-08, 2011-12", "NHANES 2015-16")
    assert data.fingerprint == transfer.fingerprint(params, settings)
