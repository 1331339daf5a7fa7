"""The model in PyMC, its data still to be given. This module imports PyMC; `fit` imports it.

The log-posterior is one operation with its own derivatives (`kernel`), so that little is left to
compile, and what is compiled serves null model, main-effects model and other data of the same size.
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

from iesoresearch.models.maihda import kernel

_SOURCE = inspect.getsource(kernel).encode()


class LogPosterior(Op):
    """`kernel.log_posterior` for PyTensor: its value, then its derivatives."""

    __props__ = ()

    def make_node(self, *inputs):
        """Inputs as of the kernel."""
        inputs = [pt.as_tensor(x) for x in inputs]
        return Apply(self, inputs, [pt.dscalar(), *(x.type() for x in inputs[:2])])

    def perform(self, node, inputs, output_storage):
        """Where PyTensor does not compile."""
        for storage, value in zip(output_storage, kernel.log_posterior(*inputs), strict=True):
            storage[0] = np.asarray(value)

    def pullback(self, inputs, outputs, cotangents):
        """Derivatives by coefficients, z and spread; nothing asks for those of derivatives."""
        return [cotangents[0] * by for by in outputs[1:]] + [disconnected_type()]

    def connection_pattern(self, node):
        """Which inputs move which outputs: data none."""
        return [[True] * 3, [True] * 3, [False] * 3]


@register_funcify_default_op_cache_key(LogPosterior)
def _compiled(op, node, **kwargs):
    posterior = kernel.log_posterior

    @numba_njit
    def run(free, spread, data):
        value, by_free, by_spread = posterior(free, spread.item(), data)
        return np.asarray(value), by_free, np.asarray(by_spread)

    # PyTensor keeps what it compiled by this number: without it, it would not notice another kernel
    return run, int.from_bytes(hashlib.blake2b(_SOURCE, digest_size=6).digest())


def build(strata: int, coefficients: int, scale: float) -> pm.Model:
    """The model for data of one size, `scale` being that of the half-normal prior of the spread."""
    with pm.Model() as model:
        data = pm.Data("data", np.ones((6 + 2 * coefficients, strata)))
        free = pm.Flat("free", shape=coefficients + strata)
        spread = pm.HalfNormal("spread", scale)
        pm.Potential("log_posterior", LogPosterior()(free, spread, data)[0])
    return model
