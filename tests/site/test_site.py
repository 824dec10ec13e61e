"""The documentation is built without a warning, its links hold, and it says what the code says."""

import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from cortex_model.site import building, sources
from cortex_model.site.docstrings import with_literal_blocks
from cortex_model.site.settings import REFERENCE

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """Links, images and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.images, self.anchors = [], [], {""}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        its = dict(attrs)
        self.anchors |= {its[name] for name in ("id", "name") if its.get(name)}
        if tag == "a" and "href" in its:
            self.links.append(its["href"])
        if tag == "img":
            self.images.append(its["src"])


@pytest.fixture(scope="module")
def site(made_once):
    with made_once("documentation") as folder:
        if not (folder / "warnings").exists():
            (folder / "warnings").write_text("\n".join(building.build(folder / "site")))
        yield folder


@pytest.fixture(scope="module")
def pages(site):
    return {path.resolve(): Page(path) for path in (site / "site").rglob("*.html")}


@pytest.mark.slow
def test_there_is_nothing_to_warn_of(site):
    assert (site / "warnings").read_text() == ""
    assert not list((site / "site").rglob(".buildinfo*"))


@pytest.mark.slow
def test_every_link_and_every_image_is_there(pages):
    n_links = n_images = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.name}: {link}"
            if target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{path.name}: {link}"
            n_links += 1
        for image in page.images:
            assert urlsplit(image).scheme == "data" or (path.parent / unquote(image)).is_file(), f"{path.name}: {image}"
            n_images += 1
    assert n_links > 1000 and n_images > 2 * len(sources.figures())


@pytest.mark.slow
def test_the_reference_holds_docstrings_with_their_equations(site):
    text = {name: (site / "site" / "reference" / f"{name}.html").read_text() for name in REFERENCE}
    plain = {name: re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page)) for name, page in text.items()}
    assert "dV_l = eta [(g xi_{l-1} - rec) up^T - d V_l]" in plain["rules"]
    assert "Rates of every population while states are held at the top" in plain["calls"]
    for call in ("sleep", "recall", "save"):  # its own, and those that it inherits
        assert f'id="cortex_model.interactive.cortex.Cortex.{call}"' in text["calls"]
    assert "set_fit_request" not in text["calls"], "only what is this package's"
    assert 'id="cortex_model.theory.layer_response"' in text["theory"]
    for name, (_, _, modules) in REFERENCE.items():
        for module in modules:
            assert f'id="module-{module}"' in text[name], module


@pytest.mark.slow
def test_the_tutorial_is_shown_as_it_is_kept_and_pages_can_be_searched(site):
    page = (site / "site" / "protocols" / "tutorial.html").read_text()
    assert page.count("<math") > 5 and len(re.findall(r'<img[^>]+src="[^"]+\.png"', page)) == 5
    assert "pseudoinvers" in (site / "site" / "searchindex.js").read_text()
    assert "<math" in (site / "site" / "index.html").read_text() or "$" not in sources.located("README.md").read_text()
    assert "MathJax" not in page, "equations need no network"


def test_every_figure_is_in_the_gallery_with_what_it_shows(tmp_path):
    page = sources.gallery(tmp_path)
    kept = [path.relative_to(ROOT).as_posix() for path in (ROOT / "figures").rglob("*.png")]
    assert sorted(re.findall(r"{figure} (\S+)", page)) == sorted(kept)
    assert all((tmp_path / figure).is_file() for figure in kept)
    assert "Fig. 1A: forward and feedback weights become each other's pseudoinverse" in page
    assert sources.drawn_by("figures/experiments/surpassed_authors_net_mnist.png").name == "surpassed_authors_net.py"


def test_an_installed_package_has_every_page():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = wheel["force-include"]
    for page in sources.PAGES:
        top, below, _ = page.partition("/")
        where = included[top] if below else included[page].removesuffix(f"/{page}")
        assert where == (f"cortex_model/{top}" if below else sources.INSTALLED.relative_to(ROOT).as_posix())
        assert (ROOT / page).is_file() and sources.located(page).read_text() == (ROOT / page).read_text()


def test_without_sphinx_it_is_said_what_to_install(command_line, monkeypatch, tmp_path):
    there = building.find_spec
    monkeypatch.setattr(building, "find_spec", lambda name: None if name == "myst_nb" else there(name))
    status, _, error = command_line("docs", "--out", tmp_path / "new")
    assert status == 2 and "(got no myst_nb)" in error and error.endswith("pip install 'cortex-model[docs]'.\n")
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_else_is_left_alone(command_line, tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    status, _, error = command_line("docs", "--out", tmp_path)
    assert status == 2 and "must be a new or an empty folder" in error
    assert (tmp_path / "thesis.tex").read_text() == "all of it"


def test_what_is_installed_for_the_documentation_is_what_it_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = {
        re.split("[><=]", name)[0].replace("-", "_") for name in project["project"]["optional-dependencies"]["docs"]
    }
    assert named == set(building.NEEDED)
    assert set(project["project"]["optional-dependencies"]["docs"]) <= set(project["dependency-groups"]["dev"])


def test_equations_in_docstrings_stay_as_they_are_typed():
    lines = [
        "An update, |x|.",
        "",
        "    dW = |e| a^T",
        "      + `b`",
        "",
        "where `|a|` is",
        "",
        "- a",
        "",
        "  more",
        "",
        ">>> a | b",
    ]
    marked = with_literal_blocks(lines)
    assert marked[:6] == [r"An update, \|x\|.", "", "::", "", "    dW = |e| a^T", "      + `b`"]
    assert marked[6:] == lines[4:], "lists, code and examples are left"
