"""What the benchmark must show: ratios of rows of one call, beside what is wanted."""

from collections.abc import Sequence
from typing import Any

#: The networks that the marks are about.
SMALL, LARGE = (784, 256, 10), (3072, 512, 256, 10)
DENSE = {"implementation": "dense", "device": "cpp_standalone", "batch": 1, "ensemble": 1}
CYTHON = DENSE | {"device": "runtime/cython"}
STOCK = DENSE | {"implementation": "stock"}
LOOP = {"implementation": "C++ loop", "device": "cpu", "batch": 1}
PYTORCH = {"implementation": "PyTorch", "device": "cpu", "batch": 1}
STEP = "microseconds_per_time_step"
TIME, BYTES, LIMIT = "microseconds_per_presentation", "bytes_per_synapse", "bandwidth_limit_microseconds"

#: (mark, numerator, denominator, data, {sizes: wanted}, whether wanted is the least); a row, or a column of one.
RATIOS = (
    ("dense / C++ loop", DENSE, LOOP, "random", {SMALL: 1.1, LARGE: 1.1}, False),
    ("stock / dense", STOCK, DENSE, "random", {SMALL: 8.0, LARGE: 8.0}, True),
    ("PyTorch / dense", PYTORCH, DENSE, "random", {SMALL: 2.0, LARGE: 1.3}, True),
    ("C++ loop / dense", LOOP, DENSE, "mnist", {SMALL: 1.5}, True),
    ("dense, batch 128 / PyTorch, batch 128", DENSE | {"batch": 128}, PYTORCH | {"batch": 128}, "random",
     {SMALL: 1.5, LARGE: 1.5}, False),
    ("dense on runtime/cython / dense", CYTHON, DENSE, "random", {SMALL: 2.5, LARGE: 2.5}, False),
)  # fmt: skip
#: Seconds of `cortex_model.benchmark.program` -> the most that is wanted.
SECONDS = {"build_seconds": 30.0, "seconds_between_chunks": 0.3, "second_run_seconds": 5.0}


def marks(rows: list[dict[str, Any]], program: dict[str, float], spikes: Sequence = ()) -> list[dict[str, Any]]:
    """Every mark for which there are rows.

    Parameters
    ----------
    rows : list of dict
        As the benchmark gives them; float32 rows count.
    program : dict
        The durations of `SECONDS`.
    spikes : list of dict
        Rows of `cortex_model.benchmark.spikes`.

    Returns
    -------
    marks : list of dict
        ``mark``, ``wanted`` (text), ``seen`` (number), ``reached``.
    """
    made = []
    for name, above, below, data, wanted, at_least in RATIOS:
        for sizes, bound in wanted.items():
            numerator, denominator = (_row(rows, which, data, sizes) for which in (above, below))
            if numerator and denominator:
                made.append(_mark(_named(name, sizes, data), numerator[TIME] / denominator[TIME], bound, at_least))
    for sizes in (SMALL, LARGE):
        loop, dense = (_row(rows, which, "random", sizes) for which in (LOOP, DENSE))
        if loop and loop.get(LIMIT):
            made.append(_mark(_named("limit of bandwidth / C++ loop", sizes), loop[LIMIT] / loop[TIME], 0.8, True))
        if dense and dense.get(BYTES) and sizes == SMALL:
            made.append(_mark("bytes per synapse, dense", dense[BYTES], 5.5, False))
    of_spikes = {row["implementation"]: row for row in spikes}
    if of_spikes:
        ratio = of_spikes["stock"][STEP] / of_spikes["dense"][STEP]
        made.append(_mark(_named("stock / dense, spikes", of_spikes["dense"]["sizes"]), ratio, 3.0, True))
    waited = [(name, program[name], most) for name, most in SECONDS.items() if name in program]
    return made + [_mark(name.replace("_", " "), seen, most, False) for name, seen, most in waited]


def _row(rows, which, data, sizes):
    wanted = which | {"data": data, "sizes": list(sizes), "dtype": "float32"}
    return next((row for row in rows if wanted.items() <= row.items()), None)


def _named(name, sizes, data="random"):
    return f"{name}, {'-'.join(map(str, sizes))}" + (", MNIST" if data == "mnist" else "")


def _mark(name, seen, bound, at_least):
    reached = seen >= bound if at_least else seen <= bound
    wanted = f"at {'least' if at_least else 'most'} {bound:g}"
    return {"mark": name, "wanted": wanted, "seen": round(seen, 3), "reached": bool(reached)}
