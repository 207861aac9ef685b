"""What the real server refuses, by name: HTTP status, subcode and text, as apiserver/apierrors/errors.conf has them."""

from __future__ import annotations

from typing import Any

CODES: dict[str, tuple[int, int, str]] = {
    "invalid_id": (400, 10, "Invalid object id"),
    "missing_required_fields": (400, 11, "Missing required fields"),
    "validation_error": (400, 12, "Validation error"),
    "fields_conflict": (400, 15, "Conflicting fields"),
    "fields_value_error": (400, 16, "Invalid value for fields"),
    "batch_contains_no_items": (400, 17, "Batch request contains no items"),
    "invalid_task_id": (400, 101, "Invalid task id"),
    "invalid_task_status": (400, 110, "Invalid task status"),
    "missing_task_fields": (400, 122, "Task is missing expected fields"),
    "task_cannot_be_deleted": (400, 123, "Task cannot be deleted"),
    "events_not_added": (400, 131, "Events not added"),
    "invalid_model_id": (400, 201, "Invalid model id"),
    "invalid_user_id": (400, 301, "Invalid user id"),
    "invalid_project_id": (400, 401, "Invalid project id"),
    "invalid_project_name": (400, 407, "Invalid project name"),
    "invalid_queue_id": (400, 701, "Invalid queue id"),
    "queue_not_empty": (400, 702, "Queue is not empty"),
    "invalid_queue_or_task_not_queued": (400, 703, "Invalid queue id or task not in queue"),
    "task_already_queued": (400, 706, "Failed adding task to queue since task is already queued"),
    "no_default_queue": (400, 707, "No queue is tagged as the default queue for this company"),
    "data_validation_error": (400, 800, "Data validation error"),
    "expected_unique_data": (400, 801, "Value combination already exists"),
    "invalid_worker_id": (400, 1001, "Invalid worker id"),
    "bad_auth_type": (401, 10, "Unauthorized (bad authentication header type)"),
    "no_credentials": (401, 20, "Unauthorized (missing credentials)"),
    "bad_credentials": (401, 21, "Unauthorized (malformed credentials)"),
    "invalid_credentials": (401, 22, "Unauthorized (invalid credentials)"),
    "invalid_token": (401, 30, "Invalid token"),
    "no_endpoint": (404, 0, "Unable to find endpoint"),
    "general_error": (500, 0, "General server error"),
}


class Refused(Exception):
    """One refusal; ``str`` of it is the message as the real server writes it: text (more): key=value, ..."""

    def __init__(self, name: str, more: str = "", /, *, instead: str = "", **data: Any) -> None:
        self.status, self.subcode, text = CODES[name]
        self.data = data
        about = ", ".join(f"{key}={_shown(value)}" for key, value in data.items())
        super().__init__((instead or text) + (f" ({more})" if more else "") + (f": {about}" if about else ""))


def _shown(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, list | tuple | set) else str(value)
