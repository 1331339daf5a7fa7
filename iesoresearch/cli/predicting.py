"""``iesoresearch data predict``: referrals of a folder by a saved prediction model."""

from pathlib import Path

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_transfer.site import at_risk, features, in_words, still_open
from iesoresearch.data import sources
from iesoresearch.disclosure import Policy
from iesoresearch.errors import OutputError
from iesoresearch.models.prediction import saved
from iesoresearch.project import find

DIGITS = 6


def write(model: Path, folder: Path, out: Path) -> str:
    """Write a row for each referral at risk at the landmark; returns what may be said of them.

    Columns: ``referral_id``, ``chance`` of the outcome, ``refused``: why there is no chance.

    Raises
    ------
    DataError
        The model or the tables cannot be used, or nobody is at risk at the landmark.
    OutputError
        The file cannot be written.
    """
    shared = saved.read(model)
    cohort = still_open(sources.load("folder", (folder,), 0, 0))
    at = at_risk(cohort, shared.landmark)
    X = features(shared, at)
    p = shared.predict(X, outcome=shared.outcome, landmark=shared.landmark).p
    reasons = [[] for _ in range(at.n)]
    for why, rows in shared.schema.outside(X).items():
        for row in np.flatnonzero(rows):
            reasons[row].append(why)
    frame = at.rows.select("referral_id").with_columns(
        chance=pl.Series(p).fill_nan(None).round(DIGITS),
        refused=pl.Series(["; ".join(found) or None for found in reasons], dtype=pl.String),
    )
    try:
        frame.write_csv(out)
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error.strerror}).") from None
    policy = Policy.read(find().params / "disclosure.yaml")
    counts = {"at risk": at.n, "predicted": int(np.isfinite(p).sum())}
    counts["refused"] = at.n - counts["predicted"]
    told = ", ".join(f"{_few(n, policy)} {what}" for what, n in counts.items())
    remark = f" {shared.remark}" if shared.remark else ""
    return (
        f"{out}: chance of {in_words(shared)}; referrals: {told}.{remark} Not for: "
        f"{shared.not_for} The file holds a row for each referral: keep it where their records are "
        "kept."
    )


def _few(n: int, policy: Policy) -> str:
    return f"fewer than {policy.min_count}" if n < policy.min_count else f"{n:,}"
