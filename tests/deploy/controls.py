"""Whether the checks can fail: each harm is done to a copy, and must be told."""

import shutil

import yaml

import composed
import manifests
import pipeline
import rolled
from findings import Findings

MTLS = "kustomize/components/mtls/kustomization.yaml"
POLICIES = "kustomize/components/network-policies/policies.yaml"
ROOM = "kustomize/base/room/deployment.yaml"
TOML = "kustomize/base/moim.toml"
# Which check, in which file, what for what, and what is to be told.
HARMS = [
    ("production", POLICIES, "[bff, schedule, notification]", "[bff, notification]", "may reach payment"),
    ("production", POLICIES, "[bff, schedule, notification]", "[bff, schedule, notification, chat]", "may reach payment"),
    ("production", POLICIES, "name: from-search", "name: from-search-no-more\n  labels: {}\n---\n", "production"),
    ("production", POLICIES, "port: 5005", "port: 5006", "chat may be reached at"),
    ("local", TOML, 'address = "http://chat:5005"', 'address = "http://chats:5005"', "looks for chat"),
    ("local", TOML, 'mode = "production"', 'mode = "production"\nlisten_at = "0.0.0.0:1"', "knobs are none"),
    ("local", TOML, "migrate = false", "migrate = true", "migrates by itself"),
    ("local", TOML, 'metrics_listen = "0.0.0.0:9464"', 'metrics_listen = "0.0.0.0:9465"', "metrics are elsewhere"),
    ("local", ROOM, "MOIM_BUS__URL", "MOIM_BUS__URI", "knobs are none"),
    ("local", ROOM, "valueFrom: { secretKeyRef: { name: moim, key: storage-url } }", "value: postgres://moim:moim@postgres/moim", "in the open"),
    ("local", ROOM, "key: bus-url", "key: nats-url", "nobody is told to set"),
    ("local", ROOM, "service: live", "service: alive", "startupProbe asks"),
    ("local", ROOM, "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 20", "is killed after 20 s"),
    ("local", ROOM, "requests: { cpu: 100m, memory: 96Mi }", "requests: { cpu: 100m }", "asks for no memory"),
    ("local", ROOM, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write its image"),
    ("local", ROOM, "revisionHistoryLimit: 5", "revisionHistoryLimitz: 5", "revisionHistoryLimitz"),
    ("production", MTLS, "healthy, chat]", "healthy, review]", "chat's readinessProbe asks"),
    ("production", MTLS, "https://chat:5005", "http://chat:5005", "looks for chat"),
    ("production", "kustomize/components/disruption-budgets/budgets.yaml", "name: payment", "name: payments", "the last payment"),
    ("production", "kustomize/components/autoscaling/scalers.yaml", "name: review }", "name: reviews }", "review does not grow"),
    ("production", "kustomize/overlays/production/ingress.yaml", "host: moim.example", "host: moim.elsewhere", "is let in at"),
    ("compose", "compose.yaml", "healthy, chat]", "healthy, review]", "chat is asked by"),
    ("compose", "compose.yaml", "MOIM_SHARED__URL", "MOIM_SHARED__URI", "knobs are none"),
    ("compose", "compose.yaml", "http://collector:4317", "http://collector:4318", "rooms send to"),
    ("compose", "compose.yaml", "read_only: true", "readonly: true", "may do more"),
    ("compose", "compose.yaml", '"127.0.0.1:4000:4000"', '"4000:4000"', "open to other machines"),
    ("compose", "compose/prometheus.yml", "payment, search]", "payment]", "prometheus: it asks"),
    ("compose", "compose/prometheus.yml", "port: 9464", "port: 9465", "metrics are at"),
    ("compose", "compose/collector.yaml", "jaeger:4317", "yaeger:4317", "sends to yaeger"),
    ("compose", "compose/collector.yaml", "exporters: [otlp]", "exporters: [oltp]", "are none"),
    ("pipeline", "ship.yml", "actions/checkout@v4.2.2", "actions/checkout@v4", "whatever that is tomorrow"),
    ("pipeline", "ship.yml", "needs: test", "needs: [tset]", "tset"),
    ("pipeline", "ship.yml", "timeout-minutes: 90", "timeout_minutes: 90", "timeout_minutes"),
    ("pipeline", "ship.yml", "steps.build.outputs.digest", "steps.built.outputs.digest", "built"),
    ("rollout", "rollout", "say 'databases'", "apply \"$kind=bff\"", "in this order"),
    ("rollout", "rollout", "        go_back\n", "", "a room fails"),
    ("rollout", "rollout", "--to-revision=", "--revision=", "a room fails"),
]


def run(deploy, workflow, scratch, findings):
    """Does each harm alone; how many were found."""
    for number, (check, file, old, new, told) in enumerate(HARMS):
        copy = scratch / str(number) / "deploy"
        shutil.copytree(deploy, copy)
        shutil.copy(workflow, copy / "ship.yml")
        path = copy / file
        text = path.read_text()
        if old not in text:
            findings.expect(False, f"control: {file} does not say {old!r} any more")
            continue
        path.write_text(text.replace(old, new, 1))
        found = look(check, copy)
        findings.expect(any(told in it for it in found), f"control: {new!r} in {file} was not told as {told!r}: {found}")
    return len(HARMS)


def look(check, deploy):
    found = Findings()
    try:
        match check:
            case "local" | "production":
                manifests.check_overlay(deploy, check, found)
            case "compose":
                composed.check(deploy, found)
            case "pipeline":
                pipeline.check(deploy / "ship.yml", found)
            case "rollout":
                rolled.check(deploy, found)
    except (RuntimeError, KeyError, yaml.YAMLError) as error:
        found.expect(False, f"{check}: {error!r}")
    return found.wrong
