"""What every answer must be, whatever was asked; told to schemathesis as a check of its own.

Its own checks of GraphQL take each error for a failure of the server; here an error is an answer, if it is coded.
"""

import collections
import json
import re

import schemathesis

# Of what failed by itself there must be none, so INTERNAL is not among them.
CODES = {
    "ALREADY_EXISTS", "BAD_CREDENTIALS", "CONFLICT", "CURSOR_EXPIRED", "DEADLINE_EXCEEDED", "FORBIDDEN", "INVALID",
    "NOT_A_MEMBER", "NOT_FOUND", "OPERATION_NOT_FOUND", "PARSE_FAILED", "TOO_COMPLEX", "UNAUTHENTICATED",
    "VALIDATION_FAILED", "WRONG_STATE",
}
KEYS = {"data", "errors", "extensions"}
MOST_ERRORS = 9
MOST_CHARACTERS = 300


def fault(response):
    """What is wrong with an answer; None when it is sound."""
    if response.status_code != 200:
        return f"status {response.status_code}"
    kind = response.headers.get("content-type", [""])[0]
    if not re.fullmatch(r"application/json(; ?charset=utf-8)?", kind):
        return f"content type {kind}"
    body = json.loads(response.content)
    if not set(body) <= KEYS or not ("data" in body or body.get("errors")):
        return f"keys {sorted(body)}"
    errors = body.get("errors", [])
    if len(errors) > MOST_ERRORS:
        return f"{len(errors)} errors"
    for error in errors:
        told = error.get("extensions", {})
        if told.get("code") not in CODES:
            return f"code {told.get('code')}"
        if len(error["message"]) > MOST_CHARACTERS:
            return "a long message"
        # What is refused before it is run is in no trace.
        if "data" in body and not re.fullmatch(r"[0-9a-f]{32}", told.get("traceId", "")):
            return "no trace"
    return None


@schemathesis.check
class Sound:
    """Each answer is sound, and each operation was really carried out."""

    def __init__(self):
        self.answered = collections.Counter()
        self.executed = collections.Counter()

    def after_response(self, ctx, response, case):
        label = case.operation.label
        why = fault(response)
        if why is not None:
            raise AssertionError(f"{why}: {response.content[:600]!r}")
        self.answered[label] += 1
        self.executed[label] += "data" in json.loads(response.content)

    def after_run(self, ctx):
        print(f"\n{sum(self.answered.values())} answers with status 200, {sum(self.executed.values())} of them"
              f" carried out, over {len(self.answered)} operations")
        idle = sorted(label for label in self.answered if not self.executed[label])
        if not self.answered or idle:
            raise AssertionError(f"never carried out: {idle}")
