"""The command `ganvas studio`."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.arguments import Device, Json
from ganvas.errors import UsageError
from ganvas.utils.parsing import require_count
from ganvas.utils.whole_numbers import Whole


def studio(
    *,
    port: Whole = 8765,
    host: str = "127.0.0.1",
    i_understand: Annotated[bool, Parameter(negative="")] = False,
    runs: Path = Path("runs"),
    browser: bool = True,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Open the studio, a local web page that shows training live; Ctrl-C stops it.

    Parameters
    ----------
    port
        0: any free one.
    host
        The address of the server. Any other address than the loopback address needs --i-understand.
    i_understand
        Confirms that another address gives others on the network access; without it, the risks are printed.
    runs
        The folder of the run folders.
    browser
        Open the link in a browser.
    device
        Where the models that the pages show compute. A training has a choice of its own.
    """
    from importlib.util import find_spec

    require_count("--port", port, 0, 65_535)

    if missing := [name for name in ("starlette", "uvicorn", "websockets") if not find_spec(name)]:
        raise UsageError(f"the studio needs {' and '.join(missing)}: pip install 'ganvas[studio]'")
    from ganvas.studio.auth import Access
    from ganvas.studio.server import serve

    def show_link(access: Access) -> None:
        text = f"studio: {access.url}\n  this link opens it once; Ctrl-C ends the studio"
        print(json_.dumps({"url": access.url, "host": access.host, "port": access.port}) if json else text, flush=True)

    serve(show_link, port=port, host=host, runs=runs, browser=browser, i_understand=i_understand, device=device)
