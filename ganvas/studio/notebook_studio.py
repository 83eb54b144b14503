"""`ganvas.studio()`: the studio in the background of a Python session, shown in a frame of a notebook.

A notebook and the studio are two sites of one browser. Three cases:

- The notebook is on this machine: the frame's address is that of the studio, with the name that the notebook's page has
  (localhost or 127.0.0.1), because a cookie of a frame with another name is a foreign one, which browsers do not keep.
- A proxy is in front of both, as on a JupyterHub with `jupyter-server-proxy`: the studio is a path of the notebook's site.
- Neither: the frame would be empty, so there is a link instead, and what to do.
"""

from __future__ import annotations

import atexit
import html
import json
import os
import secrets
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

from ganvas.errors import ResourceError, UsageError
from ganvas.runtime.device import find_device
from ganvas.studio.auth import FRAGMENT, Access, Doorway
from ganvas.studio.page import Studio
from ganvas.studio.server import listen, make_server
from ganvas.studio.site import PAGES
from ganvas.utils.parsing import printable, require_count

PATIENCE = 30.0  # seconds for the server to start or to end
NEAR = ("http://localhost:*", "http://127.0.0.1:*")  # notebooks of this machine, at any port
BEHIND = ("'self'",)  # notebooks of the site that the proxy belongs to
_open: list[NotebookStudio] = []  # those that run in this process

# The address of the frame, and of the link, has the name of the page around it. `{place}` is a JSON array: id, port, the rest.
SCRIPT = """
(() => {{
  const [id, port, rest] = {place};
  const [frame, far, link] = ["", "-far", "-link"].map((end) => document.getElementById(id + end));
  const near = ["localhost", "127.0.0.1"].includes(location.hostname);
  if (near) frame.src = link.href = `http://${{location.hostname}}:${{port}}${{rest}}`;
  else frame.hidden = true;
  far.hidden = near;
}})();
"""


class NotebookStudio:
    """A studio that runs in the background of this process. In a notebook it shows itself; `close` ends it.

    It ends with the process, too. Trainings that were started on its pages go on: they are processes of their own.
    """

    def __init__(self, runs: Path, device: str, port: int, doorway: Doorway, proxy: str) -> None:
        """Start it. Port 0: any free one; `{port}` in the doorway's path is replaced by it.

        Raises:
            ResourceError: the port is taken, or the server does not start.
        """
        listener = listen("127.0.0.1", port)
        self.port = int(listener.getsockname()[1])
        self.proxy = proxy.replace("{port}", str(self.port))  # where browsers reach it; "": at its own address
        path = doorway.path.replace("{port}", str(self.port))
        self.access = Access("127.0.0.1", self.port, Doorway(doorway.origins, path, doorway.learns, doorway.framers))
        self.height, self.page, self.asked = 720, "", (runs, device, port, doorway, proxy)
        self.server = make_server(Studio(runs, device), self.access)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [listener]}, daemon=True, name="ganvas studio"
        )
        self.thread.start()
        end = time.monotonic() + PATIENCE
        while not self.server.started:
            if not self.thread.is_alive() or time.monotonic() > end:
                self.server.should_exit = True
                listener.close()
                raise ResourceError(f"the studio did not start at port {self.port}; try another one: ganvas.studio(port=0)")
            time.sleep(0.01)
        atexit.register(self.close)
        _open.append(self)

    @property
    def url(self) -> str:
        """The link that opens it once, in any browser of this machine, or of the proxy's site."""
        base = self.proxy or f"http://127.0.0.1:{self.port}/"
        return base + self._rest().removeprefix("/")

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self.thread.is_alive() and not self.server.should_exit

    def close(self) -> None:
        """End it. What its pages compute ends; trainings go on."""
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        atexit.unregister(self.close)
        if self in _open:
            _open.remove(self)

    def __enter__(self) -> NotebookStudio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ganvas studio: {self.url}" if self.running else "ganvas studio: closed; ganvas.studio() opens it again"

    def _rest(self) -> str:
        """What follows the host in the link: the page, the token, the fragment."""
        name, _, fragment = self.page.partition("#")
        at = f"&at={quote(fragment, safe='')}#{quote(fragment, safe=FRAGMENT)}" if fragment else ""
        return f"/{name}?token={self.access.token}{at}"

    def _repr_html_(self) -> str:
        """A frame with the page, and the link to it."""
        if not self.running:
            return f"<p>{html.escape(repr(self))}</p>"
        key, style = f"ganvas-{secrets.token_hex(6)}", f'width="100%" height="{self.height}" style="border: 1px solid #8888"'
        link = (
            f'<a id="{key}-link" href="{html.escape(self.url)}" target="_blank" rel="noopener">Open it in a tab of its own</a>'
        )
        end = f"{link}; <code>ganvas.studio().close()</code> ends it."
        if self.proxy:
            return f'<iframe title="ganvas studio" src="{html.escape(self.url)}" {style}></iframe><p>{end}</p>'
        place = json.dumps([key, self.port, self._rest()]).replace("<", "\\u003c")
        far = (
            "The studio answers only on the machine of this notebook's Python. From another one, use jupyter-server-proxy and "
        )
        far += '<code>ganvas.studio(proxy="https://HOST/PATH/proxy/{port}/")</code>.'
        frame = f'<iframe title="ganvas studio" id="{key}" {style}></iframe><p id="{key}-far" hidden>{far}</p>'
        return f"{frame}<p>{end}</p><script>{SCRIPT.format(place=place)}</script>"


def open_studio(
    page: str = "",
    *,
    runs: str | Path = "runs",
    device: str = "auto",
    port: int = 0,
    proxy: str | None = None,
    frame: str | None = None,
    height: int = 720,
) -> NotebookStudio:
    """The studio in the background of this process; as the last line of a cell it shows itself. It is started once.

    Parameters
    ----------
    page
        The page to show: "" (home), "play", "train", "explore", ...; what follows a # is its state, as in its address bar.
    runs
        The folder of the run folders.
    device
        Where the models that the pages show compute.
    port
        0: any free one.
    proxy
        Where browsers reach the studio, if not at this machine's own address: a URL, or a path of the notebook's site, which
        ends with a slash; `{port}` stands for the port. The proxy must cut this path off. None: on a JupyterHub the path of
        `jupyter-server-proxy`, elsewhere no proxy.
    frame
        The only site that may show the pages in a frame, such as "http://localhost:8888". None: behind a proxy the proxy's own
        site, else notebooks of this machine.
    height
        Of the frame, in pixels.

    Raises:
        UsageError: no such page, or a proxy or frame that is no address.
        ResourceError: the port is taken.
    """
    names = [each.path for each in PAGES]
    if page.partition("#")[0] not in names:
        raise UsageError(f"page: expected one of {', '.join(filter(None, names))}, or nothing, got {printable(page, 60)!r}")
    require_count("port", port, 0, 65_535)
    require_count("height", height, 100, 10_000)
    find_device(device)
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    proxy = (f"{hub.rstrip('/')}/proxy/{{port}}/" if hub else "") if proxy is None else proxy
    doorway = make_doorway(proxy, frame)
    asked = (Path(runs).absolute(), device, port, doorway, proxy)
    found = next((each for each in _open if each.asked == asked and each.running), None)
    found = found or NotebookStudio(*asked)
    found.page, found.height = page, height
    return found


def make_doorway(proxy: str, frame: str | None) -> Doorway:
    """What the access check has to know of a proxy ("": none) and of the site around the frame.

    Raises:
        UsageError: one of them is no address.
    """
    framers = (_origin("frame", frame),) if frame else (BEHIND if proxy else NEAR)
    if not proxy:
        return Doorway(framers=framers)
    path = urlsplit(proxy).path if "://" in proxy else proxy
    plain = path.replace("{port}", "0")
    if quote(plain, safe="/@~!$'()*+,:=-._%") != plain or not (path.startswith("/") and path.endswith("/")) or "//" in path:
        expected = "a URL or a path that begins and ends with a slash"
        raise UsageError(f"proxy: expected {expected}, as in /user/me/proxy/{{port}}/, got {printable(proxy, 80)!r}")
    if proxy == path:
        return Doorway(path=path, learns=True, framers=framers)
    return Doorway((_origin("proxy", proxy.removesuffix(path)),), path, framers=framers)


def _origin(name: str, text: str) -> str:
    """The origin that `text` is. Raises: UsageError: it is none."""
    parts = urlsplit(text)
    plain = parts.netloc and all(sign.isalnum() or sign in ".-:[]" for sign in parts.netloc)
    if parts.scheme not in ("http", "https") or not plain or text.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        raise UsageError(f"{name}: expected a site, as in https://hub.example.org, got {printable(text, 80)!r}")
    return f"{parts.scheme}://{parts.netloc.lower()}"
