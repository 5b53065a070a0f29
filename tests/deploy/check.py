"""Holds deploy/ against Kubernetes' own schemas, against the wiring of the house, and against its own rules.

usage: check.py KUSTOMIZE MOIM
"""

import json
import pathlib
import subprocess
import sys

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUSTOMIZE, MOIM = sys.argv[1:3]
ROOMS = "member gathering schedule payment review chat notification search".split()
HOUSE = {"app.kubernetes.io/name": "moim"}
failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def build(overlay):
    return [it for it in yaml.safe_load_all(output(KUSTOMIZE, "build", str(overlay))) if it]


def named(objects, kind):
    return {it["metadata"]["name"]: it for it in objects if it["kind"] == kind}


def check_schema(overlay, objects):
    for each in objects:
        try:
            kubernetes_validate.validate(each, "1.37", strict=True)
        except Exception as error:  # noqa: BLE001 - each kind of complaint is one failure
            expect(False, f"{overlay}: {each['kind']} {each['metadata']['name']}: {error}")


def pods(objects):
    """Pod templates of the house itself, by name."""
    for each in objects:
        if each["kind"] in ("Deployment", "Job"):
            template = each["spec"]["template"]
            if HOUSE.items() <= template["metadata"].get("labels", {}).items():
                yield each["metadata"]["name"], template["spec"]


def check_pods(overlay, objects):
    seen = set()
    for name, pod in pods(objects):
        seen.add(name)
        security = pod["securityContext"]
        expect(security.get("runAsNonRoot") and security.get("runAsUser", 0) > 0, f"{overlay}: {name} may be root")
        expect(pod.get("automountServiceAccountToken") is False, f"{overlay}: {name} is given a token of the cluster")
        for container in pod["containers"]:
            own = container["securityContext"]
            expect(own.get("readOnlyRootFilesystem"), f"{overlay}: {name} may write its image")
            expect(own.get("allowPrivilegeEscalation") is False, f"{overlay}: {name} may gain rights")
            expect(own["capabilities"]["drop"] == ["ALL"], f"{overlay}: {name} keeps capabilities")
            expect(container["resources"]["limits"].get("memory"), f"{overlay}: {name} has no bound of memory")
            for variable in container.get("env", []):
                secret = any(word in variable["name"] for word in ("SECRET", "URL", "KEY")) and "OTLP" not in variable["name"]
                named_file = variable["name"].endswith("_FILE")
                expect(
                    not secret or named_file or "valueFrom" in variable or variable["value"] == "",
                    f"{overlay}: {name} has {variable['name']} in the open",
                )
            if name != "migrate":
                for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                    expect(probe in container, f"{overlay}: {name} has no {probe}")
    expect(seen == {*ROOMS, "bff", "migrate"}, f"{overlay}: it runs {sorted(seen)}")


def check_ports(overlay, objects):
    """Every address that the shared configuration names is a service, and a port of its pods."""
    import tomllib

    configs = [it for name, it in named(objects, "ConfigMap").items() if name.startswith("moim")]
    config = tomllib.loads(configs[0]["data"]["moim.toml"])
    services = named(objects, "Service")
    pods_by_name = dict(pods(objects))
    for room in ROOMS:
        address = config["rooms"][room]["address"]
        port = services[room]["spec"]["ports"][0]["port"]
        expect(address == f"http://{room}:{port}", f"{overlay}: {room} is at {address}, its service at port {port}")
        expect(config["rooms"][room]["listen"] == f"0.0.0.0:{port}", f"{overlay}: {room} does not listen on {port}")
        container = pods_by_name[room]["containers"][0]
        expect(container["ports"][0]["containerPort"] == port, f"{overlay}: {room}'s pods do not offer {port}")
        expect(container["args"][-1] == room, f"{overlay}: {room} runs {container['args']}")
        expect(services[room]["spec"]["clusterIP"] == "None", f"{overlay}: {room} is not headless")


def check_policies(overlay, objects):
    """The network lets through what `moim wiring` says, in both directions, and nothing else."""
    wiring = {it["room"]: set(it["callers"]) for it in json.loads(output(MOIM, "wiring"))}
    arriving = {room: set() for room in wiring}
    leaving = {room: set() for room in wiring}
    policies = named(objects, "NetworkPolicy").values()
    nobody = [it for it in policies if set(it["spec"]["policyTypes"]) == {"Ingress", "Egress"} and "ingress" not in it["spec"]]
    expect(len(nobody) == 1, f"{overlay}: nothing denies what no policy allows")
    for policy in policies:
        own = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for rule in policy["spec"].get("ingress", []):
            for peer in rule["from"]:
                for expression in peer.get("podSelector", {}).get("matchExpressions", []):
                    arriving[own].update(expression["values"])
        for rule in policy["spec"].get("egress", []):
            for peer in rule.get("to", []):
                callee = peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/component")
                if callee:
                    leaving[callee].add(own)
    for room, callers in wiring.items():
        expect(arriving[room] == callers, f"{overlay}: {sorted(arriving[room])} may reach {room}, not {sorted(callers)}")
        expect(leaving[room] == callers, f"{overlay}: {sorted(leaving[room])} may set out for {room}, not {sorted(callers)}")


def check_compose():
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    running = {name for name, it in compose["services"].items() if it.get("image") == "moim"}
    expect(running == {*ROOMS, "bff", "migrate"}, f"compose runs {sorted(running)}")
    for name, each in compose["configs"].items():
        expect((ROOT / "deploy" / each["file"]).is_file(), f"compose: the file of {name} is missing")


def main():
    overlays = sorted((ROOT / "deploy/kustomize/overlays").iterdir())
    expect(len(overlays) >= 2, "there are no overlays")
    for overlay in overlays:
        objects = build(overlay)
        check_schema(overlay.name, objects)
        check_pods(overlay.name, objects)
        check_ports(overlay.name, objects)
        if named(objects, "NetworkPolicy"):
            check_policies(overlay.name, objects)
        print(f"{overlay.name}: {len(objects)} objects")
    check_compose()
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{len(overlays)} overlays, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
