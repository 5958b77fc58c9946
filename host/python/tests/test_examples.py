"""The examples of the module, and the test that stands in the README."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path
from typing import List

import imds
import pytest


def examples() -> List[doctest.DocTest]:
    names = [f"imds.{module.name}" for module in pkgutil.iter_modules(imds.__path__)]
    modules = [importlib.import_module(name) for name in ["imds", *names]]
    found = [test for module in modules for test in doctest.DocTestFinder().find(module)]
    return [test for test in found if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: str(example.name))
def test_example(example: doctest.DocTest) -> None:
    failed, tried = doctest.DocTestRunner().run(example)
    assert tried and not failed


def test_the_test_of_the_readme(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    readme = (source.parent / "README.md").read_text(encoding="utf-8")
    _, _, rest = readme.partition("```python\n")
    test, _, _ = rest.partition("```")
    monkeypatch.setenv("PYTHONPATH", str(source))
    pytester.makepyfile(test)
    pytester.runpytest_subprocess("-p", "imds.pytest_plugin").assert_outcomes(passed=1)
