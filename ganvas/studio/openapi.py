"""The routes of the pages as an OpenAPI document, read off the route table, so that it cannot say anything else."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from starlette.routing import BaseRoute, Route

from ganvas import __version__

PLAIN = {int: "integer", float: "number", str: "string", bool: "boolean"}
ERROR = {"description": "one line of error", "content": {"application/json": {"schema": {"type": "object"}}}}


def build_document(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """OpenAPI 3.1: every path under /api/ with its methods, parameters and body."""
    paths: dict[str, Any] = {}
    for route in routes:
        if isinstance(route, Route) and route.path.startswith("/api/"):
            operations = paths.setdefault(route.path, {})
            for method in sorted((route.methods or set()) - {"HEAD"}):
                operations[method.lower()] = _operation(route, method)
    return {"openapi": "3.1.0", "info": {"title": "ganvas studio", "version": __version__}, "paths": paths}


def _operation(route: Route, method: str) -> dict[str, Any]:
    endpoint: Any = route.endpoint
    names = [(name, "path") for name in re.findall(r"{(\w+)}", route.path)]
    names += [(name, "query") for name in getattr(endpoint, "query", ())]
    found: dict[str, Any] = {
        "summary": (endpoint.__doc__ or "").strip().partition("\n")[0],
        "parameters": [
            {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}} for name, place in names
        ],
        "responses": {"2XX": {"description": "the answer"}, "4XX": ERROR, "5XX": ERROR},
    }
    if method in ("POST", "PUT") and (kind := getattr(endpoint, "body", None)) is not None:
        schema = {"type": "string", "format": "binary"} if kind is bytes else _schema(kind)
        media = "application/octet-stream" if kind is bytes else "application/json"
        found["requestBody"] = {"required": True, "content": {media: {"schema": schema}}}
    return found


def _schema(hint: Any) -> dict[str, Any]:
    """The JSON schema of a type that settings have."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        fields = dataclasses.fields(hint)
        needed = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
        properties = {f.name: _schema(hints[f.name]) for f in fields}
        return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    if origin is Literal:
        return {"enum": list(options)}
    if origin is tuple:
        return {"type": "array", "items": _schema(options[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(options[1])}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if kind is type(None) else _schema(kind) for kind in options]}
    return {"type": PLAIN[hint]} if hint in PLAIN else {}
