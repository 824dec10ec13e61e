"""What is said when something fails: one sentence, and where nobody foresaw it a log that holds the traceback."""

import errno
import os
import site
import sys
import sysconfig
import tempfile
import time
import traceback
from contextlib import suppress
from itertools import chain
from pathlib import Path

from cortex_model.errors import CortexModelError, literal
from cortex_model.system.cache import cache_folder, cache_path

#: Exit status of whatever a user can mend, and of what nobody foresaw (EX_SOFTWARE of sysexits.h).
MISTAKE, UNFORESEEN = 2, 70
LOG = "traceback.log"
PACKAGE = Path(__file__).resolve().parents[1]
#: Where code stands that is no user's: this package with what comes with it, Python, and what is installed beside it.
NOT_OWN = [PACKAGE, *(PACKAGE.parent / name for name in ("protocols", "figures") if (PACKAGE.parent / name).is_dir())]
LIBRARIES = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
LIBRARIES.append(Path(site.getusersitepackages()).resolve())
OTHER_CACHE = "set CORTEX_MODEL_CACHE to a folder in which you may write and run programs."
#: What the dynamic loader says of a library in a folder that is mounted noexec.
NOT_EXECUTABLE = "failed to map segment"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: What an operating system says about a user's paths; other errors of it are unforeseen.
OF_PATHS = (
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG,
    errno.ELOOP, errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOEXEC, errno.ETXTBSY, errno.ENOTEMPTY, errno.ESTALE,
)  # fmt: skip


def told(error: BaseException) -> tuple[str, int]:
    """An error as one sentence, and the exit status that goes with it.

    Parameters
    ----------
    error : BaseException
        Of this package, of a user's own file, of the operating system, or one that nobody foresaw; the traceback of
        the last kind is written into a log.

    Returns
    -------
    sentence : str
        One line.
    status : int
        `MISTAKE` or `UNFORESEEN`.
    """
    frames = [] if isinstance(error, CortexModelError) else _frames(error)
    own = [frame for frame in frames if _is_own(frame)]
    if isinstance(error, CortexModelError):
        sentence, status = str(error), MISTAKE
    elif own and own[-1] is frames[-1]:
        sentence, status = raised_by(error), MISTAKE
    elif isinstance(error, MemoryError):
        sentence, status = (
            f"memory: must suffice (got: {str(error) or 'too little'}); make the hierarchy smaller.",
            MISTAKE,
        )
    elif isinstance(error, OSError) and error.errno in (*NO_ROOM, *OF_PATHS):
        sentence, status = _of_the_system(error), MISTAKE
    elif type(error).__name__ == "PreferenceError":
        sentence, status = (
            f"brian_preferences: must be preferences that Brian2 knows, in the working folder and in "
            f"~/.brian/user_preferences (got: {error}); correct or remove the file, which changes no result here.",
            MISTAKE,
        )
    elif isinstance(error, ImportError) and NOT_EXECUTABLE in str(error):
        sentence, status = (
            f"{error.path}: must be in a folder that holds programs (got: {error}); {OTHER_CACHE}",
            MISTAKE,
        )
    elif own:
        sentence, status = f"{raised_by(error)[:-1]}; the whole traceback is in {logged(error)}.", MISTAKE
    else:
        where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "cortex-model"
        sentence = (
            f"cortex-model: must not fail like this (got {_kind_and_words(error)}, in {where}); "
            f"please report it with {logged(error)}, which holds the traceback."
        )
        status = UNFORESEEN
    return literal(" ".join(sentence.split())), status


def raised_by(error: BaseException, file: Path | None = None) -> str:
    """The sentence about an error that a user's own file raised, or led to: its own file and line are named.

    Parameters
    ----------
    error : BaseException
    file : Path, optional
        What to name where no line of a user's own is to blame.
    """
    own = [frame for frame in _frames(error) if _is_own(frame)]
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}, line {error.lineno}" if error.lineno else error.filename
        return f"{where}: must be Python that can be loaded (got {type(error).__name__}: {error.msg}); mend it."
    where = f"{own[-1].filename}, line {own[-1].lineno}" if own else str(file)
    return f"{where}: must run (got {_kind_and_words(error)}); mend it, or see how it came there with --traceback."


def logged(error: BaseException) -> Path | str:
    """Write a traceback into the run directory where there is one, else below the cache or the temporary folder."""
    text = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(sys.argv)}\n{''.join(traceback.format_exception(error))}\n"
    own_name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    in_run = (Path(note) / LOG for note in _run_directories(error))
    for path in chain(in_run, (folder / own_name for folder in _log_folders())):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return "what --traceback shows (no folder for a log can be written)"


def _run_directories(error):
    """Run directories that were noted on the error while it rose."""
    return [note for note in getattr(error, "__notes__", []) if len(note) < 1000 and os.path.isdir(note)]


def _log_folders():
    with suppress(CortexModelError, OSError):
        yield cache_folder("tracebacks")
    yield Path(tempfile.gettempdir()) / "cortex-model-tracebacks"


def _frames(error):
    """The frames that an error rose through, without those of libraries, compiled ones among them."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_file()]
    return [frame for frame in frames if _is_below(frame, NOT_OWN) or not _is_below(frame, LIBRARIES)]


def _is_own(frame):
    return not _is_below(frame, NOT_OWN)


def _is_below(frame, folders):
    path = Path(frame.filename).resolve()
    return any(path.is_relative_to(folder) for folder in folders)


def _kind_and_words(error):
    words = " ".join(str(error).split())
    words = f"{words[:300]} ..." if len(words) > 300 else words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _of_the_system(error):
    got, file = error.strerror or str(error), error.filename2 or error.filename
    if error.errno in NO_ROOM:
        return (
            f"{file or 'disk'}: must have room on its disk (got: {got}); free space, then resume, or name other "
            "folders with --out and CORTEX_MODEL_CACHE. Nothing that was finished is lost."
        )
    cache = path = None
    with suppress(OSError):  # the working folder may be gone
        cache, path = cache_path(), Path(file).absolute() if isinstance(file, str | Path) else None
    if cache and path and (path.is_relative_to(cache) or cache.is_relative_to(path)):
        return f"{file}: must be in a folder that can be written (got: {got}); {OTHER_CACHE}"
    return (
        f"{file or 'file'}: must be a file that can be read, or in a folder that can be written (got: {got}); "
        "correct the path or its permissions."
    )
