"""JavaScript modules as one script: what a page holds that opens from disk, where a browser loads no modules."""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)


def bundle(entry: Path, without: Path | None = None) -> str:
    """The module `entry` and all that it imports, each once and after those that it needs itself.

    Imports and the word `export` are taken out, so that all modules share one scope: a name that two of them define is
    an error in the browser.

    Args:
        without: a module whose bundle stands in the page already.
    """
    present = [] if without is None else _with_imports(without, [])
    modules = [module for module in _with_imports(entry, []) if module not in present]
    parts = (EXPORT.sub("", IMPORT.sub("", _text(module))) for module in modules)
    return '"use strict";\n' + "\n".join(parts)


def _with_imports(module: Path, found: list[Path]) -> list[Path]:
    """The modules found so far, followed by those that `module` needs and itself."""
    for name in IMPORT.findall(_text(module)):
        needed = (module.parent / name).resolve()
        if needed not in found:
            _with_imports(needed, found)
    if module.resolve() not in found:
        found.append(module.resolve())
    return found


def _text(module: Path) -> str:
    return module.read_text(encoding="utf-8")
