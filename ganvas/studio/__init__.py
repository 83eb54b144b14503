"""The studio: a local web page on which the game is seen being played. Thin: every page calls the library.

`ganvas.studio()` shows it inside a notebook (`notebook_studio.py`): this module can be called.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ganvas.errors import UsageError

if TYPE_CHECKING:
    from ganvas.studio.notebook_studio import NotebookStudio


class _Callable(ModuleType):
    """A module that is called as `ganvas.studio()`: a function of this name in the package would hide the folder."""

    def __call__(self, page: str = "", **options: Any) -> NotebookStudio:
        """The studio in the background of this process; see `ganvas.studio.notebook_studio.open_studio`."""
        if missing := [name for name in ("starlette", "uvicorn", "websockets") if not find_spec(name)]:
            raise UsageError(f"the studio needs {' and '.join(missing)}: pip install 'ganvas[studio]'")
        from ganvas.studio.notebook_studio import open_studio  # here, because it needs what was looked for

        return open_studio(page, **options)


sys.modules[__name__].__class__ = _Callable
