"""`python -m sandbox --port 8765 --state sandbox.sqlite3`: starts the pretend vendors, stops at SIGTERM."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from pathlib import Path

from sandbox import heartland_retail, quickbooks
from sandbox.faults import Faults
from sandbox.server import BANNER, Answer, App, Request, Sandbox, html_answer, serve
from sandbox.state import State

EXIT_BUSY = 3

FRONT_PAGE = f"""<!doctype html><title>Daybook sandbox</title>
<h1>Daybook sandbox</h1>
<p>This is a {BANNER}. Nothing here is a real shop or a real company's books.</p>
<ul>
<li>Heartland Retail: <code>/heartland-retail/api/</code></li>
<li>QuickBooks Online: <code>/quickbooks/v3/company/9130000000000001/</code></li>
<li>Look at either with the bearer token <code>sandbox-auditor</code></li>
<li><a href="/_control/quickbooks/journal">What is in the books</a></li>
<li><a href="/_control/faults">Fault switches</a></li>
</ul>"""


def build(*, state: State, faults: Faults, cruel: bool) -> dict[str, App]:
    """The apps by the first part of their path."""
    shop = heartland_retail.make_app(state=state, faults=faults, cruel=cruel)
    books = quickbooks.make_app(state=state, faults=faults, cruel=cruel)
    return {
        "/heartland-retail": shop,
        "/_control/heartland": heartland_retail.make_control(shop),
        "/quickbooks": books,
        "/_control/faults": faults.control,
        "/_control/quickbooks": books.control,
        "/": _front,
    }


def _front(request: Request) -> Answer:
    if request.path != "/":
        return html_answer(404, "<!doctype html><title>Not found</title><p>No such path in this sandbox.</p>")
    return html_answer(200, FRONT_PAGE)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Pretend vendors for demo and tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file that survives restarts")
    parser.add_argument("--cruel", action="store_true", help="turn on the documented set of faults")
    return parser.parse_args()


def _bound(host: str, port: int) -> Sandbox | None:
    """The server on its port, or None and a sentence for the user."""
    try:
        return Sandbox((host, port))
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        print(f"sandbox: port {port} on {host} {reason}; choose another --port", file=sys.stderr)
        return None


def main() -> int:
    arguments = _arguments()
    # The port first: a second sandbox must not touch the state of the one that runs.
    server = _bound(arguments.host, arguments.port)
    if server is None:
        return EXIT_BUSY
    state, faults = State(arguments.state), Faults()
    server.mount(build(state=state, faults=faults, cruel=arguments.cruel))
    for number in (signal.SIGTERM, signal.SIGINT):
        # From another thread: shutdown() waits for the loop that this very thread is running.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"sandbox: http://{arguments.host}:{server.server_port}/ ({BANNER})", flush=True)
    serve(server)
    # The state is not closed: a shop that goes on selling may be writing right now, and loses nothing by it.
    return 0


if __name__ == "__main__":
    sys.exit(main())
