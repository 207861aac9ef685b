"""The five algorithms, as scikit-learn and xgboost have them, each behind the same preparation of the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from jobs.features import Features

CLASSIFICATION = "classification"
SCALED = ("neural_network", "logistic_regression", "linear_regression")

Settings = Mapping[str, Any]


def pipeline(algorithm: str, task_type: str, settings: Settings, seed: int, features: Features) -> Pipeline:
    """An untrained model over a frame of raw columns. Classes are numbered 0, 1, 2 …, as xgboost needs them."""
    return Pipeline(
        [
            ("columns", _columns(features, scaled=algorithm in SCALED)),
            ("model", MODELS[algorithm](task_type, settings, seed)),
        ]
    )


def _columns(features: Features, *, scaled: bool) -> ColumnTransformer:
    numbers, texts = features.of("number"), features.of("text")
    steps = [("impute", SimpleImputer(strategy="median")), *([("scale", StandardScaler())] if scaled else [])]
    encode = OneHotEncoder(
        categories=[list(feature.categories) for feature in texts], handle_unknown="ignore", sparse_output=False
    )
    parts: list[tuple[str, Any, list[str]]] = []
    if numbers:
        parts.append(("numbers", Pipeline(steps), [feature.name for feature in numbers]))
    if texts:
        parts.append(("texts", encode, [feature.name for feature in texts]))
    return ColumnTransformer(parts)


def _random_forest(task_type: str, settings: Settings, seed: int) -> Any:
    model = RandomForestClassifier if task_type == CLASSIFICATION else RandomForestRegressor
    return model(**settings, random_state=seed, n_jobs=1)


def _xgboost(task_type: str, settings: Settings, seed: int) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    model = XGBClassifier if task_type == CLASSIFICATION else XGBRegressor
    return model(**settings, random_state=seed, n_jobs=1, tree_method="hist")


def _neural_network(task_type: str, settings: Settings, seed: int) -> Any:
    named = {
        "hidden_layer_sizes": tuple(int(size) for size in settings["hidden_layers"].split(",")),
        "learning_rate_init": settings["learning_rate"],
        "alpha": settings["alpha"],
        "max_iter": settings["max_iter"],
        "random_state": seed,
    }
    if task_type == CLASSIFICATION:
        return MLPClassifier(**named)
    return TransformedTargetRegressor(MLPRegressor(**named), transformer=StandardScaler())


def _logistic_regression(task_type: str, settings: Settings, seed: int) -> Any:
    return LogisticRegression(C=settings["c"], max_iter=settings["max_iter"], random_state=seed)


def _linear_regression(task_type: str, settings: Settings, seed: int) -> Any:
    return Ridge(alpha=settings["alpha"], random_state=seed)


MODELS: Mapping[str, Callable[[str, Settings, int], Any]] = {
    "random_forest": _random_forest,
    "xgboost": _xgboost,
    "neural_network": _neural_network,
    "logistic_regression": _logistic_regression,
    "linear_regression": _linear_regression,
}


def depends_on_seed(algorithm: str, settings: Settings) -> bool:
    """Whether another seed gives another model; xgboost draws at random only when a tree sees a share of the rows."""
    if algorithm == "xgboost":
        return bool(settings["subsample"] < 1)
    return algorithm in ("random_forest", "neural_network")


def loss_curve(trained: Pipeline) -> list[float]:
    """The loss after each pass over the data, of the one algorithm that makes passes; else nothing."""
    model = trained.named_steps["model"]
    return list(getattr(getattr(model, "regressor_", model), "loss_curve_", ()))
