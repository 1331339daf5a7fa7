"""Where EM begins: drawn at random, or given by the caller."""

from collections.abc import Mapping

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.latent_markov import checks
from iesoresearch.models.latent_markov.chains import Chain, with_stayers


def random_items(random: np.random.Generator, n_states: int, levels: np.ndarray) -> np.ndarray:
    """Dirichlet item probabilities: (states, items, levels), zero beyond an item's levels."""
    item_probs = random.dirichlet([1.5] * levels.max(), (n_states, len(levels)))
    item_probs[:, np.arange(levels.max()) >= levels[:, None]] = 0.0
    return item_probs / item_probs.sum(axis=2, keepdims=True)


def random_chain(random: np.random.Generator, n_states: int, n_moves: int, stayers: bool) -> Chain:
    """Dirichlet initial probabilities, and one sticky transition matrix for all `n_moves`."""
    initial = random.dirichlet([3.0] * n_states)
    transition = 0.5 * np.eye(n_states) + 0.5 * random.dirichlet([1.0] * n_states, n_states)
    transition = np.repeat(transition[None], n_moves, axis=0)
    if stayers:
        return with_stayers(initial, transition, random.uniform(0.05, 0.5, n_states))
    return Chain(initial[None], transition)


def without_associations(init: Mapping, pairs: tuple) -> tuple[Mapping, np.ndarray]:
    """The caller's start values without those of the pairs, which are zero by default: (pairs,)."""
    if not isinstance(init, Mapping) or "pair_associations" not in init or not pairs:
        return init, np.zeros(len(pairs))
    rest = {name: value for name, value in init.items() if name != "pair_associations"}
    associations = np.asarray(init["pair_associations"], dtype=float)
    if associations.shape != (len(pairs),) or not np.isfinite(associations).all():
        raise ParameterError(
            f"init['pair_associations'] has shape {associations.shape}; it must hold one finite "
            f"number for each of the {len(pairs)} dependent pairs."
        )
    return rest, associations


def given(
    init: Mapping, shapes: Mapping[str, tuple[int, ...]], one_occasion: bool
) -> dict[str, np.ndarray]:
    """The caller's start values, checked; a matrix of no use where there are no transitions."""
    if isinstance(init, Mapping) and one_occasion and "transition_matrix" in shapes:
        shape = shapes["transition_matrix"]
        matrix = np.broadcast_to(np.eye(shape[-1]), shape)
        init = {**init, "transition_matrix": matrix}
    return checks.check_init(init, shapes)
