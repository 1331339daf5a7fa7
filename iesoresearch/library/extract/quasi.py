"""Columns by which somebody who knows a patient could find her among the rows."""

#: Quasi-identifiers, in the order they are reported: what neighbours, employers or relatives know.
#: Problem, medication, scores and how care ended are what they would like to learn instead.
QUASI_IDENTIFIERS = {
    "age": "patients",
    "gender": "patients",
    "ethnicity": "patients",
    "ethnicity_as_recorded": "patients",
    "deprivation_decile": "patients",
    "orientation": "patients",
    "long_term_condition": "patients",
    "disability": "patients",
    "age_at_referral": "referrals",
    "age_at_period_end": "referrals",
    "referral_year": "referrals",
    "discharge_year": "referrals",
    "service_id": "referrals",
    "employment_first": "referrals",
    "employment_last": "referrals",
}
