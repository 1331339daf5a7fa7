"""The schema of the model of each landmark: what it may see, and which way a score may count."""

from dataclasses import replace

from iesoresearch.analyses.recovery.predictors import LONGEST_COURSE, LONGEST_WAIT
from iesoresearch.data import codes
from iesoresearch.measures import GAD7, PHQ9, WSAS
from iesoresearch.measures.outcomes.landmarks import ASSESSMENT
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

#: Which way a higher score counts: more symptoms never raise the chance of recovery, never lower
#: that of deterioration; of leaving early nothing is asked.
SIGNS = {
    "reliable_recovery": -1,
    "reliable_improvement": -1,
    "reliable_deterioration": 1,
    "drop_out": 0,
}
CARE, CAN = "care process", "modifiable"
MOST = 1000  # appointments, as in the data schema

#: Numbers known at the assessment. A sign says that there is one; `schema` sets it.
AT_START = (
    Numeric("phq9_now", 0, PHQ9.highest, "Latest PHQ-9, points", -1, CAN, True),
    Numeric("gad7_now", 0, GAD7.highest, "Latest GAD-7, points", -1, CAN, True),
    Numeric("wsas_now", 0, WSAS.highest, "Latest WSAS, points", -1, CAN),
    Numeric("self_harm", 0, 3, "Latest answer on self-harm thoughts (PHQ-9), 0 to 3", 0, CAN),
    Numeric("age", 0, 120, "Age at referral, years", spline=True),
    Numeric("deprivation_decile", 1, 10, "Decile of deprivation, 1 = most deprived"),
    Numeric("wait_days", 0, LONGEST_WAIT, "Referral to first appointment, days", 0, CARE),
)
#: Numbers that there are from the first treatment on.
IN_TREATMENT = (
    Numeric("phq9_first", 0, PHQ9.highest, "First PHQ-9, points"),
    Numeric("gad7_first", 0, GAD7.highest, "First GAD-7, points"),
    Numeric("wsas_first", 0, WSAS.highest, "First WSAS, points"),
    Numeric("phq9_lowest", 0, PHQ9.highest, "Lowest PHQ-9 so far, points"),
    Numeric("phq9_spread", 0, PHQ9.highest, "Spread of the PHQ-9 so far, SD in points"),
    Numeric("phq9_step", -PHQ9.highest, PHQ9.highest, "PHQ-9 now minus the one before, points"),
    Numeric("missed", 0, MOST, "Appointments missed so far", 0, CARE),
    Numeric("forms_missing", 0, MOST, "Appointments attended without PHQ-9 so far", 0, CARE),
    Numeric("assessed", 0, 1, "Had an assessment apart from treatment (1) or not (0)", 0, CARE),
    Numeric("weeks", 0, LONGEST_COURSE, "Time since the first appointment, weeks", 0, CARE),
)
WORDS = (
    Categorical("problem", tuple(PROBLEMS), "Problem descriptor"),
    Categorical("source", codes.REFERRAL_SOURCES, "Who referred", CARE),
    Categorical("employment_first", codes.EMPLOYMENT, "Employment at the start"),
    Categorical("medication_first", codes.MEDICATION, "Psychotropic medication at the start", CARE),
    Categorical("gender", codes.GENDERS, "Gender"),
    Categorical("long_term_condition", codes.YES_NO, "Long-term physical condition"),
    Categorical("disability", codes.YES_NO, "Disability"),
    Categorical("mechanism", codes.MECHANISMS, "How patient and therapist meet", CARE),
)
THERAPY = Categorical("therapy", codes.THERAPY_NAMES, "Therapy delivered so far", CARE)
#: All that the baseline sees.
CURRENT = ("phq9_now", "gad7_now")


def schema(landmark: int, outcome: str) -> Schema:
    """What a model of `outcome` may see at `landmark`."""
    early = landmark == ASSESSMENT
    numeric = AT_START if early else AT_START + IN_TREATMENT
    # at the assessment the current score is the first one, which leaves room to move either way
    sign = 0 if early and outcome != "reliable_recovery" else SIGNS[outcome]
    signed = tuple(replace(f, monotone=sign if f.monotone else 0) for f in numeric)
    return Schema(signed, WORDS if early else (*WORDS, THERAPY), CURRENT)
