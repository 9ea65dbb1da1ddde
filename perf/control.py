#!/usr/bin/env python3
"""Measures `ringgate serve`: what the management API costs, and what it costs those who are being served.

    perf/control.py tail     p99 of the data plane while documents are imported and deployed, against p99 without
    perf/control.py calls    management calls a second: reads, and durable writes of 1 and of 16 callers
    perf/control.py publish  how long a deployment and a rollback take, with 1,000 routes and with more
    perf/control.py start    from the start to the first answer, with 10,000 resources stored

Needs Python 3.9 and nothing else. What is printed is described in perf/README.md.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def document(resources, path="r", host="http://127.0.0.1:9"):
    """An OpenAPI document with this many resources of one method each, a third of them with a path variable."""
    def operation(index):
        variable = index % 3 == 0
        names = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}] if variable else []
        uri = f"{host}/items/{index}" + ("/{id}" if variable else "")
        mapping = {"integration.request.path.id": "method.request.path.id"} if variable else {}
        if index == 0:
            template = {"application/json": '{"statusCode": 200}'}
            answer = {"default": {"statusCode": "200", "responseTemplates": {"application/json": "hello"}}}
            integration = {"type": "mock", "requestTemplates": template, "responses": answer}
        else:
            integration = {"type": "http_proxy", "httpMethod": "GET", "uri": uri, "requestParameters": mapping}
        return {"parameters": names, "responses": {"200": {"description": ""}},
                "x-amazon-apigateway-integration": integration}

    # The first is what is asked for; it has no variable and no origin.
    paths = {f"/{path}{index}" + ("/{id}" if index and index % 3 == 0 else ""):
             {"get": operation(index) | ({"parameters": []} if index == 0 else {})} for index in range(resources)}
    return json.dumps({"openapi": "3.0.1", "info": {"title": "measured", "version": "1"}, "paths": paths}).encode()


class Gateway:
    """`ringgate serve` with one shard, until the block ends."""

    def __init__(self, arguments, folder):
        started = time.perf_counter()
        flags = [f"--data={folder}", "--shards=1", "--log=off", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"]
        self.process = subprocess.Popen([arguments.ringgate, "serve", *flags, "--limits=relaxed"],
                                        stderr=subprocess.PIPE, text=True)
        said = ""
        while not (found := (re.search(r"serving http://127.0.0.1:(\d+)", said),
                             re.search(r"admin http://127.0.0.1:(\d+)", said)))[0] or not found[1]:
            line = self.process.stderr.readline()
            if not line:
                raise SystemExit(f"ringgate ended: {said}")
            said += line
        self.data, self.admin = (int(match[1]) for match in found)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.call("GET", "/account")
        self.start_seconds = time.perf_counter() - started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None):
        """A management call: what it answers, and the seconds until then."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=120)
        connection.request(method, path, body, {"Content-Type": "application/json", "Accept": "application/json"})
        response = connection.getresponse()
        text = response.read()
        seconds = time.perf_counter() - started
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {text[:500]}")
        return (json.loads(text) if text else None), seconds

    def served(self, resources):
        """An imported API with a stage `prod`, and its id."""
        api = self.call("POST", "/restapis?mode=import", document(resources))[0]["id"]
        self.call("POST", f"/restapis/{api}/deployments", {"stageName": "prod"})
        return api


def come_first():
    """Who measures waits for nobody, so that what it sees is the gateway's. Needs root, and does without."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def ringload(arguments, url, seconds, **options):
    """What `ringload run` reports."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
        command = [arguments.ringload, "run", f"--url={url}", f"--duration={seconds}", *flags, f"--json={report.name}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=come_first)
        found = json.load(open(report.name))
    if found["errors"]["total"]:
        raise SystemExit(f"{url}: {found['errors']}")
    return found


@contextlib.contextmanager
def importing(gateway, api, resources):
    """Imports a document once a second and deploys it, beside the block. Yields the seconds that each took."""
    taken, over, text = [], threading.Event(), document(resources)

    def run():
        # Of this thread alone: who asks for imports must not be what is measured.
        os.nice(19)
        while not over.wait(max(0, 1 - (taken[-1] if taken else 0.5))):
            seconds = gateway.call("PUT", f"/restapis/{api}?mode=overwrite", text)[1]
            seconds += gateway.call("POST", f"/restapis/{api}/deployments", {"stageName": "prod"})[1]
            taken.append(seconds)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def tail(arguments, gateway):
    asked, other = gateway.served(10), gateway.served(300)
    url = f"http://127.0.0.1:{gateway.data}/restapis/{asked}/prod/_user_request_/r0"
    taken = []

    def arm(imports):
        with importing(gateway, other, 300) if imports else contextlib.nullcontext([]) as seconds:
            report = ringload(arguments, url, arguments.seconds, rate=arguments.rate, warmup=0.5, expect_status=200,
                              cpus=os.cpu_count() - 1)
        taken.extend(seconds)
        return report["latency_us"]

    pairs = []
    for pair in range(arguments.pairs):
        order = [False, True] if pair % 2 == 0 else [True, False]
        found = {imports: arm(imports) for imports in order}
        pairs.append([round(found[True][name], 1) for name in ("p50", "p99", "p99.9")]
                     + [round(found[False][name], 1) for name in ("p50", "p99", "p99.9")])
        print(f"pair {pair + 1}: p50, p99, p99.9 with imports {pairs[-1][:3]} us, without {pairs[-1][3:]} us", flush=True)
    ratios = [statistics.median(pair[at] / pair[at + 3] for pair in pairs) for at in range(3)]
    print(f"median of {len(pairs)} paired ratios: p50 {ratios[0]:.2f}, p99 {ratios[1]:.2f}, p99.9 {ratios[2]:.2f}; "
          f"import and deployment took {statistics.median(taken) * 1000:.0f} ms")
    return {"rate": arguments.rate, "pairs": pairs, "p99_ratio": round(ratios[1], 3),
            "import_ms": round(statistics.median(taken) * 1000, 1)}


def calls(arguments, gateway):
    api = gateway.served(10)
    admin = f"http://127.0.0.1:{gateway.admin}"
    read = ringload(arguments, f"{admin}/restapis/{api}", arguments.seconds, connections=8, expect_status=200)
    listed = ringload(arguments, f"{admin}/restapis/{api}/resources", arguments.seconds, connections=8)
    found = {"reads": read["rate"], "lists_of_10": listed["rate"]}
    # Changes of one API: creations would make every later one dearer.
    patch = [{"op": "replace", "path": "/description", "value": "measured"}]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        json.dump({"patchOperations": patch}, body)
        body.flush()
        for callers in (1, 16):
            made = ringload(arguments, f"{admin}/restapis/{api}", arguments.seconds, connections=callers,
                            method="PATCH", body=body.name, header="Content-Type: application/json", expect_status=200)
            found[f"writes_of_{callers}"] = made["rate"]
    for name, rate in found.items():
        print(f"{name}: {rate:,.0f} a second")
    return {name: round(rate) for name, rate in found.items()}


def publish(arguments, gateway):
    results = {}
    for resources in (1_000, 10_000):
        api = gateway.served(resources)
        first = gateway.call("GET", f"/restapis/{api}/stages/prod")[0]["deploymentId"]
        deployed, second = [], None
        for _ in range(arguments.rounds):
            answer, seconds = gateway.call("POST", f"/restapis/{api}/deployments", {"stageName": "prod"})
            deployed.append(seconds)
            second = answer["id"]
        pointed = []
        for at in range(arguments.rounds):
            patch = [{"op": "replace", "path": "/deploymentId", "value": [first, second][at % 2]}]
            pointed.append(gateway.call("PATCH", f"/restapis/{api}/stages/prod", {"patchOperations": patch})[1])
        found = [round(statistics.median(times) * 1000, 1) for times in (deployed, pointed)]
        results[str(resources)] = {"deployment_ms": found[0], "rollback_ms": found[1]}
        print(f"{resources} routes: a deployment {found[0]} ms, a stage pointed back {found[1]} ms (medians)")
    return results


def start(arguments, _):
    results = {}
    for apis in (10, 1):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            with Gateway(arguments, folder) as gateway:
                for _ in range(apis):
                    gateway.served(10_000 // apis)
            seconds = []
            for _ in range(arguments.rounds):
                with Gateway(arguments, folder) as gateway:
                    seconds.append(gateway.start_seconds)
            size = sum(path.stat().st_size for path in pathlib.Path(folder).iterdir())
        results[f"{apis}_apis_ms"] = round(statistics.median(seconds) * 1000)
        print(f"10,000 deployed resources in {apis} APIs: {results[f'{apis}_apis_ms']} ms from start to the first answer "
              f"(median of {len(seconds)}; the database has {size >> 20} MB)")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tail", "calls", "publish", "start"])
    parser.add_argument("--ringgate", default=ROOT / "target/release/ringgate")
    parser.add_argument("--ringload", default=ROOT / "target/release/ringload")
    parser.add_argument("--rate", type=int, default=20_000, help="tail: requests a second")
    parser.add_argument("--pairs", type=int, default=10, help="tail: pairs of runs")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a run is measured")
    parser.add_argument("--rounds", type=int, default=10, help="publish, start: repetitions")
    parser.add_argument("--folder", help="where databases are made (default: the system's folder for temporary files)")
    parser.add_argument("--history", help="append what was found to this file")
    parser.add_argument("--commit", help="what is being measured, for the history")
    arguments = parser.parse_args()
    # What others did meanwhile: with more than a fraction of a processor the numbers are theirs as well.
    load = os.getloadavg()[0]
    measure = {"tail": tail, "calls": calls, "publish": publish, "start": start}[arguments.what]
    with contextlib.ExitStack() as stack:
        gateway = None
        if measure is not start:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.folder))
            gateway = stack.enter_context(Gateway(arguments, folder))
        results = measure(arguments, gateway)
    if arguments.history:
        machine = {"processors": os.cpu_count(), "kernel": platform.release(), "load": round(load, 1)}
        line = {"commit": arguments.commit, "unix_seconds": int(time.time()), "kind": f"control-{arguments.what}",
                "machine": machine, "seconds": arguments.seconds, "results": results}
        with open(arguments.history, "a") as history:
            history.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
