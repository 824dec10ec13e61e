"""Damage on purpose: runs are killed at random moments, file operations fail, bits of files flip.

``python tests/soak/soak.py [--kills 100] [--failures 100] [--flips 100] [--races 50] [--seed N]`` prints what was done
and every finding; its exit status is 1 where there is one. What must hold after each:

- killed at any moment, the same command ends with the same bits;
- of four processes that make the same run all end with it;
- where a file operation fails, the command ends with one sentence and status 2, or with the same bits; without the
  failure, the same command then ends with the same bits;
- where a bit of any file of a run directory is another one, every command ends with one sentence and status 2, or
  with the same numbers.
"""

import argparse
import contextlib
import errno
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cortex_model.cli import main
from cortex_model.cli.app import app  # noqa: F401 (everything is loaded once, before children are made)
from cortex_model.devices import live, simulation  # noqa: F401
from cortex_model.runs.directory import RunDirectory

#: A small network, many checkpoints: each evaluation is one, and sleep comes before wake.
TINY = {
    "layer_sizes": "64,16,10", "epochs": 1, "evaluate_every_presentations": 300, "sleep_before_presentations": 200,
    "chunk_presentations": 100, "record": "V_2",
}  # fmt: skip
PROTOCOL = '''"""What is left after damage?"""
from dataclasses import replace
from cortex_model.protocol import load_protocol

STOCK = load_protocol("wake_sleep_classification")
PROTOCOL = replace(STOCK, name="damaged")
'''
#: Results that tell the time.
OF_TIME = ("microseconds_per_presentation", "run_dir", "warnings")
ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.ENOENT, errno.EACCES, errno.EDQUOT)


@dataclass
class Ended:
    """How a command ended."""

    status: int
    output: str
    error: str
    counted: int = 0

    @property
    def is_sentence(self) -> bool:
        """Whether it was refused in one line."""
        return self.status == 2 and len(self.error.strip().split("\n")) == 1 and "Traceback" not in self.error


@dataclass
class Soak:
    """A folder to damage, and what was found in it."""

    folder: Path
    device: str
    draw: random.Random
    done: Counter = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def __post_init__(self):
        (self.folder / "damaged.py").write_text(PROTOCOL)
        (self.folder / "tmp").mkdir(exist_ok=True)
        began = time.monotonic()
        first = self.command(self.runs("reference"))
        assert first.status == 0, first.error
        began = time.monotonic()
        shutil.rmtree(self.folder / "reference")
        assert self.command(self.runs("reference")).status == 0
        self.seconds = time.monotonic() - began
        self.reference = self.results("reference")

    # ------------------------------------------------------------------ what is run
    def runs(self, out: str) -> list[str]:
        """The command that makes the run into a folder."""
        sets = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
        where = ["--seed", "3", "--device", self.device, "--out", str(self.folder / out), "--json"]
        return ["run", str(self.folder / "damaged.py"), *sets, *where]

    def path(self, out: str) -> Path:
        """The run directory in a folder."""
        return next(path for path in (self.folder / out).iterdir() if path.is_dir())

    def results(self, out: str) -> dict:
        """All that a run ended with, but for times."""
        run = RunDirectory.opened(self.path(out))
        run.check(by_content=True)
        found = {name: value for name, value in run.summary().items() if name not in OF_TIME}
        arrays = {file.name: run.arrays(file.name) for file in run.path.glob("*.nc")}
        return found | {name: its.to_dict() for name, its in arrays.items()}

    def command(self, arguments: list[str], prepare=lambda: lambda: 0, seconds: float | None = None) -> Ended:
        """A command in a process of its own, which is killed after some seconds, with all that it has started."""
        return self.ended(*self.begun(arguments, prepare), seconds)

    def begun(self, arguments: list[str], prepare=lambda: lambda: 0) -> tuple:
        """A process that carries out a command, and the files of what it says."""
        files = [tempfile.TemporaryFile("w+", dir=self.folder) for _ in range(3)]  # noqa: SIM115
        child = os.fork()
        if not child:
            self._child(arguments, prepare, files)
        return child, files

    def ended(self, child: int, files: list, seconds: float | None = None) -> Ended:
        """How such a process ends, which is killed after some seconds."""
        deadline = None if seconds is None else time.monotonic() + seconds
        status = None
        while status is None:
            if deadline is not None and time.monotonic() >= deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                deadline = None
            ended, code = os.waitpid(child, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if ended else time.sleep(0.002)
        texts = []
        for file in files:
            file.seek(0)
            texts.append(file.read())
            file.close()
        return Ended(status, texts[0], texts[1], int(texts[2] or 0))

    def _child(self, arguments, prepare, files):
        status = 70
        try:
            os.setsid()
            for file, number in zip(files, (1, 2), strict=False):
                os.dup2(file.fileno(), number)
            os.environ["TMPDIR"] = str(self.folder / "tmp")
            tempfile.tempdir = None
            count = prepare()
            try:
                main(arguments)
            except SystemExit as error:
                status = error.code or 0
            files[2].write(str(count()))
            files[2].flush()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    # ------------------------------------------------------------------ what must hold
    def must(self, holds: bool, what: str, ended: Ended | None = None) -> None:
        """Note a finding where something does not hold."""
        if not holds:
            said = "" if ended is None else f": status {ended.status}, {ended.error.strip()[-600:]!r}"
            self.findings.append(f"{what}{said}")
            print(f"FOUND {self.findings[-1]}", flush=True)

    def ends_alike(self, out: str, what: str) -> None:
        """The command, given again, ends with the bits of the run that nothing has happened to."""
        ended = self.command(self.runs(out))
        if ended.status:
            self.must(False, f"{what}; then the same command", ended)
            return
        self.must(self.results(out) == self.reference, f"{what}; then other results")
        left = [str(path) for kind in ("*.part", "checkpoint*", "recordings") for path in self.path(out).glob(kind)]
        left += [str(path) for path in (self.folder / "tmp").iterdir()]
        self.must(not left, f"{what}; then there are still {left}")
        for file in (self.folder / "tmp").iterdir():
            file.unlink()

    def kills(self, n: int) -> None:
        """Kill runs at random moments, each up to four times."""
        while self.done["kills"] < n:
            out = f"killed-{self.done['kills']}"
            for _ in range(self.draw.randint(1, 4)):
                seconds = self.draw.uniform(0, 1.05 * self.seconds)
                ended = self.command(self.runs(out), seconds=seconds)
                self.done["kills"] += ended.status == -signal.SIGKILL
                self.must(ended.status in (0, -signal.SIGKILL), "killed", ended)
            self.ends_alike(out, f"killed ({out})")
            shutil.rmtree(self.folder / out, ignore_errors=True)

    def races(self, n: int) -> None:
        """Let four processes make the same run at once."""
        for at in range(n):
            out = f"raced-{at}"
            four = [self.ended(*each) for each in [self.begun(self.runs(out)) for _ in range(4)]]
            for ended in four:
                self.must(ended.status == 0, "one of four that make the same run", ended)
            n_waited = sum("another process is making this run; waiting" in ended.error for ended in four)
            self.must(n_waited >= 1, f"of four, {n_waited} say that they wait")
            self.ends_alike(out, "four at once")
            self.done["races"] += 1
            shutil.rmtree(self.folder / out)

    def failures(self, n: int) -> None:
        """Let one file operation fail after another: of a run from its beginning, and of one that is gone on with."""
        total = self.command(self.runs("counted"), lambda: failing(self.folder, None)).counted
        begun = self.interrupted("begun")
        rest = self.command(self.runs("begun"), lambda: failing(self.folder, None)).counted
        places = [(None, at) for at in range(total)] + [(begun, at) for at in range(rest)]
        self.draw.shuffle(places)
        for start, at in places[:n]:
            out, number = f"failed-{self.done['failures']}", self.draw.choice(ERRORS)
            if start is not None:
                shutil.copytree(start, self.folder / out)
            ended = self.command(self.runs(out), lambda at=at, number=number: failing(self.folder, at, number))
            what = f"operation {at} of {total if start is None else rest} failed with {errno.errorcode[number]}"
            self.must(ended.status == 0 or ended.is_sentence, what, ended)
            self.done["failures"] += 1
            self.done["failures without effect"] += ended.status == 0
            self.ends_alike(out, what)
            shutil.rmtree(self.folder / out, ignore_errors=True)

    def interrupted(self, name: str) -> Path:
        """A folder of a run that was killed in the middle; the run is not finished in it."""
        kept = self.folder / f"{name}-kept"
        while True:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            self.command(self.runs(name), seconds=self.seconds * 0.75)
            if (
                list((self.folder / name).glob("*/checkpoint_1_before.npz"))
                and not RunDirectory(self.path(name)).has_finished
            ):
                shutil.copytree(self.folder / name, kept)
                return kept

    def flips(self, n: int) -> None:
        """Flip a bit of a file, of a finished run and of one that was killed."""
        half = self.interrupted("half")
        for at in range(n):
            start = self.draw.choice([self.folder / "reference", half])
            out = f"flipped-{at}"
            shutil.copytree(start, self.folder / out)
            files = [p for p in sorted(self.path(out).rglob("*")) if p.is_file() and p.stat().st_size]
            file = self.draw.choice(files)
            content, bit = bytearray(file.read_bytes()), self.draw.randrange(8 * file.stat().st_size)
            content[bit // 8] ^= 1 << bit % 8
            file.write_bytes(content)
            what = f"bit {bit} of {file.relative_to(self.folder / out)}"
            self.done["flips"] += 1
            for arguments in (["show", str(self.path(out))], ["runs", str(self.folder / out)], self.runs(out)):
                ended = self.command(arguments)
                self.must(ended.status == 0 or ended.is_sentence, f"{what}, {arguments[0]}", ended)
                if arguments[0] == "run":
                    self.done["flips said"] += ended.status != 0
                    if ended.status == 0:
                        self.must(self.results(out) == self.reference, f"{what}; then other results")
                    else:
                        again = self.command([*self.runs(out), "--again"])
                        self.must(again.status == 0 and self.results(out) == self.reference, f"{what}; --again", again)
            shutil.rmtree(self.folder / out, ignore_errors=True)


def failing(folder: Path, at: int | None, number: int = errno.EIO):
    """From now on count file operations below a folder, and let one of them fail; returns what tells the count."""
    n = 0

    def happen(path):
        nonlocal n
        if not isinstance(path, str | bytes | os.PathLike) or not os.fsdecode(path).startswith(str(folder)):
            return
        if os.fsdecode(path) in ("", str(folder)):
            return
        n += 1
        if n - 1 == at:
            raise OSError(number, os.strerror(number), os.fsdecode(path))

    def hook(event, arguments):
        if event in (
            "open",
            "os.rename",
            "os.remove",
            "os.mkdir",
            "os.rmdir",
            "os.truncate",
            "os.listdir",
            "os.scandir",
        ):
            happen(arguments[0])

    def fsync(file, really=os.fsync):
        happen(os.readlink(f"/proc/self/fd/{file if isinstance(file, int) else file.fileno()}"))
        really(file)

    os.fsync = fsync
    sys.addaudithook(hook)
    return lambda: n


def soaked(folder: Path, device: str, seed: int, kills: int, failures: int, flips: int, races: int) -> Soak:
    """Do all of it."""
    soak = Soak(folder, device, random.Random(seed))
    soak.races(races)
    soak.kills(kills)
    soak.failures(failures)
    soak.flips(flips)
    return soak


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, default in (("kills", 100), ("failures", 100), ("flips", 100), ("races", 50), ("seed", 0)):
        asked.add_argument(f"--{name}", type=int, default=default)
    asked.add_argument("--device", default="cpp_standalone")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        numbers = {name: getattr(given, name) for name in ("seed", "kills", "failures", "flips", "races")}
        its = soaked(Path(place).resolve(), given.device, **numbers)
    print(json.dumps({"seed": given.seed, "device": given.device, **its.done, "findings": len(its.findings)}))
    sys.exit(bool(its.findings))
