"""Vectors of 16 floats inside Numba functions: LLVM's own vector type, and the functions of it that PPO needs.

Numba has no such type. It leaves it to LLVM to turn loops into vectors, which gives up on a loss of fifty lines. LLVM
cuts a vector of 16 into what the processor has: one register of AVX-512, two of AVX2. NaN and infinity stay what they
are in all of these functions.

The polynomials are those of the Cephes library (Moshier, 1992) for `exp` and `log`, and the rational approximation that
Eigen and XLA use for `tanh`. All are right to a few units in the last place.
"""

# Numba hands an intrinsic's first argument over by itself, which no type checker knows.
# pyright: reportCallIssue=false

import operator
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
"""Floats in a vector."""
FLAGS = ("afn", "arcp", "contract", "nsz")
"""What the compiler may do to floats: approximate and fuse, but not take NaN or infinity for impossible."""
FLOAT, INT = ir.FloatType(), ir.IntType(32)
FLOATS, INTS = ir.VectorType(FLOAT, LANES), ir.VectorType(INT, LANES)

f32 = np.float32
jit = njit(fastmath=set(FLAGS), error_model="numpy", no_cpython_wrapper=True)


class Vector(types.Type):
    """16 floats, as Numba's type."""

    def __init__(self):
        super().__init__("Vector16")


vector, index = Vector(), types.intp


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, FLOATS)


# --- Arithmetic ------------------------------------------------------------------------------------------------------


def _operator(python, instruction, flags=FLAGS):
    """Let one of Python's operators take two vectors."""

    @infer_global(python)  # pyright: ignore[reportOptionalCall]
    class _Two(AbstractTemplate):
        def generic(self, args, kws):
            return signature(vector, vector, vector) if args == (vector, vector) else None

    @lower_builtin(python, vector, vector)
    def _instruction(context, builder, signature, args):
        return getattr(builder, instruction)(*args, flags=flags)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv", (*FLAGS, "ninf"))  # by an approximate reciprocal and a step of Newton's


def _call(builder, name, result, args, **options):
    """One of LLVM's own functions."""
    kind = ir.FunctionType(result, [one.type for one in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args, **options)


def _fma(builder, a, b, c):
    return _call(builder, "llvm.fmuladd.v16f32", FLOATS, [a, b, c])


def _everywhere(builder, x):
    first = builder.insert_element(ir.Constant(FLOATS, ir.Undefined), x, ir.Constant(INT, 0))
    return builder.shuffle_vector(first, ir.Constant(FLOATS, ir.Undefined), ir.Constant(INTS, [0] * LANES))


@intrinsic
def full(typing, x):
    """The number x in every place."""
    return vector(types.float32), lambda context, builder, signature, args: _everywhere(builder, *args)


@intrinsic
def fma(typing, a, b, c):
    """a·b + c."""
    return vector(vector, vector, vector), lambda context, builder, signature, args: _fma(builder, *args)


@intrinsic
def pick(typing, a, b, x, y):
    """x where a ≤ b or one of them is NaN, else y."""

    def build(context, builder, signature, args):
        return builder.select(builder.fcmp_unordered("<=", args[0], args[1]), args[2], args[3])

    return vector(vector, vector, vector, vector), build


@intrinsic
def root(typing, x):
    """√x."""

    def build(context, builder, signature, args):
        return _call(builder, "llvm.sqrt.v16f32", FLOATS, args, fastmath=(*FLAGS, "ninf"))

    return vector(vector), build


@intrinsic
def total(typing, x):
    """The sum of the 16."""

    def build(context, builder, signature, args):
        zero = ir.Constant(FLOAT, 0.0)
        return _call(builder, "llvm.vector.reduce.fadd.v16f32", FLOAT, [zero, *args], fastmath=("reassoc",))

    return types.float32(vector), build


@jit
def at_most(x, bound):
    """The smaller of the two; NaN where x is NaN."""
    return pick(x, bound, x, bound)


@jit
def at_least(x, bound):
    """The larger of the two; NaN where x is NaN."""
    return pick(bound, x, x, bound)


@jit
def clipped(x, low, high):
    """x within bounds; NaN where x is NaN."""
    return at_least(at_most(x, high), low)


# --- Memory ----------------------------------------------------------------------------------------------------------


def _pointer(context, builder, kind, array, place):
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _load(builder, pointer):
    loaded = builder.load(builder.bitcast(pointer, FLOATS.as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder, value, pointer):
    builder.store(value, builder.bitcast(pointer, FLOATS.as_pointer())).align = 4


@intrinsic
def load(typing, array, place):
    """array[place : place + 16]."""

    def build(context, builder, signature, args):
        return _load(builder, _pointer(context, builder, signature.args[0], *args))

    return vector(array, index), build


@intrinsic
def store(typing, array, place, value):
    """array[place : place + 16] = value."""

    def build(context, builder, signature, args):
        array, place, value = args
        _store(builder, value, _pointer(context, builder, signature.args[0], array, place))
        return context.get_dummy_value()

    return types.none(array, index, vector), build


class Matrix(NamedTuple):
    """A matrix in an array of floats, row after row: its first element's place, and how far apart its rows are."""

    floats: np.ndarray
    at: int
    row: int


def tile(rows, vectors, turned):
    """A function that multiplies matrices a tile at a time, whose `rows` × 16·`vectors` sums it keeps in registers.

    The function computes to = start + left·right, sums of `count` products, for the tile that begins at a row and a
    column; with leftᵀ in place of left if it is `turned`.
    """

    @intrinsic
    def multiply(typing, to, start, left, right, row, column, count):
        def build(context, builder, signature, args):
            matrices, (row, column, count) = args[:4], args[4:]

            def part(matrix, name):
                return builder.extract_value(matrices[matrix], Matrix._fields.index(name))

            def at(matrix, j, i):
                """The address of element (j, i)."""
                place = builder.add(builder.add(part(matrix, "at"), builder.mul(j, part(matrix, "row"))), i)
                kind = signature.args[matrix].types[0]
                return _pointer(context, builder, kind, part(matrix, "floats"), place)

            down = [builder.add(row, ir.Constant(row.type, j)) for j in range(rows)]
            along = [builder.add(column, ir.Constant(row.type, LANES * i)) for i in range(vectors)]
            places = [(j, i) for j in range(rows) for i in range(vectors)]
            sums = {place: cgutils.alloca_once(builder, FLOATS) for place in places}  # which LLVM makes registers
            for j, i in places:
                builder.store(_load(builder, at(1, down[j], along[i])), sums[j, i])
            with cgutils.for_range(builder, count) as loop:
                across = [_load(builder, at(3, loop.index, along[i])) for i in range(vectors)]
                for j in range(rows):
                    element = at(2, loop.index, down[j]) if turned else at(2, down[j], loop.index)
                    factor = _everywhere(builder, builder.load(element))
                    for i in range(vectors):
                        builder.store(_fma(builder, factor, across[i], builder.load(sums[j, i])), sums[j, i])
            for j, i in places:
                _store(builder, builder.load(sums[j, i]), at(0, down[j], along[i]))
            return context.get_dummy_value()

        return types.none(to, start, left, right, index, index, index), build

    return multiply


# --- Functions -------------------------------------------------------------------------------------------------------


def polynomial(*coefficients):
    """A function of x: Σ cᵢ xⁱ by Horner's rule, the highest power's coefficient first."""

    @intrinsic
    def horner(typing, x):
        def build(context, builder, signature, args):
            y, *others = (ir.Constant(FLOATS, [c] * LANES) for c in coefficients)
            for c in others:
                y = _fma(builder, y, args[0], c)
            return y

        return vector(vector), build

    return horner


@intrinsic
def _nearest(typing, x):
    """The nearest whole number."""
    return vector(vector), lambda context, builder, signature, args: _call(builder, "llvm.rint.v16f32", FLOATS, args)


@intrinsic
def _power_of_two(typing, n):
    """2ⁿ of whole n, written into the exponent's bits."""

    def build(context, builder, signature, args):
        biased = builder.add(builder.fptosi(args[0], INTS), ir.Constant(INTS, [127] * LANES))
        return builder.bitcast(builder.shl(biased, ir.Constant(INTS, [23] * LANES)), FLOATS)

    return vector(vector), build


@intrinsic
def _exponent(typing, x):
    """n of x = m·2ⁿ with m in [√½, √2), read from the exponent's bits."""

    def build(context, builder, signature, args):
        bits = builder.sub(builder.bitcast(args[0], INTS), ir.Constant(INTS, [0x3F3504F3] * LANES))
        return builder.sitofp(builder.ashr(bits, ir.Constant(INTS, [23] * LANES)), FLOATS)

    return vector(vector), build


LOWEST, HIGHEST = f32(-87.3), f32(88.37)
"""Where eˣ is taken for 0 and for infinity."""
LN2, LN2_REST = f32(0.693359375), f32(-2.12194440e-4)
"""ln 2 in two parts: whole multiples of the first are exact."""
_exp = polynomial(1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
_log = polynomial(
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
TANH_IS_ONE = f32(7.90531110763549805)
"""From here on tanh x is ±1 in single precision."""
_tanh_above = polynomial(
    *(-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08),
    *(1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03),
)
_tanh_below = polynomial(1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


@jit
def exp(x):
    """eˣ = 2ⁿ·eʳ with whole n and small r."""
    inside = clipped(x, full(LOWEST), full(HIGHEST))
    number = pick(x, full(LOWEST), full(LOWEST), inside)  # for no integer is NaN
    n = _nearest(number * full(f32(1.44269504088896341)))
    r = fma(n, full(-LN2_REST), fma(n, full(-LN2), inside))
    y = fma(_exp(r) * r, r, r + full(f32(1))) * _power_of_two(n)
    return pick(full(LOWEST), x, pick(x, full(HIGHEST), y, full(f32(np.inf))), full(f32(0)))


@jit
def log(x):
    """ln x = n·ln 2 + ln(1 + w) with whole n and small w, for numbers above 1e-38."""
    n = _exponent(x)
    w = x * _power_of_two(full(f32(0)) - n) - full(f32(1))
    z = w * w
    y = fma(full(f32(-0.5)), z, fma(n, full(LN2_REST), _log(w) * w * z))
    return fma(n, full(LN2), w + y)


@jit
def tanh(x):
    """The hyperbolic tangent, as x·p(x²)/q(x²)."""
    inside = clipped(x, full(-TANH_IS_ONE), full(TANH_IS_ONE))
    z = inside * inside
    return inside * _tanh_above(z) / _tanh_below(z)
