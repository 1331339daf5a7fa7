"""A fresh process draws the same bits as this one."""

import hashlib
import subprocess
import sys

import numpy as np

from iesoresearch.models.evidence_synthesis import Comparisons, Synthesis

SCRIPT = """
import sys
sys.path.append({folder!r})
from test_synthesis_again import digest
print(digest(n_jobs=2))
"""


def digest(n_jobs):
    effect, error = np.linspace(0, 1, 9), np.linspace(0.1, 0.5, 9)
    data = Comparisons.of(effect, error, [0, 0, 1, 2, 2, 3, 4, 5, 6])
    model = Synthesis(draws=50, tune=100, chains=2)
    fit = model.fit(data, small_study="error", seed=3, n_jobs=n_jobs)
    found = hashlib.sha256()
    for name in sorted(fit.draws):
        found.update(fit.draws[name].tobytes())
    return found.hexdigest()


def test_a_fresh_process_gives_the_same_draws():
    folder = __file__.rpartition("test_synthesis_again.py")[0]
    command = [sys.executable, "-W", "error", "-c", SCRIPT.format(folder=folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    here = digest(n_jobs=1)
    out, error = process.communicate()
    assert error == ""
    assert out.strip() == here
