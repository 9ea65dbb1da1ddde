"""boto3 and the AWS CLI as people use them: pages, skeletons, queries, HAL, many at once.

Arguments: the admin listener's URL and the data listener's. Prints counts.
"""

import contextlib
import io
import json
import os
import sys
import threading
import time
import urllib.request

URL, DATA = sys.argv[1:]
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIDCLIENTS", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE="/dev/null", AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
)

import boto3
import botocore.session
from awscli.clidriver import create_clidriver
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.utils import ArgumentGenerator

CLIENT = boto3.client("apigateway", endpoint_url=URL)
# More than one page of 25, and no multiple of it.
MANY = 57


def cli(*words):
    # A driver remembers what earlier commands registered: skeletons would come with every later answer.
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(["--endpoint-url", URL, *words])
        except SystemExit as end:
            code = end.code
    out.flush()
    return code, out.buffer.getvalue().decode(), err.getvalue()


def deployable(name):
    api = CLIENT.create_rest_api(name=name)
    at = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    CLIENT.put_method(**at, authorizationType="NONE")
    CLIENT.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    CLIENT.put_method_response(**at, statusCode="200")
    CLIENT.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": "served"})
    return api["id"], api["rootResourceId"]


def pages_hold_everything_once():
    """Every operation that has a paginator, over more items than a page has."""
    api, root = deployable("pages")
    own = {"restApiId": api}
    part = {"type": "METHOD", "method": "GET"}
    deployment = CLIENT.create_deployment(**own)["id"]
    CLIENT.create_stage(**own, stageName="dev", deploymentId=deployment)
    domain, key = "pages.domain.tld", {}
    CLIENT.create_domain_name(domainName=domain)
    CLIENT.create_base_path_mapping(domainName=domain, restApiId=api, stage="dev")
    plan = CLIENT.create_usage_plan(name="pages", quota={"limit": 9, "period": "DAY"})["id"]
    schema = {"schema": '{"type": "object"}', "contentType": "application/json"}
    target = ["arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/b"]
    source = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"
    authorizer = {"type": "TOKEN", "authorizerUri": source, "identitySource": "method.request.header.A"}

    def plan_key(n):
        CLIENT.create_usage_plan_key(usagePlanId=plan, keyId=key[n], keyType="API_KEY")

    def api_key(n):
        key[n] = CLIENT.create_api_key(name=f"key {n}", enabled=True)["id"]

    today = time.strftime("%Y-%m-%d", time.gmtime())
    # Operation, its parameters, what makes the n-th item, how many there may be.
    rows = [
        ("get_rest_apis", {}, lambda n: CLIENT.create_rest_api(name=f"api {n}"), MANY),
        ("get_resources", own, lambda n: CLIENT.create_resource(**own, parentId=root, pathPart=f"p{n}"), MANY),
        ("get_models", own, lambda n: CLIENT.create_model(**own, name=f"Model{n}", **schema), MANY),
        ("get_request_validators", own, lambda n: CLIENT.create_request_validator(**own, name=f"v{n}"), MANY),
        ("get_authorizers", own, lambda n: CLIENT.create_authorizer(**own, name=f"a{n}", **authorizer), 10),
        ("get_deployments", own, lambda n: CLIENT.create_deployment(**own), MANY),
        ("get_documentation_parts", own, lambda n: CLIENT.create_documentation_part(
            **own, location={**part, "path": f"/p{n}"}, properties='{"description": "d"}'), MANY),
        ("get_documentation_versions", own, lambda n: CLIENT.create_documentation_version(
            **own, documentationVersion=f"v{n}"), MANY),
        ("get_gateway_responses", own, lambda n: None, 1),
        ("get_api_keys", {}, api_key, MANY),
        ("get_usage_plans", {}, lambda n: CLIENT.create_usage_plan(name=f"plan {n}"), MANY),
        ("get_usage_plan_keys", {"usagePlanId": plan}, plan_key, MANY),
        ("get_usage", {"usagePlanId": plan, "startDate": today, "endDate": today}, lambda n: None, 1),
        ("get_domain_names", {}, lambda n: CLIENT.create_domain_name(domainName=f"d{n}.domain.tld"), MANY),
        ("get_base_path_mappings", {"domainName": domain}, lambda n: CLIENT.create_base_path_mapping(
            domainName=domain, basePath=f"b{n}", restApiId=api, stage="dev"), MANY),
        ("get_vpc_links", {}, lambda n: CLIENT.create_vpc_link(name=f"link {n}", targetArns=target), 20),
        ("get_client_certificates", {}, lambda n: CLIENT.generate_client_certificate(), MANY),
    ]
    pages = 0
    for operation, parameters, make, count in rows:
        known = sum(map(size, CLIENT.get_paginator(operation).paginate(**parameters)))
        for n in range(count):
            make(n)
        if count == 1:
            count = 0
        for page_size in (7, 25, 500):
            paged = list(CLIENT.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": page_size}))
            pages += len(paged)
            items = [json.dumps(item, default=str) for page in paged for item in page["items"]]
            assert len(items) == len(set(items)) == known + count, (operation, page_size, known, count, len(items))
            assert all(len(page["items"]) <= page_size for page in paged), operation
    have = botocore.session.get_session().get_paginator_model("apigateway")._paginator_config
    untried = {name.replace("_", "") for name, *_ in rows} ^ {name.lower() for name in have}
    assert untried <= {"getsdktypes"}, untried
    code, out, err = cli("apigateway", "get-rest-apis", "--page-size", "10", "--max-items", "30", "--query", "length(items)")
    assert code == 0 and out.strip() == "30", (out, err)
    return f"{len(rows)} paginated operations, {pages} pages"


def size(page):
    return len(page["items"])


def skeletons_are_parsed():
    """What `--generate-cli-skeleton` is made of is read for every operation: it is done or refused with words."""
    service = botocore.session.get_session().get_service_model("apigateway")
    outcomes = {"done": 0, "refused": 0}
    for operation in service.operation_names:
        shape = service.operation_model(operation).input_shape
        skeleton = ArgumentGenerator().generate_skeleton(shape)
        # Text that is there makes the labels; bytes have no skeleton.
        skeleton = json.loads(json.dumps(skeleton).replace('""', '"x"'))
        skeleton.update((name, b"x") for name, member in shape.members.items() if member.type_name == "blob")
        try:
            getattr(CLIENT, botocore.xform_name(operation))(**skeleton)
            outcomes["done"] += 1
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] < 500, (operation, error)
            assert error.response["Error"]["Code"] != "SerializationException", (operation, error)
            outcomes["refused"] += 1
    code, skeleton, err = cli("apigateway", "create-rest-api", "--generate-cli-skeleton")
    assert code == 0 and json.loads(skeleton)["name"] == "", err
    return f"{sum(outcomes.values())} skeletons: {outcomes['done']} done, {outcomes['refused']} refused"


def fetched(path, accept):
    with urllib.request.urlopen(urllib.request.Request(URL + path, headers={"Accept": accept})) as answer:
        return answer.headers["Content-Type"], json.load(answer)


def hal_has_the_same_members():
    """What HAL has besides its own two members is what plain JSON has, for a thing and for a list."""
    api = CLIENT.create_rest_api(name="hal")["id"]
    paths = [f"/restapis/{api}", f"/restapis/{api}/resources", f"/restapis/{api}/models", "/restapis", "/account"]
    for path in paths:
        kind, hal = fetched(path, "application/hal+json")
        assert kind == "application/hal+json", kind
        plain_kind, plain = fetched(path, "application/json")
        assert plain_kind.startswith("application/json"), plain_kind
        assert hal["_links"]["self"], path
        if "item" in plain:
            embedded = hal["_embedded"]["item"]
            embedded = embedded if isinstance(embedded, list) else [embedded]
            assert [item.get("id") for item in embedded] == [item.get("id") for item in plain["item"]], path
        else:
            assert hal.keys() - {"_links", "_embedded"} == plain.keys(), path
    return f"{len(paths)} documents in HAL"


def the_trail_says_that_nobody_checked_a_key():
    """An open listener writes down which key a client says it has, as what it is."""
    api = CLIENT.create_rest_api(name="trail")
    _, trail = fetched("/_ringgate/audit?accessKey=AKIDCLIENTS&limit=1", "application/json")
    entry, = trail["entries"]
    assert entry["requestId"] == api["ResponseMetadata"]["RequestId"] and not entry["accessKeyIsVerified"], entry
    with contextlib.suppress(ClientError):
        CLIENT.create_domain_name(domainName="secret.tld", certificatePrivateKey="hidden-1")
    CLIENT.create_api_key(name="secret", value="hidden-2-and-long-enough")
    _, trail = fetched("/_ringgate/audit?accessKey=AKIDCLIENTS&limit=2", "application/json")
    assert len(trail["entries"]) == 2 and "hidden" not in json.dumps(trail), trail
    return "entries of an unverified key, without secrets"


def many_writers_lose_nothing():
    """Sixteen threads make resources, methods and deployments of one API."""
    api, root = deployable("writers")
    threads, each, errors = 16, 6, []
    made_all = threading.Barrier(threads, timeout=60)

    def write(thread):
        config = Config(retries={"total_max_attempts": 1})
        client = boto3.session.Session().client("apigateway", endpoint_url=URL, config=config)
        try:
            for n in range(each):
                made = client.create_resource(restApiId=api, parentId=root, pathPart=f"t{thread}n{n}")["id"]
                at = {"restApiId": api, "resourceId": made, "httpMethod": "GET"}
                client.put_method(**at, authorizationType="NONE")
                client.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
            # A method that is only half made keeps the API from being deployed.
            made_all.wait()
            for n in range(each):
                client.create_deployment(restApiId=api, stageName=f"stage{thread % 8}")
                variable = {"op": "replace", "path": f"/variables/t{thread}n{n}", "value": "1"}
                client.update_stage(restApiId=api, stageName=f"stage{thread % 8}", patchOperations=[variable])
        except Exception as error:
            errors.append(error)

    began = time.monotonic()
    running = [threading.Thread(target=write, args=(thread,)) for thread in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    took = time.monotonic() - began
    assert not errors, errors
    resources = CLIENT.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]
    parts = {item["pathPart"] for item in resources if "pathPart" in item and "GET" in item["resourceMethods"]}
    assert len(parts) == threads * each, len(parts)
    stages = CLIENT.get_stages(restApiId=api)["item"]
    assert len(stages) == 8 and sum(len(stage["variables"]) for stage in stages) == threads * each, stages
    assert sum(map(size, CLIENT.get_paginator("get_deployments").paginate(restApiId=api))) == threads * each
    with urllib.request.urlopen(f"{DATA}/restapis/{api}/stage0/_user_request_/") as answer:
        assert answer.read() == b"served"
    return f"{threads} writers: {threads * each * 5} changes in {took:.1f} s"


for claim in (pages_hold_everything_once, skeletons_are_parsed, hal_has_the_same_members,
              the_trail_says_that_nobody_checked_a_key, many_writers_lose_nothing):
    began = time.monotonic()
    print(f"{claim()} ({time.monotonic() - began:.1f} s)")
