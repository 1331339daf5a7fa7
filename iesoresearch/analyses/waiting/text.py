"""Plain-language summary of `waiting`, how to read it, and what it cannot say."""

from iesoresearch.analyses.waiting.checks import tag
from iesoresearch.analyses.waiting.computed import Computed
from iesoresearch.analyses.waiting.perspectives import NOT_SUPPORTED, OPEN, SUPPORTED, verdict
from iesoresearch.analyses.waiting.queue_checked import QUEUE_TEXT
from iesoresearch.analyses.waiting.sentence import chance, headline
from iesoresearch.analyses.waiting.whole import Whole

_ANSWERS = {
    SUPPORTED: "yes, whichever of these costs are counted",
    OPEN: "that is not settled, whichever of these costs are counted",
    NOT_SUPPORTED: "no, whichever of these costs are counted",
}
_COUNTED = {
    "cash": "cash of the NHS",
    "work": "cash and work lost",
    "health": "cash and health lost",
    "all": "cash, work and health lost",
}


def text(whole: Whole) -> dict[str, str]:
    """Templates, by heading."""
    computed = whole.computed
    found = {"plain": _plain(computed), "reading": _reading(), "limits": LIMITS}
    return {name: f"{said} {QUEUE_TEXT[name]}" for name, said in found.items()}


def verdicts(computed: Computed) -> dict[tuple[str, str], str]:
    """By condition and what is counted, for the usual patient at the mean first wait."""
    params, wait = computed.params, computed.waits[0]
    return {
        (one.condition, tag(p)): verdict(chance(one, p, wait, params.far_more)[one.place], params)
        for one in computed.base.values()
        for p in headline(one)
    }


def answer(computed: Computed, found: dict[tuple[str, str], str] | None = None) -> str:
    """What is said of the sentence, from `verdicts` unless they are `found` already."""
    found = verdicts(computed) if found is None else found
    if len(set(found.values())) == 1:
        return _ANSWERS[next(iter(found.values()))]
    parts = []
    for word in (SUPPORTED, OPEN, NOT_SUPPORTED):
        cases = [f"{c}, {_COUNTED[t]}" for (c, t), said in found.items() if said == word]
        if cases:
            parts.append(f"{word} for {'; '.join(cases)}")
    return f"it depends on what is counted: {', and '.join(parts)}"


def _plain(computed: Computed) -> str:
    """The numbers stand in the sentences whatever the verdict is."""
    sentences = [
        f"Does waiting for talking therapy cost far more than therapy? At the mean first wait in "
        f"England, {{typical}} weeks in {{year}}, {answer(computed)}.",
        "Take a patient with {usual_depression} depression, as the average patient is who starts a "
        "course. {typical} weeks of waiting change what the NHS spends by {part_depression_cash} "
        "(95 % {part_depression_cash_low} to {part_depression_cash_high}): care besides therapy by "
        "{part_depression_care}, therapy by {part_depression_courses}, since some leave the list "
        "or recover on it. Work worth {part_depression_work} is lost "
        "({part_depression_work_low} to {part_depression_work_high}). And health is lost, "
        "{qaly_depression} QALYs by 1,000 patients, which at {wtp} per QALY would be valued at "
        "{part_depression_health} for each ({part_depression_health_low} to "
        "{part_depression_health_high}); no money of the NHS. A course costs {course_depression}.",
        "The probability that waiting costs more than a course is {p_depression_cash_typical} in "
        "NHS cash, {p_depression_work_typical} with work, {p_depression_health_typical} with "
        "health and {p_depression_all_typical} with both; after 18 weeks it is "
        "{p_depression_cash_standard}, {p_depression_work_standard}, "
        "{p_depression_health_standard} and {p_depression_all_standard}, after 52 weeks "
        "{p_depression_cash_year}, {p_depression_work_year}, {p_depression_health_year} and "
        "{p_depression_all_year}. For {usual_anxiety} anxiety, without work, it is "
        "{p_anxiety_cash_typical} in cash and {p_anxiety_health_typical} with health, after 52 "
        "weeks {p_anxiety_cash_year} and {p_anxiety_health_year}.",
        "That a short wait costs less than a course does not make it harmless, or a shorter one "
        "poor value: a week sooner is worth {sooner_depression} ({sooner_depression_low} to "
        "{sooner_depression_high}) per patient with depression, besides the price of bringing it "
        "forward, taken to be {price_depression}.",
        "What most needs to be known is {first_depression} for depression "
        "({first_share_depression} of what knowing everything would be worth) and {first_anxiety} "
        "for anxiety ({first_share_anxiety}).",
    ]
    return " ".join(sentences)


def _reading() -> str:
    return (
        "The cost of waiting is the total of a patient who waits less that of the same patient who "
        "does not, over {horizon} from referral. Its parts are kept apart, since they fall on "
        "different people: NHS cash on the NHS, work on patients and employers, health on "
        "patients. A QALY is a year in full health; what it is valued at is a choice, and the "
        "value is no cost to the NHS. Results are shown at {thresholds}: £20,000 to £30,000 was "
        "the range of NICE until 2026; £25,000 to £35,000 is new, for technology appraisals of "
        "medicines only “at this stage”, and not the rule for therapy services. “Far more” means "
        "{far_more} times the cost of a course; the sentence counts as supported where its "
        "probability is {sure} or more, as not supported where that of its contrary is, and else "
        "as not settled. Below the 2.5 and above the 97.5 % points of {n_draws} draws of all "
        "inputs lie the values outside an interval; among draws are services where therapy does "
        "less, or nothing, as among trials. The mean first wait stands for all; the second wait, "
        "from first to second session, is about {mean_second} weeks on average, longer than the "
        "first, and is counted only where the table says so. Strategies are compared for the NHS, "
        "at a price of bringing therapy forward that is assumed: a list is shortened by a week by "
        "one week’s more courses, once, shared by the referrals of {spread_weeks} weeks. By "
        "deprivation the model knows no difference between patients: what differs is how many are "
        "referred."
    )


LIMITS = (
    "{n_assumed} of {n_inputs} inputs are assumptions, among them drop-out while waiting, "
    "relapse, what work is worth and who is in work. Left out: deaths, carers and families, "
    "long-term conditions, benefits and taxes, costs to patients, harm by therapy. Prices are "
    "those of 2019–20: no price index is among the sources, so nothing is inflated. How waiting "
    "changes what therapy does later is left out, since no size of it was found; the effect acts "
    "on whatever severity is left. It comes from trials against a waiting list, and small ones "
    "report larger effects: see the scenarios. Work lost per point of PHQ-9 is from employees in "
    "the US, is not known for anxiety, and may count again what utilities count already. "
    "Generalised anxiety stands for anxiety, computer-delivered therapy for its treatment. "
    "Published waits are of those who finished a course; who gave up before is not among them, "
    "and how long the longest waited is not published. Standard errors that are not known are "
    "taken to be 15 % of the mean, as Catarino and others did in 2023. Over {horizon} some of the "
    "benefit of therapy that starts late is cut off. Natural recovery is not known within a "
    "factor of 2 to 6. Nobody looked at patients’ records: what waiting did to those who waited, "
    "only such records can say."
)
