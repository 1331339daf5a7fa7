"""All tables of `recovery_trial`."""

from iesoresearch.analyses.recovery_trial import bands, described, differences, grouped
from iesoresearch.analyses.recovery_trial.fitted import Fitted
from iesoresearch.results import Table


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """By name, in the order of the notebook."""
    trial, classes = fitted.trial, fitted.choice.chosen
    return {
        "scores": described.scores(trial),
        "drop_out": described.drop_out(trial),
        "drop_out_by_score": described.drop_out_by_score(trial),
        "who_leaves": described.who_leaves(trial),
        "leaving": differences.leaving(fitted),
        "curves": differences.curves(fitted),
        "differences": differences.differences(fitted),
        "by_occasion": differences.by_occasion(fitted),
        "tipping": differences.tipping(fitted),
        "band": bands.band(fitted),
        "held_out": bands.held_out(fitted),
        "off_track": bands.off_track(fitted),
        "predictive": bands.predictive(fitted),
        "class_choice": grouped.choice_table(fitted.choice, fitted.slopes),
        "class_curves": grouped.curves_table(classes, trial),
        "class_members": grouped.members_table(classes, trial),
    }
