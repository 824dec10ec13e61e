"""An extension of Sphinx: equations as MathML, which browsers show by themselves, also without a network."""

from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

#: Commands of TeX that docutils does not know -> what says the same.
REPLACED = {r"\!": ""}


def setup(app: Any) -> dict[str, bool]:
    """Name the renderer for Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(tex: str, as_block: bool = False) -> str:
    """An equation in TeX as an element ``math``."""
    for command, same in REPLACED.items():
        tex = tex.replace(command, same)
    return tex2mathml(tex, as_block=as_block)


def _inline(writer, node):
    writer.body.append(mathml(node.astext()))
    raise SkipNode


def _block(writer, node):
    writer.body.append(f'<div class="math">{mathml(node.astext(), as_block=True)}</div>')
    raise SkipNode
