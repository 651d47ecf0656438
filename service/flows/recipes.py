"""Recipes: which type of influencer an objective asks for, and the mix of parts; data files in `service/recipes`."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

from pydantic import ValidationError

from service.domain import AccountType, BacktestSpec, Recipe
from service.errors import ConfigurationError, InvalidRequest

FOLDER = Path(__file__).resolve().parents[1] / "recipes"
ORDER = ("mass", "targeted", "advocacy", "employee_advocacy", "trend_scouting", "visibility")
"""How recipes are listed; others stand after these, by name."""


@functools.cache
def recipes() -> dict[str, Recipe]:
    """Return all recipes by name, in the order in which they are listed.

    Raises:
        ConfigurationError: a file is no recipe.
    """
    found = {path.stem: read_recipe(path) for path in FOLDER.glob("*.toml")}
    names = sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return {name: found[name] for name in names}


def read_recipe(path: Path) -> Recipe:
    """Read one recipe.

    Raises:
        ConfigurationError: the file is no recipe; the message says where.
    """
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Recipe {path.name} cannot be read: {error}.") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'recipe'}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(f"Recipe {path.name} is wrong: {wrong}.") from None
    if recipe.name != path.stem:
        raise ConfigurationError(f"Recipe {path.name} calls itself {recipe.name}; name and file must be the same.")
    return recipe


def recipe_of(objective: str) -> Recipe:
    """Return the recipe of an objective.

    Raises:
        InvalidRequest: there is none.
    """
    found = recipes().get(objective)
    if found is None:
        raise InvalidRequest(f"There is no objective {objective[:80]!r}; there are {', '.join(recipes())}.")
    return found


def weighed_by(recipe: Recipe, spec: BacktestSpec) -> BacktestSpec:
    """Return a back-test of the score with a recipe's weights.

    Raises:
        InvalidRequest: the recipe does not rank by a score.
    """
    if recipe.rank_by != "score":
        raise InvalidRequest(f"Objective {recipe.name} ranks by {recipe.rank_by}, not by a score; name another one.")
    rules = spec.rules
    if any(recipe.weights.model_dump().values()):  # else lenses are all of it
        rules = rules.model_copy(update={"weights": recipe.weights})
    return spec.model_copy(update={"rules": rules, "lenses": recipe.lenses})


def asks_for(recipe: Recipe | None, kind: AccountType) -> bool:
    """Whether a recipe (None: no objective) asks for accounts of a type."""
    return recipe is None or kind in recipe.types
