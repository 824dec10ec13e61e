"""The site, built by Sphinx from what `cortex_model.site.sources` gathers."""

import shutil
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

from cortex_model.errors import ParameterError, RunError
from cortex_model.site.settings import SETTINGS
from cortex_model.site.sources import write_sources
from cortex_model.system.cache import scratch

#: Packages of ``cortex-model[docs]``, by the name under which they are imported.
NEEDED = ("sphinx", "numpydoc", "myst_nb", "furo")


def check_packages() -> None:
    """See that Sphinx and its extensions are there.

    Raises
    ------
    ParameterError
        If one is missing.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ParameterError(
            f"docs: must find the packages {', '.join(NEEDED)} (got no {', no '.join(missing)}); install them: "
            "pip install 'cortex-model[docs]'."
        )


def build(out: Path) -> list[str]:
    """Build the site.

    Parameters
    ----------
    out : Path
        Folder that will hold ``index.html``; made if it is not there, and an earlier site in it written over.

    Returns
    -------
    warnings : list of str
        What Sphinx has to say; nothing, where all is well.

    Raises
    ------
    ParameterError
        If Sphinx or an extension is missing.
    RunError
        If the folder holds something else.
    """
    check_packages()
    check_folder(out)
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    with scratch() as folder:
        sources, site, trees = (folder / name for name in ("sources", "site", "trees"))
        sources.mkdir()
        write_sources(sources)
        warnings = StringIO()
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                sources, None, site, trees, "html", dict(SETTINGS), status=None, warning=warnings, freshenv=True
            )
            app.build()
        shutil.copytree(site, out, ignore=shutil.ignore_patterns(".buildinfo*"), dirs_exist_ok=True)
    return [line for line in warnings.getvalue().splitlines() if line.strip()]


def check_folder(out: Path) -> None:
    """See that nothing but an earlier site is written over.

    Raises
    ------
    RunError
        If the folder holds something else.
    """
    there = [path for path in out.iterdir() if not path.name.startswith(".")] if out.is_dir() else []
    if there and not (out / "objects.inv").is_file():
        raise RunError(
            f"--out: must be a new or an empty folder, or one that holds an earlier site (got {out}, which holds "
            "something else); give another one with --out."
        )
