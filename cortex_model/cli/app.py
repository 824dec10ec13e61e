"""The program itself: options of the whole line, interruptions, and how it ends."""

import io
import logging
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated

import typer

from cortex_model.cli.printing import out_folder_of
from cortex_model.errors import CortexModelWarning, literal
from cortex_model.system.failures import told

TRACEBACK = "--traceback"
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[
    Path,
    typer.Option(
        "--out", parser=out_folder_of, metavar="<path>", help="Folder below which run directories or figures are made."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Device = Annotated[str | None, typer.Option("--device", help="runtime or cpp_standalone; the fastest there is.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of weights, noise and order of stimuli.")]
OfOtherSources = Annotated[
    bool, typer.Option("--again", help="Make runs anew that other sources of cortex-model made.")
]
RunCode = Annotated[
    bool,
    typer.Option("--run-code", help="Run the Python files that RUN_DIR keeps even though they may be somebody else's."),
]
Sets = Annotated[list[str] | None, typer.Option("--set", help="key=value: any parameter; see `parameters`.")]


@app.callback()
def options(
    traceback: Annotated[
        bool, typer.Option(TRACEBACK, help="Show where an error came from, too; at any place of the line.")
    ] = False,
) -> None:
    """Cortical hierarchies that learn through their reciprocal feedback connections, on Brian2."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Exit status: 0 on success; 2 on whatever a user can mend, with one sentence; 1 where runs of a sweep failed; 130 on
    interruption; 70 on what nobody foresaw, with one sentence that names the log of its traceback.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    warnings.showwarning = _show_warning
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may hold bytes that are no text
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app([argument for argument in given if argument != TRACEBACK])
    except Interruption as error:
        where = (getattr(error, "__notes__", None) or ["RUN_DIR"])[0]
        print(f"Interrupted. Nothing is lost: `cortex-model resume {where}` goes on.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        logging.getLogger("brian2.core.base").setLevel(logging.ERROR)  # of objects that are left in the middle
        if TRACEBACK in given:
            traceback.print_exception(error)
        sentence, status = told(error)
        print(sentence, file=sys.stderr)
        sys.exit(status)


def _show_warning(message, category, *where, shown=warnings.showwarning):
    """Print our own warnings as the sentences that they are."""
    if issubclass(category, CortexModelWarning):
        print(literal(message), file=sys.stderr)
    else:
        shown(message, category, *where)


class Interruption(BaseException):
    """Ctrl-C, or a request to terminate."""


def _interrupt(*_):
    raise Interruption
