"""Where each parameter is in the vectors that are sampled, and what the likelihood is given.

All normal parameters are one vector and all standard deviations another: the less there is for
PyTensor to compile, the sooner sampling starts.
"""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.growth import kernel
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.priors import Priors

HAZARD = ("hazard", "hazard_time", "hazard_level", "hazard_rate")


@dataclass(frozen=True)
class Layout:
    """Parameters of a model.

    Attributes
    ----------
    normal
        Size of each normal parameter, by name, in order; those ending in ``_z`` are standard
        normal numbers behind effects.
    mean, sd
        (sum of sizes,) of the priors of the normal parameters.
    half_normal
        Scale of the prior of each standard deviation, by name, in order.
    spread
        Of `kernel.unit_scale`, by name of the effect, in order.
    """

    normal: dict[str, int]
    mean: np.ndarray
    sd: np.ndarray
    half_normal: dict[str, float]
    spread: dict[str, float]

    @classmethod
    def of(cls, data: GrowthData, priors: Priors, *, shared: bool) -> "Layout":
        """Of the model of `data`; with drop-out if `shared`."""
        q, n_level = len(data.names), int(data.on_level.sum())
        therapists, services = data.n_therapists, data.n_services
        rows = [  # in the order in which `kernel.unpack` takes them
            ("level", 1, priors.middle, priors.level),
            ("level_effect", n_level, 0.0, priors.effect),
            ("rate", 1, 0.0, priors.rate),
            ("rate_effect", q, 0.0, priors.effect),
            ("therapist_level_z", therapists, 0.0, 1.0),
            ("therapist_rate_z", therapists, 0.0, 1.0),
            ("service_level_z", services, 0.0, 1.0),
        ]
        if shared:
            rows.append((HAZARD[0], 1, priors.hazard_mean, priors.hazard_sd))
            rows += [(name, 1, 0.0, priors.hazard_slope) for name in HAZARD[1:]]
            rows.append(("hazard_effect", q, 0.0, priors.hazard_slope))
        sds = ["patient_level_sd", "patient_rate_sd", "residual_sd"]
        sds += ["therapist_level_sd", "therapist_rate_sd"] * (therapists > 0)
        sds += ["service_level_sd"] * (services > 0)
        sizes = [size for _, size, _, _ in rows]
        return cls(
            normal={name: size for name, size, _, _ in rows},
            mean=np.repeat([mean for _, _, mean, _ in rows], sizes),
            sd=np.repeat([sd for _, _, _, sd in rows], sizes),
            half_normal={name: getattr(priors, name) for name in sds},
            spread=_spread(data),
        )

    def by_name(self, normal, half_normal, half_correlation) -> dict[str, np.ndarray]:
        """Draws by name, (…) or (…, size), from those of the vectors (…, all)."""
        sds = {name: half_normal[..., i] for i, name in enumerate(self.half_normal)}
        found = {}
        ends = np.cumsum(list(self.normal.values()))
        for (name, size), end in zip(self.normal.items(), ends, strict=True):
            values = normal[..., end - size : end]
            if size and name in ("level", "rate", *HAZARD):
                found[name] = values[..., 0]
            elif size and name.endswith("_z"):
                name = name.removesuffix("_z")
                scale, _ = kernel.unit_scale(sds[f"{name}_sd"], self.spread[name])
                found[name] = values * scale[..., None]
            elif size:
                found[name] = values
        return found | sds | {"patient_correlation": 2 * half_correlation - 1}


def _spread(data: GrowthData) -> dict[str, float]:
    """How well effects can be told: as means of patients of a unit, whose scores spread so much."""
    sd, n = data.score.std(), data.n_patients
    therapist = sd * np.sqrt(max(data.n_therapists, 1) / n)
    service = sd * np.sqrt(max(data.n_services, 1) / n)
    return {
        "therapist_level": therapist,
        "therapist_rate": therapist,
        "service_level": service,
    }


def given(data: GrowthData, *, shared: bool) -> dict[str, np.ndarray]:
    """Data of `kernel.packed`, in its order."""
    n, q = data.n_patients, data.on_level
    n_level, q_hazard = int(q.sum()), len(q) if shared else 0
    sizes = [n_level, len(q), data.n_therapists, data.n_services, q_hazard, int(shared)]
    of_level, of_rate = [], []  # positions of a patient's units among the effects
    if data.therapist is not None:
        of_level.append(1 + n_level + data.therapist)
        of_rate.append(1 + len(q) + data.therapist)
    if data.service is not None:
        of_level.append(1 + n_level + data.n_therapists + data.service)
    ones, none = np.ones((n, 1)), np.zeros((n, 0), dtype=np.int64)
    return {
        "sizes": np.array(sizes),
        "spread": np.array(list(_spread(data).values())),
        "sums": kernel.moments(data.patient, data.growth(data.time), data.score, n),
        "x_level": np.hstack([ones, data.covariates[:, q]]),
        "units_level": np.column_stack([none, *of_level]),
        "x_rate": np.hstack([ones, data.covariates]),
        "units_rate": np.column_stack([none, *of_rate]),
        "x_hazard": data.covariates[:, :q_hazard],
        "units_hazard": none,
        "courses": np.column_stack(data.course) if shared else np.zeros((n, 2), dtype=np.int64),
        "times": data.occasions[:-1] / data.occasions[-1] - 0.5,
    }
