"""Every documented `aws apigateway` command, run by the AWS CLI's own driver in this process, with live identifiers.
Its answer has the documented members with the documented JSON types, and no member that the service's model has not.

Arguments: the admin listener's URL and the file of examples. Prints counts, and each fault.
"""

import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
from functools import cached_property

URL, EXAMPLES = sys.argv[1:]
REGION = "us-east-1"
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIDDOCUMENTED",
    AWS_SECRET_ACCESS_KEY="secret",
    AWS_DEFAULT_REGION=REGION,
    AWS_CONFIG_FILE="/dev/null",
    AWS_MAX_ATTEMPTS="1",
    AWS_PAGER="",
)

import boto3
import botocore.endpoint
from awscli.clidriver import create_clidriver

from model import undocumented

FOLDER = tempfile.mkdtemp(prefix="ringgate-documented-")
CLIENT = boto3.client("apigateway", endpoint_url=URL, region_name=REGION)
DRIVER = create_clidriver()

# Why a member that AWS's example has is not in our answer: operation, member, rule. Each must come up.
RULES = {
    ("get-domain-name", "certificateName"): "the example's certificate was uploaded by name; ours is named by its ARN",
}
# Commands that are refused, and how: what they need is not there.
REFUSED = {
    "get-sdk": "SDKs are not generated",
}

def file(name, content):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as out:
        out.write(content if isinstance(content, str) else json.dumps(content))
    return path


POLICY = file("policy.json", {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}],
})
SWAGGER = file("api.json", {
    "swagger": "2.0",
    "info": {"title": "Documented", "version": "1"},
    "paths": {"/pets": {"get": {
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": {
            "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {"default": {"statusCode": "200"}},
        },
    }}},
})
FUNCTION = ("arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:us-west-2:123456789012:function:authorizer_function/invocations")
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/fb1b9770-a305-495d-aefb-27e5e101ff3"


class World:
    """What one command may need, made when it is asked for."""

    count = 0

    def __init__(self):
        World.count += 1
        self.number = World.count

    @cached_property
    def api(self):
        return CLIENT.create_rest_api(name=f"world {self.number}")["id"]

    @cached_property
    def root(self):
        return CLIENT.get_resources(restApiId=self.api)["items"][0]["id"]

    @cached_property
    def bare_resource(self):
        return CLIENT.create_resource(restApiId=self.api, parentId=self.root, pathPart="path")["id"]

    @cached_property
    def resource(self):
        at = {"restApiId": self.api, "resourceId": self.bare_resource, "httpMethod": "GET"}
        CLIENT.put_method(**at, authorizationType="NONE")
        CLIENT.put_method_response(**at, statusCode="200", responseModels={"application/json": "Empty"})
        CLIENT.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        CLIENT.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": ""})
        return self.bare_resource

    @cached_property
    def deployment(self):
        _ = self.resource
        return CLIENT.create_deployment(restApiId=self.api, description="myDeployment")["id"]

    @cached_property
    def stage(self):
        CLIENT.create_stage(restApiId=self.api, stageName="dev", deploymentId=self.deployment)
        operations = [("/*/*/metrics/enabled", "true"), ("/*/*/logging/loglevel", "INFO"),
                      ("/~1resource~1subresource/POST/logging/loglevel", "INFO"), ("/~1resource/GET/logging/loglevel", "INFO")]
        patch = [{"op": "replace", "path": path, "value": value} for path, value in operations]
        patch.append({"op": "replace", "path": "/cacheClusterSize", "value": "0.5"})
        CLIENT.update_stage(restApiId=self.api, stageName="dev", patchOperations=patch)
        return "dev"

    @cached_property
    def model(self):
        schema = '{"type": "object"}'
        CLIENT.create_model(restApiId=self.api, name="customModel", contentType="application/json", schema=schema)
        return "customModel"

    @cached_property
    def authorizer(self):
        return CLIENT.create_authorizer(
            restApiId=self.api, name="MyAuthorizer", type="TOKEN", authorizerUri=FUNCTION,
            identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=300)["id"]

    @cached_property
    def certificate(self):
        return CLIENT.generate_client_certificate(description="My Client Certificate")["clientCertificateId"]

    @cached_property
    def key(self):
        stages = [{"restApiId": self.api, "stageName": self.stage}]
        return CLIENT.create_api_key(name="My key", description="My first key", enabled=True, stageKeys=stages)["id"]

    @cached_property
    def plan(self):
        stages = [{"apiId": self.api, "stage": self.stage}]
        return CLIENT.create_usage_plan(
            name=f"plan {self.number}", apiStages=stages, throttle={"rateLimit": 5, "burstLimit": 10},
            quota={"limit": 500, "offset": 0, "period": "MONTH"})["id"]

    @cached_property
    def plan_key(self):
        CLIENT.create_usage_plan_key(usagePlanId=self.plan, keyId=self.key, keyType="API_KEY")
        return self.key

    @cached_property
    def domain(self):
        name = f"world{self.number}.domain.tld"
        CLIENT.create_domain_name(domainName=name, certificateArn=CERTIFICATE)
        for path, stage in (("", self.stage), ("v1", self.stage)):
            CLIENT.create_base_path_mapping(domainName=name, basePath=path, restApiId=self.api, stage=stage)
        return name

    @cached_property
    def private_domain(self):
        return CLIENT.create_domain_name(
            domainName=f"world{self.number}.private.tld", certificateArn=CERTIFICATE, securityPolicy="TLS_1_2",
            endpointConfiguration={"types": ["PRIVATE"]}, policy=open(POLICY).read())

    @cached_property
    def association(self):
        return CLIENT.create_domain_name_access_association(
            domainNameArn=self.private_domain["domainNameArn"], accessAssociationSource="vpce-abcd1234efg",
            accessAssociationSourceType="VPCE")["domainNameAccessAssociationArn"]


def replaced(operation, words, world):
    """The words of a command with what lives in `world`."""
    has = set(words)
    values = {
        "--rest-api-id": lambda: world.api,
        "--resource-id": lambda: world.resource,
        "--parent-id": lambda: world.bare_resource,
        "--deployment-id": lambda: world.deployment,
        "--authorizer-id": lambda: world.authorizer,
        "--client-certificate-id": lambda: world.certificate,
        "--api-key": lambda: world.key,
        "--key-id": lambda: world.plan_key,
        "--usage-plan-id": lambda: world.plan,
        "--domain-name-arn": lambda: world.private_domain["domainNameArn"],
        "--domain-name-access-association-arn": lambda: world.association,
        "--domain-name-id": lambda: world.private_domain["domainNameId"],
        "--policy": lambda: "file://" + POLICY,
    }
    if "domain-name" in operation and operation != "create-domain-name" or "mapping" in operation:
        private = "--domain-name-id" in has
        values["--domain-name"] = lambda: world.private_domain["domainName"] if private else world.domain
    if operation != "create-stage" and operation != "create-deployment":
        values["--stage-name"] = lambda: world.stage
    if operation != "create-model":
        values["--model-name"] = lambda: world.model if "customModel" in has else "Empty"
    out, words = [], iter(words)
    for word in words:
        out.append(word)
        if word in values:
            next(words)
            out.append(values[word]())
        elif word == "--body":
            out.append(next(words).split("://")[0] + "://" + SWAGGER)
        elif word == "--stage-keys":
            next(words)
            out.append(f"restApiId={world.api},stageName={world.stage}")
    if out[-1].startswith("/path/to/"):
        out[-1] = os.path.join(FOLDER, "answer")
    if operation in ("get-api-keys", "get-client-certificates", "get-usage", "get-authorizers"):
        _ = world.key, world.certificate, world.plan_key, world.authorizer
    if operation == "create-deployment":
        _ = world.resource
    if operation == "get-account":
        role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::123456789012:role/Logs"}
        CLIENT.update_account(patchOperations=[role])
    return out


# Answers of the last command as bytes, with their shapes: what the CLI prints has lost what its model does not know.
RAW = []
CONVERT = botocore.endpoint.convert_to_response_dict


def keep(http_response, operation_model):
    answer = CONVERT(http_response, operation_model)
    body = answer["body"] if isinstance(answer["body"], bytes) else b""
    RAW.append((answer["headers"].get("content-type", ""), body, operation_model.output_shape))
    return answer


botocore.endpoint.convert_to_response_dict = keep


def run(words):
    """Exit code, output and errors of the AWS CLI; the answer as it came is left in RAW."""
    RAW.clear()
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = DRIVER.main(["--endpoint-url", URL, *words])
    out.flush()
    return code, out.buffer.getvalue().decode(), err.getvalue()


def kind(name, value):
    if name.endswith("Date"):
        return "time"
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "list", dict: "map", type(None): "null"}
    return kinds[type(value)]


def missing(documented, ours, path=""):
    """What the documentation has and our answer has not, or has otherwise."""
    if isinstance(documented, dict):
        for name, value in documented.items():
            at = f"{path}.{name}".lstrip(".")
            if name not in ours:
                yield at, "is not there"
            elif value is not None and kind(name, value) != kind(name, ours[name]):
                yield at, f"is a {kind(name, ours[name])}, not a {kind(name, value)}"
            else:
                yield from missing(value, ours[name], at)
    elif isinstance(documented, list) and documented:
        if not ours:
            yield path + "[]", "is empty"
        # A list holds one item of each shape at most; one of ours must be as each documented one.
        for item in documented:
            found = [list(missing(item, own, path + "[]")) for own in ours]
            yield from min(found, key=len, default=[])


def check(example, world, counts, applied):
    words = shlex.split(example["command"].replace("\\\n", " "))[1:]
    operation = words[1]
    code, out, err = run(replaced(operation, words, world))
    if code and REFUSED.get(operation, "\0") in err:
        counts["refused by a rule"] += 1
        applied.add(operation)
        return
    if code:
        yield operation, f"failed: {err.strip()}"
        return
    counts["ran"] += 1
    for content_type, content, shape in RAW:
        is_json = shape is not None and content and not shape.serialization.get("payload")
        if is_json and content_type.startswith("application/json"):
            counts["held against the model"] += 1
            yield from ((operation, f"{at} {what}") for at, what in undocumented(json.loads(content), shape))
    if example["output"] is None:
        return
    counts["held against an example"] += 1
    for at, what in missing(example["output"], json.loads(out)):
        rule = operation, at.split(".")[-1]
        if rule in RULES:
            applied.add(rule)
            counts["members differ by a rule"] += 1
        else:
            yield operation, f"{at} {what}"


def main():
    names = ["ran", "refused by a rule", "held against the model", "held against an example",
             "members differ by a rule"]
    counts = dict.fromkeys(names, 0)
    applied, faults = set(), []
    shared = World()
    for example in json.load(open(EXAMPLES)):
        if example["service"] != "apigateway":
            continue
        world = shared if example["operation"].startswith("get-") else World()
        faults.extend(check(example, world, counts, applied))
    faults.extend((rule, "explains nothing") for rule in (RULES.keys() | REFUSED.keys()) - applied)
    for operation, what in faults:
        print(f"{operation}: {what}")
    print(", ".join(f"{number} {what}" for what, number in counts.items()))
    return bool(faults)


sys.exit(main())
