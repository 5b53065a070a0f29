"""Measures what one of each operation costs each station of a fleet in CPU, and what each thing that is kept weighs.

usage: MOIM_BIN=target/release/moim python3 measure.py > measured.txt

It starts every room by itself over PostgreSQL, NATS and Redis on this machine, with the town in it, and reads the CPU that
each process has used (its user and system time) before and after so many of an operation; what they use while nothing is
asked is taken off. CPU time says little less on a busy machine, which is why it is measured and not seconds. As root it
starts PostgreSQL as its own user. Standard library only.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid

ROOMS = "member gathering schedule payment review chat notification search".split()
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
SECRET = "the rooms of this house"
MEMBERS = 160
READERS = 100
# Enough that the tick of 10 ms is little.
READS, WRITES = 1200, 480
AT_ONCE = 4
SETTLE_S = 4

README_LIST = """{ gatherings(first: 20, sort: POPULAR) { edges { node { title region { name } host { nickname bio }
  schedules(first: 3) { edges { node { title goingCount capacity } } } } } } }"""
PAGE = """query($id: ID!) { node(id: $id) { ... on Gathering { title description host { nickname } viewerMembership { role }
  members(first: 20) { edges { node { role member { nickname avatarUrl } } } }
  schedules(first: 5) { edges { node { title startsAt status viewerOption } } } } } }"""
HOME = """{ viewer { member { nickname } memberships(first: 5) { edges { node { gathering { title } } } }
  attendances(first: 5) { edges { node { schedule { title } } } } } gatherings(first: 5) { edges { node { title } } } }"""
BELL = """{ viewer { unreadNotificationCount notifications(first: 20) { edges { node { kind text subject { id } } } } } }"""
CHAT = """query($id: ID!) { node(id: $id) { ... on Gathering { title
  messages(last: 20) { edges { node { body sentAt author { nickname avatarUrl } } } } } } }"""
FIND = """query($q: String!) { search(query: $q, first: 20) { totalCount edges { highlights { text } node {
  ... on Gathering { title host { nickname } } ... on Schedule { title goingCount } ... on Member { nickname bio } } } } }"""
SUGGEST = "query($q: String!) { searchSuggestions(prefix: $q) }"
SIGN_UP = """mutation($input: AuthSignUpInput!) { authSignUp(input: $input) { tokens { accessToken refreshToken } userErrors { code } } }"""
REFRESH = "mutation($t: String!) { authRefresh(input: { refreshToken: $t }) { tokens { refreshToken } userErrors { code } } }"
LOG_IN = """mutation($input: AuthLogInInput!) { authLogIn(input: $input) { tokens { accessToken } userErrors { code } } }"""
CREATE = """mutation($input: GatheringCreateInput!) { gatheringCreate(input: $input) { gathering { id } userErrors { code message } } }"""
JOIN = "mutation($input: GatheringJoinInput!) { gatheringJoin(input: $input) { membership { id } userErrors { code message } } }"
ANNOUNCE = "mutation($input: ScheduleCreateInput!) { scheduleCreate(input: $input) { schedule { id } userErrors { code message } } }"
ATTEND = """mutation($input: ScheduleAttendInput!, $key: String!) { scheduleAttend(input: $input) @idempotent(key: $key) {
  attendance { state } userErrors { code message } } }"""
SAY = "mutation($input: ChatMessageSendInput!) { chatMessageSend(input: $input) { edge { cursor } userErrors { code message } } }"
FOLLOW = "subscription($id: ID!) { chatMessageAdded(gatheringId: $id) { cursor node { body author { nickname } } } }"


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def spent(pids):
    """CPU seconds that processes and what they have waited for have used."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(int(it) for it in fields[11:15 if pid == pids[0] else 13])
    return ticks * TICK_S


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        return [int(it) for it in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Fleet:
    def __init__(self, place):
        self.place, self.processes = place, {}
        self.postgres()
        ports = {it: free_port() for it in [*ROOMS, "bff", "nats", "redis", "watch"]}
        self.watch = f"http://127.0.0.1:{ports['watch']}/jsz?streams=1"
        self.start("nats", shutil.which("nats-server") or "/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", ports["nats"], "-m", ports["watch"], "--jetstream", "--store_dir", place / "nats")
        self.start("redis", "redis-server", "--bind", "127.0.0.1", "--port", ports["redis"], "--save", "", "--dir", place)
        self.address = f"127.0.0.1:{ports['bff']}"
        knobs = {
            "MOIM_HOUSE__SECRET": SECRET,
            "MOIM_STORAGE__URL": self.database,
            "MOIM_BUS__URL": f"nats://127.0.0.1:{ports['nats']}",
            "MOIM_SHARED__URL": f"redis://127.0.0.1:{ports['redis']}",
            "MOIM_HOUSE__PATIENCE_MS": "120000",
            "MOIM_BFF__LISTEN": self.address,
            "MOIM_MEMBER__ACCESS_TOKEN_S": "7200",
            "MOIM_BFF__REQUESTS_PER_ADDRESS": "0",
            "MOIM_BFF__REQUESTS_PER_ADDRESS_PER_SECOND": "0",
            "MOIM_BFF__ATTEMPTS_PER_MINUTE": "0",
            "MOIM_BFF__MEMBER_POINTS": "1000000000",
            "MOIM_BFF__MEMBER_POINTS_PER_SECOND": "1000000000",
            "MOIM_BFF__STRANGER_POINTS": "1000000000",
            "MOIM_BFF__STRANGER_POINTS_PER_SECOND": "1000000000",
            "MOIM_BFF__SOCKETS_PER_MEMBER": "1000",
        }
        for room in ROOMS:
            knobs[f"MOIM_ROOMS__{room.upper()}__LISTEN"] = f"127.0.0.1:{ports[room]}"
            knobs[f"MOIM_ROOMS__{room.upper()}__ADDRESS"] = f"http://127.0.0.1:{ports[room]}"
        self.environment = {**{it: value for it, value in os.environ.items() if not it.startswith("MOIM_")}, **knobs}
        moim = pathlib.Path(os.environ["MOIM_BIN"]).resolve()
        subprocess.run([moim, "town", "--data", place / "town"], env=self.environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for room in [*ROOMS, "bff"]:
            self.start(room, moim, "run", room, "--data", place / f"{room}-data", env=self.environment)
        self.wait()

    def start(self, name, *command, **options):
        log = open(self.place / f"{name}.log", "w")
        self.processes[name] = subprocess.Popen([str(it) for it in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options)

    def postgres(self):
        bin_ = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda it: int(it.parent.name))
        data, port, options = self.place / "postgres", free_port(), {"cwd": "/"}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            data.mkdir()
            os.chown(data, user.pw_uid, user.pw_gid)
            options |= {"user": user.pw_uid, "group": user.pw_gid}
        data = data / "data"
        subprocess.run([bin_ / "initdb", "--no-locale", "--encoding=UTF8", "--auth=trust", "--username=moim", "-D", data], check=True, stdout=subprocess.DEVNULL, **options)
        self.start("postgres", bin_ / "postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "unix_socket_directories=", "-c", "max_connections=300", **options)
        self.psql_ = [bin_ / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", "moim", "-qtAX"]
        while subprocess.run([bin_ / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode:
            time.sleep(0.1)
        subprocess.run([bin_ / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "moim", "moim"], check=True)
        self.database = f"postgres://moim@127.0.0.1:{port}/moim"

    def psql(self, query):
        done = subprocess.run([*self.psql_, "-d", "moim", "-c", query], check=True, capture_output=True, text=True)
        return int(float(done.stdout.strip() or 0))

    def wait(self):
        due = time.monotonic() + 120
        while time.monotonic() < due:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection(self.address, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.2)
        raise SystemExit("the fleet did not get ready: " + (self.place / "bff.log").read_text()[-2000:])

    def cpu(self):
        own = {name: [it.pid] for name, it in self.processes.items()}
        # Connections are processes of their own there; those that have ended count with the first.
        own["postgres"] += children(own["postgres"][0])
        return {name: spent(pids) for name, pids in own.items()}

    def resident_kib(self, name):
        status = pathlib.Path(f"/proc/{self.processes[name].pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def stop(self):
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


LOCAL = threading.local()


def ask(fleet, document, variables=None, token=None):
    body = json.dumps({"query": document, "variables": variables or {}})
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    for _ in range(3):
        if getattr(LOCAL, "connection", None) is None:
            LOCAL.connection = http.client.HTTPConnection(fleet.address, timeout=60)
        try:
            LOCAL.connection.request("POST", "/graphql", body.encode(), headers)
            answer = json.loads(LOCAL.connection.getresponse().read())
            break
        except (OSError, http.client.HTTPException):
            LOCAL.connection = None
    if answer.get("errors"):
        raise RuntimeError(f"{document[:60]}: {json.dumps(answer['errors'])[:300]}")
    for payload in (answer["data"] or {}).values():
        if isinstance(payload, dict) and payload.get("userErrors"):
            raise RuntimeError(f"{document[:60]}: {payload['userErrors']}")
    return answer["data"]


def put(name, value, unit, told):
    print(f"{name:32} {value:12.4f}  {unit:22} # {told}", flush=True)


class Meter:
    def __init__(self, fleet):
        self.fleet = fleet
        # The town is still being told to all rooms.
        time.sleep(20)
        before, began = fleet.cpu(), time.monotonic()
        time.sleep(12)
        took = time.monotonic() - began
        self.idle = {name: (value - before[name]) / took for name, value in fleet.cpu().items()}
        for name, value in self.idle.items():
            put(f"idle.{name}", value * 1000, "CPU ms / s", "while nothing is asked")

    def run(self, name, calls, per=None):
        """CPU by station of each call, or of each of what `per` counts."""
        before, began = self.fleet.cpu(), time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda call: call(), calls))
        asked = time.monotonic() - began
        time.sleep(SETTLE_S)
        took, count = time.monotonic() - began, per or len(calls)
        for station, after in self.fleet.cpu().items():
            cost = after - before[station] - self.idle[station] * took
            # What ticks of 10 ms cannot tell from nothing.
            if cost >= 2 * TICK_S:
                put(f"{name}.{station}", cost / count * 1000, "CPU ms", f"of {count}, asked in {asked:.1f} s")
        return answers


def main():
    with tempfile.TemporaryDirectory(prefix="moim-measure-") as directory:
        os.chmod(directory, 0o755)
        fleet = Fleet(pathlib.Path(directory))
        try:
            measure(fleet)
        finally:
            fleet.stop()


def measure(fleet):
    region = ask(fleet, "{ regions { id } }")["regions"][0]["id"]
    meter = Meter(fleet)
    people = lambda number: {"email": f"m{number}@example.com", "password": "correct horse battery", "nickname": f"measured{number}"}
    answers = meter.run("sign_up", [lambda n=n: ask(fleet, SIGN_UP, {"input": people(n)}) for n in range(MEMBERS)])
    tokens = [it["authSignUp"]["tokens"]["accessToken"] for it in answers]
    credentials = lambda number: {key: value for key, value in people(number).items() if key != "nickname"}
    meter.run("log_in", [lambda n=n: ask(fleet, LOG_IN, {"input": credentials(n)}) for n in range(MEMBERS)])

    spare = [it["authSignUp"]["tokens"]["refreshToken"] for it in answers]

    def refresh(number):
        for _ in range(3):
            spare[number] = ask(fleet, REFRESH, {"t": spare[number]})["authRefresh"]["tokens"]["refreshToken"]

    meter.run("refresh", [lambda n=n: refresh(n) for n in range(MEMBERS)], per=3 * MEMBERS)
    host = tokens[0]
    gathering = {"title": "아침 산책", "description": "강가를 걷습니다.", "category": "OUTDOORS", "regionId": region, "capacity": 500}
    place = ask(fleet, CREATE, {"input": gathering}, host)["gatheringCreate"]["gathering"]["id"]
    meter.run("join", [lambda t=t: ask(fleet, JOIN, {"input": {"gatheringId": place}}, t) for t in tokens[1:]])

    at = lambda hours: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600 * hours))
    schedule = lambda n: {"gatheringId": place, "title": "강변 걷기", "description": "천천히 걷습니다.", "place": "뚝섬 나들목", "startsAt": at(200 + n * 4), "endsAt": at(202 + n * 4), "capacity": 400}
    rows = lambda table: fleet.psql(f"SELECT count(*) FROM {table}")
    mail, bytes_ = rows("notification.notification"), fleet.psql("SELECT pg_total_relation_size('notification.notification')")
    per = 24 * (MEMBERS - 1)
    announced = meter.run("notified", [lambda n=n: ask(fleet, ANNOUNCE, {"input": schedule(n)}, host) for n in range(24)], per=per)
    told = rows("notification.notification") - mail
    put("notified.all", told / per, "", "1: everybody was told once")
    put("bytes.notification", (fleet.psql("SELECT pg_total_relation_size('notification.notification')") - bytes_) / max(told, 1), "bytes", "table and indexes")
    mail = rows("notification.notification")
    for number in range(24, 36):
        ask(fleet, ANNOUNCE, {"input": schedule(number)}, host)
    put("rate.notified", pace(lambda: rows("notification.notification") - mail, 12 * (MEMBERS - 1)), "notifications / s", "one consumer, on a busy machine: at least")
    schedules = [it["scheduleCreate"]["schedule"]["id"] for it in announced]

    pairs = [(token, it) for it in schedules for token in tokens[1:]][:WRITES]
    attend = lambda token, it: ask(fleet, ATTEND, {"input": {"scheduleId": it, "allowOverlap": True}, "key": str(uuid.uuid4())}, token)
    whole = fleet.psql("SELECT pg_database_size('moim')")
    wal = fleet.psql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
    bus = sum(it.stat().st_size for it in (fleet.place / "nats").rglob("*") if it.is_file())
    meter.run("attend", [lambda token=token, it=it: attend(token, it) for token, it in pairs])
    put("bytes.attend", (fleet.psql("SELECT pg_database_size('moim')") - whole) / len(pairs), "bytes", "all tables of all rooms, notifications among them")
    put("wal.attend", (fleet.psql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')") - wal) / len(pairs), "bytes", "written ahead")
    put("bus.attend", (sum(it.stat().st_size for it in (fleet.place / "nats").rglob("*") if it.is_file()) - bus) / len(pairs), "bytes", "on the broker's disk")

    say = lambda token: ask(fleet, SAY, {"input": {"gatheringId": place, "body": "내일 아침에 만나요. 물을 가져오세요.", "clientId": str(uuid.uuid4())}}, token)
    whole = fleet.psql("SELECT pg_database_size('moim')")
    meter.run("say", [lambda token=tokens[n % MEMBERS]: say(token) for n in range(WRITES)])
    put("bytes.say", (fleet.psql("SELECT pg_database_size('moim')") - whole) / WRITES, "bytes", "all tables of all rooms")

    before = told_of(fleet, "moim-chat-event")
    fleet.processes["nats"].send_signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda n: say(tokens[n % MEMBERS]), range(2000)))
    fleet.processes["nats"].send_signal(signal.SIGCONT)
    put("rate.carried", pace(lambda: told_of(fleet, "moim-chat-event") - before, 2000), "facts / s", "one room's carrier behind a broker that hung, on a busy machine: at least")

    for name, document, variables, token in [
        ("browse", README_LIST, lambda n: None, None),
        ("page", PAGE, lambda n: {"id": place}, tokens[1]),
        ("home", HOME, lambda n: None, tokens[1]),
        ("bell", BELL, lambda n: None, tokens[1]),
        ("chat", CHAT, lambda n: {"id": place}, tokens[1]),
        ("find", FIND, lambda n: {"q": ["등산", "산책 모임", "독서", "러닝 크루"][n % 4]}, tokens[1]),
        ("suggest", SUGGEST, lambda n: {"q": ["등", "산", "독", "러"][n % 4]}, None),
    ]:
        meter.run(name, [lambda n=n: ask(fleet, document, variables(n), token) for n in range(READS)])

    with contextlib.ExitStack() as readers:
        before = fleet.resident_kib("bff")
        heard = [0] * READERS
        for number in range(READERS):
            follow(fleet, readers, place, tokens[number % MEMBERS], heard, number)
            # Those who come all at once are told to come again.
            time.sleep(0.05)
        time.sleep(3)
        put("resident.stream", (fleet.resident_kib("bff") - before) / READERS, "KiB", f"of {READERS} that follow a chat, by event stream")
        said = 60
        meter.run("delivered", [lambda: say(host) for _ in range(said)], per=said * READERS)
        put("delivered.all", sum(heard) / (said * READERS), "", "1: everybody heard everything")
    for name in [*ROOMS, "bff"]:
        put(f"resident.{name}", fleet.resident_kib(name) / 1024, "MiB", "after all that")


def told_of(fleet, stream):
    with urllib.request.urlopen(fleet.watch, timeout=20) as answer:
        found = json.load(answer)["account_details"][0]["stream_detail"]
    return next((it["state"]["last_seq"] for it in found if it["name"] == stream), 0)


def pace(count, wanted):
    """How many each second, from the first that is seen to the last."""
    began, first, due = None, 0, time.monotonic() + 60
    while time.monotonic() < due:
        seen = count()
        if seen and began is None:
            began, first = time.monotonic(), seen
        if seen >= wanted:
            return (seen - first) / max(time.monotonic() - began, 0.001)
        time.sleep(0.01)
    raise SystemExit(f"{seen} of {wanted} came")


def follow(fleet, readers, place, token, heard, number):
    host, port = fleet.address.split(":")
    stream = readers.enter_context(socket.create_connection((host, int(port))))
    body = json.dumps({"query": FOLLOW, "variables": {"id": place}}).encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: {fleet.address}\r\naccept: text/event-stream\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    stream.sendall(head.encode() + body)

    def listen():
        with contextlib.suppress(OSError):
            while data := stream.recv(65536):
                heard[number] += data.count(b"event: next")

    threading.Thread(target=listen, daemon=True).start()


if __name__ == "__main__":
    main()
