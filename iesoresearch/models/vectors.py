"""A short vector of doubles as a numba type, so that one state is one lane.

LLVM does not vectorise the tiny loops over states by itself, because it cannot rule out that the
arrays overlap. With an explicit vector type each operation becomes one to a few instructions on
any processor (AVX-512, AVX2, NEON). `lanes` is a tuple whose *length* is the number of lanes: a
length is part of its type, so numba compiles and caches one kernel per width.

Every operation also takes tuples, and then does the same for each member: four people abreast are
a tuple of four vectors. What is not a tuple is shared by all. Abreast, one person's chain of
dependent operations runs while the processor waits for another's.

Only reassociation and contraction are allowed to the compiler; infinities and NaN keep their
meaning.
"""

from functools import reduce

from llvmlite import ir
from numba import types
from numba.core import cgutils
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


def _one(type_):
    """Type of a member of a tuple, or the type itself."""
    return type_.dtype if isinstance(type_, types.UniTuple) else type_


def _for_each(result, arguments, emit):
    """Signature and code of an operation on members, for tuples too.

    Parameters
    ----------
    result
        Type of the result for one member.
    arguments
        Types of all arguments.
    emit
        Called with (context, builder, arguments of one member); returns its result. What is no
        tuple is handed to every call.
    """
    counts = {a.count for a in arguments if isinstance(a, types.UniTuple)}
    if not counts:
        return result(*arguments), lambda context, builder, _, args: emit(context, builder, args)
    (count,) = counts
    several = types.none if result is types.none else types.UniTuple(result, count)

    def generate(context, builder, signature, args):
        columns = [
            cgutils.unpack_tuple(builder, arg, count)
            if isinstance(type_, types.UniTuple)
            else [arg] * count
            for type_, arg in zip(signature.args, args, strict=True)
        ]
        made = [emit(context, builder, member) for member in zip(*columns, strict=True)]
        if several is types.none:
            return context.get_dummy_value()
        return context.make_tuple(builder, several, made)

    return several(*arguments), generate


def _address(context, builder, array_type, array, index):
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def _splat(builder, x, n):
    undefined = ir.Constant(ir.VectorType(ir.DoubleType(), n), ir.Undefined)
    zero = ir.Constant(ir.IntType(32), 0)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n)
    return builder.shuffle_vector(builder.insert_element(undefined, x, zero), undefined, mask)


@intrinsic
def number(typing_context, array, index):
    """Element ``array[index]``, for an index that is known not to be negative."""

    def emit(context, builder, args):
        return builder.load(_address(context, builder, array, *args))

    return _for_each(array.dtype, (array, index), emit)


@intrinsic
def load(typing_context, array, index, lanes):
    """Doubles ``array[index : index + n]``."""
    n = lanes.count

    def emit(context, builder, args):
        pointer = _address(context, builder, array, *args)
        pointer = builder.bitcast(pointer, ir.VectorType(ir.DoubleType(), n).as_pointer())
        return builder.load(pointer, align=8)

    signature, generate = _for_each(Vector(n), (array, index), emit)
    # `lanes` is a tuple too, but says a width only
    return (
        signature.return_type(array, index, lanes),
        lambda context, builder, _, args: generate(context, builder, signature, args[:2]),
    )


@intrinsic
def store(typing_context, array, index, x):
    """``array[index : index + n] = x``; for a number, ``array[index] = x``."""

    def emit(context, builder, args):
        pointer = _address(context, builder, array, *args[:2])
        pointer = builder.bitcast(pointer, args[2].type.as_pointer())
        builder.store(args[2], pointer, align=8)
        return context.get_dummy_value()

    return _for_each(types.none, (array, index, x), emit)


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

    def emit(context, builder, args):
        return builder.fmul(*args, flags=FLAGS)

    return _for_each(_one(x), (x, y), emit)


@intrinsic
def add(typing_context, x, y):
    """``x + y``, lane by lane."""

    def emit(context, builder, args):
        return builder.fadd(*args, flags=FLAGS)

    return _for_each(_one(x), (x, y), emit)


@intrinsic
def scale(typing_context, factor, x):
    """``factor * x`` for a number `factor`."""
    n = _one(x).n

    def emit(context, builder, args):
        return builder.fmul(_splat(builder, args[0], n), args[1], flags=FLAGS)

    return _for_each(_one(x), (factor, x), emit)


@intrinsic
def add_scaled(typing_context, total, factor, x):
    """``total + factor * x`` for a number `factor`."""
    n = _one(x).n

    def emit(context, builder, args):
        product = builder.fmul(_splat(builder, args[1], n), args[2], flags=FLAGS)
        return builder.fadd(args[0], product, flags=FLAGS)

    return _for_each(_one(x), (total, factor, x), emit)


@intrinsic
def total(typing_context, x):
    """Sum of the lanes, always in the same order (halves added to halves)."""
    n = _one(x).n

    def emit(context, builder, args):
        parts = [builder.extract_element(args[0], ir.Constant(ir.IntType(32), i)) for i in range(n)]
        while len(parts) > 1 and len(parts) % 2 == 0:
            half = len(parts) // 2
            parts = [builder.fadd(a, b) for a, b in zip(parts[:half], parts[half:], strict=True)]
        return reduce(builder.fadd, parts)

    return _for_each(types.float64, (x,), emit)
