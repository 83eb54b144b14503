"""How routes answer: errors as one line of JSON with a fitting status; bodies and queries as checked settings."""

from __future__ import annotations

import functools
import inspect
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.studio.commands import quote_code
from ganvas.studio.storage import UnknownIdError
from ganvas.utils.settings import from_dict

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]
STATUS = {UnknownIdError: 404, UsageError: 400, DataError: 422, ResourceError: 503}


def make_endpoint(function: Callable[[Request], Any], body: type | None = None, query: tuple[str, ...] = ()) -> Endpoint:
    """An endpoint from a function, async or not, that returns a Response or what becomes JSON.

    A GanvasError becomes {"error": line}. `body` is the dataclass (or bytes) and `query` the parameters that it takes, for
    the OpenAPI document.
    """

    @functools.wraps(function)
    async def answer(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(function):
                result = await function(request)
            else:
                result = await run_in_threadpool(function, request)
        except GanvasError as wrong:
            status = next((code for kind, code in STATUS.items() if isinstance(wrong, kind)), 500)
            return JSONResponse({"error": quote_code(" ".join(str(wrong).split()))}, status)
        return result if isinstance(result, Response) else answer_json(result)

    answer.body, answer.query = body, query  # type: ignore[attr-defined]
    return answer


def answer_json(values: Any) -> JSONResponse:
    """`values` as JSON. What a file of a run may hold and JSON cannot becomes null (infinity) or "?" (half a character)."""
    try:
        return JSONResponse(values)
    except ValueError:
        return JSONResponse(_repair(values))


def _repair(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {_repair(name): _repair(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_repair(value) for value in values]
    if isinstance(values, str):
        return values.encode("utf-8", "replace").decode()
    return None if isinstance(values, float) and not math.isfinite(values) else values


async def read_body(request: Request, kind: type[T]) -> T:
    """The JSON body of a request as the settings dataclass `kind`.

    Raises:
        UsageError: it is not a JSON object, or has an unknown key or a value of another type.
    """
    try:
        values = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise UsageError("the request: expected JSON") from None
    if not isinstance(values, dict):
        raise UsageError("the request: expected a JSON object")
    return from_dict(kind, values)


def read_number(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query. Raises: UsageError: it is not a whole number, or out of range."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise UsageError(f"{name}: expected a whole number from {low} to {high}")
    return int(text)
