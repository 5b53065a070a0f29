"""The house as the program tells it: its rooms, who calls whom, and the configuration that comes of a file and knobs."""

import functools
import json
import os
import pathlib
import subprocess
import tempfile
import tomllib

ROOMS = "member gathering schedule payment review chat notification search".split()
SERVICES = [*ROOMS, "bff"]
LABELS = {"app.kubernetes.io/name": "moim"}
COMPONENT = "app.kubernetes.io/component"
MOIM = pathlib.Path(os.environ["MOIM_BIN"]).resolve()


def output(*command, **options):
    done = subprocess.run([str(it) for it in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


@functools.cache
def wiring():
    return {it["room"]: set(it["callers"]) for it in json.loads(output(MOIM, "wiring"))}


def configuration(text, knobs):
    """What a process of this file and these variables goes by; fails on a knob that does not exist."""
    return _configuration(text, tuple(sorted(knobs.items())))


@functools.cache
def _configuration(text, knobs):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOIM_")}
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        return tomllib.loads(output(MOIM, "--config", file.name, "config", env={**environment, **dict(knobs)}))
