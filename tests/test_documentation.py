"""What the documentation says is what the code says."""

import re
from pathlib import Path

from cortex_model import documentation, theory
from cortex_model.equations import EQUATIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_readmes_tables_are_those_of_the_code_and_of_the_benchmark_that_is_kept():
    assert documentation.with_tables(README) == README


def test_the_parameter_page_is_the_codes():
    assert (ROOT / "protocols" / "PARAMETERS.md").read_text() == documentation.parameter_page()


def test_every_equation_that_has_a_name_in_the_theory_is_in_the_table():
    named = set(EQUATIONS) & set(theory.__all__)
    assert {"layer_response", "output_error", "weight_update", "feedback_update", "forward_update"} <= named
    assert named <= set(documentation.PAPER)


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


def test_every_file_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
