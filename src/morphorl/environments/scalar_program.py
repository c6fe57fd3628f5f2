"""A JAX function of a few numbers as a Python function of floats: its program (the jaxpr), number by number.

To call a compiled program costs tens of microseconds, whatever it computes. Some hundred operations on single numbers
cost Python less, and NumPy, called for each of some fifty operations on small arrays, no less than JAX. Translating the
program keeps one definition of a system: whatever it computes in JAX is computed here.
"""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from morphorl.environments.scalar_moves import MOVES, Scalars, array_of, matrix_of, numbers

MOST = 4_000
"""Operands and constants, beyond which calling the compiled program is the faster way."""

LARGER = "{0} if {0} > {1} else {1}"
SMALLER = "{0} if {0} < {1} else {1}"
OF_REALS = {
    "abs": "abs({0})", "add": "{0} + {1}", "ceil": "float(ceil({0}))",
    "clamp": "{0} if {1} < {0} else {2} if {2} < {1} else {1}", "cos": "cos({0})", "div": "{0} / {1}",
    "erf": "erf({0})", "exp": "exp({0})", "expm1": "expm1({0})", "floor": "float(floor({0}))", "log": "log({0})",
    "log1p": "log1p({0})", "logistic": "0.5 + 0.5 * tanh(0.5 * {0})", "max": LARGER, "min": SMALLER,
    "mul": "{0} * {1}", "neg": "-{0}", "pow": "pow({0}, {1})", "rem": "fmod({0}, {1})", "rsqrt": "1.0 / sqrt({0})",
    "sign": "float(({0} > 0.0) - ({0} < 0.0))", "sin": "sin({0})", "sqrt": "sqrt({0})", "square": "{0} * {0}",
    "sub": "{0} - {1}", "tan": "tan({0})", "tanh": "tanh({0})",
}  # fmt: skip
"""Operations on real numbers, as Python writes them."""
NEUTRAL = {OF_REALS["add"]: 0.0, OF_REALS["mul"]: 1.0}
"""What changes nothing, on either side."""
OF_TRUTHS = {"and": "{0} and {1}", "or": "{0} or {1}", "not": "not {0}", "xor": "{0} != {1}"}
COMPARISONS = {
    "eq": "{0} == {1}", "ge": "{0} >= {1}", "gt": "{0} > {1}",
    "le": "{0} <= {1}", "lt": "{0} < {1}", "ne": "{0} != {1}",
}  # fmt: skip
REDUCTIONS = ("reduce_sum", "reduce_max", "reduce_min", "argmax")
CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call")
OF_INTEGERS = ("abs", "add", "max", "min", "mul", "neg", "sub")
"""Those of them that integers have too."""
CONVERSIONS = {"float32": "float({0})", "int32": "int({0})", "bool": "{0} != 0"}
FUNCTIONS = {name: value for name, value in vars(math).items() if not name.startswith("_")}
"""What those are written with, beside what Python has built in."""

Scalar = float | int | bool | str
"""A number known now, or the name of one that is known when the program runs."""


Program = Callable[..., list[float]]
"""Takes the numbers of each argument in a list, array after array, and gives those of the results."""


def scalar_program(function: Callable[..., PyTree], *shapes: PyTree) -> Program:
    """`function` of pytrees of float32 arrays as a Python function of lists of floats.

    It computes in double precision. Where JAX gives an infinity or NaN, it may raise `ArithmeticError` or `ValueError`.

    Args:
        shapes: of its arguments, pytrees of `jax.ShapeDtypeStruct`.

    Raises:
        NotImplementedError: for a function that needs another operation or dtype than those here, or is larger than
            `MOST`.
        ArithmeticError, ValueError: if what it computes from constants alone is no number.
    """
    closed: Any = jax.make_jaxpr(function)(*shapes)
    if any(aval.dtype != np.float32 for aval in [*closed.in_avals, *closed.out_avals]):
        raise NotImplementedError("other dtypes than float32")
    sizes = [sum(leaf.size for leaf in jax.tree.leaves(shape)) for shape in shapes]
    names = [[f"a{i}_{j}" for j in range(size)] for i, size in enumerate(sizes)]
    given = iter([name for some in names for name in some])
    arrays = [array_of(list(islice(given, leaf.size)), leaf.shape) for leaf in jax.tree.leaves(shapes)]
    writer = _Writer()
    results = [one for array in writer.run(closed.jaxpr, closed.consts, arrays) for one in array.flat]
    head = f"def program({', '.join(f'a{i}' for i in range(len(sizes)))}):"
    arguments = [f"    [{', '.join(some)}] = a{i}" for i, some in enumerate(names)]
    source = [head, *arguments, *writer.lines, f"    return [{', '.join(map(_text, results))}]"]
    defined: dict[str, Program] = {}
    exec("\n".join(source), dict(FUNCTIONS), defined)
    return defined["program"]


class _Writer:
    """The lines of a program in the making."""

    def __init__(self):
        self.lines: list[str] = []
        self.names: dict[str, str] = {}
        """Of what was computed so far."""
        self.operands = 0
        """And constants, so far."""

    def run(self, jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Scalars]) -> list[Scalars]:
        """Translate a program, given its constants and arguments; returns its results."""
        self._count(sum(np.size(value) for value in constants))
        given = [*(numbers(value) for value in constants), *arguments]
        known: dict[Any, Scalars] = dict(zip([*jaxpr.constvars, *jaxpr.invars], given, strict=True))

        def read(var: Any) -> Scalars:
            return numbers(var.val) if hasattr(var, "val") else known[var]

        for equation in jaxpr.eqns:
            results = self._equation(equation, [read(var) for var in equation.invars])
            known |= dict(zip(equation.outvars, results, strict=True))
        return [read(var) for var in jaxpr.outvars]

    def _equation(self, equation: Any, given: list[Scalars]) -> list[Scalars]:
        name, params = equation.primitive.name, equation.params
        if not equation.outvars:
            raise NotImplementedError(name)
        shape = equation.outvars[0].aval.shape
        if name in CALLS:
            inner = params["call_jaxpr"] if "call_jaxpr" in params else params["jaxpr"]
            return self.run(inner.jaxpr, inner.consts, given)
        if name in MOVES:
            return MOVES[name](params, given, shape)
        kinds = [str(var.aval.dtype) for var in [*equation.invars, *equation.outvars]]
        if name == "convert_element_type" and kinds[0] == kinds[1]:
            return given
        template = _template(name, kinds, params)
        if template is not None:
            return [self._each(template, given, shape)]
        if name in REDUCTIONS and kinds[0] == "float32":
            return [self._reduced(name, given[0], params["axes"], shape)]
        if name == "dot_general" and set(kinds) == {"float32"}:
            return [self._product(given[0], given[1], params["dimension_numbers"], shape)]
        raise NotImplementedError(f"{name} of {', '.join(kinds)}")

    def _each(self, template: str, given: Sequence[Scalars], shape: tuple[int, ...]) -> Scalars:
        """An operation on the numbers of each place."""
        rows = [np.broadcast_to(x, shape).reshape(-1) for x in given]
        return array_of([self._one(template, operands) for operands in zip(*rows, strict=True)], shape)

    def _reduced(self, name: str, x: Scalars, axes: Sequence[int], shape: tuple[int, ...]) -> Scalars:
        rows = matrix_of(x, axes)
        if name in ("reduce_max", "reduce_min"):
            template = LARGER if name == "reduce_max" else SMALLER
            values = rows[:, 0]
            for column in rows.T[1:]:
                values = self._each(template, [values, column], values.shape)
            return values.reshape(shape)
        fields = "{}, " * rows.shape[1]
        first = f"max(range({rows.shape[1]}), key=({fields}).__getitem__)"
        template = first if name == "argmax" else f"sum(({fields}))"
        return array_of([self._one(template, list(row)) for row in rows], shape)

    def _product(self, a: Scalars, b: Scalars, dimensions: Any, shape: tuple[int, ...]) -> Scalars:
        (contract_a, contract_b), batch = dimensions
        if any(batch):
            raise NotImplementedError("dot_general of batches")
        rows, columns = matrix_of(a, contract_a), matrix_of(b, contract_b)
        self._count(2 * len(columns) * rows.size)
        template = f"sum(({'{} * {}, ' * rows.shape[1]}))"
        pairs = [np.stack([row, column], axis=1).reshape(-1) for row in rows for column in columns]
        return array_of([self._one(template, list(pair)) for pair in pairs], shape)

    def _one(self, template: str, operands: Sequence[Scalar]) -> Scalar:
        """The name of an operation's result, or the result where all operands are known."""
        self._count(len(operands))
        if template in NEUTRAL and NEUTRAL[template] in operands:
            return operands[operands.index(NEUTRAL[template]) - 1]
        text = template.format(*map(_text, operands))
        if not any(isinstance(one, str) for one in operands):
            return eval(text, dict(FUNCTIONS))
        if text not in self.names:
            self.names[text] = f"v{len(self.names)}"
            self.lines.append(f"    {self.names[text]} = {text}")
        return self.names[text]

    def _count(self, operands: int) -> None:
        self.operands += operands
        if self.operands > MOST:
            raise NotImplementedError(f"more than {MOST} operands and constants")


def _template(name: str, kinds: Sequence[str], params: Any) -> str | None:
    """How Python writes an operation on single numbers; None if it is no such operation, or not of these dtypes.

    Args:
        kinds: the dtypes of operands and result.
    """
    if name == "select_n":
        return "{2} if {0} else {1}" if kinds[0] == "bool" and len(kinds) == 4 else None
    if name == "convert_element_type":
        return CONVERSIONS[kinds[1]] if set(kinds) <= set(CONVERSIONS) else None
    if name in COMPARISONS:
        return COMPARISONS[name]
    if set(kinds) == {"bool"}:
        return OF_TRUTHS.get(name)
    if set(kinds) == {"int32"} and name in OF_INTEGERS:
        return OF_REALS[name]
    if set(kinds) != {"float32"}:
        return None
    if name == "integer_pow":
        power = " * ".join(["{0}"] * abs(params["y"])) or "1.0"
        return power if params["y"] >= 0 else f"1.0 / ({power})"
    return OF_REALS.get(name)


def _text(one: Scalar) -> str:
    return one if isinstance(one, str) else repr(one)
