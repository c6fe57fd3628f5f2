"""JavaScript modules as one script: what a page holds that opens from disk, where a browser loads no modules."""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:const|let|class|function)\b)", re.MULTILINE)
RENAMED = re.compile(r"^import \{[^}]* as [^}]*\}.*", re.MULTILINE)
DEFINED = re.compile(r"^(?:async )?(?:const|let|class|function\*?) ([\w$]+|[\[{][^\]}]*[\]}])", re.MULTILINE)
LEFT_OVER = re.compile(r"^\s*(?:import|export)\b.*", re.MULTILINE)


def bundle(entry: Path, without: Path | None = None) -> str:
    """The module `entry` and all that it imports, each once and after those that it needs itself.

    Imports and the word `export` are taken out, so that all modules share one scope.

    Args:
        without: a module whose bundle stands in the page already.

    Raises:
        ValueError: for another form than `import { a, b } from "./c.js";` and `export` before a definition, and for
            modules that need each other, or define the same name.
    """
    present = [] if without is None else _with_imports(without, [])
    modules = [module for module in _with_imports(entry, []) if module not in present]
    _refuse_second_definitions([*present, *modules])
    return '"use strict";\n' + "\n".join(_bare(module) for module in modules)


def _bare(module: Path) -> str:
    """A module without imports and the word `export`."""
    text = _text(module)
    bare = EXPORT.sub("", IMPORT.sub("", text))
    strange = RENAMED.search(text) or LEFT_OVER.search(bare)
    if strange:
        raise ValueError(
            f'{module.name}: {strange[0].strip()!r} is neither `import {{ a, b }} from "./c.js";` nor an `export` '
            "before a definition."
        )
    return bare


def _refuse_second_definitions(modules: list[Path]) -> None:
    """Refuse a name that two modules define: of functions, a browser would take the later one for both."""
    known: dict[str, Path] = {}
    for module in modules:
        names = re.findall(r"[\w$]+", " ".join(DEFINED.findall(_bare(module))))
        for name in names:
            if name in known:
                raise ValueError(f"{module.name}: {name} is a name that {known[name].name} defines, too.")
            known[name] = module


def _with_imports(module: Path, found: list[Path], above: tuple[Path, ...] = ()) -> list[Path]:
    """The modules found so far, followed by those that `module` needs and itself; `above` are those that need it."""
    module = module.resolve()
    if module in above:
        raise ValueError(f"Modules need each other: {' → '.join(one.name for one in (*above, module))}.")
    for name in IMPORT.findall(_text(module)):
        needed = (module.parent / name).resolve()
        if needed not in found:
            _with_imports(needed, found, (*above, module))
    if module not in found:
        found.append(module)
    return found


def _text(module: Path) -> str:
    return module.read_text(encoding="utf-8")
