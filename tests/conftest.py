"""How the tests are shared out, and how patient they are."""

import os

import pytest
from hypothesis import settings

# Two cores run everything side by side: how long one example takes says nothing about the code.
settings.register_profile("kit", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "kit"))

# The engine and its plugin live for seconds: they collect their garbage only when they grow beyond this.
os.environ.setdefault("GOGC", "off")
os.environ.setdefault("GOMEMLIMIT", "512MiB")

# These share one stage, on which a landing zone stands; in this order, since the last of them takes it down.
STAGE = ("tests/e2e/test_documents.py", "tests/e2e/test_first_light.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one worker, and those of the stage in one worker together; the longest go first.

    They go in this order with `--no-loadscope-reorder`; else pytest-xdist begins with the files of many short tests.
    """
    for item in items:
        file = item.location[0]
        item.add_marker(pytest.mark.xdist_group("stage" if file in STAGE else file))
    items.sort(key=lambda item: (item.location[0] not in STAGE, not item.location[0].startswith("tests/e2e/")))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long value after its parameter: no two workers make the same key or certificate for the run."""
    return argname if isinstance(val, str | bytes) and len(val) > 80 else None
