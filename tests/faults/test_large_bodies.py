"""Bodies meant to exhaust memory: answered with 413, and the process stays small."""

from __future__ import annotations

import gzip
import socket
import time
from pathlib import Path

import pytest

from service.domain import StoreAddress
from service.store.driver import Store
from tests.serving import Service

MIB = 1 << 20


@pytest.fixture(scope="module")
def service(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("bodies")
    with Store(store_address):
        pass
    running = Service(
        {
            "ENTOURAGE_NEO4J_URI": store_address.uri,
            "ENTOURAGE_NEO4J_USER": store_address.user,
            "ENTOURAGE_NEO4J_PASSWORD": store_address.password.get_secret_value(),
            "ENTOURAGE_DATA_DIR": str(folder / "data"),
        },
        folder,
    )
    yield running
    running.close()


def pushed(service: Service, head: bytes, chunk: bytes, most: int) -> tuple[bytes, int]:
    """Send a body chunk by chunk until it is refused or all is sent; return the answer and how much was taken."""
    host, port = service.url.removeprefix("http://").split(":")
    sent = 0
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"POST /v1/webhooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.sendall(head + b"\r\n\r\n")
        try:
            while sent < most:
                connection.sendall(chunk)
                sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
                if b"}" in answer:
                    break
        except (ConnectionResetError, TimeoutError):
            pass
    return answer, sent


@pytest.mark.parametrize("announced", [True, False])
def test_two_gigabytes_are_refused_and_not_held(service: Service, announced: bool) -> None:
    api = service.child("_api")
    before = api.memory_info().rss
    chunk = b" " * MIB
    if announced:
        answer, sent = pushed(service, b"Content-Length: 2147483648", chunk, 2 << 30)
    else:
        framed = f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
        answer, sent = pushed(service, b"Transfer-Encoding: chunked", framed, 2 << 30)
    assert b" 413 " in answer[:20] or sent < 2 << 30, "refused, or cut off before all was taken"
    assert answer == b"" or b"body_too_large" in answer
    assert api.memory_info().rss - before < 200 * MIB
    assert service.client.get("/health/live").status_code == 200


def test_a_bomb_is_refused_and_not_unpacked(service: Service, tmp_path: Path) -> None:
    api = service.child("_api")
    before = api.memory_info().rss
    bomb = gzip.compress(b"\0" * (500 * MIB), 9)
    assert len(bomb) < MIB
    for _ in range(5):
        answer = service.client.post(
            "/v1/webhooks/x", content=bomb, headers={"content-type": "application/json", "content-encoding": "gzip"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    time.sleep(0.2)
    assert api.memory_info().rss - before < 200 * MIB
