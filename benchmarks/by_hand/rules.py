"""What both rivals know of the 20 columns, written by hand as their authors would: a JSON Schema, and how labels become values.

Nothing here comes from denpyo: a team without it describes its sheet like this.
"""

from __future__ import annotations

from typing import Any

IDENTIFIER = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}
WEEK = 7 * 86_400
METRICS = ("accuracy", "f1", "auc", "rmse")
TASKS = ("classification", "regression")
ALGORITHMS = ("random_forest", "xgboost", "neural_network", "logistic_regression", "linear_regression")

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": [
        "name",
        "title_text",
        "dataset",
        "owner_code",
        "task",
        "algorithm",
        "epochs",
        "learning_rate",
        "start_on",
    ],
    "properties": {
        "name": IDENTIFIER,
        "title_text": {"type": "string", "minLength": 2, "maxLength": 80},
        "dataset": IDENTIFIER,
        "owner_code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
        "task": {"enum": list(TASKS)},
        "algorithm": {"enum": list(ALGORITHMS)},
        "epochs": {"type": "integer", "minimum": 1, "maximum": 10_000},
        "batch_size": {"type": "integer", "minimum": 1, "maximum": 4096},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2_147_483_647},
        "learning_rate": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "dropout": {"type": "number", "minimum": 0, "maximum": 0.9},
        "weight_decay": {"type": "number", "minimum": 0, "maximum": 1},
        "temperature": {"type": "number", "minimum": -50, "maximum": 150},
        "shuffle": {"type": "boolean"},
        "early_stopping": {"type": "boolean"},
        "patience": {"type": "integer", "minimum": 1, "maximum": 1000},
        "start_on": {"type": "string", "format": "date", "pattern": "^20[2-9][0-9]-"},
        "time_limit": {"type": "number", "exclusiveMinimum": 0, "maximum": WEEK},
        "metrics": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": list(METRICS)}},
        "note": {"type": "string", "maxLength": 500},
    },
    "if": {"properties": {"early_stopping": {"const": True}}, "required": ["early_stopping"]},
    "then": {"required": ["patience"]},
    "else": {"properties": {"patience": {"not": {}}}},
}

LABELS: dict[str, dict[str, str]] = {
    "task": {"分類": "classification", "回帰": "regression"},
    "algorithm": {
        "ランダムフォレスト": "random_forest",
        "XGBoost(勾配ブースティング)": "xgboost",
        "ニューラルネットワーク": "neural_network",
        "ロジスティック回帰": "logistic_regression",
        "線形回帰": "linear_regression",
    },
    "metrics": {"正解率": "accuracy", "F1値": "f1", "AUC値": "auc", "二乗平均平方根誤差": "rmse"},
}
"""As they read after NFKC: the brackets of a label are full-width in the sheet."""

WHOLE_NUMBERS = ("epochs", "batch_size", "seed", "patience")
NUMBERS = ("learning_rate", "dropout", "weight_decay", "temperature")
YES_NO = ("shuffle", "early_stopping")
SAID = {"はい": True, "いいえ": False, "TRUE": True, "FALSE": False}
DURATION = r"(?:([0-9]+)日)?(?:([0-9]+)時間)?(?:([0-9]+)分)?(?:([0-9]+)秒)?"
DATE = r"([0-9]{4})[-/年]([0-9]{1,2})[-/月]([0-9]{1,2})日?"
SCALES = (86_400, 3_600, 60, 1)

HEADS = 3
"""Rows of headings in the sheet; the first holds the columns' names."""
