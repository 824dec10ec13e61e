"""What the documentation says is what the code says."""

import re
from pathlib import Path

import pytest

from cortex_model import theory
from cortex_model.cli import documentation
from cortex_model.datasets import DATASETS
from cortex_model.experiments.tables import NO_DATASET, write_rows
from cortex_model.language.describing import equations
from cortex_model.language.nonlinearities import NONLINEARITIES
from cortex_model.protocol import load_protocol
from cortex_model.rules import shipped

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text() for name in ("README.md", "protocols/README.md", "figures/README.md")}
README = PAGES["README.md"]


def test_generated_parts_are_those_of_the_code_and_of_the_numbers_that_are_kept():
    for path, text in documentation.generated().items():
        assert path.read_text() == text, path


def test_every_experiment_that_is_kept_is_on_the_page_with_its_figure_and_command():
    page = (ROOT / "figures" / "README.md").read_text()
    assert documentation.result_tables()
    for name in documentation.result_tables():
        experiment, dataset = name.rsplit("_", 1)
        assert f"](experiments/{name}.png)" in page
        chosen = "" if dataset == NO_DATASET else f" --dataset {dataset}"
        assert f"cortex-model reproduce {experiment}{chosen} --seeds " in page, name
        for ending in ("png", "pdf", "csv"):
            assert (ROOT / "figures" / "experiments" / f"{name}.{ending}").exists()


def test_a_table_shows_what_its_csv_says(tmp_path):
    row = {"arm": "a", "seeds": 2, "error": 3.456, "low": 3.0, "high": 4.0, "wake_to_5": 1200, "total_to_5": 2400,
           "wake_to_5_high": 1500, "first_evaluation": 1000, "first_evaluation_total": 2100, "reach_5": 1,
           "sleep_half_cycles": 7, "operations": "1.0e+09", "minutes_a_run": "0.5"}  # fmt: skip
    never = row | {"arm": "b", "wake_to_5": "", "wake_to_5_high": "", "total_to_5": "", "reach_5": 0}
    early = row | {"arm": "c", "wake_to_5": 900, "wake_to_5_high": 950, "total_to_5": 1900, "reach_5": 2}
    some_early = early | {"arm": "d", "wake_to_5_high": 1000}
    write_rows([row, never, early, some_early, row | {"arm": "the runs of a, again"}], tmp_path / "table.csv")
    lines = documentation.experiment_table(tmp_path / "table.csv").split("\n")
    assert lines[0] == "| arm | seeds | error [95 %, t(1)] | wake (total) to 5 % | half cycles of sleep | operations |"
    assert lines[2] == "| a | 2 | 3.46 [3.00, 4.00] | 1,200 (2,400), 1 of 2 seeds | 7 | 1.0e+09 |"
    assert "| never |" in lines[3]
    assert "| < 1,000 (< 2,100) |" in lines[4], "a straight line from the start measures nothing"
    assert "| about 1,000 (about 2,100) |" in lines[5]
    assert len(lines) == 6, "arms that share their runs are one row"


def test_every_equation_that_has_a_name_in_the_theory_is_in_the_table():
    named = {name for rule in shipped().values() for name, *_ in equations(rule)} & set(theory.__all__)
    assert {"layer_response", "output_error", "weight_update", "feedback_update", "forward_update"} <= named
    rows = [line.split(" | ")[1] for line in documentation.equation_table().split("\n")[2:]]
    assert named <= set(rows)


def test_every_rule_is_in_the_table_with_what_learns_in_it():
    head, _, *rows = documentation.rule_table().split("\n")
    its = {row.split("`")[1]: row for row in rows}
    assert list(its) == list(shipped()) and head.startswith("| `learning_rule` ")
    assert its["reciprocal"] == "| `reciprocal` | random | W, b learn | V, W learn | Cameron, Chen & Sejnowski 2025 |"
    assert "| pseudoinverse of W | W, b learn; the host sets V = pinv(W) | - |" in its["exact_pseudoinverse"]


def test_every_command_in_the_readme_exists():
    from typer.main import get_command

    from cortex_model.cli import app

    commands = set(get_command(app).commands)
    table = README.split("| command | what it does |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)(?: |`)", "\n".join(line.split(" | ")[0] for line in table.split("\n"))))
    assert named - {"protocols", "parameters", "devices", "datasets"} <= commands
    assert commands <= named


def test_ci_runs_the_readmes_test_command():
    (command,) = re.findall(r"```bash\n(pip install uv && uv run pytest)", README)
    assert command in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_every_file_and_heading_that_a_page_links_to_exists(name):
    links = re.findall(r"\]\((?!http)([^)]+)\)", PAGES[name])
    assert links
    for link in links:
        path, _, heading = link.partition("#")
        file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert file.exists(), link
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE) if heading else []
        assert not heading or heading in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings], link


def test_the_readme_is_short_and_its_equations_are_those_of_the_table():
    assert len(README.split("\n")) <= 290
    section = " ".join(README.split("## The equations")[1].split("\n## ")[0].split())
    table = documentation.equation_table()
    for letters in re.findall(r"\$([^$]+=[^$]+)\$", section):
        if any(name in letters for name in ("up", "rec")):
            assert f"${letters}$" in table, letters


def test_the_readmes_benchmark_is_a_part_of_the_whole_one():
    whole = {line.split(" | ")[0]: line for line in documentation.benchmark_tables().split("\n")}
    head, _, *rows = documentation.benchmark_in_short().split("\n")
    assert head.endswith("| 784-256-10 | 3072-512-256-10 |") and len(rows) == 5
    for row in rows:
        name, small, large = row.strip("| ").split(" | ")
        cells = whole[f"| {name}"].strip("| ").split(" | ")
        assert (small, large) == (cells[1], cells[3])


def test_the_places_that_are_named_to_add_something_exist():
    section = PAGES["protocols/README.md"].split("## How to add")[1].split("\n## ")[0]
    paths = re.findall(r"`((?:cortex_model|tests|figures)/[\w/]+\.py)`", section)
    assert len(paths) >= 7
    sources = {path: (ROOT / path).read_text() for path in paths}
    for name in re.findall(r"`([A-Z_]{5,})`", section):
        assert name == "PROTOCOL" or any(re.search(rf"^{name}\b", source, re.M) for source in sources.values()), name
    files = {path.stem for path in (ROOT / "cortex_model" / "rules").glob("*.py") if "\nRULE = " in path.read_text()}
    assert files == set(shipped()) and set(NONLINEARITIES) == set(theory.NONLINEARITIES)
    learns_from = load_protocol("wake_sleep_classification").parameters.model_fields["dataset"]
    assert set(learns_from.json_schema_extra["choices"]) == set(DATASETS)


def test_the_readmes_hierarchy_learns_in_ones_hands(tmp_path, monkeypatch):
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "import Cortex" in block]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    intact, lesioned = (names[name].score(names["X"][1400:], names["y"][1400:]) for name in ("cortex", "lesioned"))
    assert intact > 0.7 and lesioned > 0.6
    assert (tmp_path / "lesioned.nc").exists() and not names["lesioned"].V[2][:, 3].all()


def test_the_readmes_own_objects_run_and_are_recorded(capsys):
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "hierarchy.add" in block]
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    said, traces = capsys.readouterr().out, names["traces"]
    assert "dv/dt = (drive - v)/tau : 1" in said and "apical_drive_post = sum of weight*rate_pre over synapses" in said
    assert traces["v"].shape == (names["leaky"].N, names["asleep"].n_slots) and traces["v"].any()
    learned, start = names["state"].weights.feedback[2], names["weights"].feedback[2]
    assert learned.shape == (32, 10) and (learned != start).any()
