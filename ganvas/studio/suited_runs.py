"""The models that a page can use, with links to the other pages that take each, and the runs that cannot be read."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ganvas.errors import GanvasError
from ganvas.games.recipes import parse_recipe
from ganvas.studio.page import Page, list_links
from ganvas.studio.run_damage import find_damage
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import Storage


def list_suited_runs(request: Request, page: Page) -> list[dict[str, Any]]:
    """For each model that suits the handover of `page`, the newest first: its id, the name of its recipe, and its links.

    Runs that `list_unreadable` names are left out.
    """
    storage, found = Storage(request.app.state.studio.runs), []
    for name, _, recipe in storage.list_models():
        facts = {**describe_kind(recipe), "model": True, "run": storage.is_run(name)}
        if page.handover and page.handover.suits(facts) and not explain_unreadable(recipe):
            links = list_links(request.app.state.pages, name, facts, page.name)
            found.append({"id": name, "recipe": str(recipe.get("name", "")), "links": links})
    return found


def list_unreadable(request: Request) -> list[dict[str, str]]:
    """The runs and other folders with a model of which no page knows what it is, each with the reason in one line."""
    storage = Storage(request.app.state.studio.runs)
    own = {*storage.list_runs(), *storage.list_lone_models()}
    found = [(name, recipe) for name, _, recipe in storage.list_models() if name in own]
    reasons = [(name, find_damage(storage.runs / name) or explain_unreadable(recipe)) for name, recipe in found]
    return [{"id": name, "reason": reason} for name, reason in reasons if reason]


def explain_unreadable(recipe: dict[str, Any]) -> str:
    """What is wrong with a recipe.json as an object; "" if it can be read. One line for the user."""
    try:
        parse_recipe(recipe)
    except GanvasError as error:
        return f"its recipe cannot be read: {error}"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"its recipe cannot be read: {type(error).__name__}"
    return ""
