"""Numbers, sentences and captions of `fairness_measurement`. Sentences are filled after release."""

import numpy as np

from iesoresearch.analyses.fairness_measurement.data import TOO_FEW
from iesoresearch.analyses.fairness_measurement.fitted import Compared, Fitted
from iesoresearch.analyses.fairness_measurement.tables import (
    ITEMS,
    NOT_TESTED,
    RISK,
    RULES,
    digits_of,
    verdict,
)
from iesoresearch.models.item_functioning import LARGE, MODERATE
from iesoresearch.results import TO, FigureSpec, Number

FIGURES = {
    "items": FigureSpec(
        table="items",
        title="How much each item differs at equal severity",
        caption="Change in Nagelkerke's R² when the group and its interaction with severity enter "
        f"the regression of an item, n = {{n_people}} people. Filled: differs (p below 0.05 after "
        f"Holm's rule over nine items). Lines: from {MODERATE:g} moderate, from {LARGE:g} large "
        "(Jodoin & Gierl 2001). Not tested items are missing.",
    ),
    "shifts": FigureSpec(
        table="shifts",
        title="Points of each item at equal severity",
        caption="Mean difference of an item's score (0 to 3 points) between people of a group and "
        "people of the group they are compared with of the same severity, n = {n_people} people. "
        "Intervals are in the table, as odds ratios. Empty: not tested.",
    ),
    "impact": FigureSpec(
        table="impact",
        title="What it adds to the total",
        caption="Points that answering differently adds to the PHQ-9 total (0 to 27), with 95 % "
        "intervals: on average over the people of a group and for those near the cut-off, counting "
        "the items that differ; and near the cut-off if all items may differ but the three that do "
        "least, n = {n_people} people. Items were chosen in the same data, which the intervals "
        "leave out.",
    ),
    "curves": FigureSpec(
        table="curves",
        title="Totals at equal severity",
        caption="Expected total of each group less that of the group it is compared with, at every "
        "severity, which is shown as the expected total of the latter; n = {n_people} people. "
        "Thick: the 95 % interval at this severity leaves out zero.",
    ),
}
#: What a grouping is called in names of numbers and in sentences.
SLUGS = {"Gender": "gender", "Age band": "age", "Ethnic group": "ethnicity"}
BY = {"Gender": "gender", "Age band": "age", "Ethnic group": "ethnic group"}
_ENDS = ("", "_low", "_high")


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    kind, n = fitted.data.sensitivity, fitted.data.n
    found = {
        "n_people": Number(n, n, kind="count", sensitivity=kind),
        "n_left_out": Number(fitted.data.n_left_out, n, kind="count", sensitivity=kind),
        "cutoff": Number(str(fitted.params.cutoff), sensitivity="open"),
        "n_draws": Number(str(fitted.params.n_draws), sensitivity="open"),
    }
    for compared in fitted.compared:
        found |= {
            f"{SLUGS[compared.grouping.name]}_{name}": Number(
                value, compared.n, digits=digits, sensitivity=kind
            )
            for name, (value, digits) in (_of(compared, fitted) | _of_risk(compared)).items()
        }
    return found


def _of(c: Compared, fitted: Fitted) -> dict[str, tuple]:
    """Numbers of a grouping with their digits; those of one group are of the most changed."""
    g, tests = c.most_changed, [item for item in c.functioning.items if item is not None]
    found = {
        "differing": (str(len(c.functioning.differing)), 0),
        "tested": (str(len(tests)), 0),
        "largest_change": (max((item.change for item in tests), default=0.0), 4),
        "gap": (float(c.impact.gap[g]), 2),
        "passing": (100 * float(c.impact.passing[g]), 1),
        "as_reference": (100 * float(c.impact.passing_as_reference[g]), 1),
        **{f"gain{end}": (x, 2) for end, x in zip(_ENDS, c.gain.ends, strict=True)},
    }
    for name, factor, digits in (("points", 1, 2), ("at_cutoff", 1, 2), ("otherwise", 100, 2)):
        for end, values in zip(_ENDS, (None, *c.ends[name]), strict=True):
            x = getattr(c.impact, name) if values is None else values
            found[name + end] = (factor * float(x[g]), digits)
    low, high = c.cautious_ends["at_cutoff"]
    found |= {"least": (float(low.min()), 2), "most": (float(high.max()), 2)}
    if c.draws is not None:
        found["p"] = (c.draws.p_value(c.shown), digits_of(fitted))
        found["bic"] = (c.shown.bic_common - c.shown.bic_separate, 0)
    return found


def _risk(c: Compared) -> list[int]:
    """Groups whose answers to the item on risk differ, the interval of their odds ratio without 1.

    Nobody where the item as a whole is not found to differ.
    """
    if RISK not in c.functioning.differing:
        return []
    test = c.functioning.items[RISK]
    return [g for g in c.others if abs(test.log_odds[g]) > 1.96 * test.log_odds_se[g]]


def _of_risk(c: Compared) -> dict[str, tuple]:
    test, found = c.functioning.items[RISK], {}
    for i, g in enumerate(_risk(c)):
        for end, z in zip(_ENDS, (0.0, -1.96, 1.96), strict=True):
            odds = np.exp(test.log_odds[g] + z * test.log_odds_se[g])
            found[f"risk_{i}{end}"] = (float(odds), 2)
    return found


def text(fitted: Fitted) -> dict[str, str]:
    """Plain words, how to read it, and what it cannot say."""
    return {
        "plain": " ".join([_who(fitted), *(_plain(c, fitted) for c in fitted.compared)]),
        "reading": _reading(fitted),
        "limits": _limits(fitted),
    }


def _who(fitted: Fitted) -> str:
    start = "Before outcomes of groups are compared: do the same answers mean the same? "
    if fitted.data.sensitivity == "open":
        weighted = "weighted to stand for the population" if fitted.weighted else "unweighted"
        return (
            f"{start}Asked of the PHQ-9 of {{n_people}} interviewed adults in the US, {weighted}."
        )
    if fitted.data.sensitivity == "synthetic":
        return f"{start}Asked of the first PHQ-9 of {{n_people}} drawn patients."
    return f"{start}Asked of the first PHQ-9 of {{n_people}} patients."


def _plain(c: Compared, fitted: Fitted) -> str:
    slug, g = SLUGS[c.grouping.name], c.most_changed
    group, reference = c.grouping.levels[g], c.grouping.levels[c.grouping.reference]
    start = (
        f"By {BY[c.grouping.name]}, {{{slug}_differing}} of {{{slug}_tested}} items are answered "
        f"differently at equal severity, {_sizes(c)}. {_on_risk(c)}"
    )
    cautious = (
        "Were all items free to differ but the three that do least, the intervals of all groups "
        f"near the cut-off would reach from {{{slug}_least}} to {{{slug}_most}} points. "
    )
    if not c.functioning.free:
        return f"{start}{cautious}{_shared(c)}"
    return (
        f"{start}Most is changed for the group “{group}”: of 100, {{{slug}_passing}} reach the "
        f"cut-off of {{cutoff}}; if they answered as the group “{reference}” does at the same "
        f"severity, {{{slug}_as_reference}} would, and at least {{{slug}_otherwise}} of 100 "
        f"({{{slug}_otherwise_low}}{TO}{{{slug}_otherwise_high}}) are classified otherwise. Of the "
        f"difference of {{{slug}_gap}} points between the mean totals of both, "
        f"{{{slug}_points}} ({{{slug}_points_low}}{TO}{{{slug}_points_high}}) come from answering "
        f"differently; near the cut-off it is {{{slug}_at_cutoff}} points "
        f"({{{slug}_at_cutoff_low}}{TO}{{{slug}_at_cutoff_high}}). {cautious}{_shared(c)}"
    )


def _sizes(c: Compared) -> str:
    sizes = {c.functioning.items[i].size for i in c.functioning.differing}
    if not sizes:
        return "which does not show that none does"
    if sizes == {"negligible"}:
        return "each by an amount that is called negligible for a scale (by its change in R²)"
    names = [
        f"{ITEMS[i]} ({c.functioning.items[i].size})"
        for i in c.functioning.differing
        if c.functioning.items[i].size != "negligible"
    ]
    return f"by more than a negligible amount: {', '.join(names)}"


def _on_risk(c: Compared) -> str:
    """What a total hides: an item that a clinician reads by itself."""
    slug, levels = SLUGS[c.grouping.name], c.grouping.levels
    told = [
        f"the group “{levels[g]}” has {{{slug}_risk_{i}}} times ({{{slug}_risk_{i}_low}}{TO}"
        f"{{{slug}_risk_{i}_high}}) the odds of a higher answer"
        for i, g in enumerate(_risk(c))
    ]
    if not told:
        return ""
    return (
        f"The item on {ITEMS[RISK]} is read by itself, as a sign of risk, and is one of them, "
        f"however little it adds to a total: at equal severity {', '.join(told)}, beside the group "
        f"“{levels[c.grouping.reference]}”. "
    )


def _shared(c: Compared) -> str:
    slug = SLUGS[c.grouping.name]
    verdict = {
        "shared": "Classes that all groups share predict unseen people better",
        "separate": "Classes of each group's own predict unseen people better",
        "undecided": "Whether shared classes or each group's own predict unseen people better is "
        "undecided",
    }[c.gain.better]
    said = (
        f"{verdict}: with each group's own the probability of a person's answers changes by "
        f"{{{slug}_gain}} % ({{{slug}_gain_low}}{TO}{{{slug}_gain_high}})"
    )
    if c.draws is None:
        return f"{said}."
    p = f"p = {{{slug}_p}}"
    if not (c.draws.statistic >= c.shown.statistic).any():
        p = f"p is at most {{{slug}_p}}, the smallest that {{n_draws}} draws can give"
    return f"{said}; for classes that are exactly the same {p}."


def _reading(fitted: Fitted) -> str:
    survey = (
        "Tests and intervals take the strata and sampling units of the survey into account "
        "(Rao–Scott, linearisation). With weights there is no likelihood, so classes have neither "
        "a BIC nor a p value, and are judged by unseen people alone. "
        if fitted.weighted
        else "P values of classes are by {n_draws} draws: none can be below one in one more. "
    )
    return (
        "Severity is a trait estimated from all nine items (graded response model), items that "
        "differ having answers of their own in each group; then every item is regressed on it, on "
        "the group and on both together, until both agree. An effect that is as large at every "
        "severity is uniform. Three items at least are taken to work alike (anchors): a shift of "
        "all items together cannot be told from a difference in severity. Severity enters with its "
        "square: with a straight line, as is usual, groups that are less ill seem to answer "
        "differently. With thousands of people a difference is found that is of no account, so "
        f"read its size: {MODERATE:g} and {LARGE:g} were made for items with two answers, and for "
        "what an item does to a scale: where nearly all answer 0, a negligible change in R² may go "
        "with a large odds ratio. "
        "Intervals that count the items found to differ are too narrow: in a simulation 77 to 88 "
        "of 100 held the truth, and of those with all items free but three at least 97, so "
        f"claims are judged by these. {RULES}Groups are compared with the largest; those of fewer "
        f"than {fitted.params.least_people} people are not compared (“{TOO_FEW}”), age bands "
        "excepted, which are joined to their neighbour. Classified otherwise: those that the "
        "cut-off counts in or out at the same severity, less what cancels in one person; it is "
        "never below zero, so its interval cannot hold it. "
        f"{survey}"
        "Classes: are the answers of latent classes the same in all groups, whose sizes may "
        "differ? A test of exact equality is failed by any large sample; whether classes of one's "
        "own tell more about people who were not seen is the question that matters. The change in "
        "probability is that of all answers of a person together, as geometric mean over people, "
        "each predicted by classes fitted to others. P values of "
        "single items in classes are of the chi-squared distribution, a rough guide."
    )


def _limits(fitted: Fitted) -> str:
    start = {
        "open": "These are interviewed adults of the general population of the US, not patients of "
        "talking therapy, of whom most have few symptoms; groups are as NHANES records them. ",
        "synthetic": "SIMULATED: patients were drawn from states with the same answers in all "
        "groups. This shows that the method works and says nothing about patients. ",
        "patient": "These are patients at their first session only. ",
    }[fitted.data.sensitivity]
    tested = [verdict(c, i) for c in fitted.compared for i in range(len(ITEMS))]
    missing = "Some items could not be tested in some grouping. " if NOT_TESTED in tested else ""
    return (
        f"{start}Everything is said with respect to severity as the nine items themselves measure "
        "it: if all of them understate the distress of a group alike, nothing here can show it. A "
        "difference says nothing of why: wording, language, culture, body or circumstances. Groups "
        f"are taken one at a time. {missing}That little was found is no proof that there is "
        "nothing, least of all in groups too small to be compared, and one questionnaire is asked "
        "about, not the outcomes of therapy."
    )
