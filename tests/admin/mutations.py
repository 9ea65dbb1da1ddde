"""The recorded cases with things wrong in them: other identifiers, orders, verbs and paths, members that are missing, of
another type, huge or deep, bodies that are no JSON or no UTF-8. Every answer is a success or says what is wrong.

Arguments: the admin listener's URL, `play` or `check`, a file, and for `play` the folder of cases and a seed. `play` sends
the requests and writes down all that the gateway then lists and has; `check` sees whether it still does.
"""

import base64
import glob
import http.client
import json
import os
import random
import re
import sys
import urllib.parse

import botocore.serialize
import botocore.session

URL, TASK, FILE = sys.argv[1:4]
HOST = urllib.parse.urlsplit(URL).netloc
PATIENCE_SECONDS = 20
MODEL = botocore.session.get_session().get_service_model("apigateway")
SERIALIZER = botocore.serialize.create_serializer("rest-json", include_validation=False)


class Gateway:
    """One connection, made again when it is closed."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(HOST, timeout=PATIENCE_SECONDS)
        self.asked, self.statuses, self.faults = 0, {}, []

    def ask(self, verb, target, body=b"", accept="application/json"):
        """Status and JSON of the answer, which is held against what every answer must be."""
        self.asked += 1
        try:
            self.connection.request(verb, target, body, {"Accept": accept, "Content-Type": "application/json"})
            answer = self.connection.getresponse()
            content, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            return self.fault(verb, target, body, f"no answer: {error!r}")
        self.statuses[status] = self.statuses.get(status, 0) + 1
        try:
            told = json.loads(content) if content else {}
        except ValueError:
            told = {"text": content.decode("utf-8", "replace")}
        if 400 <= status < 500:
            if not (told.get("message") and answer.headers["x-amzn-errortype"]):
                return self.fault(verb, target, body, f"{status} says nothing: {content!r:.200} {answer.headers}")
        elif not 200 <= status < 300:
            return self.fault(verb, target, body, f"{status}: {content!r:.200}")
        return status, told

    def fault(self, verb, target, body, what):
        self.faults.append(f"{verb} {target:.200} {body!r:.400}: {what:.300}")
        return 0, {}


def filled(value, answers):
    """`value` with its references to earlier answers filled in, as far as those have been given."""
    if isinstance(value, dict):
        if "$base64" in value:
            return base64.b64decode(value["$base64"])
        return {name: filled(inner, answers) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, answers) for inner in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{([^}]*)\}", lambda found: named(found[1], answers), value)


def named(reference, answers):
    known = {"account": "000000000000", "region": "us-east-1", "echo": "http://127.0.0.1:9"}
    if reference in known:
        return known[reference]
    step, *path = re.split(r"\.(?![^\[]*\])", reference)
    value = answers.get(step, {})
    for part in path:
        name, _, pick = part.partition("[")
        value = value.get(name) if isinstance(value, dict) else None
        pick = pick.rstrip("]")
        if pick.isdigit() and isinstance(value, list):
            value = value[int(pick)] if int(pick) < len(value) else None
        elif pick and isinstance(value, list):
            key, _, wanted = pick.partition("=")
            wanted = urllib.parse.unquote(wanted)
            value = next((item for item in value if isinstance(item, dict) and item.get(key) == wanted), None)
    return value if isinstance(value, str) else "${" + reference + "}"


STRANGE = [None, True, -1, 1.5, 10**30, "", " ", "x" * 70_000, "\u0000", "🦀", "../..", "${stageVariables.x}", "(((((a+)+)+)+)+$",
           [], {}, [None], [[]], {"": ""}, {"a": {"b": None}}, "application/json", "/~1~0/", "arn:aws:", "%", "$", "{", "#if",
           "NaN", "1e999", "-1"]


def changed_value(value, random):
    """`value` with one thing in it changed."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        value = dict(value)
        name = random.choice(list(value))
        kind = random.randrange(5)
        if kind == 0:
            del value[name]
        elif kind == 1:
            value[random.choice(["unknown", "", name.upper(), name + "s"])] = value.pop(name)
        else:
            value[name] = changed_value(value[name], random)
        return value
    if isinstance(value, list) and value and random.random() < 0.8:
        index = random.randrange(len(value))
        return value[:index] + [changed_value(value[index], random)] * random.randrange(3) + value[index + 1:]
    if isinstance(value, str) and value and random.random() < 0.5:
        index = random.randrange(len(value) + 1)
        return value[:index] + random.choice(["", "/", "~", "{", "}", "'", "\"", "\n", "é", "%", "$", "0"]) + value[index + 1:]
    return random.choice(STRANGE)


def changed_body(body, random):
    kind = random.randrange(12)
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if kind < 7 and parsed is not None:
        return json.dumps(changed_value(parsed, random)).encode()
    index = random.randrange(len(body) + 1)
    deep = random.choice([100, 127, 128, 5_000, 100_000])
    return [
        body[:index], body + b"}", body[:index] + b"\xff\xc0" + body[index:], b"[" * deep, b'{"a":' * deep + b"1" + b"}" * deep,
        b'{"name":"\\ud800"}', b'{"name":"' + b"y" * 1_000_000 + b'"}', b"null", b"[]", b'""', body.replace(b'"', b"'"),
        body[:-1] + b',"name":1,"name":"2"}', body.replace(b":", b": " + b"[" * 200 + b"]" * 200 + b",", 1),
    ][random.randrange(13)]


def changed_path(path, random):
    parts = path.split("/")
    index = random.randrange(1, max(2, len(parts)))
    strange = ["", "%ff", "%00", "..", "%2e%2e", "%2F", "a" * 3_000, "%", "x%20y", "DEFAULT", "*", "zzzzzzzzzz", "(none)", "200", "GET"]
    kind = random.randrange(4)
    if kind == 0:
        return "/".join(parts[:index]) or "/"
    if kind == 1:
        return "/".join(parts[:index] + [random.choice(strange)] + parts[index:])
    if kind == 2 or len(parts) < 3:
        return "/".join(parts[:index] + [random.choice(strange)] + parts[index + 1:])
    other = random.randrange(1, len(parts))
    parts[index - 1 if index > 1 else 1], parts[other] = parts[other], parts[index - 1 if index > 1 else 1]
    return "/".join(parts)


def changed(request, random):
    """A request with something wrong."""
    verb, path, query, body = request
    kind = random.randrange(10)
    if kind < 6 and (body or verb != "GET"):
        return verb, path, query, changed_body(body or b"{}", random)
    if kind == 6:
        return random.choice(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD2"]), path, query, body
    if kind == 7:
        more = ["limit=0", "limit=-1", "limit=99999999999999999999", "limit=x", "position=%ff", "position=zzz", "position=AAAA",
                "embed=methods", "embed=x", "mode=x", "mode=import", "mode=merge", "failonwarnings=maybe", "basepath=x", "&&=&"]
        return verb, path, "&".join(filter(None, [query, random.choice(more)])), body
    return verb, changed_path(path, random), query, body


def request_of(operation, params):
    """Verb, path, query and body of an operation's call."""
    made = SERIALIZER.serialize_to_request(params, MODEL.operation_model(operation))
    query = urllib.parse.urlencode(made.get("query_string") or {}, doseq=True)
    path, _, own = made["url_path"].partition("?")
    body = made.get("body") or b""
    return made["method"], path, "&".join(filter(None, [own, query])), body.encode() if isinstance(body, str) else body


def play(gateway, case, random):
    steps = [step for step in case["steps"] if step.get("call", "").startswith("apigateway.")]
    if random.random() < 0.25:
        here, there = random.randrange(len(steps) or 1), random.randrange(len(steps) or 1)
        steps[here:here + 1], steps[there:there + 1] = steps[there:there + 1], steps[here:here + 1]
    answers = {}
    for step in steps:
        operation = step["call"].split(".")[1]
        try:
            request = request_of(operation, filled(step["params"], answers))
        except Exception:
            # Parameters of a kind that the serializer cannot write down.
            continue
        rolls = [changed(request, random) for _ in range(random.randrange(1, 4))]
        for verb, path, query, body in rolls if random.random() < 0.5 else [*rolls, request]:
            target = urllib.parse.quote(path, safe="/%()*+:$,;=@!'~") + (f"?{query}" if query else "")
            _, told = gateway.ask(verb, target, body, random.choice(["application/json"] * 4 + ["application/hal+json"]))
            if isinstance(told, dict) and "message" not in told:
                told.setdefault("items", told.get("item"))
                answers[str(step["n"])] = told


# What lists what: path of the list, member that names an item in the path, lists below each item.
TREE = [
    ("/restapis", "id", [
        ("/resources", "id", []), ("/models", "name", []), ("/requestvalidators", "id", []), ("/authorizers", "id", []),
        ("/deployments", "id", []), ("/stages", "stageName", []), ("/gatewayresponses", "responseType", []),
        ("/documentation/parts", "id", []), ("/documentation/versions", "version", []),
    ]),
    ("/apikeys", "id", []), ("/usageplans", "id", [("/keys", "id", [])]), ("/vpclinks", "id", []),
    ("/domainnames", "domainName", [("/basepathmappings", "basePath", [])]),
    ("/clientcertificates", "clientCertificateId", []),
]


def listed(gateway, path):
    position = ""
    while True:
        status, page = gateway.ask("GET", f"{path}?limit=7{position}")
        if status != 200:
            return gateway.fault("GET", path, b"", f"{status}: {page}")
        yield from page["item"]
        if "position" not in page or path.endswith("/stages"):
            return None
        position = "&position=" + urllib.parse.quote(page["position"])


def fetched(gateway, path, everything):
    status, one = gateway.ask("GET", path)
    if status != 200:
        gateway.fault("GET", path, b"", f"is listed, and its answer is {status}: {one}")
    everything[path] = one
    return one


def walk(gateway, tree, prefix, everything):
    for path, name, below in tree:
        for item in listed(gateway, prefix + path) or []:
            at = f"{prefix}{path}/{urllib.parse.quote(item[name], safe='')}"
            one = fetched(gateway, at, everything)
            if one.get(name) != item[name]:
                gateway.fault("GET", at, b"", f"is {one.get(name)!r}, listed as {item[name]!r}")
            for verb in one.get("resourceMethods", {}):
                fetched_method(gateway, f"{at}/methods/{verb}", everything)
            walk(gateway, below, at, everything)


def fetched_method(gateway, path, everything):
    method = fetched(gateway, path, everything)
    for code in method.get("methodResponses", {}):
        fetched(gateway, f"{path}/responses/{code}", everything)
    if "methodIntegration" in method:
        integration = fetched(gateway, f"{path}/integration", everything)
        for code in integration.get("integrationResponses", {}):
            fetched(gateway, f"{path}/integration/responses/{code}", everything)


def all_there_is(gateway):
    everything = {"/account": gateway.ask("GET", "/account")[1]}
    walk(gateway, TREE, "", everything)
    everything["/domainnameaccessassociations"] = list(listed(gateway, "/domainnameaccessassociations") or [])
    return everything


def main():
    gateway = Gateway()
    if TASK == "play":
        cases, seed = sys.argv[4], int(sys.argv[5])
        for path in sorted(glob.glob(os.path.join(cases, "*.json"))):
            case = json.load(open(path))
            for turn in range(2):
                play(gateway, case, random.Random(f"{seed} {case['id']} {turn}"))
        sent = gateway.asked
        everything = all_there_is(gateway)
        json.dump(everything, open(FILE, "w"))
        print(f"seed {seed}: {sent} requests, then {len(everything)} things there, statuses {sorted(gateway.statuses.items())}")
    else:
        before, after = json.load(open(FILE)), all_there_is(gateway)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                gateway.fault("GET", path, b"", f"was {before.get(path)}, is {after.get(path)}")
        print(f"{len(after)} things are as they were")
    print("\n".join(gateway.faults[:40]))
    return bool(gateway.faults)


sys.exit(main())
