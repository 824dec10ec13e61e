"""Brian2 makes code objects several times as fast without two of its precautions, which cost more than they save here.

It keeps what it makes of statements under a key of all variables that they could read, and forming the key takes
longer than making the statements again. And it collects garbage whenever a network runs, which takes longer the more a
process holds.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from brian2.codegen import translation
from brian2.codegen.generators import base

#: Where Brian2 calls the function that keeps what it makes.
CALLERS = (translation, base)


@contextmanager
def quickly() -> Iterator[None]:
    """While this lasts, statements are made anew, and what is in memory already is no garbage."""
    kept = translation.make_statements
    is_ours = gc.get_freeze_count() == 0 and hasattr(kept, "__wrapped__")
    if is_ours:
        for module in CALLERS:
            module.make_statements = kept.__wrapped__
        gc.freeze()
    try:
        yield
    finally:
        if is_ours:
            for module in CALLERS:
                module.make_statements = kept
            gc.unfreeze()
