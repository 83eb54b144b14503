"""The OpenAPI document is the route table; what it allows never makes the server fail."""

from __future__ import annotations

import http.cookiejar
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from ganvas.studio.auth import Access
from ganvas.studio.openapi import build_document
from ganvas.studio.page import Studio
from ganvas.studio.server import build_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    return build_app(Studio(tmp_path_factory.mktemp("runs")), Access("127.0.0.1", 8765))


def test_it_lists_every_route_and_no_other(app: Starlette) -> None:
    listed = {(method.upper(), path) for path, found in build_document(app.routes)["paths"].items() for method in found}
    there = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert listed == there
    assert ("POST", "/api/train/runs/{id}/branch") in listed


def test_bodies_are_as_the_dataclasses_say(app: Starlette) -> None:
    paths = build_document(app.routes)["paths"]
    start = paths["/api/train/runs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert start["required"] == ["recipe"]
    assert start["properties"]["settings"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert start["properties"]["images"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert "application/octet-stream" in paths["/api/train/uploads"]["post"]["requestBody"]["content"]
    walk = paths["/api/explore/models/{id}/walk"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert walk["properties"]["kind"] == {"enum": ["gif", "apng", "mp4"]}
    for path, operations in paths.items():
        for operation in operations.values():
            assert operation["summary"], path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_that_it_allows_makes_the_server_fail(studio: Any) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings

    link = studio.link()
    base = link.partition("/?")[0]
    jar = http.cookiejar.CookieJar()
    urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(link).read()
    headers = {"Origin": base, "Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)}
    routes = build_app(Studio(Path()), Access("127.0.0.1", 8765)).routes
    schema = schemathesis.openapi.from_dict(build_document(routes))
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
        )
        @given(case=operation.as_strategy())
        def attack(case: Any) -> None:
            nonlocal tried
            answer = case.call(base_url=base, headers=headers, timeout=120)
            tried += 1
            assert answer.status_code < 500 or answer.status_code == 503, (case.method, case.path, answer.text)

        attack()
    assert tried > 100
