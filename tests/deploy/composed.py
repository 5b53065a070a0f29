"""deploy/compose.yaml and what it mounts: schema, knobs, health, and that each thing finds the next."""

import json
import re
import subprocess
import sys

import yaml

from house import SERVICES, configuration

# What is true of a house that is reached from this machine alone.
OPEN = re.compile(r"^127\.0\.0\.1:\d+:\d+$")


def schema(name, path, findings):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    findings.expect(done.returncode == 0, f"{path.name}: {done.stdout}{done.stderr}")


def check(deploy, findings):
    path = deploy / "compose.yaml"
    schema("vendor.compose-spec", path, findings)
    compose = yaml.safe_load(path.read_text())
    services = compose["services"]
    check_house(deploy, services, findings)
    check_others(deploy, compose, findings)
    check_prometheus(deploy, services, findings)
    check_collector(deploy, services, findings)
    check_grafana(deploy, services, findings)
    return len(services)


def variables(service):
    # As compose puts them in when nothing is set beside it.
    stand_in = lambda value: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
    return {name: stand_in(value) for name, value in service["environment"].items()}


def check_house(deploy, services, findings):
    expect = lambda condition, told: findings.expect(condition, f"compose: {told}")
    ours = {name: it for name, it in services.items() if it.get("image") == "moim"}
    expect(set(ours) == {*SERVICES, "migrate"}, f"it runs {sorted(ours)}")
    text = (deploy / "kustomize/base/moim.toml").read_text()
    for name, service in ours.items():
        wanted = ["migrate"] if name == "migrate" else ["run", name]
        expect(service["command"] == ["--config", "/etc/moim/moim.toml", *wanted], f"{name} runs {service['command']}")
        expect(service.get("read_only") and service.get("cap_drop") == ["ALL"], f"{name} may do more than it needs")
        expect("no-new-privileges:true" in service.get("security_opt", []), f"{name} may gain rights")
        try:
            config = configuration(text, variables(service))
        except RuntimeError as error:
            expect(False, f"{name}'s knobs are none: {error}")
            continue
        for knob in ("storage", "bus", "shared"):
            host = re.split("[:/]", config[knob]["url"].split("://")[1].split("@")[-1])[0]
            expect(host in services, f"{name} looks for {host}")
        if name == "migrate":
            expect(service["healthcheck"] == {"disable": True}, "what ends is asked how it is")
            continue
        asked = service["healthcheck"]["test"]
        expect(asked == ["CMD", "/moim", "--config", "/etc/moim/moim.toml", "healthy", name], f"{name} is asked by {asked}")
        after = {it: how["condition"] for it, how in service["depends_on"].items()}
        expect(after.pop("migrate", None) == "service_completed_successfully", f"{name} does not wait for its database")
        for engine, condition in after.items():
            expect(condition == "service_healthy" and "healthcheck" in services[engine], f"{name} does not wait for {engine}")
    expect(ours["search"].get("volumes") == ["/data"], "replicas of search share what each needs for itself")


def check_others(deploy, compose, findings):
    expect = lambda condition, told: findings.expect(condition, f"compose: {told}")
    for name, service in compose["services"].items():
        image = service["image"]
        expect(image == "moim" or re.search(r":v?\d+\.\d+", image), f"{name} is any version of {image}")
        expect(all(OPEN.match(it) for it in service.get("ports", [])), f"{name} is open to other machines")
        for mounted in service.get("configs", []):
            expect(mounted["source"] in compose["configs"], f"{name} has no {mounted['source']}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            known = source.startswith("/") or source in compose["volumes"] or (deploy / source).is_dir()
            expect(known, f"{name} has no {source}")
    for name, each in compose["configs"].items():
        expect((deploy / each["file"]).is_file(), f"the file of {name} is missing")


def mounts(service, target):
    return target in {it["target"] for it in service.get("configs", [])}


def check_prometheus(deploy, services, findings):
    expect = lambda condition, told: findings.expect(condition, f"prometheus: {told}")
    config = yaml.safe_load((deploy / "compose/prometheus.yml").read_text())
    text = (deploy / "kustomize/base/moim.toml").read_text()
    listen = configuration(text, {})["telemetry"]["metrics_listen"]
    names, ports = [], set()
    for job in config["scrape_configs"]:
        for found in job["dns_sd_configs"]:
            names += found["names"]
            ports.add(found["port"])
    expect(sorted(names) == sorted(SERVICES), f"it asks {sorted(names)}")
    expect(ports == {int(listen.rsplit(":")[-1])}, f"it asks at {ports}, metrics are at {listen}")
    for rules in config["rule_files"]:
        expect(mounts(services["prometheus"], rules), f"{rules} is not mounted")
    rules = yaml.safe_load((deploy / "alarms.yml").read_text()) or {"groups": []}
    for group in rules["groups"]:
        for rule in group["rules"]:
            what = rule.get("alert") or rule.get("record")
            expect(what and rule.get("expr"), f"a rule of {group['name']} says nothing")


def check_collector(deploy, services, findings):
    expect = lambda condition, told: findings.expect(condition, f"collector: {told}")
    config = yaml.safe_load((deploy / "compose/collector.yaml").read_text())
    expect(mounts(services["collector"], services["collector"]["command"][1]), "its file is not mounted")
    for name, pipeline in config["service"]["pipelines"].items():
        for kind in ("receivers", "processors", "exporters"):
            unknown = set(pipeline.get(kind, [])) - set(config.get(kind, {}))
            expect(not unknown, f"{name} names {kind} that are none: {sorted(unknown)}")
        order = [it.split("/")[0] for it in pipeline["processors"]]
        expect(order[0] == "memory_limiter", f"{name} may use up its memory before it is bounded")
    for name, exporter in config["exporters"].items():
        if "endpoint" in exporter:
            host = exporter["endpoint"].split("://")[-1].split(":")[0]
            expect(host in services, f"{name} sends to {host}")
    told = variables(services["bff"])["MOIM_TELEMETRY__OTLP_URL"]
    port = config["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].rsplit(":")[-1]
    expect(told == f"http://collector:{port}", f"rooms send to {told}, it listens on {port}")


def check_grafana(deploy, services, findings):
    expect = lambda condition, told: findings.expect(condition, f"grafana: {told}")
    sources = yaml.safe_load((deploy / "compose/datasources.yaml").read_text())["datasources"]
    for source in sources:
        host = re.split("[:/]", source["url"].split("://")[1])[0]
        expect(host in services, f"{source['name']} is at {host}")
    provider = yaml.safe_load((deploy / "compose/dashboards.yaml").read_text())["providers"][0]
    mounted = {it.split(":")[1]: it.split(":")[0] for it in services["grafana"]["volumes"]}
    expect(mounted.get(provider["options"]["path"]) == "./dashboards", "dashboards are not mounted where it looks")
    known = {it["uid"] for it in sources} | {"-- Grafana --", "grafana"}
    for path in sorted((deploy / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        expect(board.get("title") and board.get("panels"), f"{path.name} shows nothing")
        used = {it["uid"] for it in find(board, "datasource") if isinstance(it, dict) and "uid" in it}
        unknown = {it for it in used if not it.startswith("$")} - known
        expect(not unknown, f"{path.name} asks sources that are none: {sorted(unknown)}")


def find(tree, key):
    """Every value of a key, however deep."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from find(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from find(value, key)
