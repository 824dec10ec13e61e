"""One direction of imports, heavy packages only where they belong."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Rooms of the house, floor by floor: what stands on one imports what stands below it, and on its own floor. At the
#: root of the package stands only what a user types: errors, protocol, weights.
FLOORS = [
    {"errors"},
    {"language", "system", "theory"},
    {"rules", "state"},
    {"parameters", "weights", "datasets"},
    {"reference", "schedule"},
    {"network"},
    {"devices"},
    {"runs", "traces"},
    {"analysis", "sweeps"},
    {"experiments", "benchmark", "interactive", "site"},
    {"reports"},
    {"cli", "protocol"},
    {"protocols", "figures"},
]
LEVELS = {part: level for level, parts in enumerate(FLOORS) for part in parts}
#: Lines that a module, and a function without its docstring, may have.
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 50
#: Package that is slow to load -> the parts that may import it.
HEAVY = {"brian2": {"benchmark", "network", "devices"}, "brian2cuda": {"devices"}, "matplotlib": {"figures"}}
LIGHT_MODULES = [
    "cortex_model", "cortex_model.language.nonlinearities", "cortex_model.parameters", "cortex_model.weights",
    "cortex_model.state.philox", "cortex_model.theory", "cortex_model.datasets", "cortex_model.schedule",
    "cortex_model.schedule.chunk", "cortex_model.devices.simulation", "cortex_model.language", "cortex_model.rules",
    "cortex_model.reference.interpreter",
]  # fmt: skip


def part_of(path):
    parts = path.relative_to(ROOT).parts
    return parts[1].removesuffix(".py") if parts[0] == "cortex_model" else parts[0]


SOURCES = [
    path
    for top in ("cortex_model", "protocols", "figures")
    for path in sorted((ROOT / top).rglob("*.py"))
    if part_of(path) not in ("__init__", "__main__")
]


def imported(tree):
    """Dotted names that a piece of source imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def parts_imported(path):
    for name in imported(ast.parse(path.read_text())):
        package, *rest = name.split(".")
        if package == "cortex_model" and rest and rest[0] != "__version__":
            yield rest[0]
        elif package in ("protocols", "figures"):
            yield package


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    part = part_of(path)
    assert part in LEVELS, f"{part} has no level: give it one in LEVELS"
    for other in parts_imported(path):
        assert LEVELS[other] <= LEVELS[part], f"{part} (level {LEVELS[part]}) may not import {other}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_packages_are_imported_where_they_belong(path):
    for name in imported(ast.parse(path.read_text())):
        package = name.split(".")[0]
        assert part_of(path) in HEAVY.get(package, {part_of(path)}), f"{part_of(path)} may not import {package}"


def test_parts_form_no_cycle():
    below = {part: set() for part in LEVELS}
    for path in SOURCES:
        below[part_of(path)] |= set(parts_imported(path)) - {part_of(path)}
    done = set()
    while len(done) < len(below):
        ready = {part for part, others in below.items() if part not in done and others <= done}
        assert ready, f"cycle among {sorted(set(below) - done)}"
        done |= ready


def test_simulator_never_asks_theory():
    """Theory, and the interpreter, say what the simulator must give: neither may be made from the other."""
    for path in SOURCES:
        if part_of(path) in ("network", "devices"):
            assert not {"theory", "reference"} & set(parts_imported(path)), path
        if part_of(path) == "reference":
            assert set(parts_imported(path)) <= {"reference", "language", "state", "errors"}, path
        if part_of(path) == "language":
            assert set(parts_imported(path)) <= {"language", "errors"}, path
        if part_of(path) == "theory":
            assert set(parts_imported(path)) <= {"theory", "errors"}, path


def test_brian2cuda_is_imported_only_when_that_device_is_asked_for():
    """One module is loaded by its name, when that device is set."""
    lazy = "cortex_model.devices.dense.cuda_standalone"
    for path in SOURCES:
        assert not any(name.startswith(lazy) for name in imported(ast.parse(path.read_text()))), path
        if path == (ROOT / lazy.replace(".", "/")).with_suffix(".py"):
            continue
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = [ast.Pass()]
        assert not [name for name in imported(tree) if name.split(".")[0] == "brian2cuda"], path


def test_importing_the_library_loads_neither_brian2_nor_matplotlib():
    code = (
        f"import importlib, sys\nfor name in {LIGHT_MODULES}: importlib.import_module(name)\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.split())
    assert "cortex_model" in loaded
    assert not loaded & set(HEAVY)


def test_no_drawers():
    names = {path.stem for path in SOURCES} | {part for path in SOURCES for part in path.relative_to(ROOT).parts}
    assert not names & {"utils", "helpers", "common", "base", "misc"}


# ---------------------------------------------------------------------- size, and who knows what
#: Modules that are still longer than they should be.
LONG: set[str] = set()


def test_modules_and_functions_are_short():
    for path in SOURCES:
        text, name = path.read_text(), str(path.relative_to(ROOT))
        if name.startswith("cortex_model") and name not in LONG:
            assert len(text.split("\n")) <= MOST_LINES + 1, name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                assert node.end_lineno - first.lineno < MOST_LINES_OF_A_FUNCTION, f"{name}: {node.name}"


def test_the_root_holds_what_a_user_types():
    modules = {path.stem for path in (ROOT / "cortex_model").glob("*.py")}
    assert modules == {"__init__", "__main__", "errors", "protocol", "weights"}


def test_names_of_learning_rules_stand_where_rules_and_settings_are():
    """In their own files, in theory, in the settings of experiments and of the benchmark, and nowhere else."""
    from cortex_model.rules import shipped

    names = "|".join(shipped())
    spoken = re.compile(rf"learning_rule\W{{1,6}}({names})\b|[\"']({'|'.join(set(shipped()) - {'reciprocal'})})[\"']")
    settings = {"rules", "theory", "benchmark", "protocols", "figures"}
    for path in SOURCES:
        if part_of(path) in settings or path.name == "settings.py":
            continue
        found = [
            m[0]
            for m in spoken.finditer(path.read_text())
            if "theory.activation_reciprocal" not in m.string[m.end() :][:60]
        ]
        assert not found, f"{path.relative_to(ROOT)} knows learning rules: {found}"
