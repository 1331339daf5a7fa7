"""Plain-language summary of `waiting_effect`, how to read it, and what it cannot say."""

from iesoresearch.analyses.waiting_effect import course
from iesoresearch.analyses.waiting_effect.fitted import Fitted


def text(fitted: Fitted) -> dict[str, str]:
    """Templates, by heading."""
    return {"plain": _plain(fitted), "reading": _reading(), "limits": _limits(fitted)}


def _plain(fitted: Fitted) -> str:
    whose = "Of drawn trials with a known truth: " if fitted.evidence.simulated else ""
    return (
        f"{whose}{{n_comparisons}} comparisons of a therapy with a waiting list, in {{n_trials}} "
        "trials, put patients given therapy ahead at the end of treatment by g = {base} (95 % "
        "{base_low} to {base_high}). How far depends on which trials are believed. Without effects "
        "above 2 it is {without_large} ({without_large_low} to {without_large_high}); with trials "
        "at low risk of bias only, {low_risk} ({low_risk_low} to {low_risk_high}). "
        + _small(fitted)
        + "Against care as usual g is {care_as_usual} ({care_as_usual_low} to "
        "{care_as_usual_high}). True effects differ by a standard deviation of {spread}, so that "
        "the next trial may find its truth anywhere from {new_low} to {new_high}. What happens "
        "without treatment differs between sources: after a year, by them, from {year_least} "
        "(severe depression, Catarino) to {year_most} (Whiteford) of those depressed are in "
        "remission, so recovery while waiting is a scenario, not a number."
    )


def _small(fitted: Fitted) -> str:
    if fitted.coefficients["limit_error"]["small_study"].x_low <= 0:
        return "That small trials report larger effects is not shown. "
    return (
        "Small trials report larger effects. Followed to trials without sampling error, g is "
        "{limit_variance} ({limit_variance_low} to {limit_variance_high}) or {limit_error} "
        "({limit_error_low} to {limit_error_high}), as the effect goes with the variance or with "
        "the standard error, and {limit_size} ({limit_size_low} to {limit_size_high}) as it goes "
        "with the sizes of the groups alone; all go beyond the largest trial there is (standard "
        "error {smallest_error}). "
    )


def _reading() -> str:
    return (
        "Hedges' g is the difference at the end of treatment in standard deviations of the trial. "
        "Comparisons are nested in trials, whose therapies share patients on the waiting list: the "
        "{n_comparisons} comparisons are not that many independent answers. True effects may "
        "differ between trials and between comparisons of a trial. The mean and the three other "
        "parameters are drawn by PyMC with the effects integrated out; means and their intervals "
        "are then averaged over the draws of both standard deviations, so that they hardly move "
        "with the seed. Restricted maximum likelihood, without priors, is the independent "
        "reference. How true effects within a trial differ from those between trials is hardly "
        "told by trials with one comparison: their two standard deviations lean on the prior, the "
        "two together do not. The joint posterior of mean and standard deviations goes into the "
        "model of waiting as draws.\n\n"
        "Weekly hazards recomputed from the shares of Whiteford are {hazard_first} in the first "
        "three months, {hazard_middle} in the next three and {hazard_last} in the last six: not "
        "monotone. The three shares are predictions, at three times, of a regression over 19 "
        "studies of different people, not of one group followed for a year, so nothing makes the "
        "hazards between them fall steadily, as they would in one group in which those who "
        "recover easily do so first. Averages from the start hide the dip. No interval of the "
        "shares is at hand here, so whether the dip is real is not known. Sources: "
        f"{course.REFERENCES}; those of Catarino are midpoints of published ranges."
    )


def _limits(fitted: Fitted) -> str:
    if fitted.evidence.simulated:
        start = "The trials were drawn: this shows that the method works, no more. "
    else:
        start = (
            "These are published results only, as collected by others; which release of the "
            "database it is was not established, and its trials end in {last_year}. The standard "
            "error of g rises with g, which alone makes some of the slope; the limit by the sizes "
            "of the groups is free of that. "
        )
    if not all(check.inside for check in fitted.after["limit_error"]):
        start += (
            "Effects as large as the largest found are not what either model would give: true "
            "effects are taken to be normal, and a few effects far out pull the mean up. "
        )
    return (
        start + "That small trials report larger effects need not be bias: they may have been of "
        "other patients or other therapies. So no limit is the true effect, and neither is the "
        "plain mean. A waiting list in a trial is not a waiting list of a service: patients agreed "
        "to be drawn by lot. Effects are those at the end of treatment; nothing is said about how "
        "long they last. Depression only; therapies, formats and countries are mixed. Shares in "
        "remission come from different people, defined in different ways: they are alternatives, "
        "not data to pool, and screening followed by regression to the mean looks like recovery."
    )
