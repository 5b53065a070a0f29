"""What ships the house: the workflow's schema, its expressions, and what it may do."""

import json
import pathlib
import re
import subprocess

import yaml

from composed import schema

HERE = pathlib.Path(__file__).parent
EXACT = re.compile(r"^[\w.-]+/[\w./-]+@(v?\d+\.\d+\.\d+|[0-9a-f]{40})$")


def check(path, findings):
    expect = lambda condition, told: findings.expect(condition, f"{path.name}: {told}")
    schema("vendor.github-workflows", path, findings)
    done = subprocess.run(["node", "workflow.mjs", str(path)], cwd=HERE, capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    for told in json.loads(done.stdout or "[]"):
        # The list of machines that it knows is older than those that are used.
        expect(told["kind"] == "runner-label", f"{told['line']}: {told['message']}")

    workflow = yaml.safe_load(path.read_text())
    expect(workflow["permissions"] == {"contents": "read"}, "it may do more than read")
    jobs = workflow["jobs"]
    for name, job in jobs.items():
        expect(job.get("timeout-minutes"), f"{name} may run for ever")
        for step in job["steps"]:
            used = step.get("uses", "")
            expect(not used or EXACT.match(used), f"{name} uses {used}, whatever that is tomorrow")
            if used.startswith("actions/checkout@"):
                expect(step["with"]["persist-credentials"] is False, f"{name} leaves a token behind")
            # What others write must not become a command.
            expect("${{" not in step.get("run", ""), f"{name} puts an expression into a command")
    ships = " ".join(str(it) for it in jobs["image"]["steps"])
    for what in ("sbom", "provenance", "trivy-action", "cosign sign"):
        expect(what in ships, f"the image goes out without {what}")
    expect(ships.index("trivy-action") < ships.index("cosign sign"), "it is signed before it is looked at")
    last = " ".join(str(it) for it in jobs["rollout"]["steps"])
    expect("cosign verify" in last and last.index("cosign verify") < last.index("deploy/rollout"), "anything is rolled out")
    expect(jobs["rollout"]["needs"] == "image" and jobs["image"]["needs"] == "test", "untested images go out")
    expect(jobs["rollout"].get("environment") == "production", "nobody can hold a rollout back")
    return len(jobs)
