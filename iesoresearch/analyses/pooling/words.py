"""Numbers, captions and text of `pooling`. Sentences are filled after release."""

from iesoresearch.analyses.pooling import parts
from iesoresearch.analyses.pooling.computed import MAIN, Computed
from iesoresearch.analyses.pooling.sites import COUNTS, MODEL, REGRESSION, STATES
from iesoresearch.analyses.pooling.tables import percent, tells_further, three
from iesoresearch.results import FigureSpec, Number

FEW = 5  # sites below which intervals are said to be wide and the spread to be hardly known

FIGURES = {
    "forest": FigureSpec(
        table="rates",
        title="Reliable recovery at each site, of all, and at a further site",
        caption="Rates with 95 % intervals from each site's own released counts; size of the marks "
        "by weight. Diamond: average of {k} sites. Thin line, from three sites on: where the rate "
        "of a further site is expected with 95 %. Counts that were rounded or suppressed are "
        "ranges. n = {n_low} to {n_high} patients.",
    ),
    "cost": FigureSpec(
        table="cost",
        title="What suppression costs",
        caption="Average of {k} sites with 95 % intervals, from counts as released (ranges where "
        "they were rounded or suppressed), and without the sites that suppressed a count. n = "
        "{n_low} to {n_high} patients.",
    ),
    "performance": FigureSpec(
        table="performance",
        title="One model at every site",
        caption="The model as shipped, judged at {k_model} sites, with 95 % intervals; diamond: "
        "average; thin line, from three sites on: where a further site is expected with 95 %. "
        "Standard errors are those of the sites' intervals. n by site in the table.",
    ),
    "profiles": FigureSpec(
        table="profiles",
        title="Profiles of the matched states",
        caption="Expected score of every PHQ-9 item in each state that was matched over {k_states} "
        "sites, a line for each site that is shown. Lines that lie together are one state. n by "
        "site in their own results.",
    ),
}


def numbers(found: Computed) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    kind = found.sensitivity
    pooled, joint = found.rates[MAIN], found.joint
    values: dict[str, tuple[float | None, int, str]] = {
        "k": (len(found.sites), 0, ""),
        "k_hidden": (found.sites.n_hidden, 0, ""),
        "k_model": (len(found.performance["auc"]), 0, ""),
        "k_states": (0 if found.states is None else len(found.states.sites), 0, ""),
        "k_regression": (len(found.regressions), 0, ""),
        "events_low": (joint.events.low, 0, ""),
        "events_high": (joint.events.high, 0, ""),
        "n_low": (joint.n.low, 0, ""),
        "n_high": (joint.n.high, 0, ""),
        "tau": (pooled.tau, 2, ""),
        "tau_low": (pooled.tau_low, 2, ""),
        "tau_high": (pooled.tau_high, 2, ""),
        "further_low": (percent(pooled.predicted_low), 0, "%"),
        "further_high": (percent(pooled.predicted_high), 0, "%"),
        "silent": (sum(not row.says_something for row in found.main), 0, ""),
        "apart": (farthest(found), 3, ""),
    }
    values |= {name: (x, 1, "%") for name, x in three("rate", pooled).items()}
    auc = parts.pooled(found.performance["auc"], parts.MEASURES["auc"][2])
    values |= {name: (x, 2, "") for name, x in three("auc", auc, float).items()}
    values |= {"auc_further_low": (auc.predicted_low, 2, ""),
               "auc_further_high": (auc.predicted_high, 2, "")}  # fmt: skip
    return {name: _number(*value, kind) for name, value in values.items()}


def _number(value, digits: int, unit: str, kind) -> Number:
    absent = value is None or value != value
    value = "not known" if absent else value
    unit = "" if absent else unit
    return Number(value, digits=digits, unit=unit, kind="model", sensitivity=kind)


def farthest(found: Computed) -> float | None:
    """Largest distance of a pooled coefficient from that of all records, in standard errors."""
    joint, common = found.joint_fit, found.common
    if joint is None:
        return None
    pairs = zip(common.names, common.values, strict=True)
    return max(abs(float(v) - joint[n][0]) / joint[n][1] for n, v in pairs)


def text(found: Computed) -> dict[str, str]:
    """Plain-language summary, how to read the results, and what they cannot say."""
    return {"plain": _plain(found), "reading": _reading(found), "limits": _limits(found)}


def _plain(found: Computed) -> str:
    drawn = "Of drawn sites with a known truth: " if found.drawn is not None else ""
    said = (
        f"{drawn}at {{k}} sites together {{rate}} of the patients at caseness at the start "
        "reliably recovered (95 % {rate_low} to {rate_high}, for the average site)"
    )
    if tells_further(found.rates[MAIN]):
        said += "; a further site may expect anything from {further_low} to {further_high}. "
    else:
        said += ". What a further site may expect cannot be told from so few. "
    if len(found.performance["auc"]) > 1:
        said += (
            "One model that was judged at {k_model} of them tells those who will recover from "
            "others with an AUC of {auc} ({auc_low} to {auc_high})"
        )
        ahead = ", a further site {auc_further_low} to {auc_further_high}"
        auc = parts.pooled(found.performance["auc"], parts.MEASURES["auc"][2])
        said += f"{ahead if tells_further(auc) else ''}. "
    if reason := _no_average(found):
        said += f"{reason} "
    if len(found.sites) < FEW:
        said += "Few sites: how much they differ is hardly known, so these intervals are wide. "
    return said + "That sites agree is no proof: they may share the same error."


def _no_average(found: Computed) -> str:
    """Why there is no average, empty where there is."""
    pooled = found.rates[MAIN]
    return pooled.reason if pooled.estimate != pooled.estimate else ""


def _reading(found: Computed) -> str:
    return (
        "No record of a patient is here: only what each site released. A count that was rounded "
        "enters as the range of what it may have been, a suppressed one as all that its policy and "
        "the rest of its tables leave open. To a rate a site contributes the probability of all of "
        "these numbers of events together, every possible number of people counting alike; so its "
        "patients still count, for as much as is known of them. To an odds ratio it contributes "
        "the probability of its cells given how many have the event, every possible total counting "
        "alike, with numbers of people at the middle of their ranges: that is not the whole "
        "likelihood. "
        f"{_policies(found)} Together "
        "{events_low} to {events_high} of {n_low} to {n_high} patients reliably recovered: the "
        "joint counts lie inside for certain. Rates are pooled by their likelihood, "
        "true log odds of the sites being normal around their average; Hartung and Knapp's method, "
        "never narrower than the usual one, stands beside it, and wherever there is an estimate "
        "and an "
        "interval only (a model, states), whose standard errors are worked out from the 95 % "
        "interval. The regression is pooled with its whole covariance matrix; each site keeps its "
        "own constant. Prediction intervals have the t distribution of two sites fewer than there "
        "are."
    )


def _policies(found: Computed) -> str:
    """By which rules counts were shown, without saying where: an unusual rule names its site."""
    policies = {one.policy(run) for one, _ in found.sites for run in one.results}
    said = sorted({(p.min_count, p.round_to) for p in policies})
    rules = "; ".join(f"from {least}, in steps of {step}" for least, step in said)
    return f"Counts of the sites are shown: {rules}."


def _limits(found: Computed) -> str:
    said = (
        "Sites are taken to be drawn from more such sites; those who send bundles may not be. The "
        "interval of a likelihood takes the spread between sites as estimated and is too narrow "
        "with few of them, and so is its prediction interval: in drawn pools with a known truth "
        "both hold it less often than in 95 of 100 (studies/pooling.py). Where only "
        "the number of people is a range, each of its values counts alike. Probabilities of moves "
        "are pooled one by one and need not add up to 100 %; sites with another number of states "
        "are matched but not pooled, for theirs are other states. "
        "Who knows one site's own numbers can take them off the pool: of two sites that leaves the "
        "other, of sites that are only in the pool all but one together leave the last. A letter "
        "hides the name of a site, not its size, nor how finely its counts are rounded. "
    )
    return said + (
        "Bundles show what differs between sites, not why: patients, therapists, records and the "
        "way that outcomes are collected all do."
    )


def lacking(found: Computed) -> list[str]:
    """Which sites that are shown lack which run."""
    runs = {COUNTS: "outcomes", REGRESSION: "the regression", MODEL: "the model", STATES: "states"}
    said = []
    for run, words in runs.items():
        without = [label for one, label in found.sites
                   if run not in one.results or not one.results[run].tables]  # fmt: skip
        names = sorted(label for label in without if label is not None)
        if without:
            shown = ", ".join(names) if names else "sites that are not shown"
            said.append(f"{words}: {shown}")
    return said
