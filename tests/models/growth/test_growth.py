"""Fitted growth models: planted spread and drop-out are found, and draws are the same again."""

import hashlib
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from iesoresearch.errors import AnalysisError
from iesoresearch.models.growth import (
    GrowthModel,
    Priors,
    arithmetic,
    diagnose,
    mean_curve,
    posterior_check,
    prior_check,
    sensitivity,
    variance_shares,
)

MODEL = GrowthModel((-20, 60), draws=700, tune=700)


@pytest.fixture(scope="module")
def data(course):
    """Who changes slowly leaves early."""
    return course(11, hazard_rate=1.0)


@pytest.fixture(scope="module")
def at_random(data):
    return MODEL.fit(data, dropout="random", seed=1, n_jobs=2)


@pytest.fixture(scope="module")
def shared(data):
    return MODEL.fit(data, dropout="shared", seed=1, n_jobs=2)


def test_planted_parameters_are_found(shared):
    """Drawn with these, see conftest; one seed, the study shows how often they are covered."""
    found = shared.summary()
    truth = {
        "level": 20.0,
        "rate": -6.0,
        "patient_level_sd": 4.0,
        "patient_rate_sd": 4.0,
        "patient_correlation": -0.3,
        "therapist_level_sd": 1.0,
        "therapist_rate_sd": 2.0,
        "residual_sd": 2.5,
        "hazard_level": 0.0,
        "hazard_rate": 1.0,
    }
    missed = [n for n, x in truth.items() if not found[n].x_low <= x <= found[n].x_high]
    assert len(missed) <= 1, missed
    assert "therapist_rate_sd" not in missed
    assert found["therapist_rate_sd"].x_low > 0.5
    assert found["hazard_rate"].x_low > 0  # the slower the change, the sooner they leave


def test_chains_pass_their_diagnostics(at_random, shared):
    assert diagnose(at_random).passed, diagnose(at_random).failures()
    assert diagnose(shared).passed, diagnose(shared).failures()


def test_drop_out_by_change_is_corrected_for(at_random, shared):
    """Mean at the last session, had nobody left, is 14; missing at random is too hopeful."""
    found = sensitivity(at_random, shared, (0.0, 2.0))
    assert found.at_random.mean[-1] + 0.3 < found.shared.mean[-1]
    assert found.shared.low[-1] < 14 < found.shared.high[-1]
    np.testing.assert_array_equal(found.adjusted[0].mean, found.at_random.mean)
    assert found.deltas == (0.0, 2.0)


def test_checks_of_a_right_model(data, at_random, shared):
    prior = prior_check(data, Priors(0, 40), seed=1)
    assert prior.passed
    assert 0.5 < prior.inside < 1
    far = prior_check(data, Priors(60, 100), seed=1)  # of another scale
    assert not far.passed
    for fit in (at_random, shared):
        checked = posterior_check(fit)
        assert checked.mean.inside.sum() >= 5
        assert checked.sd.inside.sum() >= 5


def test_shares_add_up(at_random):
    shares = variance_shares(at_random)
    found = [share.x for name, share in shares.level.items() if name != "service"]
    assert sum(found) == pytest.approx(1)
    assert shares.rate["therapist"].x_low > 0


def test_the_curve_of_a_shared_model_has_everybody(shared):
    curve = mean_curve(shared)
    expected = shared.flat("level").mean() + shared.flat("rate").mean()
    assert curve.mean[-1] == pytest.approx(expected)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {folder!r})
from conftest import simulate
from iesoresearch.models.growth import GrowthModel

data = simulate(5, 40, 4, hazard_rate=1.0)
model = GrowthModel((-20, 60), draws=50, tune=100, chains=2)
fit = model.fit(data, dropout="shared", seed=3, n_jobs={jobs})
digest = hashlib.sha256()
for name in sorted(fit.draws):
    digest.update(fit.draws[name].tobytes())
print(digest.hexdigest())
"""


def test_two_fresh_processes_give_the_same_draws(tmp_path):
    """One with compiled code from before and one without, with one job and with two."""
    here = os.path.dirname(__file__)
    environment = {name: x for name, x in os.environ.items() if name != "PYTENSOR_FLAGS"}
    cold = environment | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SCRIPT.format(folder=here, jobs=jobs)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for jobs, env in ((1, environment), (2, cold))
    ]
    outputs = [process.communicate() for process in processes]
    assert [err for _, err in outputs] == ["", ""]
    digests = [out.strip() for out, _ in outputs]
    assert digests[0] == digests[1]
    assert len(digests[0]) == len(hashlib.sha256().hexdigest())


def test_nothing_heavy_is_imported_before_a_fit():
    code = "import sys, iesoresearch.models.growth\n"
    code += "print({'pymc', 'pytensor', 'nutpie', 'arviz_stats'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_arithmetic_that_is_not_reproducible_is_refused(monkeypatch):
    config = SimpleNamespace(numba__fastmath=True)
    monkeypatch.setitem(sys.modules, "pytensor", SimpleNamespace(config=config))
    with pytest.raises(AnalysisError, match="before the growth model could switch it off"):
        arithmetic.require_order()
    config.numba__fastmath = False
    arithmetic.require_order()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "numba__fastmath=False"),
        ("linker=cvm", "linker=cvm,numba__fastmath=False"),
        ("numba__fastmath=True", "numba__fastmath=True"),
    ],
)
def test_the_setting_is_added_unless_somebody_chose(monkeypatch, before, after):
    monkeypatch.setenv("PYTENSOR_FLAGS", before)
    arithmetic.keep_order()
    assert os.environ["PYTENSOR_FLAGS"] == after
