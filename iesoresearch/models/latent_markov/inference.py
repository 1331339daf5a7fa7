"""Standard errors of a latent Markov model, and the coefficients of its covariates."""

import warnings
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from iesoresearch.errors import ConvergenceWarning, DataError, NotFittedError, ParameterError
from iesoresearch.models.latent_markov import em, information
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.covariates import moved_into
from iesoresearch.models.latent_markov.logits import with_coefs, with_logits
from iesoresearch.models.latent_markov.prediction import Prediction
from iesoresearch.models.latent_markov.records import Records
from iesoresearch.models.latent_markov.sessions import Sessions

COEFFICIENTS = np.dtype([
    ("origin", "i8"), ("destination", "i8"), ("covariate", "i8"), ("estimate", "f8"),
    ("standard_error", "f8"), ("z", "f8"), ("low", "f8"), ("high", "f8"),
])  # fmt: skip
_SAME = 1e-9  # relative, of the log-likelihood of data that were said to be those of the fit


class Inference(Prediction):
    """What a fitted `LatentMarkov` says about its own uncertainty."""

    def coefficients(self) -> np.ndarray:
        """Coefficients of the covariates with standard errors and Wald intervals of 95 %.

        Returns
        -------
        structured array
            A row per coefficient: `origin` (-1 where it is about the first session) and
            `destination` states from 0, `covariate` (0 for the intercept, then from 1 in the
            order given), `estimate`, `standard_error`, `z`, and the interval from `low` to
            `high`. NaN where there is no standard error.

        Raises
        ------
        NotFittedError
            The model was fitted without covariates.
        """
        self._check_fitted()
        if not (hasattr(self, "initial_coefs_") or hasattr(self, "transition_coefs_")):
            raise NotFittedError(
                "This model was fitted without covariates and has no coefficients. Pass "
                "initial_covariates or transition_covariates to fit."
            )
        rows = []
        if hasattr(self, "initial_coefs_"):
            rows += _rows(-1, range(1, self.n_states), self.initial_coefs_, self.initial_coefs_se_)
        if hasattr(self, "transition_coefs_"):
            pairs = zip(self.transition_coefs_, self.transition_coefs_se_, strict=True)
            for origin, (coefs, errors) in enumerate(pairs):
                others = [state for state in range(self.n_states) if state != origin]
                rows += _rows(origin, others, coefs, errors)
        return np.array(rows, dtype=COEFFICIENTS)

    def standard_errors(
        self, items, lengths=None, *, weights=None, robust=None, **known
    ) -> dict[str, np.ndarray]:
        """Standard errors of every parameter, from the observed information.

        Parameters
        ----------
        items, lengths, weights
            What the model was fitted to.
        robust : bool, optional
            Whether people's own scores decide how much estimates vary (the sandwich), instead of
            the model. By default where there are weights, since these are taken for those of a
            survey; weights that count equal people want ``robust=False``. People are taken as
            independent: a survey with clusters needs `iesoresearch.models.bootstrap`.
        **known
            `dropped_out` and covariates, where the model was fitted with them.

        Returns
        -------
        dict
            By the name of the attribute without its underscore (`item_probs`, ...), each shaped
            like it. NaN where a parameter is held: a probability whose maximum is zero, or a
            coefficient without a finite maximum.

        Raises
        ------
        DataError
            Not the data of the fit, or data that do not determine the parameters.
        ParameterError
            Items are not free in every state.

        Notes
        -----
        Probabilities by the delta method. They describe the maximum: fit with a small `tol`.
        """
        self._check_fitted()
        # predictions see only the probabilities of a ladder or of ordinal items, errors their kind
        if self.items != "free" or self.dependent_pairs or hasattr(self, "positions_"):
            raise ParameterError(
                "Standard errors are known for items with free probabilities and no dependent "
                "pairs. Use iesoresearch.models.bootstrap for the uncertainty of this model."
            )
        sessions, model, to_raw = self._refitted(items, lengths, weights, known)
        errors, _ = self._errors(sessions, model, to_raw, robust)
        if errors is None:
            raise DataError(
                "The information matrix of this fit is not positive definite: EM stopped short of "
                "a maximum, or the data do not determine all parameters. Fit with a smaller tol, "
                "or ask for fewer states."
            )
        return errors

    # ---- pieces

    def _refitted(self, items, lengths, weights, known) -> tuple[Sessions, em.Model, tuple]:
        """Sessions of the fit, its model, and `to_raw`; refuses other data."""
        records = self._records(items, lengths, **known).weighted(weights).counted()
        sessions = self._sessions(records)
        model = self._fitted_model(records)
        value = em.e_step(sessions, model).log_likelihood
        if not abs(value - self.log_likelihood_) <= _SAME * max(abs(self.log_likelihood_), 1.0):
            raise DataError(
                f"The log-likelihood of these data is {value:.6f} but that of the fit was "
                f"{self.log_likelihood_:.6f}. Pass the items, lengths, weights, drop-out and "
                "covariates that the model was fitted to."
            )
        return sessions, model, to_raw(records)

    def _errors(self, sessions: Sessions, model: em.Model, to_raw: tuple, robust: bool | None):
        """Standard errors by name, None where there is no covariance; and the coordinates."""
        robust = sessions.weights is not None if robust is None else robust
        around = information.Coordinates.around(sessions, model)
        covariance = information.covariance(sessions, around, robust)
        if covariance is None:
            return None, around
        shares = shares_of(sessions, model.chain)
        errors = {}
        jacobian = around.jacobian(lambda moved: self._described(moved, shares, to_raw))
        for name, by in jacobian.items():
            variance = np.einsum("...i,ij,...j->...", by, covariance, by)
            held = (by == 0).all(axis=-1)
            errors[name] = np.where(held, np.nan, np.sqrt(np.maximum(variance, 0.0)))
        return errors, around

    def _described(self, model: em.Model, shares: tuple, to_raw: tuple) -> dict[str, np.ndarray]:
        """Parameters of a model by name, coefficients for covariates as they were given."""
        k, chain = self.n_states, model.chain
        first = (shares[0] @ chain.initial).reshape(-1, k)
        out = {"initial_probs": first.sum(axis=0)}
        if self.stayers:
            out["stayer_shares"] = first[1] / np.where(first.sum(axis=0) > 0, first.sum(axis=0), 1)
        matrix = chain.transition[:, :k, :k]
        if self.transitions == "homogeneous":
            matrix = np.tensordot(shares[1], matrix, axes=1)
        out["transition_matrix"] = np.full((k, k), np.nan) if self.one_occasion_ else matrix
        probs = model.emission.item_probs
        out["item_probs"] = probs[:, : self.n_items_]
        if self._models_dropout():
            out["dropout_probs"] = probs[:, self.n_items_, 1]
        initial, moves, _ = information.logits_of(model)
        if initial is not None:
            out["initial_coefs"] = (to_raw[0] @ initial.others)[0]
        if moves is not None:
            out["transition_coefs"] = to_raw[1] @ moves.others
        return out

    def _with_logits(self, start: em.Model, records: Records) -> em.Model:
        """A start with logits on the covariates of these people, flat unless `init` gives them."""
        designs = records.initial_design, records.transition_design
        if self.init is None:
            return em.Model(with_logits(start.chain, designs), start.emission)
        coefs = [self.init.get(name) for name in ("initial_coefs", "transition_coefs")]
        return em.Model(with_coefs(start.chain, designs, coefs), start.emission)

    def _finished(self, sessions: Sessions, best: em.Fit) -> em.Fit:
        """Where EM converged in a model with covariates, the maximum nearby."""
        covariates = any(self._n_covariates)
        if not (covariates and best.converged and information.supported(best.model)):
            return best
        found = information.maximise(sessions, best)
        if not found.converged:
            warnings.warn(
                "Newton's method found no point where the gradient vanishes, so coefficients are "
                "those of EM. The data may not determine all of them: ask for fewer states or "
                "covariates.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return replace(found, converged=True)

    def _check_dropout_and_covariates(self, records: Records):
        """Refuse drop-out nobody knows, and covariates there is no model for."""
        lasts = records.items[records.bounds[1:] - 1, self.n_items_ :]
        if lasts.size and (lasts < 0).all():
            raise DataError(
                "dropped_out is not known (-1) of anybody, so drop-out cannot be modelled. Fit "
                "without it."
            )
        first, moves = records.initial_covariates, records.transition_covariates
        self._n_covariates = tuple(
            0 if given is None else given.shape[1] for given in (first, moves)
        )
        if not any(self._n_covariates):
            return
        if self.stayers:
            raise ParameterError("There are no covariates in a model with stayers. Drop either.")
        if moves is not None and self.transitions == "by_occasion":
            raise ParameterError(
                "transition_covariates go with transitions='homogeneous'. For transitions that "
                "also differ between occasions add columns of 0 and 1 for occasions."
            )
        if moves is not None and records.one_occasion:
            raise DataError(
                "transition_covariates were given but everybody has one session, so there is no "
                "transition. Leave them out."
            )
        counted = records.counted()
        for design, name in (
            (counted.initial_design, "initial_covariates"),
            (counted.transition_design, "transition_covariates"),
        ):
            if design is not None:
                design.check_rank(name)

    def _keep_coefficient_errors(self, sessions: Sessions):
        """Standard errors of the coefficients, and which of these have no maximum."""
        names = [
            name for name in ("initial_coefs", "transition_coefs") if hasattr(self, f"{name}_")
        ]
        errors, self.separated_ = None, ()
        if names and self.converged_ and information.supported(self._model):
            errors, around = self._errors(sessions, self._model, self._to_raw, None)
            self.separated_ = _separated(around)
        for name in names:
            none = np.full(getattr(self, f"{name}_").shape, np.nan)
            setattr(self, f"{name}_se_", none if errors is None else errors[name])
        if self.separated_:
            moves = ", ".join(
                f"{'first session' if i < 0 else f'state {i}'} to state {j}"
                for i, j in self.separated_
            )
            warnings.warn(
                f"Coefficients have no finite maximum (separation): {moves}. At some covariates "
                "this hardly ever happens. Read them as large, not as numbers; they have no "
                "standard errors. Leave the covariate out or ask for fewer states.",
                ConvergenceWarning,
                stacklevel=4,
            )


def shares_of(sessions: Sessions, chain: Chain) -> tuple[np.ndarray, np.ndarray]:
    """Share of people in every class of initial probabilities, and of moves in theirs."""
    weights = np.ones(sessions.n_people) if sessions.weights is None else sessions.weights
    first, into = np.ones(1), np.ones(1)
    if sessions.first_class is not None:
        first = np.bincount(sessions.first_class, weights, len(chain.initial))
    if sessions.move_class is not None:
        moved = moved_into(sessions.bounds)
        by_row = np.repeat(weights, np.diff(sessions.bounds))[moved]
        into = np.bincount(sessions.move_class[moved], by_row, len(chain.transition))
    return first / first.sum(), into / into.sum()


def to_raw(records: Records) -> tuple[np.ndarray | None, ...]:
    """What turns coefficients of standardised covariates into those of covariates as given."""
    designs = records.initial_design, records.transition_design
    return tuple(None if design is None else design.to_raw for design in designs)


def _separated(around: information.Coordinates) -> tuple[tuple[int, int], ...]:
    """Pairs of origin (-1 for the first session) and destination whose logits are held."""
    first, moves = around.separated()
    pairs = [] if first is None else [(-1, int(j)) for j in np.flatnonzero(first[0])]
    if moves is not None:
        pairs += [(int(i), int(j)) for i, j in np.argwhere(moves)]
    return tuple(pairs)


def _rows(origin: int, destinations, coefs: np.ndarray, errors: np.ndarray) -> list[tuple]:
    """Rows of `COEFFICIENTS` of one multinomial logit: (covariates, destinations)."""
    reach = -ndtri(0.025)
    rows = []
    for column, destination in enumerate(destinations):
        pairs = zip(coefs[:, column], errors[:, column], strict=True)
        for covariate, (value, error) in enumerate(pairs):
            interval = value - reach * error, value + reach * error
            rows.append((origin, destination, covariate, value, error, value / error, *interval))
    return rows
