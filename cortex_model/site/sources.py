"""The pages of the site, gathered from where they lie: in a checkout, or in the installed package."""

import ast
import re
import shutil
from pathlib import Path

from cortex_model.site import tutorial
from cortex_model.site.settings import REFERENCE, WHOLE
from cortex_model.system.sources import PACKAGE, package_folder

README, INDEX = "README.md", "index.md"
#: The pages that exist, as paths in the repository; the first is the site's first.
PAGES = (
    README, f"protocols/{tutorial.NAME}", "protocols/README.md", "protocols/PARAMETERS.md", "protocols/RECORDINGS.md",
    "figures/README.md", "CHANGELOG.md",
)  # fmt: skip
#: Where pages of the top folder are in an installed package.
INSTALLED = PACKAGE / "site" / "pages"
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def located(path: str) -> Path:
    """File of a path in the repository."""
    top, _, rest = path.partition("/")
    if top in ("protocols", "figures"):
        return package_folder(top) / rest
    if top == "cortex_model":
        return PACKAGE / rest
    kept = INSTALLED / path
    return kept if kept.is_file() else PACKAGE.parent / path


def write_sources(folder: Path) -> None:
    """Write everything that the site is built from: the pages with what they link to, the gallery, the reference."""
    for page in PAGES:
        text = located(page).read_text()
        for link in LINK.findall(text):
            copy(joined(page, link), folder)
        write(folder / (INDEX if page == README else page), text + table_of_contents() * (page == README))
    write(folder / "gallery.md", gallery(folder))
    for name, page in reference_pages().items():
        write(folder / "reference" / f"{name}.rst", page)


def write(file: Path, text: str) -> None:
    """Write a page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def copy(path: str, folder: Path) -> None:
    """Copy a file that a page links to, so that the link holds."""
    source, target = located(path), folder / path
    if source.is_file() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def joined(page: str, link: str) -> str:
    """A link, which is relative to its page, as a path in the repository."""
    parts = page.split("/")[:-1]
    for part in link.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def table_of_contents() -> str:
    """What stands beside every page; written at the end of the first one."""
    toctrees = {
        "Learn": ["Tutorial <protocols/tutorial>", "protocols/README", "protocols/RECORDINGS"],
        "Results": ["Figures and experiments <figures/README>", "gallery"],
        "Reference": ["protocols/PARAMETERS", *(f"reference/{name}" for name in REFERENCE), "CHANGELOG"],
    }
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n"
        for caption, names in toctrees.items()
    )


# ---------------------------------------------------------------------- figures
def figures() -> list[str]:
    """Paths in the repository of every figure that is kept, those of the paper first."""
    folder = package_folder("figures")
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    return [f"figures/{path}" for path in sorted(paths, key=lambda path: not path.startswith("fig"))]


def drawn_by(figure: str) -> Path:
    """The source that draws a figure: the longest beginning of its name that is one."""
    path = located(figure)
    words = path.stem.split("_")
    names = ["_".join(words[:n]) for n in range(len(words), 0, -1)]
    return next(source for name in names if (source := path.with_name(f"{name}.py")).is_file())


def gallery(folder: Path) -> str:
    """Every figure, with its name, what it shows, and what draws it."""
    parts = [
        "# Gallery",
        "The numbers behind each figure, and how it is made again, are on the [results page](figures/README.md).",
    ]
    for figure in figures():
        copy(figure, folder)
        source = drawn_by(figure)
        said = " ".join(ast.get_docstring(ast.parse(source.read_text())).split("\n\n")[0].split())
        name = Path(figure).stem
        parts.append(
            f"## {name.replace('_', ' ')}\n\n```{{figure}} {figure}\n:alt: {said}\n:width: 100%\n\n{said}\n```"
        )
    return "\n\n".join(parts) + "\n"


# ---------------------------------------------------------------------- reference
def reference_pages() -> dict[str, str]:
    """Name -> page of docstrings."""
    pages = {}
    for name, (title, purpose, modules) in REFERENCE.items():
        parts = [f"{title}\n{'=' * len(title)}", purpose.replace("`", "``")]
        for module in modules:
            inherited = "\n   :inherited-members:" if module in WHOLE else ""
            parts.append(f"{module}\n{'-' * len(module)}\n\n.. automodule:: {module}{inherited}")
        pages[name] = "\n\n".join(parts) + "\n"
    return pages
