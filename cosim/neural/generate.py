"""Program -> C++ source of a shared library and a description of its arrays, in a process of its own.

    python -m cosim.neural.generate < program.json > source.json

Brian2 writes the code of every object with the templates of this package; the process keeps its C++ device away from
the networks that the user may have in Brian2.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import NeuronGroup, second, set_device
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator, CPPNodeRenderer, c_data_type
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.device import get_device

from cosim.exact.cplusplus import source as exact_source
from cosim.neural.brian_private import check_version, known_variables, own_variables, pathways
from cosim.neural.cache import own_code
from cosim.neural.draws_cpp import SOURCE as DRAWS
from cosim.neural.emit import Emitted, connect, emit
from cosim.neural.fused import pairs, source
from cosim.neural.languages import SameBits
from cosim.neural.program import Program, from_text
from cosim.tape.native import source as tape_source

_HERE = Path(__file__).parent
#: sizes that stand for "to be looked up"; far from any number that a model's text may hold
_FIRST_SIZE = 1_000_003


def row_arrays(variables: dict[str, Any], indices: dict[str, str]) -> list[tuple[str, str]]:
    """Name and pointer of the arrays that a synaptic statement reads once per synapse."""
    found = {}
    for name, variable in sorted(variables.items()):
        if isinstance(variable, DynamicArrayVariable) and not variable.scalar and indices.get(name) == "_idx":
            found[CPPCodeGenerator.get_array_name(variable)] = name
    return [(name, pointer) for pointer, name in found.items()]


class _Generator(SameBits, CPPCodeGenerator):  # type: ignore[misc]
    """Writes a threshold as it stands, and flags so that a loop may take them for set.

    Brian2 turns statements with boolean variables into a chain of branches, which no compiler vectorises. A condition
    has the same value either way; for other statements the chain stays, because it decides which products are formed.

    `not_refractory` once true stays true until a spike, so the state update of neurons for which it is true need not
    load what decides it. A threshold is a condition `and alive and not_refractory`: where it holds, it holds with both
    taken for true.
    """

    def translate_to_read_arrays(self, read: Any, write: Any, indices: Any) -> list[str]:
        lines: list[str] = super().translate_to_read_arrays(read, write, indices)
        for flag in self._flags():
            lines = [line.replace(f"char {flag} = ", f"char {flag} = _unhindered || ") for line in lines]
        return lines

    def translate_to_write_arrays(self, write: Any) -> list[str]:
        kept = [name for name in self._flags() if name in write]
        lines: list[str] = super().translate_to_write_arrays({*write} - {*kept})
        return lines + [f"if (!_unhindered) {line}" for line in super().translate_to_write_arrays(kept)]

    def _flags(self) -> tuple[str, ...]:
        """Names of the flags that a template's loops may take for set (`_unhindered`)."""
        flags = {"stateupdate": ("not_refractory",), "threshold": ("alive", "not_refractory")}
        return flags.get(self.template_name, ())

    def translate_statement(self, statement: Any) -> str:
        if statement.var == "_cond":
            statement.used_boolean_variables = None
        text: str = super().translate_statement(statement)
        # as wide as the numbers that it compares, which a compiler does not pack into bytes then
        return text.replace("&&", "&").replace("const char ", "const bool ") if statement.var == "_cond" else text


class Generator:
    """The source of one program."""

    def __init__(self, program: Program) -> None:
        check_version()
        set_device("cpp_standalone", build_on_run=False)
        CPPStandaloneCodeObject.templater = CPPStandaloneCodeObject.templater.derive(
            "cosim.neural", env_globals={"row_arrays": row_arrays}
        )
        CPPStandaloneCodeObject.generator_class = _Generator
        self._program = program
        sizes = {text.model: _FIRST_SIZE + 2 * i for i, text in enumerate(program.groups)}
        self._models = {size: model for model, size in sizes.items()}
        self._emitted: Emitted = emit(program, sizes, 1e-4)
        for synapses in self._emitted.synapses.values():
            connect(synapses, np.arange(2, dtype=np.int32), np.arange(2, dtype=np.int32))
        self._emitted.network.run(0 * second, namespace={})
        self._arrays: dict[str, int] = {}
        self.layout: dict[str, Any] = {"arrays": []}

    def _number(self, variable: ArrayVariable) -> int:
        """The number of an array, entered into the layout when it is first asked for."""
        name = get_device().get_array_name(variable)
        if name not in self._arrays:
            self._arrays[name] = len(self._arrays)
            entry = {"owner": variable.owner.name, "variable": variable.name, "size": self._size(variable)}
            dtype = {"char": "bool"}.get(c_data_type(variable.dtype), str(variable.dtype.__name__))
            self.layout["arrays"].append({**entry, "dtype": dtype})
        return self._arrays[name]

    def _size(self, variable: ArrayVariable) -> list[str]:
        """What the length of an array is: ["one"], ["neurons", model], ["space", model] or ["edges", object]."""
        owner = variable.owner.name
        if variable.name == "N_incoming":
            return ["neurons", self._models[self._emitted.synapses[owner].target.N]]
        if variable.name == "N_outgoing":
            return ["neurons", self._models[self._emitted.synapses[owner].source.N]]
        if variable.scalar:
            return ["one"]
        if isinstance(variable, DynamicArrayVariable):
            for name, synapses in self._emitted.synapses.items():
                if owner in (name, *(p.name for p in pathways(synapses))):
                    return ["edges", name]
        if variable.size in self._models:
            return ["neurons", self._models[variable.size]]
        if variable.size - 1 in self._models:
            return ["space", self._models[variable.size - 1]]
        raise AssertionError(f"the array {variable.name} of {owner} has no known size")

    def _neurons(self, group: NeuronGroup) -> int:
        """The number of an array that is as long as the group."""
        return self._number(group.variables["alive"])

    def _constants(self, variables: dict[str, Any]) -> Iterator[str]:
        """Definitions of what a code object uses: arrays, their sizes, constants."""
        renderer = CPPNodeRenderer()
        groups = {group.N: group for group in self._emitted.groups.values()}
        for key, variable in variables.items():
            if isinstance(variable, ArrayVariable):
                number, name = self._number(variable), get_device().get_array_name(variable)
                kind = c_data_type(variable.dtype)
                yield f"{kind} *const {name} = cosim::array<{kind}>(_context, {number});"
                yield f"const size_t _num{key} = _context.sizes[{number}];"
            elif isinstance(variable, Constant):
                kind = c_data_type(variable.dtype)
                if variable.value in groups:
                    yield f"const {kind} {key} = ({kind})_context.sizes[{self._neurons(groups[variable.value])}];"
                else:
                    yield f"const {kind} {key} = {renderer.render_expr(repr(variable.value))};"

    def _columns(self, text: str, variables: dict[str, Any]) -> str:
        """The code with the constant parameters of synapses as columns, which may hold one number for all synapses, and
        with their targets, which like these may lie in packed edges."""
        seen = set()
        for variable in variables.values():
            targets = self._is_target(variable)
            if not targets and not self._is_column(variable):
                continue
            name, kind = get_device().get_array_name(variable), c_data_type(variable.dtype)
            if name in seen:
                continue
            seen.add(name)
            number, edges = self._number(variable), f"_context.edges[COSIM_OBJECT_{variable.owner.name}]"
            given = f"{name}, _context.sizes[{number}], {edges}, _context.tables[{number}]"
            column = rf"const cosim::Column<{kind}> \1({given});"
            line = re.compile(rf"{kind}\s*\*[^=\n]*\b(_ptr{name})\s*=\s*{name};")
            text, count = line.subn(rf"const cosim::Targets \1({name}, {edges});" if targets else column, text)
            if count != 1 and not targets:
                raise AssertionError(f"the pointer to {name} is declared {count} times")
        return text

    def _is_target(self, variable: Any) -> bool:
        if not isinstance(variable, DynamicArrayVariable) or variable.name != "_synaptic_post":
            return False
        return variable.owner.name in {text.name for text in self._program.synapses}

    def _is_column(self, variable: Any) -> bool:
        if not isinstance(variable, DynamicArrayVariable) or variable.scalar or not variable.constant:
            return False
        synapses = self._emitted.synapses.get(variable.owner.name)
        return synapses is not None and variable.name in dict(own_variables(synapses))

    def source(self) -> str:
        """The whole source; completes `layout`."""
        program, emitted = self._program, self._emitted
        for group in (*emitted.groups.values(), *emitted.synapses.values()):
            for _, variable in own_variables(group):
                self._number(variable)
        queues = [
            {"name": p.name, "object": name, "source": self._models[p.source.N], "kind": p.prepost}
            for name, synapses in emitted.synapses.items()
            for p in pathways(synapses)
        ]
        spaces = [text.model for text in program.groups if text.threshold is not None]
        parts = [(_HERE / "engine.h").read_text(encoding="utf-8"), exact_source(), DRAWS, tape_source()]
        parts += [f"enum {{ COSIM_QUEUE_{queue['name']} = {i} }};" for i, queue in enumerate(queues)]
        parts += [f"enum {{ COSIM_OBJECT_{name} = {i} }};" for i, name in enumerate(emitted.synapses)]
        codes = [c for item in emitted.network.sorted_objects if item.active for c in item._code_objects]
        fused = pairs(codes)
        calls = []
        for code in codes:
            constants = dict.fromkeys(self._constants(code.variables))
            text = self._columns(code.code.cpp_file, code.variables)
            parts.append(text.replace("%CONSTANTS%", "\n    ".join(constants)))
        for code in codes:
            if code.name in fused:
                find = fused[code.name]
                parts.append(source(code, find, dict.fromkeys(self._constants({**code.variables, **find.variables}))))
                calls.append(f"    {find.name}::found(context, {code.name}::with_threshold(context));")
            elif code not in fused.values():
                calls.append(f"    {code.name}::run(context);")
        parts += ["static void cosim_step(cosim::Context &context)\n{\n" + "\n".join(calls) + "\n}"]
        numbers = [self._number(emitted.groups[model].variables["_spikespace"]) for model in spaces]
        parts.append(f"static const size_t cosim_n_spaces = {len(numbers)};")
        parts.append(f"static const size_t cosim_spaces[] = {{{', '.join(map(str, numbers)) or '0'}}};")
        for name, variable in (("T", "t"), ("DT", "dt"), ("TIMESTEP", "timestep")):
            parts.append(f"enum {{ COSIM_{name} = {self._number(emitted.clock.variables[variable])} }};")
        parts += [(_HERE / name).read_text(encoding="utf-8") for name in ("interface.h", "worker.h")]
        text = "\n".join(parts) + "\n"
        for size in self._models:
            if re.search(rf"\b({size}|{size + 1})\b", text):
                raise AssertionError(f"the size {size} has become a part of the code")
        self.layout |= {"queues": queues, "spaces": spaces, "objects": list(emitted.synapses)}
        self.layout["groups"] = {
            model: {"known": known_variables(group), "states": sorted(group.equations.diff_eq_names)}
            for model, group in emitted.groups.items()
        }
        self.layout["constant"] = sorted(
            f"{synapses.name}/{name}"
            for synapses in emitted.synapses.values()
            for name, variable in own_variables(synapses)
            if variable.constant
        )
        return text


def main() -> None:
    """Read a program from standard input, write source and layout to standard output."""
    output, sys.stdout = sys.stdout, sys.stderr
    generator = Generator(from_text(sys.stdin.read()))
    source = generator.source()
    json.dump({"source": source, "layout": generator.layout, "code": own_code()}, output)
    output.flush()


if __name__ == "__main__":
    main()
