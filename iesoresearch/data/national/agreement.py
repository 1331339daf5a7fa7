"""Fields that the national system derives, against what the outcome rules here make of the data."""

import polars as pl

from iesoresearch.data.codes import normalised

#: Field of IDS101 -> column of `referral_outcomes`, by how it is written.
_DATES = {
    "TherapySession_FirstDate": "first_treatment",
    "TherapySession_SecondDate": "second_treatment",
    "TherapySession_LastDate": "last_treatment",
}
_NUMBERS = {
    "CareContact_Count": "n_attended",
    "TreatmentCareContact_Count": "n_treatment",
    "PHQ9_FirstScore": "phq9_first",
    "PHQ9_LastScore": "phq9_last",
    "GAD_FirstScore": "gad7_first",
    "GAD_LastScore": "gad7_last",
    "ADSM_FirstScore": "anxiety_first",
    "ADSM_LastScore": "anxiety_last",
}
#: Such a flag is true or empty, never false.
_FLAGS = {
    "CompletedTreatment_Flag": "finished",
    "Caseness_Flag": "caseness",
    "Recovery_Flag": "recovery",
    "ReliableImprovement_Flag": "reliable_improvement",
    "NoChange_Flag": "no_reliable_change",
    "ReliableDeterioration_Flag": "reliable_deterioration",
}


def agreement(derived: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Compare derived fields with our outcomes.

    Parameters
    ----------
    derived
        ``referral_id`` and the derived fields of IDS101 that there are, as text.
    outcomes
        Of the same referrals, as `iesoresearch.measures.outcomes.referral_outcomes` gives them.

    Returns
    -------
    polars.DataFrame
        One row per field that is there: field, compared (referrals where either side has a value;
        of a flag, all) and disagreements. An empty flag agrees with false and with unknown.
    """
    frame = derived.join(outcomes, on="referral_id", how="inner")
    rows = []
    for field, ours in (_DATES | _NUMBERS | _FLAGS).items():
        if field not in derived.columns:
            continue
        theirs = _value(field)
        own = pl.col(ours).cast(pl.Float64) if field in _NUMBERS else pl.col(ours)
        own = own.fill_null(False) if field in _FLAGS else own
        compared = theirs.is_not_null() | own.is_not_null()
        n, differing = frame.select(
            compared.sum().alias("n"), theirs.ne_missing(own).sum().alias("differing")
        ).row(0)
        rows.append((field, n, differing))
    schema = {"field": pl.String, "compared": pl.Int64, "disagreements": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _value(field: str) -> pl.Expr:
    text = pl.col(field)
    if field in _DATES:
        iso = text.str.extract(r"^(\d{4}-\d{2}-\d{2})").str.to_date("%Y-%m-%d", strict=False)
        british = text.str.extract(r"^(\d{1,2}/\d{1,2}/\d{4})")
        return pl.coalesce(iso, british.str.to_date("%d/%m/%Y", strict=False))
    if field in _NUMBERS:
        return text.cast(pl.Float64, strict=False)
    return normalised(text).is_in(["TRUE", "1", "Y"]).fill_null(False)
