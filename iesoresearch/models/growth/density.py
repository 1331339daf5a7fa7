"""The growth model as a PyMC model.

This module imports PyMC; `GrowthModel.fit` imports it when it is needed. The likelihood is one
operation with its own gradient (`kernel`), so that little is left to compile, and the data are
handed over, not built in, so that what was compiled serves other data, too.
"""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from iesoresearch.models.growth import kernel
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.priors import Priors

N_FREE = 5  # inputs of the likelihood that are not data


class LogLikelihood(Op):
    """`kernel.log_likelihood` for PyTensor: its value, then its derivatives."""

    __props__ = ()

    def make_node(self, *inputs):
        """Inputs as of the kernel, with the designs one after the other."""
        inputs = [pt.as_tensor(x) for x in inputs]
        return Apply(self, inputs, [pt.dscalar(), *(x.type() for x in inputs[:N_FREE])])

    def perform(self, node, inputs, output_storage):
        """Where PyTensor does not compile: initial values and checks."""
        free, (sums, *designs, courses, times) = inputs[:N_FREE], inputs[N_FREE:]
        found = kernel.log_likelihood(*free, sums, tuple(designs), courses, times)
        for storage, value in zip(output_storage, found, strict=True):
            storage[0] = np.asarray(value)

    def pullback(self, inputs, outputs, cotangents):
        """Derivatives by the free inputs; only the value is ever asked for its own."""
        by = [cotangents[0] * outputs[1 + i] for i in range(N_FREE)]
        return by + [disconnected_type() for _ in inputs[N_FREE:]]

    def connection_pattern(self, node):
        """Which inputs move which outputs: nothing can be learned about the data."""
        return [[i < N_FREE] * (N_FREE + 1) for i in range(len(node.inputs))]


@register_funcify_default_op_cache_key(LogLikelihood)
def _compiled(op, node, **kwargs):
    log_likelihood = kernel.log_likelihood

    @numba_njit
    def run(p, level, rate, hazard, z, sums, xl, il, xr, ir, xh, ih, courses, times):
        designs = (xl, il, xr, ir, xh, ih)
        found = log_likelihood(p, level, rate, hazard, z, sums, designs, courses, times)
        return np.asarray(found[0]), found[1], found[2], found[3], found[4], found[5]

    return run


def build(data: GrowthData, priors: Priors, *, shared: bool) -> pm.Model:
    """Growth model of `data`; if `shared`, with a hazard of leaving by patient effects."""
    with pm.Model() as model:
        level, rate = _effects(data, priors)
        half = pm.Beta("half_correlation", priors.correlation, priors.correlation)
        parameters = [
            pm.HalfNormal("patient_level_sd", priors.patient_level_sd),
            pm.HalfNormal("patient_rate_sd", priors.patient_rate_sd),
            pm.Deterministic("patient_correlation", 2 * half - 1),
            pm.HalfNormal("residual_sd", priors.residual_sd),
        ]
        hazard, z = pt.zeros(0), pt.zeros((2, 0))
        if shared:
            width = priors.hazard_slope
            parameters.append(pm.Normal("hazard", priors.hazard_mean, priors.hazard_sd))
            parameters += [
                pm.Normal(f"hazard_{of}", 0.0, width) for of in ("time", "level", "rate")
            ]
            if data.names:
                hazard = pm.Normal("hazard_effect", 0.0, width, shape=len(data.names))
            z = pm.Normal("z", 0.0, 1.0, shape=(2, data.n_patients))
        given = [pm.Data(name, value) for name, value in _given(data, shared).items()]
        found = LogLikelihood()(pt.stack(parameters), level, rate, hazard, z, *given)
        pm.Potential("log_likelihood", found[0])
    return model


def _effects(data: GrowthData, priors: Priors):
    """All that shifts level and rate of patients, one after the other, in the order of `_given`."""
    level = [pm.Normal("level", priors.middle, priors.level, shape=1)]
    rate = [pm.Normal("rate", 0.0, priors.rate, shape=1)]
    if data.on_level.any():
        shape = int(data.on_level.sum())
        level.append(pm.Normal("level_effect", 0.0, priors.effect, shape=shape))
    if data.names:
        rate.append(pm.Normal("rate_effect", 0.0, priors.effect, shape=len(data.names)))
    if data.therapist is not None:
        level.append(_units("therapist_level", data.n_therapists, priors.therapist_level_sd))
        rate.append(_units("therapist_rate", data.n_therapists, priors.therapist_rate_sd))
    if data.service is not None:
        level.append(_units("service_level", data.n_services, priors.service_level_sd))
    return pt.concatenate(level), pt.concatenate(rate)


def _units(name: str, n: int, scale: float):
    """Effects of therapists or services, made of standard normal ones: no funnel where few."""
    sd = pm.HalfNormal(f"{name}_sd", scale)
    return pm.Deterministic(name, sd * pm.Normal(f"{name}_z", 0.0, 1.0, shape=n))


def _given(data: GrowthData, shared: bool) -> dict[str, np.ndarray]:
    """Data of the likelihood, in its order."""
    n, q = data.n_patients, data.on_level
    ones = np.ones((n, 1))
    of_level = [data.therapist + 1 + q.sum()] if data.therapist is not None else []
    of_rate = [data.therapist + 1 + len(q)] if data.therapist is not None else []
    if data.service is not None:
        of_level.append(data.service + 1 + q.sum() + data.n_therapists)
    stays, leaves = data.course if shared else np.zeros((2, n), dtype=np.int64)
    return {
        "sums": kernel.moments(data.patient, data.growth(data.time), data.score, n),
        "x_level": np.hstack([ones, data.covariates[:, q]]),
        "index_level": _columns(of_level, n),
        "x_rate": np.hstack([ones, data.covariates]),
        "index_rate": _columns(of_rate, n),
        "x_hazard": data.covariates if shared else np.zeros((n, 0)),
        "index_hazard": _columns([], n),
        "courses": np.column_stack([stays, leaves]),
        "times": data.occasions[:-1] / data.occasions[-1] - 0.5,
    }


def _columns(columns: list[np.ndarray], n: int) -> np.ndarray:
    return np.column_stack(columns) if columns else np.zeros((n, 0), dtype=np.int64)
