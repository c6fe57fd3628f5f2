"""A JAX function as an ONNX graph: its program (the jaxpr), operation by operation.

Translating the program instead of the mathematics keeps one definition of the dynamics: whatever `policy_step` computes
is what the graph computes. Operations on constants alone are carried out here; only their result is in the graph.
Needs the extra `onnx`.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from morphorl.config.errors import SettingError
from morphorl.config.extras import need

OPSET = 18
IR_VERSION = 9

SAME = {
    "abs": "Abs", "add": "Add", "and": "And", "copy": "Identity", "copy_p": "Identity", "cos": "Cos", "div": "Div",
    "eq": "Equal", "erf": "Erf", "exp": "Exp", "floor": "Floor", "ge": "GreaterOrEqual", "gt": "Greater",
    "le": "LessOrEqual", "log": "Log", "logistic": "Sigmoid", "lt": "Less", "max": "Max", "min": "Min", "mul": "Mul",
    "neg": "Neg", "not": "Not", "optimization_barrier": "Identity", "or": "Or", "pow": "Pow", "sign": "Sign",
    "sin": "Sin", "sqrt": "Sqrt", "stop_gradient": "Identity", "sub": "Sub", "tanh": "Tanh",
}  # fmt: skip
"""Operations that both languages have, with the same meaning."""
REDUCTIONS = {
    "reduce_sum": "ReduceSum",
    "reduce_max": "ReduceMax",
    "reduce_min": "ReduceMin",
    "reduce_prod": "ReduceProd",
}
RESHAPES = ("reshape", "squeeze", "expand_dims")

Known = np.ndarray
Value = Known | str
"""A number known now, or the name of a value in the graph."""


def graph(function: Callable, inputs: dict[str, Any], outputs: tuple[str, ...], metadata: dict[str, str]) -> Any:
    """The ONNX model of `function(*inputs)`.

    Args:
        inputs: arrays (or their shapes) by name.
        outputs: names for the leaves that the function returns.
        metadata: text that goes into the file.

    Raises:
        SettingError: if the extra is not installed, or the function needs an operation that is not translated.
    """
    onnx = need("onnx", "onnx", "export --onnx")
    closed = jax.make_jaxpr(function)(*inputs.values())
    builder = _Builder(onnx.helper, onnx.numpy_helper)
    constants: list[Value] = [np.asarray(value) for value in closed.consts]
    results = builder.run(closed.jaxpr, constants, list(inputs))
    nodes = [builder.name_of(value) for value in results]
    for name, value in zip(outputs, nodes, strict=True):
        builder.node("Identity", [value], name)
    describe = builder.describe
    made = onnx.helper.make_graph(
        builder.nodes,
        "morphorl",
        [describe(name, var.aval) for name, var in zip(inputs, closed.jaxpr.invars, strict=True)],
        [describe(name, var.aval) for name, var in zip(outputs, closed.jaxpr.outvars, strict=True)],
        builder.initializers,
    )
    model = onnx.helper.make_model(
        made, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="morphorl"
    )
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model


class _Builder:
    """Nodes and constants of a graph in the making."""

    def __init__(self, helper: Any, numpy_helper: Any):
        self.helper, self.numpy_helper = helper, numpy_helper
        self.nodes, self.initializers, self.count = [], [], 0

    def describe(self, name: str, aval: Any) -> Any:
        return self.helper.make_tensor_value_info(name, self._type(aval.dtype), aval.shape)

    def _type(self, dtype: Any) -> int:
        return self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def run(self, jaxpr: Any, constants: list[Value], arguments: list[Value]) -> list[Value]:
        """Translate a program, given its constants and arguments; returns its results."""
        known: dict[Any, Value] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))
        for equation in jaxpr.eqns:
            given = [_read(known, var) for var in equation.invars]
            known |= dict(zip(equation.outvars, self._equation(equation, given), strict=True))
        return [_read(known, var) for var in jaxpr.outvars]

    def _equation(self, equation: Any, given: list[Value]) -> list[Value]:
        inner = next((equation.params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in equation.params), None)
        if inner is not None and hasattr(inner, "consts"):
            return self.run(inner.jaxpr, [np.asarray(value) for value in inner.consts], given)
        if all(isinstance(value, np.ndarray) for value in given):
            return _fold(equation, given)
        return self._translate(equation, given)

    def _translate(self, equation: Any, given: list[Value]) -> list[Value]:
        name, params, out = equation.primitive.name, equation.params, equation.outvars[0].aval
        if name in SAME:
            return [self.node(SAME[name], given)]
        if name in REDUCTIONS:
            return [self.node(REDUCTIONS[name], [*given, _whole(params["axes"])], keepdims=0)]
        if name in RESHAPES:
            return [self.node("Reshape", [given[0], _whole(out.shape)])]
        if name == "broadcast_in_dim":
            return [self._broadcast(given[0], equation.invars[0].aval.shape, out.shape, params)]
        if name == "split":
            sizes = _whole(params["sizes"])
            made = [f"v{self.count + i}" for i in range(len(equation.outvars))]
            self.count += len(made)
            names = [self.name_of(given[0]), self.name_of(sizes)]
            self.nodes.append(self.helper.make_node("Split", names, made, axis=params["axis"]))
            return list(made)
        translated = {
            "argmax": lambda: self.node("ArgMax", given, axis=params["axes"][0], keepdims=0),
            "clamp": lambda: self.node("Min", [self.node("Max", [given[1], given[0]]), given[2]]),
            "concatenate": lambda: self.node("Concat", given, axis=params["dimension"]),
            "convert_element_type": lambda: self.node("Cast", given, to=self._type(out.dtype)),
            "dot_general": lambda: self.node("Einsum", given, equation=_einsum(equation)),
            "integer_pow": lambda: self.node("Pow", [given[0], np.array(params["y"], out.dtype)]),
            "rsqrt": lambda: self.node("Reciprocal", [self.node("Sqrt", given)]),
            "select_n": lambda: self.node("Where", [given[0], given[2], given[1]]),
            "slice": lambda: self.node("Slice", [given[0], *_slice(equation)]),
            "square": lambda: self.node("Mul", [given[0], given[0]]),
            "transpose": lambda: self.node("Transpose", given, perm=list(params["permutation"])),
        }
        if name not in translated or (name == "select_n" and len(given) != 3):
            raise SettingError(f"export --onnx: the agent computes {name!r}, which is not translated to ONNX.")
        result = translated[name]()
        return [self.node("Cast", [result], to=self._type(out.dtype)) if name == "argmax" else result]

    def _broadcast(self, value: Value, shape: tuple[int, ...], wanted: tuple[int, ...], params: Any) -> str:
        lined_up = [1] * len(wanted)
        for size, axis in zip(shape, params["broadcast_dimensions"], strict=True):
            lined_up[axis] = size
        return self.node("Expand", [self.node("Reshape", [value, _whole(lined_up)]), _whole(wanted)])

    def node(self, operation: str, given: list[Value], name: str | None = None, **attributes: Any) -> str:
        """Add an operation; returns the name of its result."""
        self.count += name is None
        name = name or f"v{self.count - 1}"
        inputs = [self.name_of(value) for value in given]
        self.nodes.append(self.helper.make_node(operation, inputs, [name], **attributes))
        return name

    def name_of(self, value: Value) -> str:
        """The name of a value; a known one becomes a constant of the graph."""
        if isinstance(value, str):
            return value
        name = f"c{len(self.initializers)}"
        self.initializers.append(self.numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
        return name


def _read(known: dict[Any, Value], var: Any) -> Value:
    return np.asarray(var.val, var.aval.dtype) if hasattr(var, "val") else known[var]


def _fold(equation: Any, given: list[Any]) -> list[Value]:
    """What an operation on known numbers gives."""
    params = equation.primitive.get_bind_params(equation.params)
    results = equation.primitive.bind(*map(jax.numpy.asarray, given), **params)
    return [np.asarray(value) for value in (results if equation.primitive.multiple_results else [results])]


def _whole(numbers: Any) -> np.ndarray:
    return np.array(numbers, np.int64)


def _slice(equation: Any) -> list[np.ndarray]:
    """Starts, ends, axes and steps of a slice."""
    params = equation.params
    axes = range(len(params["start_indices"]))
    steps = params["strides"] or (1,) * len(axes)
    return [_whole(numbers) for numbers in (params["start_indices"], params["limit_indices"], list(axes), steps)]


def _einsum(equation: Any) -> str:
    """A general product in Einstein's notation: batch axes first, then what is left of each operand."""
    (contract_a, contract_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    ranks = [len(var.aval.shape) for var in equation.invars]
    a, b = [""] * ranks[0], [""] * ranks[1]
    for i, j in [*zip(batch_a, batch_b, strict=True), *zip(contract_a, contract_b, strict=True)]:
        a[i] = b[j] = next(letters)
    a, b = ([letter or next(letters) for letter in side] for side in (a, b))
    kept_a = [letter for i, letter in enumerate(a) if i not in (*batch_a, *contract_a)]
    kept_b = [letter for j, letter in enumerate(b) if j not in (*batch_b, *contract_b)]
    return f"{''.join(a)},{''.join(b)}->{''.join([*(a[i] for i in batch_a), *kept_a, *kept_b])}"
