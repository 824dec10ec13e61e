"""Generated sources are compiled many at once: the same program, in a fraction of the time."""

import subprocess

import numpy as np
import pytest

from cortex_model.devices import compilation
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import run_numbers
from cortex_model.schedule import Stimuli, one_hot, wake_sleep_schedule
from cortex_model.state.philox import order_of_stimuli
from cortex_model.weights import initial_weights

TOP = '#include "{name}.h"\n#include <cmath>\n' + compilation.SHARED + "\nnamespace {{ {helper} }}\n" + compilation.OWN


def source(folder, name, helper="inline int twice(int x) { return 2*x; }", own="", top=TOP):
    """A code object as Brian2 writes them, whose function returns twice the length of its name."""
    (folder / "code_objects").mkdir(exist_ok=True)
    path = folder / "code_objects" / f"{name}.cpp"
    path.write_text(top.format(name=name, helper=helper) + f"\n{own}\nint {name}() {{ return twice({len(name)}); }}\n")
    path.with_suffix(".h").write_text(f"int {name}();\n")
    return path


def test_sources_that_share_their_functions_are_joined(tmp_path):
    made = [source(tmp_path, "f" * k) for k in range(1, 61)]
    together = compilation.join_code_objects(tmp_path)
    assert sorted(path for paths in together.values() for path in paths) == sorted(made)
    for file, paths in together.items():
        assert 2 <= len(paths) <= compilation.MOST_TOGETHER
        assert file.read_text().count("int twice") == 1
        for path in paths:
            assert f"int {path.stem}()" in file.read_text()


def test_others_are_compiled_by_themselves(tmp_path):
    alike = [source(tmp_path, "plain"), source(tmp_path, "plain_too")]
    source(tmp_path, "other_functions", helper="inline int twice(int x) { return x + x; }")
    source(tmp_path, "with_a_macro", own="#define twice(x) 3*x")
    source(tmp_path, "without_marks", top="inline int twice(int x) {{ return 2*x; }}")
    (paths,) = compilation.join_code_objects(tmp_path).values()
    assert paths == alike


def test_functions_that_no_program_calls_do_nothing():
    """Those of C++ and of CUDA; what stands between and behind them is kept."""
    body = "(std::string name, std::string value)\n{\n    if (name.empty())\n    {\n        return;\n    }\n}\n"
    kept = "int n_arrays = 2;\nvoid _write_arrays_too()\n{\n    n_arrays++;\n}\n"
    for name in ("set_variable_by_name", "brian::set_variable_by_name"):
        text = compilation.without_bodies(f"void {name}{body}{kept}void _write_arrays()\n{{\n    n_arrays = 0;\n}}\n")
        assert kept in text
        assert "return" not in text and "n_arrays = 0" not in text
        assert f"void {name}(" in text and "void _write_arrays()" in text, "they can still be called"


@pytest.mark.compiler
def test_every_function_is_in_the_program(tmp_path):
    """Joined, alone, and with a macro that would change the others."""
    names = ["one", "three", "seven"]
    for name in names:
        source(tmp_path, name)
    source(tmp_path, "macro", own="#define twice(x) 100 + x")
    for header in ("objects.h", "brianlib/common_math.h", "brianlib/stdint_compat.h"):
        (tmp_path / header).parent.mkdir(exist_ok=True)
        (tmp_path / header).write_text("#pragma once\n")
    called = " + ".join(f"{name}()" for name in [*names, "macro"])
    headers = "".join(f'#include "code_objects/{name}.h"\n' for name in [*names, "macro"])
    (tmp_path / "main.cpp").write_text(headers + f"int main() {{ return {called}; }}\n")
    (tmp_path / "makefile").write_text(
        "OBJS = none.o\nCXXFLAGS = -c -I. -Icode_objects\nmain: $(OBJS)\n\t$(CXX) $(OBJS) -o main\n"
        "%.o: %.cpp\n\t$(CXX) $(CXXFLAGS) $< -o $@\n"
    )
    compilation.compile_program(tmp_path)
    assert subprocess.run([tmp_path / "main"]).returncode == 2 * (3 + 5 + 5) + 100 + 5
    assert not list(tmp_path.rglob("*.o")) and not list(tmp_path.glob("together_*"))


@pytest.mark.compiler
@pytest.mark.slow
def test_joined_and_apart_give_the_same_bits(tmp_path, monkeypatch, few_events):
    p = SleepWakeParameters(layer_sizes=(9, 5, 4), learning_rule=few_events)
    images = np.random.default_rng(0).normal(size=(20, 9)), one_hot(np.arange(20) % 4, 4)
    weights = initial_weights(p, 0)
    schedule = wake_sleep_schedule(p, lambda epoch: order_of_stimuli(0, epoch, 20), 20, 60, 4, 20)
    found, together = [], []

    def joined(folder, join=compilation.join_code_objects):
        together.append(join(folder))
        return together[0]

    for name, join in (("joined", joined), ("apart", lambda folder: {})):
        monkeypatch.setattr(compilation, "join_code_objects", join)
        monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / name))
        found.append(Simulation(p).run(schedule, Stimuli(images, images), weights, run_numbers(p, 0)).weights.sha256)
    assert sum(map(len, together[0].values())) > 10
    assert found[0] == found[1] != weights.sha256
