"""What the synthetic populations plant: how far each group comes, of very many referrals.

By hand, after a change of a profile: about three minutes on one core. Writes
``iesoresearch/analyses/fairness/planted.json``, which the run `fairness` sets beside what it finds.
"""

import json
import sys
from pathlib import Path

import polars as pl

from iesoresearch.analyses.fairness import Params, planted
from iesoresearch.analyses.fairness.data import of_cohort
from iesoresearch.analyses.fairness.outcomes import STAGES, counted
from iesoresearch.data import synthetic
from iesoresearch.files import write_text
from iesoresearch.seeds import derive

SEED, SIZE, DRAWS = 20261122, 200_000, {"england": 20, "ieso": 10}


def drawn(profile: str, draw: int) -> pl.DataFrame:
    """Counts of every group of one draw."""
    cohort = synthetic.make(SIZE, derive(SEED, "planted", profile, draw), profile)
    return counted(of_cohort(cohort, Params(profile=profile)))


def counts(profile: str) -> dict:
    """Counts of every group and stage over all draws, and of what they were drawn."""
    parts = []
    for draw in range(DRAWS[profile]):
        parts.append(drawn(profile, draw))
        print(f"\r{profile}: {draw + 1} of {DRAWS[profile]}", end="", file=sys.stderr)
    keys = ["grouping", "level"]
    found = pl.concat(parts).group_by(keys, maintain_order=True).agg(pl.col(*STAGES).sum())
    return {
        "profile": planted.fingerprint(profile),
        "referrals": SIZE * DRAWS[profile],
        "stages": list(STAGES),
        "groups": {"=".join(row[:2]): list(row[2:]) for row in found.rows()},
    }


if __name__ == "__main__":
    path = Path(planted.__file__).with_name(planted.FILE)
    write_text(path, json.dumps({name: counts(name) for name in DRAWS}, indent=1) + "\n")
