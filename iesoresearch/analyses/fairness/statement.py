"""Responsible-innovation statement: seven principles, what this audit shows for each, what not."""

import polars as pl

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.results import Result, Table, Value

#: Principle -> what the audit shows for it, and what it does not.
PRINCIPLES = {
    "Personalised and patient-centred": (
        "Outcomes, waits and predictions for each group of patients apart, and for intersections "
        "of groups where these are large enough.",
        "Nothing about a single patient, and nothing about what patients themselves wanted from "
        "therapy: their goals are not among the outcomes audited.",
    ),
    "Evidenced and effective": (
        "Official outcome rules with their denominators, intervals for everything, gaps after each "
        "step of adjustment, and what is too small to say marked as such.",
        "Not why outcomes differ, nor what would change it: that takes a trial, or a change that "
        "is measured.",
    ),
    "Engaging and empowering": (
        "Who starts, who ends early, and where on the way patients of a group are lost.",
        "Not the reasons: nobody was asked here why they stayed or left.",
    ),
    "Equitable, diverse and inclusive": (
        "Absolute and relative gaps between groups, with findings that allow for the number of "
        "comparisons; error rates and calibration of a prediction in each group; what mitigation "
        "costs and whom.",
        "Not whether a gap is just. Groups that are not recorded, or too small to be shown, are "
        "not covered; religion, disability and gender identity are not audited here.",
    ),
    "Timely, available and sustainable": (
        "Waits by group and by the official standards, and referrals beside the population where "
        "its numbers are supplied.",
        "Not those who never were referred or gave up waiting, nor what it would cost to close a "
        "gap.",
    ),
    "Collaborative and communicated": (
        "Sentences in absolute numbers, tables that may be released, and a file of parameters with "
        "which a partner can run the same audit on its own data.",
        "Not that anybody was consulted: patients and services have to take part in deciding what "
        "is measured and what follows.",
    ),
    "Trustworthy and transparent": (
        "Every number with its method; counts below the policy's limit suppressed; code, "
        "parameters and checks public; the method tried on patients whose gaps are known.",
        "Not that the records are right: a group wrongly recorded is wrongly audited.",
    ),
}
#: The same of a file of predictions: outcomes and access of patients are not looked at.
OF_A_MODEL = {
    "Personalised and patient-centred": (
        "What the predictions do for each group of patients apart, and for pairs of groupings "
        "where these are large enough.",
        "Nothing about a single patient, about what patients wanted from therapy, nor about what "
        "is done for those who are flagged.",
    ),
    "Evidenced and effective": (
        "Discrimination, calibration and error rates with intervals, and what is too small to say "
        "marked as such.",
        "Not whether acting on a prediction helps anybody: that takes a trial. Outcomes of groups "
        "are not audited here.",
    ),
    "Engaging and empowering": (
        "Nothing: a file of predictions does not say who starts, stays or leaves.",
        "Whether patients would want to be predicted, and what they would be told: nobody was "
        "asked.",
    ),
    "Equitable, diverse and inclusive": (
        "Error rates, calibration and decisions by the groupings that the file has; which "
        "criteria conflict; what mitigation costs and whom.",
        "Not whether a gap is just, nor whether the outcome is recorded alike in all groups. "
        "Groupings that the file lacks, and groups too small to be shown, are not covered.",
    ),
    "Timely, available and sustainable": (
        "Nothing: a file of predictions has no waits and no population.",
        "Who was never referred, gave up waiting, or was not at risk when predictions were made, "
        "nor what more for those flagged would cost.",
    ),
    "Collaborative and communicated": PRINCIPLES["Collaborative and communicated"],
    "Trustworthy and transparent": (
        "Every number with its method; counts below the policy's limit suppressed; code, "
        "parameters and checks public.",
        "Not how the predictions were made, nor that they were made for patients the model had "
        "not learned from: only the maker of the file knows.",
    ),
}


def statement(data: Audited, params: Params) -> Result:
    """The table of principles: of an audit of referrals, or of a file of predictions."""
    said = OF_A_MODEL if data.cohort is None else PRINCIPLES
    frame = pl.DataFrame(
        {
            "principle": list(said),
            "shows": [shows for shows, _ in said.values()],
            "lacks": [lacks for _, lacks in said.values()],
        }
    )
    values = {
        "shows": Value("model", "What this audit shows", 0, sensitivity="open"),
        "lacks": Value("model", "What it does not", 0, sensitivity="open"),
    }
    title = "Responsible innovation: what this audit shows, and what it does not"
    return Result(tables={"statement": Table(title, frame, {"principle": "Principle"}, values)})
