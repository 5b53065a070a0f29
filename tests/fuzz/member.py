"""Waits for a house, signs somebody up who has a bit of everything, and prints their access token."""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = sys.argv[1]
PATIENCE_S = 60


def until_ready():
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        try:
            urllib.request.urlopen(f"{URL}/readyz", timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("the house is not ready")


def graphql(query, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{URL}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        answer = json.load(response)
    if "errors" in answer:
        sys.exit(f"no data: {answer}")
    return answer["data"]


def main():
    until_ready()
    data = graphql(
        """mutation { authSignUp(input: { email: "member@example.com", password: "correct horse", nickname: "member" }) {
            tokens { accessToken } userErrors { code } } }"""
    )
    token = data["authSignUp"]["tokens"]["accessToken"]
    region = graphql("{ regions { id } }")["regions"][0]["id"]
    made = graphql(
        f"""mutation {{ gatheringCreate(input: {{ title: "walks", description: "along the river", category: OUTDOORS,
            regionId: "{region}", capacity: 9 }}) @idempotent(key: "{uuid.uuid4()}") {{
            gathering {{ id }} userErrors {{ code }} }} }}""",
        token,
    )
    if made["gatheringCreate"]["gathering"] is None:
        sys.exit(f"no gathering: {made}")
    print(token)


main()
