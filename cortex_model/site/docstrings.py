"""An extension of Sphinx: docstrings as they are typed.

What is indented after an empty line is an equation, and stays as it is; ``|x|`` is a norm; methods that another package
adds to a class are left out.
"""

import re
from typing import Any

#: What stands in backticks, or a bar that does not.
BAR = re.compile(r"(``.*?``|`[^`]*`)|\|")


def setup(app: Any) -> dict[str, bool]:
    """Connect with Sphinx, before numpydoc reads the docstring."""
    app.connect("autodoc-process-docstring", _mark, priority=100)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}


def _mark(app, what, name, obj, options, lines):
    lines[:] = with_literal_blocks(lines)


def _skip(app, what, name, obj, skip, options):
    module = getattr(obj, "__module__", None)
    if type(obj).__name__ == "_tuplegetter":  # an attribute of a named tuple: its class says what it is
        return True
    return True if callable(obj) and not (module or "cortex_model").startswith("cortex_model") else None


def with_literal_blocks(lines: list[str]) -> list[str]:
    """Lines of a docstring with ``::`` before each equation, and with bars elsewhere as bars.

    Parameters
    ----------
    lines : list of str

    Returns
    -------
    marked : list of str
        An equation begins after an empty line, and is indented more than the line before that, which is no item of a
        list, no directive and no example.
    """
    marked: list[str] = []
    before, within = "", None
    for n, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if line.strip() and within is not None and indent < within:
            within = None
        follows_empty = n > 0 and not lines[n - 1].strip()
        if line.strip() and within is None and follows_empty and before and _is_text(before):
            outer = len(before) - len(before.lstrip())
            if indent > outer:
                marked += [" " * outer + "::", ""]
                within = indent
        if line.strip():
            before = line
        is_typed = within is not None or line.lstrip().startswith((">>>", "..."))
        marked.append(line if is_typed else BAR.sub(lambda bar: bar[1] or r"\|", line))
    return marked


def _is_text(line: str) -> bool:
    """Whether what is indented below a line does not belong to it."""
    text = line.strip()
    return not (text.endswith("::") or text.startswith(("- ", "* ", "..", ">>>", ":")) or set(text) <= set("-=~"))
