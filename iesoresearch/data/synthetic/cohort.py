"""Draw a whole cohort."""

from iesoresearch.data.cohort import Cohort
from iesoresearch.data.synthetic import answers, care, courses, people, tables
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9
from iesoresearch.params import canonical_json


def make(n: int, seed: int, profile: str = "england", **changes) -> Cohort:
    """Draw a cohort of `n` referrals, one per person.

    Parameters
    ----------
    n
        Referrals: exactly so many, whether or not they were ever seen.
    seed
        Equal seeds give equal cohorts.
    profile
        "england" or "ieso".
    **changes
        Parameters of the profile to change, such as ``therapist_sd=0.0``.

    Returns
    -------
    Cohort
        With `truth`: ``states`` (0-based, one per row of contacts), ``initial_probs``,
        ``transition_matrix`` (both averaged over people), ``item_probs`` (of the PHQ-9),
        ``therapist_effects``, ``service_effects`` (on the response, in the order of their
        pseudonyms), ``profile`` (all parameters by name), ``population`` (the name of the
        profile) and ``seed``.

    Raises
    ------
    DataError
        Fewer than one referral.
    ParameterError
        An unknown profile or parameter.
    """
    if n < 1:
        raise DataError(f"n={n}: a cohort needs at least one referral.")
    values = Profile.load(profile).with_values(changes)
    persons = people.draw(n, values, seed)
    given = care.draw(persons, values, seed)
    drawn = courses.draw(given, values, seed)
    built = tables.build(persons, given, drawn, values, seed)
    truth = {
        "states": drawn.state,
        "initial_probs": drawn.initial,
        "transition_matrix": drawn.transition,
        "item_probs": answers.item_probs(PHQ9, values),
        "therapist_effects": given.therapist_effect,
        "service_effects": given.service_effect,
        "profile": dict(values.values),
        "population": profile,
        "seed": seed,
    }
    name = f"Synthetic cohort of {n:,} referrals ({profile})"
    drawn_with = f"synthetic:{profile}:{n}:{seed}:{canonical_json(changes)}"
    return Cohort.checked(name, "synthetic", built, drawn_with, licence="MIT", truth=truth)
