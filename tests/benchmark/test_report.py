"""What the benchmark returns, prints and draws; nothing here depends on how fast anything is."""

import json
import shutil
from pathlib import Path

import pytest

from cortex_model.benchmark.bandwidth import cache_bytes, limit_microseconds, measured_bandwidth, parsed
from cortex_model.benchmark.contenders import Contender
from cortex_model.benchmark.marks import LARGE, SMALL, marks
from cortex_model.benchmark.measuring import bytes_per_synapse
from cortex_model.benchmark.problem import Problem, problems_of
from cortex_model.benchmark.tables import markdown, shown
from cortex_model.experiments.reproduce import figure_folder, load_module

COLUMNS = {
    "implementation": str, "device": str, "dtype": str, "sizes": list, "batch": int, "ensemble": int, "data": str,
    "microseconds_per_presentation": float, "spread_microseconds": float,
    "process_microseconds_per_presentation": float, "presentations": int, "repetitions": int,
    "difference_from_numpy": float,
}  # fmt: skip


# ---------------------------------------------------------------------- a tiny benchmark
def test_rows_say_everything(result):
    for row in result["rows"]:
        assert {name: type(row[name]) for name in COLUMNS} == COLUMNS
        assert row["process_microseconds_per_presentation"] > row["microseconds_per_presentation"] > 0
        assert row["repetitions"] == 1 and row["presentations"] % row["batch"] == 0
    assert json.loads(json.dumps(result)) == result


def test_rows_are_of_everyone_on_everything(result):
    expected = {("NumPy", "cpu", 1), ("NumPy", "cpu", 128), ("dense", "runtime/numpy", 1),
                ("dense", "runtime/numpy", 128), ("stock", "runtime/numpy", 1)}  # fmt: skip
    if shutil.which("g++"):
        expected.add(("C++ loop", "cpu", 1))
    by_sizes = {}
    for row in result["rows"]:
        if row["implementation"] != "PyTorch":  # where it is installed
            by_sizes.setdefault(tuple(row["sizes"]), set()).add((row["implementation"], row["device"], row["batch"]))
    assert by_sizes[6, 5, 4, 3] == expected
    assert by_sizes[4, 4, 10] == {its for its in expected if its[1] == "cpu"}, "widths leave the runtime device out"


def test_progress_ends_where_it_should(result, said):
    assert [done for done, _, _ in said] == list(range(len(said)))
    assert said[-1][0] == said[-1][1]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's memory")
def test_memory_is_that_of_the_synapses():
    """NumPy keeps four bytes a float, and its change for a moment; what else Python holds cancels."""
    assert 4 < bytes_per_synapse(Contender("NumPy"), "float32") < 13
    assert 8 < bytes_per_synapse(Contender("NumPy"), "float64") < 26


@pytest.mark.compiler
def test_limit_belongs_to_single_stimuli(result):
    for row in result["rows"]:
        name = "-".join(map(str, row["sizes"]))
        limit = result["bandwidth_limit_microseconds"][name]
        assert limit > 0
        assert row["bandwidth_limit_microseconds"] == (limit if row["batch"] == 1 else None)


def test_table_that_is_printed(result):
    table = shown(result["rows"])
    assert [row["network"] for row in table] == ["-".join(map(str, row["sizes"])) for row in result["rows"]]
    assert "dense, batch 128" in {row["implementation"] for row in table}


def test_table_of_the_readme_holds_times_bytes_and_marks():
    described = {"processor": "A processor", "cores": 2, "cache_bytes": {"L1": 2**19}, "compiler": "g++ 12"}
    rows = [row("dense", "cpp_standalone", 41.26, bytes_per_synapse=4.21),
            row("dense", "cpp_standalone", 400.0, LARGE, bytes_per_synapse=4.21),
            row("dense", "cpp_standalone", 5.0, ensemble=8, bytes_per_synapse=None)]  # fmt: skip
    limits = {"784-256-10": 22.5, "3072-512-256-10": 480.0}
    reached = {"mark": "speed", "wanted": "at most 1", "seen": 0.5, "reached": True}
    missed = {"mark": "size", "wanted": "at most 1", "seen": 2.0, "reached": False}
    lines = markdown(
        {
            "machine": described | {"versions": {"numpy": "2"}},
            "rows": rows,
            "marks": [reached, missed],
            "bandwidth_limit_microseconds": limits,
        }
    ).splitlines()
    assert not any("spikes" in line for line in lines), "which were not measured"
    assert lines[0] == "A processor, 2 cores (L1 512 KiB); g++ 12; numpy 2."
    assert "| dense on `cpp_standalone` | 41.3 |  | 400 | 4.2 |" in lines
    assert lines[-2:] == ["| speed | at most 1 | 0.5 |", "| size | at most 1 | 2 (missed) |"]
    assert len([line for line in lines if line.startswith("| dense")]) == 1


def test_spikes_have_a_table_of_their_own():
    its = {"processor": "A processor", "cores": 2, "cache_bytes": {}, "compiler": "g++ 12", "versions": {}}
    limits = {"784-256-10": 22.5, "3072-512-256-10": 480.0}
    lines = markdown(
        {"machine": its, "rows": [], "marks": [], "bandwidth_limit_microseconds": limits, "spikes": SPIKES}
    )
    at = lines.splitlines().index("| spikes with plasticity, 784-256-10 | µs a time step | bytes a synapse |")
    assert lines.splitlines()[at + 2 : at + 4] == [
        "| dense on `cpp_standalone` | 40 | 4.1 |", "| stock on `cpp_standalone` | 162 |  |",
    ]  # fmt: skip


def test_figure_is_drawn(result, tmp_path):
    load_module(figure_folder() / "benchmark.py").draw(result, tmp_path)
    assert (tmp_path / "benchmark.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "benchmark.png").stat().st_size > 5000
    assert json.loads((tmp_path / "benchmark.json").read_text()) == result
    assert len((tmp_path / "benchmark.csv").read_text().splitlines()) == 1 + len(result["rows"])


# ---------------------------------------------------------------------- bandwidth and its limit
def test_lines_of_the_bandwidth_program_are_parsed():
    rows = parsed("16384 100.5 90.25\n65536 50 40\n1048576 10 8\n", {"L1": 32768, "L2": 65536})
    assert [row["level"] for row in rows] == ["L1", "L2", "memory"]
    assert rows[0] == {"working_set_bytes": 16384, "level": "L1",
                       "read_gigabytes_per_second": 100.5, "update_gigabytes_per_second": 90.25}  # fmt: skip


@pytest.mark.compiler
def test_bandwidth_is_measured(monkeypatch):
    monkeypatch.setattr("cortex_model.benchmark.bandwidth.cache_bytes", lambda: {"L1": 16384, "L2": 65536})
    rows = measured_bandwidth()
    assert [row["working_set_bytes"] for row in rows] == [2**power for power in range(14, 19)]
    assert all(row["read_gigabytes_per_second"] > 0 and row["update_gigabytes_per_second"] > 0 for row in rows)


def test_caches_are_those_that_hold_data(tmp_path):
    for index, (kind, level, size) in enumerate([("Data", 1, "48K"), ("Instruction", 1, "64K"), ("Unified", 2, "2M")]):
        (tmp_path / f"index{index}").mkdir()
        for name, value in (("type", kind), ("level", level), ("size", size)):
            (tmp_path / f"index{index}" / name).write_text(f"{value}\n")
    assert cache_bytes(tmp_path) == {"L1": 48 * 2**10, "L2": 2 * 2**20}
    assert cache_bytes(tmp_path / "none") == {}


def test_limit_counts_each_weight_once_up_or_down_and_twice_for_its_change():
    """1000 x 100 x 10 in float32: W 404 000 bytes, V_2 4000; read at 1 GB/s, changed at 2 GB/s."""
    rows = parsed("1024 1 2\n1048576 1 2\n", {})
    read, changed = 404_000 + 4_000, 2 * 404_000
    assert limit_microseconds(Problem((1000, 100, 10)), rows) == pytest.approx((read / 1e9 + changed / 2e9) * 1e6)


# ---------------------------------------------------------------------- marks
def row(implementation, device, microseconds, sizes=SMALL, batch=1, data="random", ensemble=1, **more):
    described = {"implementation": implementation, "device": device, "batch": batch, "ensemble": ensemble}
    return described | {
        "sizes": list(sizes), "data": data, "dtype": "float32", "microseconds_per_presentation": microseconds, **more
    }  # fmt: skip


def test_marks_are_ratios_of_rows():
    rows = [
        row("C++ loop", "cpu", 40.0, bandwidth_limit_microseconds=30.0),
        row("dense", "cpp_standalone", 42.0, bytes_per_synapse=4.5),
        row("dense", "cpp_standalone", 1.0, ensemble=8),
        row("dense", "cpp_standalone", 9.0, batch=128),
        row("dense", "runtime/cython", 126.0),
        row("stock", "cpp_standalone", 420.0),
        row("PyTorch", "cpu", 63.0),
        row("PyTorch", "cpu", 6.0, batch=128),
        row("C++ loop", "cpu", 40.0, data="mnist"),
        row("dense", "cpp_standalone", 20.0, data="mnist"),
        row("dense", "cpp_standalone", 500.0, LARGE),
        row("PyTorch", "cpu", 600.0, LARGE),
    ]
    seen = {its["mark"]: (its["seen"], its["reached"]) for its in marks(rows, {"build_seconds": 31.0})}
    assert seen == {
        "dense / C++ loop, 784-256-10": (1.05, True),
        "stock / dense, 784-256-10": (10.0, True),
        "PyTorch / dense, 784-256-10": (1.5, False),
        "PyTorch / dense, 3072-512-256-10": (1.2, False),
        "C++ loop / dense, 784-256-10, MNIST": (2.0, True),
        "dense, batch 128 / PyTorch, batch 128, 784-256-10": (1.5, True),
        "dense on runtime/cython / dense, 784-256-10": (3.0, False),
        "limit of bandwidth / C++ loop, 784-256-10": (0.75, False),
        "bytes per synapse, dense": (4.5, True),
        "build seconds": (31.0, False),
    }


def row_of_spikes(implementation, microseconds, **more):
    described = {"implementation": implementation, "device": "cpp_standalone", "sizes": list(SMALL)}
    return described | {"microseconds_per_time_step": microseconds, "bytes_per_synapse": None} | more


SPIKES = [row_of_spikes("dense", 40.0, bytes_per_synapse=4.08), row_of_spikes("stock", 162.0)]


def test_the_mark_of_spikes_is_a_ratio_of_one_call():
    (mark,) = marks([], {}, SPIKES)
    assert mark == {"mark": "stock / dense, spikes, 784-256-10", "wanted": "at least 3", "seen": 4.05, "reached": True}


def test_there_are_no_marks_without_rows():
    assert marks([], {}) == []


# ---------------------------------------------------------------------- problems
def test_mnist_is_left_out_with_a_sentence_where_it_is_not(monkeypatch, tmp_path):
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path))
    monkeypatch.delenv("CORTEX_MODEL_DATA", raising=False)
    problems = problems_of([SMALL, LARGE])
    assert [(problem.layer_sizes, problem.data) for problem in problems] == [(SMALL, "random"), (LARGE, "random")]


def test_stimuli_are_whole_batches_and_not_too_many():
    for width in (1, 64, 784, 3072, 8192):
        n_stimuli = Problem((width, 10)).n_stimuli
        assert n_stimuli % 128 == 0 and n_stimuli * width <= 2**22
