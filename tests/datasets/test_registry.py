import re
import subprocess
import sys

import pytest

from cortex_model.datasets import DATASETS, find_source
from cortex_model.errors import DatasetError


@pytest.mark.parametrize("name", DATASETS)
def test_each_row_is_complete(name):
    source = DATASETS[name]
    assert source.name == name
    assert source.description and source.licence and source.citation
    assert len(set(source.class_names)) == source.n_classes == 10
    assert (source.format == "embedded") == (source.pieces == ())
    for file in (*source.files, *source.archives):
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.bytes > 0
        assert all(url.endswith(f"/{file.name}") for url in file.urls)
    for alternatives in source.pieces:
        assert alternatives[0].urls, "the first alternative is the one that is downloaded"


def test_the_drop_in_has_the_names_of_mnist_and_other_contents():
    mnist, fashion = DATASETS["mnist"].files, DATASETS["fashion_mnist"].files
    assert [file.name for file in mnist] == [file.name for file in fashion]
    assert not {file.sha256 for file in mnist} & {file.sha256 for file in fashion}
    assert not {file.bytes for file in mnist} & {file.bytes for file in fashion}


@pytest.mark.parametrize(
    ("name", "nearest"), [("mnits", "mnist"), ("MNIST", "mnist"), ("fashion", "fashion_mnist"), ("cifar", "cifar10")]
)
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(DatasetError, match=rf"must be one of digits, mnist, .* \(got '{name}'\); did .* '{nearest}'"):
        find_source(name)


def test_an_unknown_name_that_is_near_to_none():
    with pytest.raises(DatasetError, match=r"got 'xyz'\); choose one of these"):
        find_source("xyz")


def test_import_loads_nothing_heavy():
    code = (
        "import sys, cortex_model.datasets; "
        "print(sorted({'sklearn', 'pooch', 'requests', 'brian2', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
