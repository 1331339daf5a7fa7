"""All tables of `waiting`, in the order of the notebook."""

from iesoresearch.analyses.waiting import (
    break_even,
    catarino,
    equity,
    inputs,
    learning,
    oneway,
    sentence,
    strategies,
)
from iesoresearch.analyses.waiting.queue_shown import queue_tables
from iesoresearch.analyses.waiting.setting import with_setting
from iesoresearch.analyses.waiting.whole import Whole
from iesoresearch.results import Table

NOT_APPLICABLE = {
    "waits_by_deprivation": "Waits by deprivation: not applicable, the published figures in this "
    "package give referrals and outcomes by decile, but no waits.",
}


def all_tables(whole: Whole) -> dict[str, Table]:
    """By name."""
    computed = whole.computed
    known = computed.data.inputs
    worth = {name: found.by_input for name, found in whole.learning.items()}
    found = {
        "verdict": sentence.usual(computed),
        "verdict_every": sentence.every(computed),
        "break_even_wait": break_even.break_even(computed),
        "against_course": sentence.against_course(computed),
        "patient_week": sentence.patient_week(computed),
        "health_lost": sentence.health_lost(computed),
        "by_week": sentence.by_week(computed),
        "waits": computed.data.england.table(),
        "strategies": strategies.compared(whole.decisions),
        "plane": strategies.plane(whole.decisions, computed.params.seed),
        "acceptability": strategies.curves(whole.decisions),
        "value_of_information": strategies.worth(
            whole.decisions,
            computed.data.england.courses,
            computed.params.effect == "one service",
        ),
        "removing": strategies.removing(whole.decisions, computed.params),
        "tornado": oneway.tornado(whole.oneway),
        "two_way": oneway.together(whole.oneway),
        "explained": learning.shares(whole.learning),
        "evppi": learning.partial(whole.learning),
        "studies": whole.studies,
        "validity": whole.validity.table,
        "scenarios": whole.scenarios.table,
        "severity": equity.severity(whole.decisions),
        "deprivation": equity.deprivation(computed, whole.decisions),
        "deprivation_whole": equity.whole(computed, whole.decisions),
        "inputs": inputs.table(known),
        "assumptions": inputs.assumptions(known, computed.params, worth),
        "month": catarino.month(known),
        "net_benefits": catarino.net_benefits(),
        **queue_tables(whole.queues),
    }
    return with_setting(found, computed)
