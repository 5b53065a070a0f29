"""The image: its file, what the program needs of it, and a whole house run from it as nobody, writing nowhere but its data."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from house import MOIM, SERVICES, configuration, output

NOBODY = 65532
# What distroless/cc brings, by the names that programs ask for.
BROUGHT = re.compile(r"^(linux-vdso|libc|libm|libgcc_s|libdl|libpthread|librt|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+$")
# In a namespace of its own: the image read only, its data in memory, the user of the image and no way to other rights.
ENTER = """set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
[ -z "$DATA" ] || mount -t tmpfs -o "uid=$DATA,gid=$DATA,mode=700" data "$1/data"
root=$1 user=$2
shift 2
exec setpriv --no-new-privs unshare --root="$root" --setgid "$user" --setuid "$user" --wd / "$@"
"""
WITHIN_S = 60


def check(deploy, findings):
    done = subprocess.run([pathlib.Path(sys.executable).with_name("hadolint"), deploy / "Dockerfile"], capture_output=True, text=True)
    findings.expect(done.returncode == 0, f"Dockerfile: {done.stdout}{done.stderr}")
    linked = [line.split()[0].rsplit("/")[-1] for line in output("ldd", MOIM).splitlines()]
    more = [it for it in linked if not BROUGHT.match(it)]
    findings.expect(not more, f"the program needs what the base does not bring: {more}")
    check_ignored(deploy, findings)

    what = "the image, packed and run"
    missing = [it for it in ("buildah", "unshare", "setpriv", "mount") if not shutil.which(it)]
    if missing or os.geteuid() != 0:
        findings.leave_out(what, f"this step needs {', '.join(missing) or 'root'}")
        return "not packed"
    with tempfile.TemporaryDirectory(prefix="moim-image-") as directory:
        with Image(deploy, pathlib.Path(directory)) as image:
            image.check_config(deploy, findings)
            image.check_files(findings)
            image.check_running(findings)
            return f"{image.bytes / 1e6:.0f} MB with this build"


def check_ignored(deploy, findings):
    """What the builder is not given must not be what it compiles."""
    ignored = (deploy.parent / ".dockerignore").read_text().split()
    members = re.search(r"members = \[(.*?)\]", (deploy.parent / "Cargo.toml").read_text(), re.S)[1]
    for member in re.findall('"([^"]+)"', members):
        hidden = [it for it in ignored if member == it or member.startswith(f"{it}/")]
        findings.expect(not hidden, f".dockerignore keeps {member} from the builder")


class Image:
    """Packed by deploy/image from the program at hand and this machine's libraries, and mounted."""

    def __init__(self, deploy, scratch):
        self.scratch = scratch
        self.buildah = ["buildah", "--root", scratch / "store", "--runroot", scratch / "run", "--storage-driver", "vfs"]
        environment = {**os.environ, "ENGINE": " ".join(map(str, self.buildah)), "BUILDAH_ISOLATION": "chroot"}
        # Stripped as a release is, so that little is copied.
        program = scratch / "moim"
        output("strip", "-o", program, MOIM) if shutil.which("strip") else shutil.copy(MOIM, program)
        output(deploy / "image", "--program", program, "--base-here", "moim-checked", env=environment)

    def __enter__(self):
        self.config = json.loads(output(*self.buildah, "inspect", "--type", "image", "moim-checked"))["Docker"]["config"]
        container = output(*self.buildah, "from", "--pull-never", "moim-checked").strip()
        self.root = pathlib.Path(output(*self.buildah, "mount", container).strip())
        files = [it for it in self.root.rglob("*") if it.is_file() and not it.is_symlink()]
        self.bytes = sum(it.stat().st_size for it in files)
        return self

    def __exit__(self, *_):
        output(*self.buildah, "rm", "--all")

    def check_config(self, deploy, findings):
        expect = lambda condition, told: findings.expect(condition, f"image: {told}")
        config = self.config
        expect(config["User"] == f"{NOBODY}:{NOBODY}", f"it runs as {config['User']}")
        expect(config["Entrypoint"] == ["/moim"], f"it starts {config['Entrypoint']}")
        expect(config["Healthcheck"]["Test"] == ["CMD", "/moim", "healthy", "bff"], "nobody asks how it is")
        house = configuration((deploy / "kustomize/base/moim.toml").read_text(), {})
        told = [house["bff"]["listen"], house["telemetry"]["metrics_listen"], *(house["rooms"][it]["listen"] for it in SERVICES if it != "bff")]
        ports = {int(it.split("/")[0]) for it in config["ExposedPorts"]}
        expect(ports == {int(it.rsplit(":")[-1]) for it in told}, f"it offers {sorted(ports)}")

    def check_files(self, findings):
        programs = [str(it.relative_to(self.root)) for it in self.root.rglob("*") if it.is_file() and os.access(it, os.X_OK)]
        strange = [it for it in programs if it != "moim" and not re.search(r"\.so(\.\d+)*$", it)]
        findings.expect("moim" in programs and not strange, f"image: besides the program it holds {strange}")
        owner = (self.root / "data").stat().st_uid
        findings.expect(owner == NOBODY, f"image: its data is of {owner}")
        setuid = [str(it) for it in self.root.rglob("*") if not it.is_symlink() and it.stat().st_mode & 0o6000]
        findings.expect(not setuid, f"image: {setuid} lend rights")

    def start(self, *command, data=True, more=()):
        environment = dict(it.split("=", 1) for it in self.config["Env"])
        environment |= {"DATA": str(NOBODY) if data else "", **dict(more)}
        script = ["unshare", "--mount", "sh", "-c", ENTER, "enter", str(self.root), str(NOBODY), *command]
        # The shell and what it calls are this machine's; the program is told only what the image says.
        environment["PATH"] = os.environ["PATH"]
        return subprocess.Popen(script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def check_running(self, findings):
        expect = lambda condition, told: findings.expect(condition, f"image: {told}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{free.getsockname()[1]}"
        knobs = {"MOIM_BFF__LISTEN": listen, "MOIM_HOUSE__TOWN": "false"}
        running = self.start(*self.config["Entrypoint"], more=knobs.items())
        try:
            ready = waits(lambda: urllib.request.urlopen(f"http://{listen}/readyz", timeout=2).status == 200, running)
            expect(ready, "a house does not get ready in it")
            status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{running.pid}/status").read_text().splitlines() if ":\t" in line)
            expect(status["Name"] == "moim" and status["Uid"].split()[0] == str(NOBODY), f"it runs as {status['Uid']}")
            expect(int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1", "it may do more than it needs")
            asked = self.start(*self.config["Healthcheck"]["Test"][1:], more=knobs.items())
            said = asked.communicate(timeout=WITHIN_S)[0]
            expect(asked.returncode == 0 and "is ready" in said, f"its probe says: {said}")
        finally:
            running.terminate()
            said = running.communicate(timeout=WITHIN_S)[0]
        expect(running.returncode == 0, f"it does not end cleanly: {running.returncode} {said}")
        asked = self.start(*self.config["Healthcheck"]["Test"][1:], more=knobs.items())
        said = asked.communicate(timeout=WITHIN_S)[0]
        expect(asked.returncode == 1, f"its probe says of nobody: {said}")

        # The controls: without data it has no place to write to, and there is nothing else to start.
        refused = self.start(*self.config["Entrypoint"], data=False, more=knobs.items())
        said = refused.communicate(timeout=WITHIN_S)[0]
        expect(refused.returncode == 1 and "did not open" in said, f"it writes into its image: {said}")
        shell = self.start("/bin/sh", "-c", "true")
        said = shell.communicate(timeout=WITHIN_S)[0]
        expect(shell.returncode == 127, f"it holds a shell: {said}")


def waits(condition, running):
    due = time.monotonic() + WITHIN_S
    while time.monotonic() < due and running.poll() is None:
        try:
            if condition():
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False
