"""Shelves to publish on, and places to fetch to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from persona_core.publishing import Shelf
from persona_core.workspace import Workspace

numbers = count()


@pytest.fixture(scope="session")
def object_store() -> Iterator[None]:
    """An S3 server on this machine, where clients look for theirs: with buckets and keys in place of folders and files."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        server.start()
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "anybody")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
        server.stop()


@pytest.fixture(params=["file", "memory", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param != "s3":
        return Shelf.at(f"file://{tmp_path}/shelf" if request.param == "file" else f"memory://shelf-{next(numbers)}")
    request.getfixturevalue("object_store")
    bucket = f"bucket-{next(numbers)}"
    shelf = Shelf.at(f"s3://{bucket}/shelf")
    shelf.fs.mkdir(bucket)
    return shelf


@pytest.fixture
def local(tmp_path: Path) -> Shelf:
    return Shelf.at(str(tmp_path / "shelf"))


@pytest.fixture
def there(tmp_path: Path) -> Workspace:
    """Where it is fetched to."""
    return Workspace.at(tmp_path / "there")
