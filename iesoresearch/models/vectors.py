"""A short vector of doubles as a numba type, so that one state is one lane.

LLVM does not vectorise the tiny loops over states by itself, because it cannot rule out that the
arrays overlap. With an explicit vector type each operation becomes one to a few instructions on
any processor (AVX-512, AVX2, NEON). `lanes` is a tuple whose *length* is the number of lanes: a
length is part of its type, so numba compiles and caches one kernel per width.

Only reassociation and contraction are allowed to the compiler; infinities and NaN keep their
meaning.
"""

from functools import reduce

from llvmlite import ir
from numba import types
from numba.core import cgutils  # noqa: F401  (registers the code generator used below)
from numba.extending import intrinsic, models, register_model

FLAGS = ("contract", "reassoc", "nsz", "arcp")


class Vector(types.Type):
    """`n` doubles."""

    def __init__(self, n):
        self.n = n
        super().__init__(name=f"Vector({n})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(ir.DoubleType(), vector.n))


def _address(context, builder, array_type, array, index, n):
    data = context.make_array(array_type)(context, builder, array).data
    pointer = builder.gep(data, [index])
    return builder.bitcast(pointer, ir.VectorType(ir.DoubleType(), n).as_pointer())


def _splat(builder, x, n):
    undefined = ir.Constant(ir.VectorType(ir.DoubleType(), n), ir.Undefined)
    zero = ir.Constant(ir.IntType(32), 0)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n)
    return builder.shuffle_vector(builder.insert_element(undefined, x, zero), undefined, mask)


@intrinsic
def load(typing_context, array, index, lanes):
    """Doubles ``array[index : index + n]``."""
    n = lanes.count

    def generate(context, builder, signature, args):
        pointer = _address(context, builder, signature.args[0], args[0], args[1], n)
        return builder.load(pointer, align=8)

    return Vector(n)(array, types.int64, lanes), generate


@intrinsic
def store(typing_context, array, index, x):
    """``array[index : index + n] = x``."""

    def generate(context, builder, signature, args):
        pointer = _address(context, builder, signature.args[0], args[0], args[1], x.n)
        builder.store(args[2], pointer, align=8)
        return context.get_dummy_value()

    return types.none(array, types.int64, x), generate


@intrinsic
def fill(typing_context, x, lanes):
    """`x` in every lane."""
    n = lanes.count

    def generate(context, builder, signature, args):
        return _splat(builder, args[0], n)

    return Vector(n)(types.float64, lanes), generate


@intrinsic
def multiply(typing_context, x, y):
    """``x * y``, lane by lane."""

    def generate(context, builder, signature, args):
        return builder.fmul(*args, flags=FLAGS)

    return x(x, y), generate


@intrinsic
def add(typing_context, x, y):
    """``x + y``, lane by lane."""

    def generate(context, builder, signature, args):
        return builder.fadd(*args, flags=FLAGS)

    return x(x, y), generate


@intrinsic
def add_scaled(typing_context, total, scale, x):
    """``total + scale * x`` for a number `scale`."""

    def generate(context, builder, signature, args):
        product = builder.fmul(_splat(builder, args[1], x.n), args[2], flags=FLAGS)
        return builder.fadd(args[0], product, flags=FLAGS)

    return x(x, types.float64, x), generate


@intrinsic
def total(typing_context, x):
    """Sum of the lanes, always in the same order (halves added to halves)."""

    def generate(context, builder, signature, args):
        parts = [
            builder.extract_element(args[0], ir.Constant(ir.IntType(32), i)) for i in range(x.n)
        ]
        while len(parts) > 1 and len(parts) % 2 == 0:
            half = len(parts) // 2
            parts = [builder.fadd(a, b) for a, b in zip(parts[:half], parts[half:], strict=True)]
        return reduce(builder.fadd, parts)

    return types.float64(x), generate
