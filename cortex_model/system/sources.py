"""The code that a result depends on: a user's own files, and the sources of this package."""

import ast
import hashlib
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from cortex_model.errors import ParameterError
from cortex_model.system.failures import LIBRARIES, NOT_OWN, raised_by

PACKAGE = Path(__file__).parents[1]
#: Endings of the files that decide results: Python, C++ and CUDA, and the templates of what Brian2 generates.
SUFFIXES = (".py", ".h", ".cpp", ".cu", ".pyx", ".py_")
_LOADING = threading.RLock()
#: Whether what goes on reads only.
_IS_READING: ContextVar[bool] = ContextVar("is_reading", default=False)


def sha256_of_file(path: Path) -> str:
    """The same of what a file holds, which may be larger than memory."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def reading(run_code: bool = False):
    """While this lasts, no Python file that is named in a run directory is run, unless ``run_code``."""
    before = _IS_READING.set(not run_code)
    try:
        yield
    finally:
        _IS_READING.reset(before)


def sha256(content: bytes) -> str:
    """SHA-256 of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def package_folder(name: str) -> Path:
    """Folder of the protocols or figures that come with the package, installed or in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


@cache
def package_sha256() -> str:
    """SHA-256 over every source file of the package and its protocols, in the order of their names."""
    files = {f"cortex_model/{path.relative_to(PACKAGE)}": path for path in _sources(PACKAGE)}
    protocols = package_folder("protocols")
    files |= {f"cortex_model/protocols/{path.relative_to(protocols)}": path for path in _sources(protocols)}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {sha256(files[name].read_bytes())}\n".encode())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    """Sources below a folder; those of figures only draw, and decide no result."""
    figures = package_folder("figures")
    return (p for p in folder.rglob("*") if p.suffix in SUFFIXES and not p.is_relative_to(figures))


# ---------------------------------------------------------------------- files of a user
@dataclass(frozen=True)
class OwnCode:
    """A user's Python file, and every file that it imports from its own folder; what is run is what was read.

    Attributes
    ----------
    path : Path
        The file.
    files : dict of str to bytes
        Name relative to its folder -> content, of the file and of those that it imports.
    origin : Path
        Where the file was when it was copied to ``path``; modules take this to be their ``__file__``.
    """

    path: Path
    files: Mapping[str, bytes]
    origin: Path

    @classmethod
    def read(cls, path: Path, origin: Path | None = None) -> "OwnCode":
        """The file at ``path``; import statements are followed wherever they stand in a file.

        Raises
        ------
        ParameterError
            If a file cannot be read.
        """
        path = path.resolve()
        found, todo = {}, [path]
        while todo:
            file = todo.pop()
            name = file.relative_to(path.parent).as_posix()
            if name not in found:
                try:
                    found[name] = file.read_bytes()
                except OSError as error:
                    raise ParameterError(f"{file}: must be a file that can be read (got: {error.strerror}).") from None
                todo += _imported_files(found[name], file, path.parent)
        return cls(path, dict(sorted(found.items())), origin or path)

    def sha256s(self) -> dict[str, str]:
        """Name of each file -> SHA-256 of its content."""
        return {name: sha256(content) for name, content in self.files.items()}

    @contextmanager
    def importable(self):
        """While this lasts, the file's own imports mean these files, as in a script that lies in their folder."""
        own = [module for module in sys.modules if self.file_of(module) or self.is_folder(module)]
        if any(map(self._is_replaced, own)):  # each of them may hold on to another
            for module in own:
                del sys.modules[module]
        before = set(sys.modules)
        sys.meta_path.insert(0, _Finder(self))
        try:
            yield
        finally:
            sys.meta_path.remove(_Finder(self))
        self._check_complete(set(sys.modules) - before)

    def load(self) -> ModuleType:
        """The file as a module.

        Raises
        ------
        ParameterError
            If it is not Python that runs, or what goes on reads only.
        """
        if _IS_READING.get():
            raise ParameterError(
                f"{self.origin}: must not be run by what only reads runs (got a run of a user's own Python file); read "
                "the file, then say --run-code (in Python: run_code=True) where there is that option."
            )
        with _LOADING, self.importable():
            return load_module(self.path, self.origin, self.files[self.path.name])

    def _check_complete(self, modules: set[str]) -> None:
        """Refuse modules of the file's folder that came in otherwise than by an import statement."""
        folder = self.origin.parent
        for name in sorted(modules & sys.modules.keys()):
            file = Path(getattr(sys.modules[name], "__file__", None) or "/")
            is_others = any(file.is_relative_to(place) for place in [*NOT_OWN, *LIBRARIES])
            if file.suffix != ".py" or is_others or not file.is_relative_to(folder):
                continue
            if (inside := file.relative_to(folder).as_posix()) not in self.files:
                del sys.modules[name]
                raise ParameterError(
                    f"{self.origin}: must import {inside} by an import statement (got it as {name} in another way, so "
                    "that its content would be in no run's name); write `import` where it is used."
                )

    def file_of(self, module: str) -> str | None:
        """Name of the file that an imported module is read from."""
        place = module.replace(".", "/")
        return next((name for name in (f"{place}/__init__.py", f"{place}.py") if name in self.files), None)

    def is_folder(self, module: str) -> bool:
        """Whether an imported module is a folder of files without an ``__init__.py``."""
        return any(name.startswith(module.replace(".", "/") + "/") for name in self.files)

    def _is_replaced(self, module: str) -> bool:
        """Whether an imported module bears the name of a file of these, but is not what the file holds."""
        name = self.file_of(module)
        loader = getattr(sys.modules[module], "__loader__", None)
        return name is not None and loader != _Loader(self.path.parent / name, self.files[name])


def _imported_files(content: bytes, file: Path, folder: Path) -> Iterator[Path]:
    """The files below ``folder`` that Python source imports."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return  # loading it says so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names, base = [alias.name for alias in node.names], folder
        elif isinstance(node, ast.ImportFrom):
            base = folder if node.level == 0 else file.parents[node.level - 1]
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)]
        else:
            continue
        for parts in (name.split(".") for name in names if name and name.split(".")[0] != PACKAGE.name):
            places = [base.joinpath(*parts[: n + 1]) for n in range(len(parts))]
            candidates = [place / "__init__.py" for place in places] + [places[-1].with_suffix(".py")]
            yield from (each for each in candidates if each.is_file() and each.is_relative_to(folder))


@dataclass(frozen=True)
class _Loader(Loader):
    """Makes a module of content that was read before."""

    path: Path
    content: bytes

    def exec_module(self, module):
        exec(compile(self.content, str(self.path), "exec"), module.__dict__)


@dataclass(frozen=True)
class _Finder(MetaPathFinder):
    """Finds the modules that a user's file imports from its own folder."""

    code: OwnCode

    def find_spec(self, fullname, path, target=None):
        name, folder = self.code.file_of(fullname), self.code.path.parent
        if name is not None:
            loader = _Loader(folder / name, self.code.files[name])
            spec = ModuleSpec(fullname, loader, is_package=name.endswith("/__init__.py"))
            spec.origin, spec.has_location = str(self.code.origin.parent / name), True
            return spec
        if self.code.is_folder(fullname):
            return ModuleSpec(fullname, None, is_package=True)
        return None


def load_module(path: Path, named: Path | None = None, content: bytes | None = None) -> ModuleType:
    """A Python file as a module.

    Parameters
    ----------
    path : Path
    named : Path, optional
        What the module takes its ``__file__`` to be, if not ``path``.
    content : bytes, optional
        What the file holds, where it was read before.

    Raises
    ------
    ParameterError
        If the file is not Python that runs.
    """
    module = ModuleType(f"cortex_model_{path.stem}")
    module.__file__ = str(named or path)
    sys.modules[module.__name__] = module  # where dataclasses look annotations up
    try:
        exec(compile(path.read_bytes() if content is None else content, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise ParameterError(raised_by(error, path)) from error
    return module


def path_and_hash(name: Any) -> tuple[str, str]:
    """The path in a name ``path#hash``, and its hash; nothing for a path alone, which may hold a ``#`` itself."""
    found = re.fullmatch(r"(.+)#([0-9a-f]+)", str(name), re.DOTALL)
    return (found[1], found[2]) if found else (str(name), "")


def without_folder(value: Any) -> Any:
    """A value in which a file of the user's is named by its content: wherever it lies, it is the same."""
    return value.rsplit("/", 1)[-1] if isinstance(value, str) and re.search(r"#[0-9a-f]{12}$", value) else value
