"""Holds deploy/ and the workflow that ships it against schemas, against the program, and against rules of the house.

The program is named by MOIM_BIN.
"""

import pathlib
import shutil
import sys
import tempfile
import time

import composed
import controls
import image
import manifests
import pipeline
import rolled
from findings import Findings

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
WORKFLOW = ROOT / ".github/workflows/ship.yml"


def main():
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="moim-deploy-") as directory:
        scratch = pathlib.Path(directory)
        copy = scratch / "components" / "deploy"
        shutil.copytree(DEPLOY, copy)
        steps = {
            "overlays": lambda: manifests.check_overlays(DEPLOY, findings),
            "components, each alone": lambda: manifests.check_components(copy, findings),
            "as kubectl builds them": lambda: kubectl(findings),
            "dashboards": lambda: manifests.check_dashboards(DEPLOY, findings),
            "secrets, as the README tells them": lambda: told(findings),
            "compose, services": lambda: composed.check(DEPLOY, findings),
            "workflow, jobs": lambda: pipeline.check(WORKFLOW, findings),
            "rollout": lambda: rolled.check(DEPLOY, findings),
            "image": lambda: image.check(DEPLOY, findings),
            "harms done to a copy": lambda: controls.run(DEPLOY, WORKFLOW, scratch, findings),
        }
        for name, step in steps.items():
            began, before = time.monotonic(), len(findings.wrong)
            said = step()
            word = "ok" if len(findings.wrong) == before else "FAILED"
            print(f"{word:6} {name}{'' if said is None else f': {said}'} ({time.monotonic() - began:.1f} s)", flush=True)
    findings.left_out.append("NOT CHECKED HERE: compiling in the container, and gcr.io's base: they need docker.io and gcr.io; a push to main does it")
    findings.left_out.append("NOT CHECKED HERE: a cluster: Kubernetes' schemas stand in for its API server, a played kubectl for its answers")
    print("\n".join([*findings.left_out, *findings.wrong]))
    return 1 if findings.wrong else 0


def kubectl(findings):
    """deploy/rollout builds with kubectl, whose kustomize is another version."""
    if not shutil.which("kubectl"):
        findings.left_out.append("NOT CHECKED HERE: overlays as kubectl builds them: there is no kubectl")
        return None
    for overlay in sorted((DEPLOY / "kustomize/overlays").iterdir()):
        here, there = (manifests.output(*it, overlay) for it in ((manifests.KUSTOMIZE, "build"), ("kubectl", "kustomize")))
        findings.expect(here == there, f"{overlay.name}: kubectl builds something else")
    return None


def told(findings):
    text = (DEPLOY / "README.md").read_text()
    for key in manifests.SECRETS:
        findings.expect(f"--from-literal={key}=" in text, f"README.md does not tell how {key} is set")


sys.exit(main())
