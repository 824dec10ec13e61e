"""A page about runs: it needs nothing else, says what the runs say, escapes strangers' texts, and never breaks."""

import base64
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cortex_model
from cortex_model import run
from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.devices.availability import default_device
from cortex_model.errors import CortexModelError, CortexModelWarning, RunError
from cortex_model.reports import classes, curves
from cortex_model.reports.curves import final_numbers
from cortex_model.reports.page import environment, write_report
from cortex_model.reports.parameters import parameter_table
from cortex_model.reports.reading import read_run
from cortex_model.reports.settings import chapters_of
from cortex_model.reports.words import measure_words
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module, package_folder

PROTOCOL = "wake_sleep_classification"
SECTIONS = ("question", "results", "learning", "alignment", "weights", "classes", "numbers", "cost", "parameters",
            "provenance")  # fmt: skip
MARKUP = "<script>alert(1)</script>"
STRANGE = [None, True, -1, 10**400, 1.5, float("nan"), float("inf"), "", MARKUP, "\udcff", [], [None], [1, "a"], {},
           {"wake": "a"}, {"at": [{}]}, [[[]]], "2026-13-01", ".." , "/"]  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of a page: tags with their attributes, texts by section."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.section, self.source = [], {"": []}, "", text
        self.skipped = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"]
        self.skipped += tag == "style"

    def handle_endtag(self, tag):
        if tag == "section":
            self.section = ""
        self.skipped -= tag == "style"

    def handle_data(self, data):
        if not self.skipped:
            self.texts.setdefault(self.section, []).append(data)

    def of(self, section, chapter=1):
        """Text of a section, blanks made one."""
        return " ".join(" ".join(self.texts[f"{section}-{chapter}" if section else ""]).split())

    @property
    def text(self):
        return " ".join(" ".join(" ".join(each) for each in self.texts.values()).split())

    def images(self, section=""):
        return [attrs for tag, attrs in self.tags if tag == "img"]


@pytest.fixture(scope="module")
def folder(tiny, made_once):
    """Finished runs: a rule with two seeds, another with one."""
    with made_once("runs_of_reports") as path:
        for rule, seed in (("reciprocal", 0), ("reciprocal", 1), ("random_feedback", 0)):
            run(PROTOCOL, device=default_device(), seed=seed, out=str(path), **tiny, learning_rule=rule)
    return path


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the runs, to be damaged."""
    shutil.copytree(folder, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def undrawn(monkeypatch):
    """Every picture is an empty one: drawing takes most of the time of a page."""
    drawing = load_module(package_folder("figures") / "report.py")
    stub = SimpleNamespace(**dict.fromkeys(("curves", "weights", "confusion", "failures", "fields"), lambda _: drawn))
    figure = drawing.Figure(figsize=(1, 1))
    drawn = drawing.written(figure, "png")
    monkeypatch.setattr("cortex_model.reports.page.load_module", lambda _: stub)


def page_of(paths, out):
    path, sentences = write_report(paths if isinstance(paths, list) else [paths], out / "page.html")
    return Page(path.read_text()), sentences


@pytest.fixture(scope="module")
def page(folder, tmp_path_factory):
    return page_of(folder, tmp_path_factory.mktemp("page"))[0]


def needs_nothing(page):
    """The claim that a page is self-contained; raises where it is not."""
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form"), tag
        for name, value in attrs.items():
            assert not name.startswith("on"), name
            if name in ("src", "href", "srcset", "poster", "data", "action"):
                assert value.startswith("data:image/" if tag == "img" else "#"), (tag, value[:60])
        if tag == "img":
            assert len(attrs["alt"]) > 20
            content = base64.b64decode(attrs["src"].split(",", 1)[1])
            assert content[:4] == b"\x89PNG" or (b"<svg" in content and b"<script" not in content)
    style = re.search(r"<style>(.*?)</style>", page.source, re.DOTALL)[1]
    assert "url(" not in style and "@import" not in style


def test_a_page_needs_nothing_but_itself(page):
    assert len(page.images()) >= 12
    needs_nothing(page)
    policies = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


@pytest.mark.parametrize("breaking", [
    '<img src="https://somewhere/x.png" alt="a picture from elsewhere">', "<script>1</script>",
    '<link rel="stylesheet" href="x.css">', '<p onclick="1">', '<img src="data:image/png;base64,iVBORw==" alt="">',
])  # fmt: skip
def test_the_claim_that_a_page_needs_nothing_can_fail(page, breaking):
    with pytest.raises(AssertionError):
        needs_nothing(Page(page.source.replace("<main>", f"<main>{breaking}")))


def test_every_section_is_there_and_in_the_contents(page):
    ids = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    assert ids == [f"{name}-1" for name in SECTIONS]
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert {f"#{each}" for each in ids} <= set(links)
    opened = [tag for tag, _ in page.tags if tag in ("main", "nav", "header", "footer", "h1")]
    assert sorted(opened) == ["footer", "h1", "header", "main", "nav"]
    assert 'name="viewport"' in page.source and "@media print" in page.source


def test_question_and_procedure_are_those_of_the_protocol(page):
    said = page.of("question")
    assert "Does feedback that was learned in sleep carry the output error well enough" in said
    assert "Procedure Forward and feedback weights start" in said and "Measured, before learning" in said


def test_parameters_that_differ_come_first_and_others_than_the_default_are_marked(page, tiny):
    said = page.of("parameters")
    first = said.split("The same in all runs")[0]
    assert "learning_rule" in first and "random_feedback" in first and "layer_sizes" not in first
    assert re.search(r"layer_sizes 64,6,10 64,32,10 neurons neurons in each population", said)
    marked = re.findall(r"<mark>(.*?)</mark>", page.source)
    assert {"64,6,10", "random_feedback"} <= set(marked) and "tanh" not in marked and "reciprocal" not in marked


def test_numbers_are_those_of_summaries_and_measures(folder, page):
    runs = [RunDirectory(path) for path in sorted(folder.iterdir())]
    for directory in runs:
        assert f"{directory.summary()['final_test_error_percent']:,.6g}" in page.of("results")
        for count in directory.summary()["operations"].values():
            assert f"{count:,}" in page.of("cost") or not count
        assert directory.summary()["weights_sha256"][:12] in page.of("provenance")
    two = [each for each in runs if each.parameters["learning_rule"] == "reciprocal"]
    for name in ("test_error_percent", "alignment_angle_to_pseudoinverse_degrees", "training_loss"):
        mean, low, high = mean_and_interval([np.ravel(each.measures()[name].values[-1])[0] for each in two])
        assert f"{mean:.4g} [{low:.4g}, {high:.4g}], t(1)" in page.of("numbers"), name
    assert "n = 1, no interval, n = 2, t(1)" in page.of("learning") and "there is no band" in page.of("learning")


def test_curves_are_those_that_were_measured(folder):
    (chapter,) = chapters_of(read_run(RunDirectory(path)) for path in sorted(folder.iterdir()))
    assert chapter.differing == ["learning_rule"] and {len(each.runs) for each in chapter.settings} == {1, 2}
    for setting in chapter.settings:
        for name, part in (("test_error_percent", None), ("alignment_angle_to_transpose_degrees", 2)):
            curve = curves.curve_of(setting, name, part)
            for its, over, values in zip(setting.runs, curve.over, curve.values, strict=True):
                there = its.row.directory.measures()
                assert np.array_equal(values, np.ravel(there[name].values)), name
                assert np.array_equal(over, there["wake_presentations"].values)
            assert np.allclose(curve.mean, np.mean(curve.values, axis=0))
            assert np.isnan(curve.low).all() == (len(setting.runs) == 1)
    assert curves.curve_of(chapter.settings[0], "alignment_angle_to_transpose_degrees", 1) is None, "there is no V_1"


def test_confusions_are_those_of_the_final_weights(folder, monkeypatch):
    (chapter,) = chapters_of(read_run(RunDirectory(path)) for path in folder.iterdir())
    pictures, left_out = classes.class_pictures(chapter)
    assert not left_out and len(pictures) == 2
    for picture, setting in zip(pictures, chapter.drawn, strict=True):
        said = [each.row.summary["final_test_error_percent"] for each in setting.runs]
        assert np.allclose(picture.errors, said, atol=0.3) and picture.counts.sum() == 360 * len(said)
        assert np.isclose(100 - 100 * np.trace(picture.counts) / picture.counts.sum(), np.mean(picture.errors))
        assert all(each.right != each.answered and each.image.shape == (8, 8) for each in picture.failures)
        assert not picture.notes
    monkeypatch.setattr(classes, "MOST_STIMULI", 50)
    (few, *_), _ = classes.class_pictures(chapter)
    assert few.n_stimuli == 50 and few.notes == ["Only the first 50 of 360 test stimuli were shown again."]
    monkeypatch.undo()
    run_ = chapter.settings[0].runs[0]
    run_.weights.forward[2][:] = -run_.weights.forward[2]
    (broken, *_), _ = classes.class_pictures(chapter)
    assert any("when the run measured it" in note for note in broken.notes), "other weights are noticed"


@pytest.mark.usefixtures("undrawn")
def test_weights_that_are_not_those_of_the_summary_are_said(copied, tmp_path, resealed):
    path = next(copied.iterdir())
    summary = json.loads((path / "summary.json").read_text())
    (path / "summary.json").write_text(json.dumps(summary | {"weights_sha256": "0" * 64}))
    resealed(path)
    page, sentences = page_of(copied, tmp_path)
    assert sentences == [f"{path.name}: its final weights are not those whose hash its summary names."]
    assert sentences[0] in page.text


@pytest.mark.usefixtures("undrawn")
def test_markup_of_strangers_is_text(copied, tmp_path, resealed):
    """In a parameter, its name, a folder's name, a warning, the provenance, a measure's unit."""
    path = copied / f"a{MARKUP.replace('/', '')}"
    next(copied.iterdir()).rename(path)
    given = json.loads((path / "parameters.json").read_text())
    given["parameters"] |= {MARKUP: f'"{MARKUP}', "noise_distribution": MARKUP + "$\\frac{"}
    (path / "parameters.json").write_text(json.dumps(given))
    summary = json.loads((path / "summary.json").read_text())
    (path / "summary.json").write_text(json.dumps(summary | {"warnings": [MARKUP]}))
    origin = json.loads((path / "provenance.json").read_text())
    (path / "provenance.json").write_text(
        json.dumps(origin | {"command": MARKUP, "processor": MARKUP + "\u202e\udcff"})
    )
    resealed(path)
    page, _ = page_of(copied, tmp_path)
    needs_nothing(page)
    assert page.text.count("alert(1)") >= 6 and MARKUP not in page.source and "\u202e" not in page.source
    assert "Left out for setting" in page.of("classes"), "a parameter that there is not"


@pytest.mark.usefixtures("undrawn")
def test_a_template_that_does_not_escape_is_seen(copied, tmp_path, monkeypatch, resealed):
    path = next(copied.iterdir())
    origin = json.loads((path / "provenance.json").read_text())
    (path / "provenance.json").write_text(json.dumps(origin | {"command": MARKUP}))
    resealed(path)
    unsafe = environment()
    unsafe.autoescape = False
    monkeypatch.setattr("cortex_model.reports.page.environment", lambda: unsafe)
    with pytest.raises(AssertionError):
        needs_nothing(page_of(copied, tmp_path)[0])


OWN = f'''"""Is {MARKUP} asked?

Question
    Mine, with `{MARKUP}`?
"""
import pathlib
pathlib.Path(__file__).with_name("was_run").touch()
from cortex_model.protocol import Protocol, load_protocol
its = load_protocol("wake_sleep_classification")
PROTOCOL = Protocol("own", "Mine?", its.parameters, its.run)
'''


@pytest.mark.usefixtures("undrawn")
def test_an_own_protocol_is_read_and_never_run(tmp_path, tiny, alone):
    alone("reciprocal")
    (tmp_path / "own.py").write_text(OWN)
    path = run(tmp_path / "own.py", device=default_device(), out=str(tmp_path / "runs"), **tiny).path
    (tmp_path / "was_run").unlink()
    page, sentences = page_of(path, tmp_path)
    needs_nothing(page)
    assert not sentences and not list(tmp_path.rglob("was_run"))
    assert f"Is {MARKUP} asked?" in page.of("question") and f"Mine, with {MARKUP} ?" in page.of("question")
    assert "its defaults are unknown here" in page.of("parameters") and "<mark>64" not in page.source
    assert "stands in the user's own file, which is not run" in page.of("classes")
    (path / "protocol" / "own.py").write_text("def (")
    assert "It cannot be read" in page_of(path, tmp_path)[0].of("question")
    shutil.rmtree(path / "protocol")
    assert "It cannot be read" in page_of(path, tmp_path)[0].of("question")


@pytest.mark.usefixtures("undrawn")
def test_an_own_rule_is_never_run(copied, tmp_path, resealed):
    file, path = tmp_path / "rule.py", next(copied.iterdir())
    file.write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'was_run')!r}).touch()\n")
    given = json.loads((path / "parameters.json").read_text())
    given["parameters"]["learning_rule"] = f"{file}#123456789abc"
    (path / "parameters.json").write_text(json.dumps(given))
    resealed(path)
    page, _ = page_of(path, tmp_path)
    assert "rule.py#123456789abc" in page.of("parameters") and not (tmp_path / "was_run").exists()
    assert "how it answers stands in the user's own file" in page.of("classes")


@pytest.mark.usefixtures("undrawn")
def test_unfinished_and_damaged_runs_get_a_sentence(copied, tmp_path, command_line):
    finished, unfinished, damaged = sorted(copied.iterdir())
    (unfinished / "summary.json").unlink()
    (damaged / "parameters.json").write_text('{"protocol": ')
    status, said, error = command_line("report", copied, "--out", tmp_path / "page.html")
    assert status == 0 and not error
    page = Page((tmp_path / "page.html").read_text())
    for sentence in (f"{unfinished.name}: has not finished (interrupted)", f"Left out: {damaged.name}/parameters.json"):
        assert sentence in said and sentence in page.text
    assert str(tmp_path) not in page.of("") and "page.html (0." in said
    assert finished.name in page.of("results") and unfinished.name in page.of("results")
    with pytest.warns(CortexModelWarning, match="has not finished"):
        assert cortex_model.report(unfinished, out=tmp_path / "new" / "page.html").is_file()
    assert "No run has finished" in Page((tmp_path / "new" / "page.html").read_text()).of("learning")
    with pytest.raises(RunError, match="must be JSON"):
        cortex_model.report([damaged], out=tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


@settings(derandomize=True, max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_strange_values_never_break_a_page(folder, tmp_path_factory, undrawn, resealed, data):
    """A value of the parameters, the provenance or the summary is something else."""
    path = tmp_path_factory.mktemp("strange") / "run"
    shutil.copytree(sorted(folder.iterdir())[0], path)
    file = path / data.draw(st.sampled_from(["parameters.json", "provenance.json", "summary.json"]))
    content = json.loads(file.read_text())
    inner = data.draw(st.sampled_from([content, *(each for each in content.values() if isinstance(each, dict))]))
    name = data.draw(st.sampled_from([*inner, "another"]))
    inner[name] = data.draw(st.sampled_from(STRANGE))
    file.write_text(json.dumps(content))
    resealed(path)
    try:
        page, _ = page_of(path, path.parent)
    except CortexModelError as error:
        assert file.name in str(error) or name in str(error)
    else:
        needs_nothing(page)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("file", ["weights.nc", "measures.nc"])
def test_a_damaged_part_hides_no_other(copied, tmp_path, file):
    path = sorted(copied.iterdir())[0]
    (path / file).write_bytes((path / file).read_bytes()[:100])
    page, (sentence,) = page_of(copied, tmp_path)
    assert "cannot be read" in sentence and path.name in page.of("results") and len(page.images()) >= 10


@pytest.mark.usefixtures("undrawn")
def test_the_same_run_is_shown_once(folder, copied, tmp_path):
    page, sentences = page_of([folder, folder, *copied.iterdir()], tmp_path)
    assert len(sentences) == 3 and all("which is the same run as" in each for each in sentences)
    assert "Report of 3 runs" in page.text


@pytest.mark.parametrize(
    "out", ["", "page", "page.txt", "folder.html", "parameters.json", "file/page.html", "x" * 300 + ".html"]
)
def test_what_is_no_file_of_a_page_is_refused_before_anything_is_read(out, tmp_path):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="--out: must be a file that can be written, its name ending in .html"):
        cortex_model.report(tmp_path / "nothing", out=tmp_path / out)


# ---------------------------------------------------------------------- other protocols and data
@pytest.fixture
def own_data(tmp_path):
    """A file with classes, and one with targets: rows of five numbers."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    np.savez(tmp_path / "classes.npz", stimuli=x, labels=np.where(x[:, 0] > 0, "right", f"wrong{MARKUP}"))
    np.savez(tmp_path / "targets.npz", stimuli=x, targets=x[:, :2])
    return tmp_path


@pytest.mark.usefixtures("undrawn")
def test_a_run_whose_data_are_gone_says_so(own_data, tmp_path, alone):
    alone("reciprocal")
    given = {"dataset": str(own_data / "classes.npz"), "layer_sizes": (5, 4, 2), "epochs": 2}
    path = run(PROTOCOL, device="runtime", out=str(tmp_path / "runs"), **given).path
    page, _ = page_of(path, tmp_path)
    needs_nothing(page)
    assert "The stimuli are no images" in page.of("classes") or "0, t" in page.of("classes")
    assert f"wrong{MARKUP}" in page.of("classes")
    (own_data / "classes.npz").unlink()
    page, sentences = page_of(path, tmp_path)
    assert not sentences and "must be a file or a folder that is there (got nothing at classes.npz)" in page.of(
        "classes"
    )
    assert (
        "classes.npz#" in page.of("parameters") and len(page.images()) >= 5 and str(tmp_path) not in page.of("classes")
    )


@pytest.mark.usefixtures("undrawn")
def test_published_data_are_not_downloaded_for_a_page(copied, tmp_path, monkeypatch, resealed):
    monkeypatch.setattr("cortex_model.datasets.files.download", lambda *_: pytest.fail("downloaded"))
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CORTEX_MODEL_DATA", raising=False)
    path = next(copied.iterdir())
    given = json.loads((path / "parameters.json").read_text())
    given["parameters"] |= {"dataset": "mnist"}
    (path / "parameters.json").write_text(json.dumps(given))
    resealed(path)
    assert "`cortex-model datasets fetch mnist` fetches them" in page_of(path, tmp_path)[0].of("classes")


@pytest.mark.usefixtures("undrawn")
def test_runs_of_regression(own_data, tmp_path, alone):
    alone("reciprocal")
    given = {"dataset": str(own_data / "targets.npz"), "layer_sizes": (5, 4, 2), "epochs": 2}
    done = run("wake_sleep_regression", device="runtime", out=str(tmp_path / "runs"), **given)
    page, sentences = page_of(done.path, tmp_path)
    assert not sentences and f"{done.summary()['final_unexplained_percent']:,.6g}" in page.of("results")
    assert "No finished run here measured classes" in page.of("classes") and "one seed, so no interval" in page.of(
        "results"
    )


@pytest.mark.usefixtures("undrawn")
def test_a_protocol_without_classes_beside_one_with(folder, tmp_path):
    given = {"layer_sizes": (6, 6), "n_presentations": 40, "averaged": True}
    done = run("pseudoinverse_alignment", device="runtime", out=str(tmp_path / "runs"), **given)
    page, sentences = page_of([done, folder], tmp_path)
    needs_nothing(page)
    assert not sentences and "measured angles" in page.of("alignment") and "all 40 " in page.of("cost")
    assert f"{done.measures()['distance_feedback'].values[-1]:.4g}" in page.of("numbers")
    assert "Does feedback" in page.of("question", 2) and "Moore-Penrose inverse, how fast" in page.of("question")


def test_texts_of_strangers_are_drawn_as_they_are(folder):
    """Names of classes and measures that would be formulas, or hold what no font has."""
    drawing = load_module(package_folder("figures") / "report.py")
    (chapter,) = chapters_of(read_run(RunDirectory(path)) for path in sorted(folder.iterdir()))
    name = measure_words("$\\frac{_percent\udcff\x00" + "long" * 50)
    drawn = [curve for setting in chapter.drawn if (curve := curves.curve_of(setting, "test_loss"))]
    svg = drawing.curves(curves.Panel(name, name, name, drawn)).content.decode()
    assert svg.count("<svg") == 1 and "\x00" not in svg
    (picture, *_), _ = classes.class_pictures(chapter)
    picture.names = [f"$_{{{n}" for n in range(10)]
    assert drawing.confusion(picture).kind == "svg" and drawing.failures(picture).content[:4] == b"\x89PNG"


def test_many_settings_are_told_in_few_columns(folder):
    runs = [read_run(RunDirectory(path)) for path in folder.iterdir()]
    many = []
    for n in range(30):
        row = replace(runs[0].row, parameters=runs[0].row.parameters | {"damping": float(n)})
        many.append(replace(runs[0], row=row))
    (chapter,) = chapters_of(many)
    assert len(chapter.settings) == 30 and len(chapter.drawn) == 12 and chapter.settings[27].letter == "AB"
    table = parameter_table(chapter)
    assert table["columns"] == ["values in 30 settings"] and table["differing"][0]["values"][0].startswith(
        "0.0 | 1.0 |"
    )
    looks = {(setting.colour, setting.dash) for setting in chapter.drawn}
    assert len(looks) == 12, "no two lines look alike"
    assert all(len(texts) == 12 for _, texts in final_numbers(chapter).rows)
