"""The growth model as a PyMC model.

This module imports PyMC; `GrowthModel.fit` imports it when it is needed. The likelihood is one
operation with its own gradient (`kernel`), so that little is left to compile.
"""

import hashlib
import inspect

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from iesoresearch.models.growth import kernel, layout
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.priors import Priors

_SOURCE = inspect.getsource(kernel).encode()
N_FREE = 3  # inputs of the likelihood that are not data


class LogLikelihood(Op):
    """`kernel.packed` for PyTensor: its value, then its derivatives."""

    __props__ = ()

    def make_node(self, *inputs):
        """Inputs as of the kernel."""
        inputs = [pt.as_tensor(x) for x in inputs]
        return Apply(self, inputs, [pt.dscalar(), *(x.type() for x in inputs[:N_FREE])])

    def perform(self, node, inputs, output_storage):
        """Where PyTensor does not compile."""
        for storage, value in zip(output_storage, kernel.packed(*inputs), strict=True):
            storage[0] = np.asarray(value)

    def pullback(self, inputs, outputs, cotangents):
        """Derivatives by the free inputs; nothing asks for those of derivatives."""
        by = [cotangents[0] * outputs[1 + i] for i in range(N_FREE)]
        return by + [disconnected_type() for _ in inputs[N_FREE:]]

    def connection_pattern(self, node):
        """Which inputs move which outputs: all of the free ones, none of the data."""
        return [[i < N_FREE] * (N_FREE + 1) for i in range(len(node.inputs))]


@register_funcify_default_op_cache_key(LogLikelihood)
def _compiled(op, node, **kwargs):
    packed = kernel.packed

    @numba_njit
    def run(free, sd, rho, sizes, spread, sums, xl, ul, xr, ur, xh, uh, courses, times):
        found = packed(free, sd, rho, sizes, spread, sums, xl, ul, xr, ur, xh, uh, courses, times)
        return np.asarray(found[0]), found[1], found[2], found[3]

    # PyTensor keeps what it compiled by this number: without it, it would not notice another kernel
    return run, int.from_bytes(hashlib.blake2b(_SOURCE, digest_size=6).digest())


def build(data: GrowthData, priors: Priors, *, shared: bool) -> pm.Model:
    """Growth model of `data`; if `shared`, with a hazard of leaving by patient effects."""
    where = layout.Layout.of(data, priors, shared=shared)
    with pm.Model() as model:
        free = pm.Normal("normal", where.mean, where.sd)
        sd = pm.HalfNormal("half_normal", np.array(list(where.half_normal.values())))
        half = pm.Beta("half_correlation", priors.correlation, priors.correlation, shape=1)
        given = layout.given(data, shared=shared)
        data_of = [
            pt.constant(value) for value in given.values()
        ]  # as shared ones: slow to compile
        found = LogLikelihood()(free, sd, 2 * half - 1, *data_of)
        pm.Potential("log_likelihood", found[0])
    return model
