"""Which criteria of fairness cannot hold together here, and why.

A decision ties four rates of every group (Chouldechova 2017, doi:10.1089/big.2016.0047):

    FPR = prevalence / (1 − prevalence) × (1 − PPV) / PPV × TPR

So where prevalences differ, making two of TPR, FPR and PPV equal forces the third apart, unless the
decision is free of error. The selection rate, TPR × prevalence ÷ PPV, is tied to them likewise.
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
        One row per group. level, prevalence, selection_rate, tpr, fpr and ppv as they are. With the
        values of the reference: fpr_needed at its TPR and PPV, ppv_needed and selection_rate_needed
        at its TPR and FPR, tpr_needed at its FPR and PPV, and, chosen as often as there,
        ppv_at_equal_selection at its TPR and tpr_at_equal_selection at its PPV. Where one of these
        differs from the rate of the reference, the three criteria cannot hold together; where it is
        above 1, not even the two can.

    Raises
    ------
    ParameterError
        Shares outside 0 and 1, other lengths, or an unknown reference.
    """
    prevalence, tpr, fpr = (np.asarray(x, dtype=float) for x in (prevalence, tpr, fpr))
    levels = [str(level) for level in levels]
    _check((prevalence, tpr, fpr), levels, reference)
    odds, at = prevalence / (1 - prevalence), levels.index(reference)
    selected = tpr * prevalence + fpr * (1 - prevalence)
    ppv = tpr * prevalence / selected
    wrong = (1 - ppv[at]) / ppv[at]  # without the outcome for each with it, among those chosen
    selected_needed = tpr[at] * prevalence + fpr[at] * (1 - prevalence)
    return pl.DataFrame(
        {
            "level": levels,
            "prevalence": prevalence,
            "selection_rate": selected,
            "tpr": tpr,
            "fpr": fpr,
            "ppv": ppv,
            "fpr_needed": odds * wrong * tpr[at],
            "ppv_needed": tpr[at] * prevalence / selected_needed,
            "tpr_needed": fpr[at] / (odds * wrong),
            "selection_rate_needed": selected_needed,
            "ppv_at_equal_selection": tpr[at] * prevalence / selected[at],
            "tpr_at_equal_selection": ppv[at] * selected[at] / prevalence,
        }
    )


def _check(rates, levels, reference) -> None:
    if any(x.shape != (len(levels),) for x in rates):
        raise ParameterError(
            "Conflict of criteria: prevalence, true and false positive rates and names have to be "
            "as many as groups. Hand over one of each per group."
        )
    if reference not in levels:
        raise ParameterError(
            "Conflict of criteria: the reference is none of the groups. Name one of them."
        )
    if not all(((x > 0) & (x < 1)).all() for x in rates):
        raise ParameterError(
            "Conflict of criteria: prevalences and true and false positive rates have to be above "
            "0 and below 1. Leave out groups where they are not, or are not estimable."
        )
