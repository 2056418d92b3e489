"""A sandbox with Heartland Retail alone, listening on a free port in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from sandbox.faults import Faults
from sandbox.heartland_retail import make_app, make_control
from sandbox.server import App, Sandbox
from sandbox.state import State

TOKEN = "sandbox-heartland-token"
Query = list[tuple[str, str]]


@dataclass
class ShopServer:
    """What a test needs: the addresses, the fault switches, and short words for the calls."""

    url: str
    faults: Faults
    token: str = TOKEN

    def call(self, method: str, path: str, query: Query | None = None, json: object = None) -> requests.Response:
        address = f"{self.url}/heartland-retail/api{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, address, headers=headers, json=json, timeout=10)

    def get(self, path: str, *query: tuple[str, str]) -> Any:
        """The JSON of a read that must succeed, amounts as Decimal."""
        answer = self.call("GET", path, list(query))
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def ids(self, path: str, *query: tuple[str, str]) -> list[int]:
        return [row["id"] for row in self.get(path, *query)["results"]]

    def control(self, path: str, body: object) -> Any:
        answer = requests.post(f"{self.url}/_control/heartland{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def shop_server(state_path: Path, *, cruel: bool = False) -> Iterator[ShopServer]:
    state, faults = State(state_path), Faults()
    app = make_app(state=state, faults=faults, cruel=cruel)
    mounts: dict[str, App] = {"/heartland-retail": app, "/_control/heartland": make_control(app)}
    server = Sandbox(("127.0.0.1", 0), mounts=mounts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield ShopServer(f"http://127.0.0.1:{server.server_port}", faults)
    finally:
        app.selling.set(0)
        server.shutdown()
        server.server_close()
        state.close()
