"""Which criteria of fairness cannot hold together here, and why.

A decision ties three things in every group (Chouldechova 2017, doi:10.1089/big.2016.0047):

    FPR = prevalence / (1 − prevalence) × (1 − PPV) / PPV × TPR

So where prevalences differ, equal PPV and equal TPR force FPR apart, and so on: unless the decision
is without error, no two of the three can be made equal without giving up the third.
"""

import numpy as np
import polars as pl

from iesoresearch.errors import ParameterError


def conflict(prevalence, tpr, fpr, levels, reference: str) -> pl.DataFrame:
    """What every group would need if two criteria were made equal to the reference.

    Parameters
    ----------
    prevalence, tpr, fpr
        (groups,) shares above 0 and below 1 of each group: with the outcome; chosen among those
        with it; chosen among those without it.
    levels
        (groups,) names.
    reference
        The group whose values the others are given.

    Returns
    -------
    polars.DataFrame
        level, prevalence, selection_rate, tpr, fpr, ppv as they are; `fpr_needed` at the PPV and
        TPR of the reference, `ppv_needed` at its TPR and FPR, `tpr_needed` at its PPV and FPR, and
        `selection_rate_needed` at its TPR and FPR. A rate above 1 cannot be: the pair cannot be
        made equal at all.

    Raises
    ------
    ParameterError
        Shares outside 0 and 1, other lengths, or an unknown reference.
    """
    prevalence, tpr, fpr = (np.asarray(x, dtype=float) for x in (prevalence, tpr, fpr))
    levels = [str(level) for level in levels]
    if not prevalence.shape == tpr.shape == fpr.shape == (len(levels),):
        raise ParameterError(
            "Conflict of criteria: prevalence, true and false positive rates and names have to be "
            "as many as groups. Hand over one of each per group."
        )
    if reference not in levels:
        raise ParameterError(
            "Conflict of criteria: the reference is none of the groups. Name one of them."
        )
    if not all(((x > 0) & (x < 1)).all() for x in (prevalence, tpr, fpr)):
        raise ParameterError(
            "Conflict of criteria: prevalences and true and false positive rates have to be above "
            "0 and below 1. Leave out groups where they are not, or are not estimable."
        )
    odds, at = prevalence / (1 - prevalence), levels.index(reference)
    ppv = tpr * prevalence / (tpr * prevalence + fpr * (1 - prevalence))
    wrong = (1 - ppv) / ppv  # false positives for each true one
    return pl.DataFrame(
        {
            "level": levels,
            "prevalence": prevalence,
            "selection_rate": tpr * prevalence + fpr * (1 - prevalence),
            "tpr": tpr,
            "fpr": fpr,
            "ppv": ppv,
            "fpr_needed": odds * wrong[at] * tpr[at],
            "ppv_needed": 1 / (1 + fpr[at] / (tpr[at] * odds)),
            "tpr_needed": fpr[at] / (odds * wrong[at]),
            "selection_rate_needed": tpr[at] * prevalence + fpr[at] * (1 - prevalence),
        }
    )
