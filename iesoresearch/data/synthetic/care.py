"""What happens to whom: severity, response, therapists, delivery, waits, plans."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.data import codes
from iesoresearch.data.synthetic import kernels
from iesoresearch.data.synthetic.people import People, expit
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.seeds import rng

LOW, HIGH = kernels.LOW, kernels.HIGH
NOT_SEEN, SEEN, TREATED = 0, 1, 2
DAYS_PER_STEP = 28.0  # unit of the effect of waiting


@dataclass(frozen=True)
class Care:
    """One entry per referral.

    Attributes
    ----------
    problem, mechanism
        Indices into `PROBLEMS` and `codes.MECHANISMS`.
    service
        Number of the service.
    therapist
        (referrals, 2) number of the therapist in each step.
    reached
        `NOT_SEEN`, `SEEN` or `TREATED`.
    separate
        Whether an assessment came before the first treatment.
    planned
        (referrals, 2) treatment appointments planned in each step.
    therapy
        (referrals, 2) index into `codes.THERAPY_NAMES` per step, -1 = not recorded.
    alpha, beta
        Shift of severity at the start; response in each step (referrals, 2).
    goes_on, leaves
        Logits of a second treatment and of leaving early.
    wait, second_wait
        Days from referral to first, and from first to second treatment.
    service_effect, therapist_effect
        Of every service and therapist, on the response.
    skill
        Of every therapist: how far change methods fill a session.
    anxiety, impairment
        What the person adds to all GAD-7 and WSAS items.
    """

    problem: np.ndarray
    mechanism: np.ndarray
    service: np.ndarray
    therapist: np.ndarray
    reached: np.ndarray
    separate: np.ndarray
    planned: np.ndarray
    therapy: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray
    goes_on: np.ndarray
    leaves: np.ndarray
    wait: np.ndarray
    second_wait: np.ndarray
    service_effect: np.ndarray
    therapist_effect: np.ndarray
    skill: np.ndarray
    anxiety: np.ndarray
    impairment: np.ndarray


def draw(people: People, profile: Profile, seed: int) -> Care:
    """Draw the care that `people` receive."""
    n = len(people.age)

    def stream(name):
        return rng(seed, "synthetic", name)

    problem = stream("problem").choice(len(PROBLEMS), size=n, p=_shares(profile["problem_shares"]))
    alpha, beta = _group_effects(people, problem, profile)
    alpha = alpha + profile["severity"] + profile["severity_sd"] * stream("alpha").normal(size=n)
    beta = beta + profile["response_sd"] * stream("beta").normal(size=n)

    service = stream("service").choice(
        profile["n_services"], size=n, p=_zipf(profile["n_services"], profile["service_spread"])
    )
    service_effect = profile["service_sd"] * stream("services").normal(size=profile["n_services"])
    therapist, n_therapists = _therapists(service, profile, stream("therapist"))
    therapist_effect = profile["therapist_sd"] * stream("therapists").normal(size=n_therapists)
    skill = stream("skill").normal(size=n_therapists)  # how much of a session is change methods

    mechanism = _mechanism(people, alpha, service, profile, stream)
    delivery = np.array(profile["mechanism_effects"])[mechanism]
    typed = mechanism == codes.MECHANISMS.index("typed, live")
    planned, therapy, plan_effect = _plans(problem, alpha, profile, stream)
    beta = (beta + service_effect[service] + delivery)[:, None] + therapist_effect[therapist]
    beta += np.array(profile["step_response"]) + plan_effect
    beta += profile["content_effect"] * np.where(typed[:, None], skill[therapist], 0.0)

    place = people.deprivation
    logit = profile["seen"] - profile["seen_by_deprivation"] * place
    seen = stream("seen").random(n) < expit(logit)
    treated = seen & (stream("treated").random(n) >= profile["seen_only"])
    wait = _wait(profile["wait_days"], profile["wait_shares"], stream("wait"), n)
    return Care(
        problem=problem, mechanism=mechanism, service=service, therapist=therapist,
        reached=seen.astype(np.int8) + treated, planned=planned, therapy=therapy,
        separate=stream("assessment").random(n) < profile["separate_assessment"],
        alpha=alpha, beta=beta,
        goes_on=profile["goes_on"] - profile["goes_on_by_deprivation"] * place,
        leaves=profile["leaves"] + profile["leaves_by_deprivation"] * place
        + profile["leaves_young"] * (people.age < 26),
        wait=wait,
        second_wait=_wait(
            profile["second_wait_days"], profile["second_wait_shares"], stream("second wait"), n
        ),
        service_effect=service_effect, therapist_effect=therapist_effect, skill=skill,
        anxiety=np.array(profile["problem_anxiety"])[problem]
        + profile["anxiety_sd"] * stream("anxiety").normal(size=n),
        impairment=profile["impairment_sd"] * stream("impairment").normal(size=n)
        + profile["impairment_ill"] * people.ill,
    )  # fmt: skip


def _group_effects(people: People, problem: np.ndarray, profile: Profile):
    """Shifts of severity and response by problem and characteristic."""
    alpha, beta = np.zeros(len(problem)), np.zeros(len(problem))
    for name, index in {
        "problem": problem,
        "age": people.age_band,
        "gender": people.gender,
        "ethnicity": people.ethnicity,
        "orientation": people.orientation,
        "ltc": people.ill.astype(int),
        "disability": people.disabled.astype(int),
        "deprivation": people.decile,
    }.items():
        alpha += np.array(profile[f"{name}_severity"])[index]
        beta += np.array(profile[f"{name}_response"])[index]
    return alpha, beta


def _therapists(service, profile: Profile, random) -> tuple[np.ndarray, int]:
    """A therapist of the service for each step, with about `caseload` referrals each."""
    n_services = profile["n_services"]
    size = np.bincount(service, minlength=n_services)
    n_each = np.maximum(1, np.round(size / profile["caseload"])).astype(int)
    first = np.concatenate([[0], np.cumsum(2 * n_each)])
    drawn = random.random((len(service), 2)) * n_each[service][:, None]
    return (first[service][:, None] + drawn.astype(int) + [0, 1] * n_each[service][:, None]), int(
        first[-1]
    )


def _mechanism(people: People, alpha, service, profile: Profile, stream) -> np.ndarray:
    """How people meet: by age, severity and service, so that plain comparisons mislead."""
    n, k = len(alpha), len(codes.MECHANISMS)
    logits = np.tile(_log_shares(profile["mechanism_shares"]), (n, 1))
    logits += (
        np.array(profile["mechanism_by_age"]) * ((people.age.astype(float) - 40.0) / 10.0)[:, None]
    )
    logits += np.array(profile["mechanism_by_severity"]) * (alpha - profile["severity"])[:, None]
    habits = stream("habits").normal(size=(profile["n_services"], k))
    logits += profile["mechanism_by_service"] * habits[service]
    return chosen(logits, stream("mechanism"))


def _plans(problem, alpha, profile: Profile, stream):
    """Appointments planned and therapy in each step, and what the therapy adds to the response."""
    n = len(problem)
    by_severity = np.array(profile["pathway_by_severity"]) * (alpha - profile["severity"])[:, None]
    # low, high, one contact low then high, a course of each
    pathway = chosen(_log_shares(profile["pathway_shares"]) + by_severity, stream("pathway"))
    planned = np.zeros((n, 2), dtype=np.int64)
    for step in (LOW, HIGH):
        mean, dispersion = profile["planned"][step]
        extra = stream(f"planned {step}").negative_binomial(
            dispersion, dispersion / (dispersion + mean - 2), n
        )
        planned[:, step] = 2 + extra
    planned[pathway == 0, HIGH] = 0
    planned[pathway == 1, LOW] = 0
    planned[pathway == 2, LOW] = 1  # one contact in the lower step, then the higher one
    therapy = np.empty((n, 2), dtype=np.int64)
    effect = np.empty((n, 2))
    depressed = problem == list(PROBLEMS).index("depression")
    traumatised = problem == list(PROBLEMS).index("post-traumatic stress disorder")
    for step, name in ((LOW, "low_therapies"), (HIGH, "high_therapies")):
        names, shares, effects = zip(*profile[name], strict=True)
        index = np.array([codes.THERAPY_NAMES.index(t) if t else -1 for t in names])
        logits = np.tile(_log_shares(shares), (n, 1))
        if step == HIGH:
            logits[:, names.index("counselling for depression")] += (
                profile["counselling_if_depressed"] * depressed
            )
            logits[:, names.index("eye movement desensitisation reprocessing")] += (
                profile["emdr_if_traumatised"] * traumatised
            )
        choice = chosen(logits, stream(name))
        therapy[:, step], effect[:, step] = index[choice], np.array(effects)[choice]
    return planned, therapy, effect


def _wait(edges, shares, random, n: int) -> np.ndarray:
    """Days: bands with given shares, uniform within each."""
    band = random.choice(len(shares), size=n, p=_shares(shares))
    edges = np.array(edges)
    width = edges[band + 1] - edges[band]
    return edges[band] + np.floor(random.random(n) * width).astype(int)


def _shares(values) -> np.ndarray:
    values = np.array(values, dtype=float)
    return values / values.sum()


def _log_shares(values) -> np.ndarray:
    with np.errstate(divide="ignore"):  # what nobody has is never chosen
        return np.log(_shares(values))


def chosen(logits: np.ndarray, random) -> np.ndarray:
    """One column per row, drawn from the softmax of `logits` (Gumbel maximum)."""
    return np.argmax(logits - np.log(-np.log(random.random(logits.shape))), axis=1)


def _zipf(n: int, spread: float) -> np.ndarray:
    """Sizes of services, from large to small."""
    sizes = np.arange(1, n + 1) ** -spread
    return sizes / sizes.sum()
