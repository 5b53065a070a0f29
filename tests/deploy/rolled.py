"""deploy/rollout against a cluster that is played: what it does in which order, and how it goes back."""

import functools
import os
import pathlib
import subprocess
import tempfile

from house import ROOMS, output
from manifests import KUSTOMIZE

IMAGE = "ghcr.io/example/moim@sha256:" + "a" * 64
# Notes every call and the images it brings; answers with what was built before; fails where it is told to.
KUBECTL = """#!/usr/bin/env bash
case $1 in
kustomize) exec cat "$BUILT" ;;
apply) images=$(grep -o 'image: .*moim.*' | sort -u | cut -d' ' -f2 | tr '\\n' ',') ;;
get) case $2 in "deployment/$NEW") ;; deployment/member) printf 7 ;; *) printf 4 ;; esac ;;
esac
printf '%s\\t%s\\n' "$*" "${images%,}" >>"$PLAYED"
[[ -z $FAILING || "$*" != *"$FAILING"* ]]
"""


def roll(deploy, failing="", new=""):
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        kubectl, log, built = (place / it for it in ("kubectl", "log", "built"))
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        log.touch()
        built.write_text(overlay(deploy / "kustomize/overlays/production"))
        played = {"PLAYED": str(log), "BUILT": str(built), "FAILING": failing, "NEW": new}
        environment = {**os.environ, **played, "PATH": f"{place}:{os.environ['PATH']}"}
        done = subprocess.run([deploy / "rollout", IMAGE], env=environment, capture_output=True, text=True)
        return done, [tuple(line.split("\t")) for line in log.read_text().splitlines()]


@functools.cache
def overlay(directory):
    return output(KUSTOMIZE, "build", directory)


def lines(calls, word):
    return [line for line, _ in calls if line.split()[0] == word]


def check(deploy, findings):
    expect = lambda condition, told: findings.expect(condition, f"rollout: {told}")
    done, calls = roll(deploy)
    expect(done.returncode == 0, done.stderr)
    told = [line for line, _ in calls]
    at = lambda start: next((number for number, line in enumerate(told) if start in line), -1)
    order = [
        at("-l !app.kubernetes.io/component"),
        at("delete job migrate"),
        at("component=migrate"),
        at("wait -n moim --for=condition=complete"),
        at("component in ("),
        at("rollout status -n moim --timeout=10m deployment/search"),
        at("component=bff"),
        at("rollout status -n moim --timeout=10m deployment/bff"),
    ]
    expect(-1 not in order and order == sorted(order), f"not in this order: {order} of {told}")
    for room in [*ROOMS, "bff"]:
        expect(any(f"deployment/{room}" in it for it in lines(calls, "rollout")), f"{room} is not waited for")
    images = {image for _, images in calls for image in images.split(",") if image}
    expect(images == {IMAGE}, f"it brings {images}")

    done, calls = roll(deploy, failing="rollout status -n moim --timeout=10m deployment/schedule")
    back = [it for it in lines(calls, "rollout") if " undo " in it]
    expect(done.returncode != 0 and "schedule did not come up" in done.stderr, f"a room fails: {done.stderr}")
    expect(len(back) == len(ROOMS) and any("member --to-revision=7" in it for it in back), f"a room fails: {back}")
    expect(not any("component=bff" in it for it in lines(calls, "apply")), "a room fails, and the endpoint goes on")

    done, calls = roll(deploy, failing="rollout status -n moim --timeout=10m deployment/bff", new="search")
    back = [it for it in lines(calls, "rollout") if " undo " in it]
    expect(done.returncode != 0 and any("bff --to-revision=4" in it for it in back), f"the endpoint fails: {back}")
    expect(not any("deployment/search" in it for it in back), "what was not there before is taken back to nothing")

    done, calls = roll(deploy, failing="wait -n moim")
    expect(done.returncode != 0 and "component in (" not in str(lines(calls, "apply")), "unmigrated, and rooms go on")
