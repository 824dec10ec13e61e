"""Programs are compiled once, named by their content, and run again with other numbers."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cortex_model.devices import availability, compilation, runtime_compiler
from cortex_model.devices import program as standalone
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import CortexModelWarning, DeviceError
from cortex_model.language import nonlinearities
from cortex_model.language.nonlinearities import Nonlinearity
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters

#: A run in a process of its own: overrides, seed -> SHA-256 of the weights, and whether Brian2 was loaded.
RUN = """
import json, sys
import numpy as np
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.state.philox import order_of_stimuli
from cortex_model.schedule import Stimuli, wake_sleep_schedule
from cortex_model.protocol import run_numbers
from cortex_model.weights import initial_weights

for overrides, seed in json.loads(sys.argv[1]):
    p = SleepWakeParameters(**overrides)
    images = np.random.default_rng(0).normal(size=(8, p.layer_sizes[0])), np.eye(p.layer_sizes[-1])[np.arange(8) % 4]
    schedule = wake_sleep_schedule(p, lambda epoch: order_of_stimuli(seed, epoch, 8), 8, 20, 2, 6)
    weights = initial_weights(p, seed)
    numbers = run_numbers(p, seed)
    stop = Simulation(p).run(schedule, Stimuli(images, images), weights, numbers)
    print(json.dumps([stop.weights.sha256, "brian2" in sys.modules]))
"""


@pytest.fixture
def stubs(tmp_path, monkeypatch):
    """A compiler that says its version, but leaves a mark and fails when it is asked to compile."""
    folder, mark = tmp_path / "stubs", tmp_path / "was called"
    folder.mkdir()
    for name in ("g++", "make"):
        (folder / name).write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec {shutil.which(name)} --version\necho {name} >> "{mark}"\nexit 1\n'
        )
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return mark


def run_apart(*runs):
    return subprocess.run([sys.executable, "-c", RUN, json.dumps(runs)], capture_output=True, text=True)


@pytest.mark.compiler
@pytest.mark.slow
def test_other_numbers_seeds_and_learning_rules_do_not_compile(scenario, request):
    default = scenario().parameters
    Simulation(default).build()  # the first run compiles, with the compiler that is really there
    mark = request.getfixturevalue("stubs")
    structure = {"layer_sizes": default.layer_sizes, "dtype": default.dtype}
    runs = [
        (structure | overrides, seed)
        for overrides, seed in [
            ({}, 0), ({}, 1), ({"learning_rate": 0.02}, 0), ({"damping": 1.0}, 0), ({"sleep_per_wake": 0.3}, 0),
            ({"sleep_learning_rate": 0.02}, 0), ({"feedback_gain": "norm_matched", "damping": 0.5}, 0),
            ({"initial_weights": "orthogonal"}, 0), ({"forward_sleep_learning_rate": 0.01}, 0),
            ({"learning_rule": "backpropagation"}, 0), ({"learning_rule": "random_feedback"}, 0),
            ({"learning_rule": "hinton_mcclelland"}, 0),
            ({"learning_rule": "exact_pseudoinverse", "pseudoinverse_every_presentations": 4}, 0),
        ]
    ]  # fmt: skip
    run = run_apart(*runs)
    assert run.returncode == 0, run.stderr
    ends = [json.loads(line) for line in run.stdout.splitlines()]
    assert len({sha256 for sha256, _ in ends}) == len(runs), "each of them must make a difference"
    assert not any(has_brian2 for _, has_brian2 in ends), "a compiled program is run without loading Brian2"
    assert not mark.exists()

    run = run_apart((structure | {"layer_sizes": (7, 5, 6, 3, 4)}, 0))  # the stubs do bite
    assert run.returncode == 1
    assert "cpp_standalone: the compiler must accept the generated sources" in run.stderr
    assert "make" in mark.read_text().split()


# ---------------------------------------------------------------------- names of programs
@pytest.mark.compiler
def test_flags_compiler_and_versions_are_in_the_name_of_the_program(monkeypatch):
    keys = [standalone.program_key(1)]
    assert standalone.program_key(1) == keys[0]
    for name, value in (
        ("COMPILER_FLAGS", ["-O0"]),
        ("compiler_version", lambda: "g++ 99"),
        ("search_paths", lambda: {"CPATH": "/opt/include"}),
        ("version", lambda package: "0.0"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(standalone, name, value)
            keys.append(standalone.program_key(1))
    assert len(set(keys)) == len(keys)


@pytest.mark.compiler
@pytest.mark.parametrize(
    "source",
    [
        "state/philox.py", "network/objects.py", "devices/gates.py", "devices/compilation.py", "devices/simulation.py",
        "schedule/chunk.py", "language/ordering.py",
    ],
)  # fmt: skip
def test_sources_are_in_the_name_of_the_program(monkeypatch, tmp_path, source):
    key = standalone.program_key(1)
    shutil.copytree(Path(standalone.__file__).parents[1], tmp_path / "copy", ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(standalone, "__file__", str(tmp_path / "copy" / "devices" / "program.py"))
    assert standalone.program_key(1) == key, "the content counts, not the folder"
    with open(tmp_path / "copy" / source, "a") as file:
        file.write("# changed\n")
    assert standalone.program_key(1) != key


@pytest.mark.compiler
def test_a_row_that_is_replaced_in_memory_is_in_the_name_of_the_program(monkeypatch):
    key = Simulation(SleepWakeParameters()).key
    monkeypatch.setitem(nonlinearities.NONLINEARITIES, "tanh", Nonlinearity("tanh(0.5*drive)", "1"))
    assert Simulation(SleepWakeParameters()).key != key


# ---------------------------------------------------------------------- the environment
@pytest.fixture
def compiler(tmp_path):
    """A C++ compiler of another name, which notes how it is called."""
    file = tmp_path / "my-compiler"
    file.write_text(
        f'#!/bin/sh\necho "$@ CXXFLAGS=$CXXFLAGS MAKEFLAGS=$MAKEFLAGS" >> {tmp_path}/calls\n'
        '[ "$1" = --version ] && echo "my-compiler 1.0" && exit\nexec g++ "$@"\n'
    )
    file.chmod(0o755)
    return file


@pytest.mark.compiler
def test_the_compiler_that_CXX_names_compiles_and_is_in_the_name(compiler, monkeypatch, tmp_path, sources):
    key = standalone.program_key(1)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("CXXFLAGS", "-ffast-math")
    assert standalone.program_key(1) != key
    used = standalone.compiler_used("cpp_standalone", "numpy")
    assert (used["command"], used["version"]) == (str(compiler), "my-compiler 1.0")
    directory = standalone.build("program", sources)
    assert subprocess.run([directory / "main"]).returncode == 0
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if "--version" not in line]
    assert any("-o main" in line for line in calls)
    assert not any("-ffast-math" in line for line in calls)


def test_a_compiler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(DeviceError, match="that CXX names .got none with 'no-such-compiler'"):
        compilation.compiler_version()
    assert not next(state for state in availability.device_states() if state.device == "cpp_standalone").can_run


def test_preferences_of_brian2_that_others_set_change_no_source(tmp_path, alone):
    """As preference files set them, of the user or of the folder, before anything is built."""
    alone("reciprocal")
    from brian2 import prefs

    from cortex_model.devices import session

    p = SleepWakeParameters(layer_sizes=(5, 4, 3))

    def sources_of(folder):
        session.generate(session.new_hierarchy(p, "cpp_standalone"), folder)
        numbered = re.compile(r"codeobject(_\d+)?")
        files = [path for path in folder.rglob("*") if path.is_file()]
        return sorted(numbered.sub("codeobject", f"{path.name}\n{path.read_text()}") for path in files)

    clean = sources_of(tmp_path / "clean")
    found = prefs.as_file
    prefs.codegen.cpp.extra_compile_args = ["-w", "-O3", "-ffast-math", "-march=native"]
    prefs.codegen.loop_invariant_optimisations = False
    prefs.codegen.generators.cpp.flush_denormals = True
    prefs.codegen.cpp.define_macros = [("DIFFERENT", "1")]
    prefs.devices.cpp_standalone.openmp_threads = 2
    prefs.core.default_integer_dtype = np.int64
    assert sources_of(tmp_path / "polluted") == clean
    assert prefs.as_file == found


def test_no_flags_of_the_environment_reach_what_cython_compiles(monkeypatch):
    monkeypatch.setenv("CFLAGS", "-ffast-math")
    with runtime_compiler.compiling():
        assert "CFLAGS" not in os.environ
    assert os.environ["CFLAGS"] == "-ffast-math"


@pytest.mark.compiler
def test_what_cython_compiles_is_kept_apart_by_flags_and_compiler(monkeypatch):
    kept = standalone.cython_cache()
    monkeypatch.setattr(standalone, "COMPILER_FLAGS", ["-O0"])
    assert standalone.cython_cache() != kept


# ---------------------------------------------------------------------- builds
class Sources:
    """Sources of a program that takes no time to compile; counts how often they are generated."""

    text, n_generated = "int main() { return 0; }", 0

    def __call__(self, folder):
        self.n_generated += 1
        (folder / "brianlib").mkdir(parents=True)
        for header in compilation.HEADERS:
            (folder / header).touch()
        (folder / "main.cpp").write_text(self.text)
        (folder / "makefile").write_text("CXX = g++\nmain: main.o ; $(CXX) main.o -o main\n")
        return {"now.slot": {"dtype": "<i4", "size": 1, "role": "model"}}


@pytest.fixture
def sources(monkeypatch, tmp_path):
    """Without the headers of the system, which take most of the time; in a cache of their own."""
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compilation, "SYSTEM_HEADERS", [])
    return Sources()


def left_in(folder):
    """All that is in a folder, by name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.compiler
def test_a_build_is_generated_and_compiled_once(tmp_path, sources):
    directory = tmp_path / "cache" / "programs" / "abc"
    for _ in range(2):
        assert standalone.build("abc", sources) == directory
    assert sources.n_generated == 1
    assert subprocess.run([directory / "main"]).returncode == 0
    assert standalone.Program(directory).arrays["now.slot"]["size"] == 1
    assert not list(directory.rglob("*.o")) and not list(directory.rglob("*.gch")), "only what is needed is kept"


@pytest.mark.compiler
def test_a_program_that_is_not_as_it_was_compiled_is_compiled_anew(sources):
    """With a warning that says so, and it is not started before."""
    directory = standalone.build("abc", sources)
    main, manifest = directory / "main", directory / standalone.MANIFEST
    whole = json.loads(manifest.read_text())
    assert whole["sha256"] == hashlib.sha256(main.read_bytes()).hexdigest()
    damages = {
        "another SHA-256 of main": lambda: main.write_bytes(main.read_bytes() + b"x"),
        "main: No such file": main.unlink,
        "manifest.json: No such file": manifest.unlink,
        "a damaged manifest.json": lambda: manifest.write_text('{"arrays": {'),
        "a damaged .*": lambda: manifest.write_text(json.dumps({"arrays": whole["arrays"]})),
        "a manifest.json that lacks something": lambda: manifest.write_text(
            json.dumps(whole | {"arrays": {"now.slot": {"size": 1}}})
        ),
    }
    program = standalone.Program(directory)
    for n_damaged, (got, damage) in enumerate(damages.items(), 2):
        damage()
        with pytest.raises(
            DeviceError, match=r"^cpp_standalone: must find the program as it was compiled in .*abc \(got"
        ):
            program.run()
        with pytest.warns(CortexModelWarning, match=rf"abc: must be as it was compiled \(got {got}.*compiled anew"):
            standalone.build("abc", sources)
        assert sources.n_generated == n_damaged
        assert json.loads(manifest.read_text()) == whole
        assert subprocess.run([main]).returncode == 0


@pytest.mark.compiler
def test_a_failed_build_says_why_and_leaves_nothing(tmp_path, sources):
    sources.text = "this is no program"
    with pytest.raises(
        DeviceError, match=r"^cpp_standalone: the compiler must accept the generated sources \(got: .*main"
    ):
        standalone.build("abc", sources)
    assert left_in(tmp_path / "cache") == ["programs", "programs/abc.lock", "temporary"]
    sources.text = Sources.text
    assert (standalone.build("abc", sources) / "main").exists()


@pytest.mark.compiler
def test_builds_of_one_program_at_the_same_time_share_it(tmp_path, sources):
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: standalone.build("abc", sources), range(4)))
    assert set(built) == {tmp_path / "cache" / "programs" / "abc"}
    assert sources.n_generated == 1


def test_without_a_compiler_the_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match=r"^cpp_standalone: must find the C\+\+ compiler g\+\+ on PATH .*apt install"):
        Simulation(HierarchyParameters()).build()


# ---------------------------------------------------------------------- one run of a program
@pytest.fixture
def faulty(sources):
    def build(text):
        sources.text = textwrap.dedent(text)
        return standalone.Program(standalone.build("abc", sources))

    return build


@pytest.mark.compiler
def test_a_program_that_complains_is_a_device_error(faulty):
    program = faulty('#include <cstdio>\nint main() { fprintf(stderr, "index out of range\\n"); return 0; }')
    with pytest.raises(DeviceError, match=r"without complaint \(got: index out of range\)"):
        program.run()


@pytest.mark.compiler
def test_a_program_that_crashes_is_a_device_error(faulty):
    with pytest.raises(DeviceError, match=r"without complaint \(got: exit status -6\)"):
        faulty("#include <cstdlib>\nint main() { abort(); }").run()


@pytest.mark.compiler
def test_an_array_of_the_wrong_size_is_a_device_error(faulty):
    with pytest.raises(DeviceError, match=r"^cpp_standalone\.now\.slot: must hold 1 values \(got 2\)"):
        faulty("int main() { return 0; }").set({"now.slot": [1, 2]})
