"""What was measured, as a person reads it: on the terminal, on the results page, and in the README."""

from typing import Any

from cortex_model.benchmark.marks import BYTES, LARGE, LIMIT, SMALL, STEP, TIME

#: Networks and data that the results page shows.
COLUMNS = ((SMALL, "random"), (SMALL, "mnist"), (LARGE, "random"))


def shown(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Rows as a person reads them: microseconds a presentation with half the interquartile range, bytes a synapse."""
    return [
        {
            "network": "-".join(map(str, row["sizes"])),
            "data": row["data"],
            "implementation": _named(row),
            "device": row["device"],
            "loop, µs": f"{_three_digits(row[TIME])} ± {row['spread_microseconds'] / 2:.1g}",
            "whole process, µs": f"{_three_digits(row['process_microseconds_per_presentation'])}",
            "bandwidth's limit, µs": "" if row[LIMIT] is None else _three_digits(row[LIMIT]),
            "bytes a synapse": "" if row[BYTES] is None else f"{row[BYTES]:.1f}",
        }
        for row in rows
    ]


def markdown(result: dict[str, Any]) -> str:
    """The tables of the results page: microseconds a presentation by implementation and network, and the marks.

    Parameters
    ----------
    result : dict
        As `cortex_model.benchmark.report.benchmark` returns it.
    """
    its = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in its["versions"].items())
    caches = ", ".join(f"{level} {_size(size)}" for level, size in its["cache_bytes"].items())
    limits = [_three_digits(result[LIMIT]["-".join(map(str, sizes))]) for sizes in (SMALL, LARGE)]
    heads = ["-".join(map(str, sizes)) + (", MNIST" if data == "mnist" else "") for sizes, data in COLUMNS]
    lines = [
        f"{its['processor']}, {its['cores']} cores ({caches}); {its['compiler']}; {versions}.",
        "",
        f"| | {' | '.join(heads)} | bytes a synapse |",
        "|---|" + "--:|" * (len(heads) + 1),
        f"| limit of bandwidth, one stimulus at a time | {limits[0]} | | {limits[1]} | |",
    ]
    for name, rows in _by_implementation(result["rows"]).items():
        times = [rows[column][TIME] if column in rows else None for column in COLUMNS]
        cells = ["" if time is None else _three_digits(time) for time in times]
        memory = next(iter(rows.values()))[BYTES]
        lines.append(f"| {name} | {' | '.join(cells)} | {'' if memory is None else f'{memory:.1f}'} |")
    if spikes := result.get("spikes"):
        heads = f"spikes with plasticity, {'-'.join(map(str, spikes[0]['sizes']))}"
        lines += ["", f"| {heads} | µs a time step | bytes a synapse |", "|---|--:|--:|"]
        lines += [f"| {row['implementation']} on `{row['device']}` | {_three_digits(row[STEP])} "
                  f"| {'' if row[BYTES] is None else format(row[BYTES], '.1f')} |" for row in spikes]  # fmt: skip
    lines += ["", "| wanted of these numbers | wanted | seen |", "|---|---|--:|"]
    for mark in result["marks"]:
        lines.append(
            f"| {mark['mark']} | {mark['wanted']} | {mark['seen']:.3g}{'' if mark['reached'] else ' (missed)'} |"
        )
    return "\n".join(lines)


#: What the README shows of them, by its name in the whole table.
IN_SHORT = ("C++ loop", "PyTorch", "PyTorch, batch 128", "dense on `cpp_standalone`", "stock on `cpp_standalone`")


def in_short(result: dict[str, Any]) -> str:
    """The README's table: the same of a few implementations, for the two networks and random data."""
    columns = [column for column in COLUMNS if column[1] == "random"]
    heads = ["-".join(map(str, sizes)) for sizes, _ in columns]
    lines = [f"| {result['machine']['processor']} | {' | '.join(heads)} |", "|---|" + "--:|" * len(heads)]
    table = _by_implementation(result["rows"])
    for name in IN_SHORT:
        lines.append(f"| {name} | {' | '.join(_three_digits(table[name][column][TIME]) for column in columns)} |")
    return "\n".join(lines)


def _by_implementation(rows):
    """Name and device of an implementation -> (sizes, data) -> row; ensembles left out."""
    table = {}
    for row in rows:
        column = tuple(row["sizes"]), row["data"]
        if column in COLUMNS and row["ensemble"] == 1:
            where = "" if row["device"] == "cpu" else f" on `{row['device']}`"
            table.setdefault(_named(row) + where, {})[column] = row
    return table


def _named(row):
    """``dense, batch 128``."""
    batch = f", batch {row['batch']}" if row["batch"] > 1 else ""
    networks = f", {row['ensemble']} networks" if row["ensemble"] > 1 else ""
    return row["implementation"] + batch + networks


def _three_digits(number):
    """``1110`` and ``24.7``: three significant digits without an exponent."""
    return f"{float(f'{number:.3g}'):.0f}" if number >= 100 else f"{number:.3g}"


def _size(n_bytes):
    """``48 KiB``, ``2 MiB``."""
    return f"{n_bytes / 2**20:g} MiB" if n_bytes >= 2**20 else f"{n_bytes / 2**10:g} KiB"
