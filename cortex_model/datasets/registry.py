"""The datasets that cortex-model knows: files, checksums, mirrors, licences and citations, as one table."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cortex_model.errors import DatasetError


@dataclass(frozen=True)
class SourceFile:
    """One published file.

    Parameters
    ----------
    name : str
        File name; of recordings, with the folder in which it was published.
    bytes : int
        Exact size.
    sha256 : str
        Checksum of the whole file, 64 hexadecimal digits; ``""`` where none is known: such a file is not verified.
    urls : tuple of str
        Mirrors, first choice first; empty for a file that is never downloaded by itself.
    """

    name: str
    bytes: int
    sha256: str
    urls: tuple[str, ...] = ()

    def fault(self, content: bytes) -> str:
        """Compare a content with this row: ``must ... (got ...)``, or ``""`` where nothing is wrong."""
        if not self.sha256:
            return "" if content else "must not be empty (got 0 bytes)"
        if self.name.endswith(".gz") and content and not content.startswith(b"\x1f\x8b"):
            return f"must be a gzip file (got one that begins with {content[:8]!r})"
        if len(content) != self.bytes:
            return f"must have {self.bytes} bytes (got {len(content)})"
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 != self.sha256:
            return f"must have sha256 {self.sha256[:12]}... (got {sha256[:12]}...)"
        return ""


@dataclass(frozen=True)
class DatasetSource:
    """Where a dataset comes from and what it holds: one row of `DATASETS`.

    Parameters
    ----------
    name : str
        The key in `DATASETS`, and the name of the dataset's folder.
    description, licence, citation : str
        For people.
    format : str
        How the files are read: ``"embedded"`` (in scikit-learn, no files), ``"idx"`` or ``"cifar_binary"``.
    image_shape : tuple of int
        (height, width) or (height, width, channels).
    max_value : int
        The largest pixel value that can occur.
    class_names : tuple of str
        One name for each label, in the order of the labels.
    n_train, n_test : int
        Images in the published training and test set.
    files : tuple of SourceFile
        The files that are read and verified. ``"idx"``: training images and labels, test images and labels;
        ``"cifar_binary"``: the training batches in order, then the test batch.
    archives : tuple of SourceFile
        Archives that each hold all of ``files``; any one of them will do, the first is downloaded. What is
        verified is every member, so an archive packed anew is accepted.
    """

    name: str
    description: str
    licence: str
    citation: str
    format: str
    image_shape: tuple[int, ...]
    max_value: int
    class_names: tuple[str, ...]
    n_train: int
    n_test: int
    files: tuple[SourceFile, ...] = ()
    archives: tuple[SourceFile, ...] = ()

    @property
    def folder(self) -> str:
        """Its folder below the one that ``CORTEX_MODEL_DATA`` names."""
        return self.name

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def pieces(self) -> tuple[tuple[SourceFile, ...], ...]:
        """What must lie on disk: for each piece, the alternatives of which one is enough."""
        return (self.archives,) if self.archives else tuple((file,) for file in self.files)


DIGIT_NAMES = tuple("0123456789")
FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CIFAR_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
FASHION_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
)
IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx_files(mirrors: tuple[str, ...], *rows: tuple[int, str]) -> tuple[SourceFile, ...]:
    """The four files of MNIST and its drop-ins, from (bytes, sha256) in the order of `IDX_NAMES`."""
    return tuple(
        SourceFile(name, size, sha256, tuple(mirror + name for mirror in mirrors))
        for name, (size, sha256) in zip(IDX_NAMES, rows, strict=True)
    )


_ROWS = (
    DatasetSource(
        name="digits",
        description="1797 handwritten digits of 8 x 8 pixels, inside scikit-learn: no download",
        licence="CC BY 4.0 (UCI Machine Learning Repository); the copy in scikit-learn BSD-3-Clause",
        citation="Alpaydin & Kaynak (1998) Optical Recognition of Handwritten Digits, doi:10.24432/C50P49",
        format="embedded",
        image_shape=(8, 8),
        max_value=16,
        class_names=DIGIT_NAMES,
        n_train=1437,
        n_test=360,
    ),
    DatasetSource(
        name="mnist",
        description="70 000 handwritten digits of 28 x 28 pixels",
        licence="CC BY-SA 3.0, copyright LeCun and Cortes",
        citation="LeCun, Bottou, Bengio & Haffner (1998) Proc. IEEE 86:2278, doi:10.1109/5.726791",
        format="idx",
        image_shape=(28, 28),
        max_value=255,
        class_names=DIGIT_NAMES,
        n_train=60_000,
        n_test=10_000,
        files=_idx_files(
            MNIST_MIRRORS,
            (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
    ),
    DatasetSource(
        name="fashion_mnist",
        description="70 000 pictures of clothes of 28 x 28 pixels, a harder drop-in for MNIST",
        licence="MIT, copyright Zalando SE",
        citation="Xiao, Rasul & Vollgraf (2017) Fashion-MNIST, arXiv:1708.07747",
        format="idx",
        image_shape=(28, 28),
        max_value=255,
        class_names=FASHION_NAMES,
        n_train=60_000,
        n_test=10_000,
        # Bytes and sha256 as TensorFlow Datasets lists them (url_checksums/fashion_mnist.txt); other public
        # code gives the same sha256 beside Zalando's own md5. Read, not measured.
        files=_idx_files(
            FASHION_MIRRORS,
            (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
    ),
    DatasetSource(
        name="cifar10",
        description="60 000 colour photographs of 32 x 32 pixels, ten kinds of things",
        licence="none stated by the authors; ask for a citation",
        citation="Krizhevsky (2009) Learning Multiple Layers of Features from Tiny Images, Univ. of Toronto",
        format="cifar_binary",
        image_shape=(32, 32, 3),
        max_value=255,
        class_names=CIFAR_NAMES,
        n_train=50_000,
        n_test=10_000,
        files=tuple(
            SourceFile(name, 30_730_000, sha256)
            for name, sha256 in (
                ("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
                ("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
                ("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
                ("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
                ("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
                ("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
            )
        ),
        archives=(
            # Bytes and sha256 of the official archive: as published in public code. Read, not measured.
            SourceFile(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            ),
            SourceFile(
                "cifar-10-binary.tar.xz",
                128_748_584,
                "bd613cb644cf149cf0562ccd7ade66d53a12ae6f7d827b3cfb03d0a33dc3bbd1",
            ),
        ),
    ),
)

DATASETS: dict[str, DatasetSource] = {source.name: source for source in _ROWS}
"""Every dataset by name, smallest first."""


def find_source(name: str, table: Mapping[str, Any] | None = None, where: str = "datasets.name") -> Any:
    """Return the row with this name of a table, `DATASETS` unless given.

    Raises
    ------
    DatasetError
        If there is none; the message names the nearest one.
    """
    table = DATASETS if table is None else table
    if name in table:
        return table[name]
    nearest = difflib.get_close_matches(str(name).lower(), table, n=1, cutoff=0.4)
    advice = f"did you mean {nearest[0]!r}?" if nearest else "choose one of these."
    raise DatasetError(f"{where}: must be one of {', '.join(table)} (got {name!r}); {advice}")
