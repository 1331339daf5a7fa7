"""Plain-language summary of `waiting`, how to read it, and what it cannot say."""

from iesoresearch.analyses.waiting.checks import tag
from iesoresearch.analyses.waiting.computed import Computed
from iesoresearch.analyses.waiting.perspectives import NOT_SUPPORTED, OPEN, SUPPORTED, verdict
from iesoresearch.analyses.waiting.queue_checked import QUEUE_TEXT
from iesoresearch.analyses.waiting.sentence import chance, headline
from iesoresearch.analyses.waiting.whole import Whole

PARAGRAPH = "\n\n"
_WHATEVER = ", whichever of these costs are counted, for the first wait alone and for both"
_ANSWERS = {
    SUPPORTED: "the sentence is supported",
    OPEN: "that is not settled",
    NOT_SUPPORTED: "the sentence is not supported",
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
    joint = {"plain": PARAGRAPH}
    return {n: f"{said}{joint.get(n, ' ')}{QUEUE_TEXT[n]}" for n, said in found.items()}


def verdicts(computed: Computed) -> dict[tuple[str, str, str], str]:
    """By condition, what is counted and wait, the first alone and both, for the usual patient."""
    params = computed.params
    return {
        (one.condition, tag(p), wait.label): verdict(
            chance(one, p, wait, params.far_more)[one.place], params
        )
        for one in computed.base.values()
        for p in headline(one)
        for wait in computed.waits[:2]
    }


def answer(computed: Computed, found: dict[tuple[str, str, str], str] | None = None) -> str:
    """What is said of the sentence, from `verdicts` unless they are `found` already."""
    found = verdicts(computed) if found is None else found
    if len(set(found.values())) == 1:
        return f"{_ANSWERS[next(iter(found.values()))]}{_WHATEVER}"
    parts = []
    for word in (SUPPORTED, OPEN, NOT_SUPPORTED):
        cases = [
            f"{c}, {_COUNTED[t]}, {wait}" for (c, t, wait), said in found.items() if said == word
        ]
        if cases:
            parts.append(f"{word} for {'; '.join(cases)}")
    return f"it depends on what is counted and on the wait: {', and '.join(parts)}"


def _plain(computed: Computed) -> str:
    """Five short paragraphs; the numbers stand in them whatever the verdict is."""
    return PARAGRAPH.join(
        [
            "Does waiting for talking therapy cost far more than therapy? For the usual waits in "
            "England, about {typical} weeks to the first session and {mean_second} from there to "
            f"the second, {answer(computed)}.",
            "Take a patient with {usual_depression} depression, as the average patient is. With "
            "both waits NHS cash changes by {cost_both_depression_cash}, beside "
            "{course_depression} for a course. What is below zero is not spent on those who leave "
            "the list or recover on it; if nobody left while waiting, it would be "
            "{stay_depression}. It is no gain: what those who leave cost later, or elsewhere, is "
            "not known. With the work that is "
            "lost, and the health that is lost, no money of the NHS, valued at {wtp} per QALY, "
            "both waits cost "
            "{cost_both_depression_all} (95 % {cost_both_depression_all_low} to "
            "{cost_both_depression_all_high}).",
            "What speaks for the sentence: long waits, seen by society. After 52 weeks, with all "
            "of this counted, waiting costs more than a course with a probability of "
            "{p_depression_all_year}, and more than {far_more} courses with "
            "{far_depression_all_year}. And to start a week sooner, down from the usual first "
            "wait, is worth {society_depression} per patient, against a price of bringing it "
            "forward of {price_depression}, which it exceeds with a probability of "
            "{pays_society_depression}. That waiting costs less than a course does not make it "
            "harmless.",
            "What speaks against it: cash of the NHS alone, which even after 52 weeks exceeds the "
            "price of a course with a probability of {p_depression_cash_year}; and the waits "
            "there are. All parts counted, waiting costs as much as a course when it has lasted "
            "{even_depression}; of those who finish a course, {longer_first_depression} waited "
            "longer for the first session, and {longer_both_depression} if the second wait is "
            "added. Without work lost, a week sooner is worth its price with a probability of "
            "{pays_depression}. For {usual_anxiety} anxiety, without work, 52 weeks cost more "
            "than a course with a probability of {p_anxiety_health_year}.",
            "How sure is that? It turns on how fast people recover while they wait. With the "
            "slowest published recovery ({slow_depression}) 18 weeks cost more than a course with "
            "a probability of {p_slow_depression_standard}, both usual waits with "
            "{p_slow_depression_both}, and 52 weeks more than {far_more} courses with "
            "{far_slow_depression_year}; with the fastest ({fast_depression}) it is "
            "{p_fast_depression_standard}, {p_fast_depression_both} and "
            "{far_fast_depression_year}. All this is about services on average. One service may "
            "do better or worse: in {harm} of draws its therapy would harm. Within the base case "
            "what adds most to the uncertainty about 18 weeks is {first_depression} for "
            "depression and {first_anxiety} for anxiety.",
        ]
    )


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
        "inputs lie the values outside an interval. “Average service”: the effect of therapy is "
        "the mean of trials; “one service”: one draw among them, so that therapy does less there, "
        "or harms, in some draws. The mean first wait, {typical} weeks, stands for all; that of "
        "the second, from first to second session, is about {mean_second} weeks. Both are of "
        "courses that were finished, at {class_weeks} weeks for the published classes, and "
        "are applied to all who are referred; the queue places waits within the classes, so its "
        "means differ from these. How many waited longer than some weeks is told by bounds, as "
        "only classes are published; first and second wait are added as if independent. "
        "Strategies are compared for the NHS, "
        "at a price of bringing therapy forward that is assumed: a list is shortened by a week by "
        "one week’s more courses, once, shared by the referrals of {spread_weeks} weeks. By "
        "deprivation the model knows no difference between patients: what differs is how many are "
        "referred."
    )


LIMITS = (
    "{n_assumed} of {n_inputs} inputs are assumptions, among them drop-out while waiting, "
    "relapse, what work is worth and who is in work. Left out: deaths, carers and families, "
    "long-term conditions, benefits and taxes, costs to patients, harm "
    "by therapy to some patients of a service that helps on average. Prices are "
    "those of 2019–20: no price index is among the sources, so nothing is inflated. How waiting "
    "changes what therapy does later is left out, since no size of it was found; the effect acts "
    "on whatever severity is left. It comes from trials against a waiting list, and small ones "
    "report larger effects: see the scenarios. Work lost per point of PHQ-9 is from employees in "
    "the US, is not known for anxiety, and may count again what utilities count already. "
    "Generalised anxiety stands for anxiety, computer-delivered therapy for its treatment. "
    "Published waits are of those who finished a course; who gave up before is not among them, "
    "and how long the longest waited is not published. Standard errors that are not known are "
    "taken to be 15 % of the mean, as Catarino and others did in 2023. What happens after "
    "{horizon} is not counted. Natural recovery is not known within a "
    "factor of 2 to 6. Nobody looked at patients’ records: what waiting did to those who waited, "
    "only such records can say."
)
