"""What the management API takes, answers and refuses, rule by rule: each refusal in AWS's words, each answer held
against the service's model.

Argument: the admin listener's URL. Prints counts, and each fault.
"""

import json
import os
import sys
import urllib.error
import urllib.request

URL, = sys.argv[1:]
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIDRULES", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE="/dev/null", AWS_MAX_ATTEMPTS="1",
)

import boto3
import botocore.endpoint
from botocore.config import Config
from botocore.exceptions import ClientError

from model import undocumented

CLIENT = boto3.client("apigateway", endpoint_url=URL, config=Config(parameter_validation=False))
FUNCTION = ("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:us-east-1:123456789012:function:f/invocations")
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/b"
ACCOUNT = "000000000000"
counts = {"refusals": 0, "answers": 0}
faults = []

CONVERT = botocore.endpoint.convert_to_response_dict


def held(http_response, operation):
    """Every answer on its way to the client is held against the model."""
    answer = CONVERT(http_response, operation)
    body, shape = answer["body"], operation.output_shape
    status = operation.http.get("responseCode", 200)
    if answer["status_code"] < 300 and answer["status_code"] != status:
        faults.append(f"{operation.name}: answered {answer['status_code']}, not {status}")
    if answer["status_code"] < 300 and body and shape is not None and not shape.serialization.get("payload"):
        counts["answers"] += 1
        faults.extend(f"{operation.name}: {at} {what}" for at, what in undocumented(json.loads(body), shape))
    return answer


botocore.endpoint.convert_to_response_dict = held


def refused(status, code, message, call, **parameters):
    """`call` is refused with exactly this."""
    counts["refusals"] += 1
    asked = f"{call}({json.dumps(parameters, default=repr)[:200]})"
    try:
        got = getattr(CLIENT, call)(**parameters)
        faults.append(f"{asked}: not refused: {str(got)[:200]}")
    except ClientError as error:
        told = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"], \
            error.response["Error"]["Message"]
        if told != (status, code, message):
            faults.append(f"{asked}:\n  expected {(status, code, message)}\n  got      {told}")


def bad(message, call, **parameters):
    refused(400, "BadRequestException", message, call, **parameters)


def missing(message, call, **parameters):
    refused(404, "NotFoundException", message, call, **parameters)


def conflict(message, call, **parameters):
    refused(409, "ConflictException", message, call, **parameters)


def invalid(complaint, call, **parameters):
    message = f"1 validation error detected: {complaint}"
    refused(400, "ValidationException", message, call, **parameters)


def patch(*operations):
    keys = ("op", "path", "value", "from")
    return [{key: part for key, part in zip(keys, operation) if part is not None} for operation in operations]


def enum(value, path, allowed):
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]"


def null(path):
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def raw(verb, path, body=None, expected=400, words=""):
    """A request that no client would make."""
    counts["refusals"] += 1
    request = urllib.request.Request(URL + path, data=body, method=verb, headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            faults.append(f"{verb} {path}: not refused: {answer.status}")
    except urllib.error.HTTPError as error:
        told = error.read().decode()
        if error.code != expected or words not in told:
            faults.append(f"{verb} {path} {body!r}: expected {expected} {words!r}, got {error.code} {told}")


def equal(what, got, expected):
    counts["answers"] += 1
    if got != expected:
        faults.append(f"{what}: expected {expected!r}, got {got!r}")


class Api:
    """An API with a resource, a method and a deployment at a stage."""

    def __init__(self, name="rules"):
        made = CLIENT.create_rest_api(name=name)
        self.id, self.root = made["id"], made["rootResourceId"]
        self.own = {"restApiId": self.id}
        self.pets = CLIENT.create_resource(**self.own, parentId=self.root, pathPart="pets")["id"]
        self.get = {**self.own, "resourceId": self.pets, "httpMethod": "GET"}
        CLIENT.put_method(**self.get, authorizationType="NONE", requestParameters={"method.request.querystring.q": True})
        CLIENT.put_method_response(**self.get, statusCode="200",
                                   responseParameters={"method.response.header.h": True},
                                   responseModels={"application/json": "Empty"})
        CLIENT.put_integration(**self.get, type="MOCK")
        CLIENT.put_integration_response(**self.get, statusCode="200",
                                        responseParameters={"method.response.header.h": "'x'"})
        self.deployment = CLIENT.create_deployment(**self.own, stageName="s")["id"]
        self.stage = {**self.own, "stageName": "s"}
        self.unknown = f"Invalid API identifier specified {ACCOUNT}:no"


API = Api()


def values_are_listed_in_awss_order():
    """Lists that are recorded, and those that follow the same rule."""
    invalid(enum("x", "createRestApiInput.apiKeySource", "AUTHORIZER, HEADER"), "create_rest_api", name="a",
            apiKeySource="x")
    invalid(enum("x", "updateAccountInput.patchOperations.1.member.op",
                 "add, remove, move, test, replace, copy"), "update_account", patchOperations=patch(("x", "/a", "b")))
    invalid(enum("x", "putIntegrationInput.type", "HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS"), "put_integration",
            **API.get, type="x")


def members_of_the_model_are_required_and_restricted():
    invalid(null("createRestApiInput.name"), "create_rest_api")
    invalid(null("createResourceInput.pathPart"), "create_resource", **API.own, parentId=API.root)
    invalid(null("createStageInput.deploymentId"), "create_stage", **API.own, stageName="t")
    invalid(null("createModelInput.contentType"), "create_model", **API.own, name="M", schema="{}")
    invalid(null("createUsagePlanInput.name"), "create_usage_plan")
    invalid(null("tagResourceInput.tags"), "tag_resource", resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{API.id}")
    pattern = "failed to satisfy constraint: Member must satisfy regular expression pattern: "
    part = {"location": {"type": "RESPONSE", "statusCode": "x"}, "properties": "{}"}
    invalid(f"Value 'x' at 'createDocumentationPartInput.location.statusCode' {pattern}^([1-5]\\d\\d|\\*|\\s*)$",
            "create_documentation_part", **API.own, **part)
    invalid(f"Value '600' at 'putGatewayResponseInput.statusCode' {pattern}[1-5]\\d\\d", "put_gateway_response", **API.own,
            responseType="DEFAULT_4XX", statusCode="600")
    invalid(f"Value '99' at 'statusCode' {pattern}[1-5]\\d\\d", "put_method_response", **API.get, statusCode="99")
    modes = enum("x", "mode", "overwrite, merge")
    invalid(modes, "put_rest_api", **API.own, mode="x", body=b"{}")
    invalid(modes, "import_documentation_parts", **API.own, mode="x", body=b"{}")
    types = enum("x", "locationStatus", "UNDOCUMENTED, DOCUMENTED")
    invalid(types, "get_documentation_parts", **API.own, locationStatus="x")


def wrong_json_is_told():
    raw("POST", "/restapis", b'{"name": 1}', words="TruncatingBigNumber can not be converted to an String")
    raw("POST", "/restapis", b'{"name": {}}', words="Start of structure or map found where not expected.")
    raw("POST", "/restapis", b'{"name": []}', words="Start of list found where not expected")
    raw("POST", "/restapis", b'{"name": "a', words="")
    raw("POST", "/restapis", b"[]", words="")
    raw("GET", "/restapis?position=%21", words="Invalid position")
    raw("GET", "/restapis?limit=x", words="")
    raw("GET", "/nothing", expected=404, words="")


def what_is_not_there_is_told_by_its_noun():
    for call in ("get_rest_api", "delete_rest_api", "get_resources", "get_stages", "get_deployments", "get_models",
                 "get_request_validators", "get_authorizers", "get_gateway_responses", "get_documentation_parts",
                 "create_deployment", "get_documentation_versions"):
        missing(API.unknown, call, restApiId="no")
    missing("Invalid Resource identifier specified", "get_resource", restApiId="no", resourceId="no")
    missing("Invalid Method identifier specified", "get_method", **{**API.get, "httpMethod": "PUT"})
    missing("Invalid Integration identifier specified", "get_integration", **method(Api("bare"), "PUT"))
    missing("Invalid Response status code specified", "get_method_response", **API.get, statusCode="500")
    missing("Invalid Response status code specified", "get_integration_response", **API.get, statusCode="500")
    missing("Invalid model name specified: No", "get_model", **API.own, modelName="No")
    missing("Invalid Request Validator identifier specified", "get_request_validator", **API.own, requestValidatorId="no")
    missing("Invalid Authorizer identifier specified", "get_authorizer", **API.own, authorizerId="no")
    missing("Invalid Deployment identifier specified", "get_deployment", **API.own, deploymentId="no")
    missing("Invalid stage identifier specified", "get_stage", **API.own, stageName="no")
    missing("Gateway response type not defined on api", "delete_gateway_response", **API.own, responseType="DEFAULT_4XX")
    missing("Invalid Documentation part identifier specified", "get_documentation_part", **API.own,
            documentationPartId="no")
    no = {"restApiId": "no"}
    missing("Invalid stage identifier specified", "get_stage", **no, stageName="s")
    missing("Invalid Deployment identifier specified", "get_deployment", **no, deploymentId=API.deployment)
    missing("Invalid Authorizer identifier specified", "get_authorizer", **no, authorizerId="no")
    missing("Invalid Documentation part identifier specified", "get_documentation_part", **no, documentationPartId="no")
    missing("Invalid Documentation version specified", "get_documentation_version", **no, documentationVersion="no")
    missing("Invalid API Key identifier specified", "get_api_key", apiKey="no")
    missing("Invalid Usage Plan ID specified", "get_usage_plan", usagePlanId="no")
    missing("Invalid Vpc Link identifier specified", "get_vpc_link", vpcLinkId="no")
    missing("Invalid Client Certificate identifier specified", "get_client_certificate", clientCertificateId="no")
    missing("Invalid domain name identifier specified", "get_domain_name", domainName="no.tld")


def method(api, verb):
    CLIENT.put_method(**{**api.get, "httpMethod": verb}, authorizationType="NONE")
    return {**api.get, "httpMethod": verb}


def mappings_are_between_what_is_declared():
    def words(*expressions):
        errors = ", ".join(f"Invalid mapping expression parameter specified: {one}" for one in expressions)
        return f"Invalid mapping expression specified: Validation Result: warnings : [], errors : [{errors}]"

    http = {"type": "HTTP", "integrationHttpMethod": "GET", "uri": "http://example.com"}
    source = "method.request.header.x"
    bad(words(source), "put_integration", **API.get, **http, requestParameters={"integration.request.header.y": source})
    bad(words("method.response.header.z"), "put_integration_response", **API.get, statusCode="200",
        responseParameters={"method.response.header.z": "'v'"})
    bad(words("method.response.header.h"), "put_integration_response", **API.get, statusCode="201",
        responseParameters={"method.response.header.h": "'v'"})
    bad(words("method.response.header.z"), "update_integration_response", **API.get, statusCode="200",
        patchOperations=patch(("add", "/responseParameters/method.response.header.z", "'v'")))
    options = "GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"
    bad(f"Invalid HttpMethod specified. Valid options are {options}", "put_integration", **API.get,
        **{**http, "integrationHttpMethod": "BREW"})
    declared = {"integration.request.querystring.a": "method.request.querystring.q",
                "integration.request.querystring.b": "method.request.multivaluequerystring.q",
                "integration.request.header.c": "method.request.body", "integration.request.header.d": "'x'"}
    api = Api("mapped")
    CLIENT.put_integration(**api.get, **http, requestParameters=declared)
    bad("Invalid Content Handling Strategy specified. Valid options are CONVERT_TO_BINARY, CONVERT_TO_TEXT",
        "update_integration", **api.get, patchOperations=patch(("replace", "/contentHandling", "x")))


def what_is_used_is_not_deleted():
    api = Api("used")
    CLIENT.create_model(**api.own, name="Used", contentType="application/json", schema='{"type": "object"}')
    CLIENT.update_method_response(**api.get, statusCode="200",
                                  patchOperations=patch(("add", "/responseModels/text~1plain", "Used")))
    conflict("Cannot delete model 'Used', is referenced in method response: /pets/GET", "delete_model", **api.own,
             modelName="Used")
    authorizer = CLIENT.create_authorizer(**api.own, name="who", type="TOKEN", authorizerUri=FUNCTION,
                                          identitySource="method.request.header.A")["id"]
    validator = CLIENT.create_request_validator(**api.own, name="all")["id"]
    CLIENT.update_method(**api.get, patchOperations=patch(
        ("replace", "/authorizationType", "CUSTOM"), ("replace", "/authorizerId", authorizer),
        ("replace", "/requestValidatorId", validator)))
    conflict("Cannot delete authorizer 'who', is referenced in method: GET//pets", "delete_authorizer", **api.own,
             authorizerId=authorizer)
    conflict(f"Cannot delete request validator '{validator}', is referenced in method request: /pets/GET",
             "delete_request_validator", **api.own, requestValidatorId=validator)
    bad("Active stages pointing to this deployment must be moved or deleted", "delete_deployment", **api.own,
        deploymentId=api.deployment)
    plan = CLIENT.create_usage_plan(name="used", apiStages=[{"apiId": api.id, "stage": "s"}])["id"]
    bad(f"Cannot delete Usage Plan {plan} because there are API Stages associated with it, including {api.id}:s",
        "delete_usage_plan", usagePlanId=plan)
    bad(f"Deleting stage s failed. Please remove it from the usage plan {plan} first", "delete_stage", **api.stage)
    CLIENT.update_usage_plan(usagePlanId=plan, patchOperations=patch(("remove", "/apiStages", f"{api.id}:s")))
    CLIENT.delete_usage_plan(usagePlanId=plan)
    CLIENT.create_domain_name(domainName="used.tld")
    CLIENT.create_base_path_mapping(domainName="used.tld", basePath="v1", restApiId=api.id, stage="s")
    domains = "Please remove all base path mappings related to the {} in your domains: used.tld"
    bad(f"Deleting RestApi {api.id} failed. {domains.format('RestApi')}", "delete_rest_api", **api.own)
    bad(f"Deleting stage s failed. {domains.format('stage')}", "delete_stage", **api.stage)
    CLIENT.delete_domain_name(domainName="used.tld")
    link = CLIENT.create_vpc_link(name="l", targetArns=[BALANCER])["id"]
    CLIENT.put_integration(**api.get, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://example.com",
                           connectionType="VPC_LINK", connectionId=link)
    CLIENT.create_deployment(**api.own, stageName="s")
    bad(f"Cannot delete vpc link. Vpc link '{link}', is referenced in [{api.id}:GET:{api.pets}:s] in format of "
        "[RESTApiId:Method:Resource:Stage].", "delete_vpc_link", vpcLinkId=link)
    CLIENT.delete_stage(**api.stage)
    CLIENT.delete_vpc_link(vpcLinkId=link)
    CLIENT.delete_rest_api(**api.own)


def names_are_unique_where_they_must_be():
    api = Api("unique")
    CLIENT.create_request_validator(**api.own, name="v")
    bad("Request Validator name must be unique. Request Validator v already exists in this RestApi.",
        "create_request_validator", **api.own, name="v")
    authorizer = {"name": "a", "type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": "method.request.header.A"}
    CLIENT.create_authorizer(**api.own, **authorizer)
    bad("Authorizer name must be unique. Authorizer a already exists in this RestApi.", "create_authorizer", **api.own,
        **authorizer)
    bad("Invalid token source expression: x. The source must be a method request header, matching "
        "'method.request.header.[a-zA-Z0-9._-]+'.", "create_authorizer", **api.own,
        **{**authorizer, "name": "b", "identitySource": "x"})
    bad("Invalid Authorizer URI: x. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function "
        "invocation.", "create_authorizer", **api.own, **{**authorizer, "name": "b", "authorizerUri": "x"})
    conflict("Model name already exists for this REST API", "create_model", **api.own, name="Empty",
             contentType="application/json", schema="{}")
    conflict("Stage already exists", "create_stage", **api.stage, deploymentId=api.deployment)
    conflict("Another resource with the same parent already has this name: pets", "create_resource", **api.own,
             parentId=api.root, pathPart="pets")


def plans_are_patched_as_their_page_says():
    api = Api("plans")
    own = {"usagePlanId": CLIENT.create_usage_plan(
        name="p", apiStages=[{"apiId": api.id, "stage": "s"}], throttle={"rateLimit": 1.5, "burstLimit": 2},
        quota={"limit": 10, "period": "WEEK", "offset": 1})["id"]}
    stage = f"/apiStages/{api.id}:s/throttle"
    plan = CLIENT.update_usage_plan(**own, patchOperations=patch(
        ("replace", "/throttle/burstLimit", "0"), ("replace", "/quota/limit", "20"),
        ("add", f"{stage}/~1pets/GET/rateLimit", "3"), ("add", f"{stage}/~1pets/GET/burstLimit", "4")))
    equal("throttle", plan["throttle"], {"burstLimit": 0, "rateLimit": 1.5})
    equal("stage", plan["apiStages"][0]["throttle"], {"/pets/GET": {"rateLimit": 3.0, "burstLimit": 4}})
    plan = CLIENT.update_usage_plan(**own, patchOperations=patch(
        ("replace", stage, '{"/pets/PUT": {"rateLimit": 1, "burstLimit": 1}}')))
    equal("stage", plan["apiStages"][0]["throttle"], {"/pets/PUT": {"rateLimit": 1.0, "burstLimit": 1}})
    plan = CLIENT.update_usage_plan(**own, patchOperations=patch(
        ("remove", f"{stage}/~1pets/PUT"), ("remove", "/quota"), ("replace", "/productCode", "c")))
    equal("plan", ("quota" in plan, plan["productCode"], plan["tags"]), (False, "c", {}))
    missing(API.unknown, "create_usage_plan", name="q", apiStages=[{"apiId": "no", "stage": "s"}])
    missing(f"API Stage not found: {api.id}:no", "create_usage_plan", name="q", apiStages=[{"apiId": api.id, "stage": "no"}])
    missing(f"API Stage not found: {api.id}:no", "update_usage_plan", **own,
            patchOperations=patch(("add", "/apiStages", f"{api.id}:no")))
    key = CLIENT.create_api_key(name="k")["id"]
    CLIENT.create_usage_plan_key(**own, keyId=key, keyType="API_KEY")
    other = CLIENT.create_usage_plan(name="q", apiStages=[{"apiId": api.id, "stage": "s"}])["id"]
    message = (f"Usage Plan {other} cannot be added because API Key {key} cannot reference multiple Usage Plans with the "
               f"same API stage: {api.id}:s")
    conflict(message, "create_usage_plan_key", usagePlanId=other, keyId=key, keyType="API_KEY")
    third = CLIENT.create_usage_plan(name="r")["id"]
    CLIENT.create_usage_plan_key(usagePlanId=third, keyId=key, keyType="API_KEY")
    conflict(message.replace(other, third), "update_usage_plan", usagePlanId=third,
             patchOperations=patch(("add", "/apiStages", f"{api.id}:s")))
    bad("Invalid API Stage specified", "update_usage_plan", **own, patchOperations=patch(("add", "/apiStages", "x")))
    for path in ("/throttle/burstLimit", "/quota/limit", "/name", f"/apiStages/{api.id}:s"):
        bad(f"Invalid patch path  '{path}' specified for op 'remove'. Must be one of: [/apiStages, /quota, /throttle, "
            "/productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, "
            "/apiStages/<apidId:stageName>/throttle]", "update_usage_plan", **own, patchOperations=patch(("remove", path)))


def a_file_replaces_the_keys_that_it_names():
    value = "v" * 20
    lines = f"Name,key,Description,Enabled,Colour\nfirst,{value},d,TRUE,red\nother,{value[::-1]}w,,false,\n"
    first = CLIENT.import_api_keys(body=lines, format="csv")
    equal("warnings", first.get("warnings"), [])
    again = CLIENT.import_api_keys(body=lines.replace("first", "second"), format="csv")
    equal("ids", again["ids"], first["ids"])
    keys = [CLIENT.get_api_key(apiKey=key, includeValue=True) for key in again["ids"]]
    equal("keys", [(key["name"], key["enabled"]) for key in keys], [("second", True), ("other", False)])
    equal("value", keys[0]["value"], value)
    stages = f"{API.id}/s"
    changed = CLIENT.update_api_key(apiKey=again["ids"][0], patchOperations=patch(("add", "/stages", stages)))
    equal("stages", changed["stageKeys"], [stages])
    changed = CLIENT.update_api_key(apiKey=again["ids"][0], patchOperations=patch(("remove", "/stages", stages)))
    equal("stages", changed["stageKeys"], [])
    bad("Invalid stage identifier specified", "update_api_key", apiKey=again["ids"][0],
        patchOperations=patch(("add", "/stages", f"{API.id}/no")))
    short = CLIENT.import_api_keys(body="key,name\nshort,x\n", format="csv")
    equal("short", (short["ids"], len(short["warnings"])), ([], 1))
    refused(400, "BadRequestException", "Line 2: API Key value should be at least 20 characters", "import_api_keys",
            body="key,name\nshort,x\n", format="csv", failOnWarnings=True)


def settings_of_a_stage_have_their_limits():
    name = {**API.stage}
    bad("Access log format must be single line, new line character is allowed only at end of the format. Format should "
        "contain context.requestId or context.extendedRequestId", "update_stage", **name,
        patchOperations=patch(("add", "/accessLogSettings/format", "$context.status")))
    missing("Invalid Documentation version specified", "update_stage", **name,
            patchOperations=patch(("replace", "/documentationVersion", "no")))
    missing("Invalid Client Certificate identifier specified", "update_stage", **name,
            patchOperations=patch(("replace", "/clientCertificateId", "no")))
    percent = "Invalid percentTraffic: it must be a number from 0.0 to 100.0"
    bad(percent, "create_stage", **API.own, stageName="p", deploymentId=API.deployment,
        canarySettings={"percentTraffic": 101})
    bad(percent, "create_deployment", **name, canarySettings={"percentTraffic": -1})
    bad("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression "
        "specified: x]", "put_gateway_response", **API.own, responseType="THROTTLED",
        responseParameters={"gatewayresponse.header.h": "x"})
    many = [("replace", f"/variables/v{n}", "1") for n in range(101)]
    bad("A stage can have at most 100 stage variables", "update_stage", **name, patchOperations=patch(*many))
    stage = CLIENT.update_stage(**name, patchOperations=patch(
        ("replace", "/*/*/caching/enabled", "true"), ("replace", "/~1pets/GET/caching/ttlInSeconds", "0"),
        ("replace", "/variables/a", "b"), ("replace", "/cacheClusterSize", "0.5")))
    settings = stage["methodSettings"]
    equal("settings", sorted(settings), ["*/*", "~1pets/GET"])
    equal("seeded", (settings["~1pets/GET"]["cachingEnabled"], settings["~1pets/GET"]["cacheTtlInSeconds"]), (True, 0))
    CLIENT.update_stage(**name, patchOperations=patch(("replace", "/variables/c", "d")))
    stage = CLIENT.update_stage(**name, patchOperations=patch(("remove", "/*/*"), ("remove", "/variables")))
    equal("removed", (sorted(stage["methodSettings"]), "variables" in stage), (["~1pets/GET"], False))
    bad("Cannot remove method setting */* because there is no method setting for this method ", "update_stage", **name,
        patchOperations=patch(("remove", "/*/*")))
    bad("Cannot remove method setting variables because there is no method setting for this method ", "update_stage", **name,
        patchOperations=patch(("remove", "/variables")))


def a_stage_with_a_canary_takes_no_other_deployment():
    api = Api("canary")
    first = api.deployment
    CLIENT.create_deployment(**api.stage, canarySettings={"percentTraffic": 0})
    canary = CLIENT.get_stage(**api.stage)["canarySettings"]["deploymentId"]
    third = CLIENT.create_deployment(**api.own)["id"]
    bad("Invalid deployment content specified.Non canary deployment not supported on stage s because Canary is enabled. "
        "Provide CanarySettings in deploymentInput.", "create_deployment", **api.stage)
    locked = "Non canary deployment not supported on stage s because Canary is enabled. Remove canarySettings first."
    bad(locked, "update_stage", **api.stage, patchOperations=patch(("replace", "/deploymentId", third)))
    promoted = CLIENT.update_stage(**api.stage, patchOperations=patch(
        ("copy", "/deploymentId", None, "/canarySettings/deploymentId"), ("replace", "/description", "d")))
    equal("promoted", (promoted["deploymentId"], promoted["canarySettings"]["deploymentId"]), (canary, canary))
    bad(locked, "update_stage", **api.stage, patchOperations=patch(("replace", "/deploymentId", first)))
    back = CLIENT.update_stage(**api.stage, patchOperations=patch(
        ("remove", "/canarySettings"), ("replace", "/deploymentId", first)))
    equal("back", (back["deploymentId"], "canarySettings" in back), (first, False))
    CLIENT.create_deployment(**api.stage)


def what_remains_is_a_number_of_a_key_in_a_plan():
    own = {"usagePlanId": CLIENT.create_usage_plan(name="u", quota={"limit": 5, "period": "DAY"})["id"]}
    key = CLIENT.create_api_key(name="u")["id"]
    at = {**own, "keyId": key}
    remaining = patch(("replace", "/remaining", "1"))
    missing("Invalid Key identifier specified", "update_usage", **at, patchOperations=remaining)
    CLIENT.create_usage_plan_key(**at, keyType="API_KEY")
    missing("Invalid Usage Plan ID specified", "update_usage", usagePlanId="no", keyId=key, patchOperations=remaining)
    for op, path, allowed in (("add", "/remaining", ""), ("remove", "/remaining", ""), ("copy", "/extension", ""),
                              ("replace", "/quota/limit", "/remaining"), ("replace", None, "/remaining")):
        bad(f"Invalid patch path  '{path or 'null'}' specified for op '{op}'. Must be one of: [{allowed}]", "update_usage",
            **at, patchOperations=patch((op, path, "1")))
    for value in ("-1", "x", "", "1.5", "2147483648", "9" * 40, None):
        bad(f"Invalid value for /remaining: {value or ''}", "update_usage", **at,
            patchOperations=patch(("replace", "/remaining", "2"), ("replace", "/remaining", value)))
    invalid(enum("x", "updateUsageInput.patchOperations.1.member.op", "add, remove, move, test, replace, copy"),
            "update_usage", **at, patchOperations=patch(("x", "/remaining", "1")))
    raw("PATCH", f"/usageplans/{own['usagePlanId']}/keys/{key}/usage",
        b'{"patchOperations": [{"op": "replace", "path": "/remaining", "value": 1}]}',
        words="TruncatingBigNumber can not be converted to an String")
    days = {"startDate": "2016-01-01", "endDate": "2016-12-31"}
    equal("a year", CLIENT.get_usage(**own, **days)["items"], {key: [[0, 5]] * 366})
    most = CLIENT.update_usage(**at, patchOperations=patch(("replace", "/remaining", "2147483647")))
    equal("most", most["items"], {key: [[0, 2147483647]]})
    missing("Invalid Key identifier specified", "get_usage", **own, **days, keyId="no")
    missing("Invalid Usage Plan ID specified", "get_usage", usagePlanId="no", **days)
    form = "Invalid startDate specified. It must be of the form YYYY-MM-DD"
    for day in ("2016-02-30", "2016-1-1", "2016-01-01T00:00:00Z", "x", ""):
        bad(form, "get_usage", **own, **{**days, "startDate": day})
    bad("Invalid date range specified: it has more than 366 days", "get_usage", **own, **{**days, "endDate": "2017-01-01"})
    bad("Invalid date range specified: endDate is before startDate", "get_usage", **own, **{**days, "endDate": "2015-12-31"})
    bare = CLIENT.create_usage_plan(name="bare")["id"]
    CLIENT.create_usage_plan_key(usagePlanId=bare, keyId=key, keyType="API_KEY")
    bad(f"Usage Plan {bare} has no quota", "update_usage", usagePlanId=bare, keyId=key, patchOperations=remaining)


def tags_and_counts_have_limits():
    bad("Invalid tag key specified: aws:x", "create_rest_api", name="a", tags={"aws:x": "y"})
    bad("A resource can have at most 50 tags", "create_api_key", name="a", tags={f"t{n}": "" for n in range(51)})
    api = Api("counted")
    for n in range(9):
        CLIENT.create_stage(**api.own, stageName=f"t{n}", deploymentId=api.deployment)
    refused(429, "LimitExceededException", "Maximum number of stages for this API has been reached. Please contact AWS "
            "if you need additional stages.", "create_stage", **api.own, stageName="more", deploymentId=api.deployment)
    refused(429, "LimitExceededException", "Maximum number of stages for this API has been reached. Please contact AWS "
            "if you need additional stages.", "create_deployment", **api.own, stageName="more")
    CLIENT.create_deployment(**api.own, stageName="t0")
    bad("More than one target arn specified for vpc link.", "create_vpc_link", name="l", targetArns=[BALANCER] * 2)
    bad("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        "create_rest_api", name="a", policy="no JSON")


def numbers_are_kept_that_can_be_read_again():
    own = {"usagePlanId": CLIENT.create_usage_plan(name="n")["id"]}
    for value in ("NaN", "inf", "-Infinity", "1e999", "x", ""):
        bad(f"Invalid value for /throttle/rateLimit: {value}", "update_usage_plan", **own,
            patchOperations=patch(("replace", "/throttle/rateLimit", value)))
        bad(f"Invalid value {value} for /*/*/throttling/rateLimit", "update_stage", **API.stage,
            patchOperations=patch(("replace", "/*/*/throttling/rateLimit", value)))
        bad("Invalid percentTraffic: it must be a number from 0.0 to 100.0", "update_stage", **API.stage,
            patchOperations=patch(("replace", "/canarySettings/percentTraffic", value)))
    raw("POST", "/usageplans", b'{"name": "n", "throttle": {"rateLimit": 1e999, "burstLimit": 1}}')


def what_is_one_of_some_words_stays_one_of_them():
    modes = "Invalid endpoint access mode specified. Valid options are BASIC,STRICT"
    bad(modes, "update_rest_api", **API.own, patchOperations=patch(("replace", "/endpointAccessMode", "x")))
    CLIENT.create_domain_name(domainName="words.tld")
    for member in ("endpointAccessMode", "securityPolicy", "routingMode", "endpointConfiguration/ipAddressType"):
        bad(f"Invalid patch path /{member}", "update_domain_name", domainName="words.tld",
            patchOperations=patch(("replace", f"/{member}", "x")))
    policy = "SecurityPolicy_TLS13_1_3_2025_09"
    needed = "Endpoint access mode is required for the specified security policy"
    document = json.dumps({**DOCUMENT, "x-amazon-apigateway-security-policy": policy})
    bad(needed, "create_rest_api", name="a", securityPolicy=policy)
    bad(needed, "update_rest_api", **API.own, patchOperations=patch(("replace", "/securityPolicy", policy)))
    bad(needed, "import_rest_api", body=document)
    bad(needed, "put_rest_api", restApiId=CLIENT.create_rest_api(name="a")["id"], body=document)
    bad(needed, "create_domain_name", domainName="policy.tld", securityPolicy=policy)
    bad(needed, "update_domain_name", domainName="words.tld", patchOperations=patch(("replace", "/securityPolicy", policy)))
    CLIENT.create_rest_api(name="a", securityPolicy=policy, endpointAccessMode="STRICT")
    for stage in ({"stage": "s"}, {"apiId": API.id}, {"apiId": "", "stage": "s"}):
        bad("Invalid API Stage {api: %s, stage: %s} specified for usageplan %s", "create_usage_plan", name="p",
            apiStages=[stage])


def what_is_full_says_when_to_come_back():
    api = Api("full")
    for n in range(9):
        CLIENT.create_stage(**api.own, stageName=f"t{n}", deploymentId=api.deployment)
    try:
        CLIENT.create_stage(**api.own, stageName="more", deploymentId=api.deployment)
        faults.append("an eleventh stage")
    except ClientError as error:
        equal("retry", error.response["retryAfterSeconds"], "60")


def what_is_not_kept_is_refused_by_its_name():
    for member in ("certificateBody", "certificatePrivateKey", "certificateChain"):
        bad(f"{member} is not supported: certificates are given to the listener", "create_domain_name",
            domainName="uploaded.tld", **{member: "x"})
    for kind in ("JWT", "x"):
        invalid(enum(kind, "createAuthorizerInput.type", "REQUEST, COGNITO_USER_POOLS, TOKEN"), "create_authorizer",
                **API.own, name="j", type=kind)


def a_domain_name_has_one_owner():
    """State is kept apart by account and region; requests come with a host alone."""
    elsewhere = boto3.client("apigateway", endpoint_url=URL, region_name="us-west-2")
    CLIENT.create_domain_name(domainName="owned.tld")
    for name in ("owned.tld", "Owned.TLD"):
        try:
            elsewhere.create_domain_name(domainName=name)
            faults.append(f"{name} has two owners")
        except ClientError as error:
            equal("owner", (error.response["Error"]["Code"], error.response["Error"]["Message"]),
                  ("ConflictException", "The domain name you provided already exists."))
    elsewhere.create_domain_name(domainName="other.tld")
    CLIENT.delete_domain_name(domainName="owned.tld")
    elsewhere.create_domain_name(domainName="owned.tld")
    conflict("The domain name you provided already exists.", "create_domain_name", domainName="owned.tld")


def a_base_path_is_one_segment():
    domain = {"domainName": "paths.tld"}
    CLIENT.create_domain_name(**domain)
    slash = ("API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base "
             "path mapping, use API Gateway V2.")
    bad(slash, "create_base_path_mapping", **domain, basePath="a/b", restApiId=API.id)
    bad("API Gateway V1 doesn't support the use of the specified characters in the base path", "create_base_path_mapping",
        **domain, basePath="a b", restApiId=API.id)
    CLIENT.create_base_path_mapping(**domain, basePath="a$-_.+!*'()", restApiId=API.id)
    CLIENT.create_base_path_mapping(**domain, basePath="b", restApiId=API.id, stage="s")
    bad(slash, "update_base_path_mapping", **domain, basePath="b", patchOperations=patch(("replace", "/basePath", "a/b")))
    conflict("Base path already exists for this domain name", "update_base_path_mapping", **domain, basePath="b",
             patchOperations=patch(("replace", "/basePath", "a$-_.+!*'()")))


def private_names_are_told_apart_by_their_identifiers():
    made = CLIENT.create_domain_name(domainName="private.tld", endpointConfiguration={"types": ["PRIVATE"]})
    got = CLIENT.get_domain_name(domainName="private.tld", domainNameId=made["domainNameId"])
    equal("arn", got["domainNameArn"], made["domainNameArn"])
    missing("Invalid domain name identifier specified", "get_domain_name", domainName="private.tld", domainNameId="no")
    missing("Invalid domain name identifier specified", "delete_domain_name", domainName="private.tld", domainNameId="no")
    equal("others", CLIENT.get_domain_names(resourceOwner="OTHER_ACCOUNTS")["items"], [])


def every_arn_takes_tags():
    api = Api("tagged")
    key, plan = CLIENT.create_api_key(name="k")["id"], CLIENT.create_usage_plan(name="tagged")["id"]
    link = CLIENT.create_vpc_link(name="l", targetArns=[BALANCER])["id"]
    certificate = CLIENT.generate_client_certificate()["clientCertificateId"]
    CLIENT.create_domain_name(domainName="tagged.tld")
    paths = [f"restapis/{api.id}", f"restapis/{api.id}/stages/s", f"apikeys/{key}", f"usageplans/{plan}",
             f"vpclinks/{link}", f"clientcertificates/{certificate}", "domainnames/tagged.tld"]
    for path in paths:
        arn = f"arn:aws:apigateway:us-east-1::/{path}"
        CLIENT.tag_resource(resourceArn=arn, tags={"a": "b", "c": "d"})
        CLIENT.untag_resource(resourceArn=arn, tagKeys=["a"])
        equal(path, CLIENT.get_tags(resourceArn=arn)["tags"], {"c": "d"})
        elsewhere = arn.replace("us-east-1", "eu-west-1")
        bad(f"Invalid ARN specified in the request: {elsewhere}", "get_tags", resourceArn=elsewhere)
    missing("Invalid stage identifier specified", "get_tags",
            resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{api.id}/stages/no")


def a_clone_has_what_is_not_said_anew():
    policy = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "execute-api:/*"}]})
    made = CLIENT.create_rest_api(name="o", description="d", binaryMediaTypes=["a/b"], policy=policy,
                                  disableExecuteApiEndpoint=True)
    reference = json.dumps({"$ref": f"https://apigateway.amazonaws.com/restapis/{made['id']}/models/Empty"})
    CLIENT.create_model(restApiId=made["id"], name="R", contentType="application/json", schema=reference)
    clone = CLIENT.create_rest_api(name="c", cloneFrom=made["id"], binaryMediaTypes=["c/d"])
    equal("clone", (clone["name"], clone["description"], clone["binaryMediaTypes"], clone["disableExecuteApiEndpoint"]),
          ("c", "d", ["c/d"], True))
    equal("policy", clone["policy"], made["policy"].replace(made["id"], clone["id"]))
    equal("model", CLIENT.get_model(restApiId=clone["id"], modelName="R")["schema"],
          reference.replace(made["id"], clone["id"]))
    missing(API.unknown, "create_rest_api", name="c", cloneFrom="no")
    conflict(f"An API with the identifier {made['id']} already exists", "create_rest_api", name="c",
             cloneFrom=made["id"], tags={"_custom_id_": made["id"]})
    changed = CLIENT.update_rest_api(restApiId=clone["id"], patchOperations=patch(("add", "/description", "e")))
    equal("description", changed["description"], "e")


def policies_are_written_out_and_told_as_the_inside_of_a_text():
    def policy(resource):
        return {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource}]}

    def told(api):
        return json.loads(json.loads(f'"{api["policy"]}"'))

    made = CLIENT.create_rest_api(name="p", policy=json.dumps(policy("execute-api:/*"), indent=1))
    own = {"restApiId": made["id"]}
    arn = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{made['id']}"
    equal("created", told(made), policy(f"{arn}/*"))
    changed = CLIENT.update_rest_api(**own, patchOperations=patch(
        ("replace", "/policy", json.dumps(policy(["execute-api:/s/GET/x"])))))
    equal("changed", told(changed), policy([f"{arn}/s/GET/x"]))
    equal("removed", "policy" in CLIENT.update_rest_api(**own, patchOperations=patch(("replace", "/policy", ""))), False)
    document = {**DOCUMENT, "x-amazon-apigateway-policy": policy("execute-api:/*")}
    equal("put", told(CLIENT.put_rest_api(**own, body=json.dumps(document))), policy(f"{arn}/*"))


MOCK = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": {"type": "mock"}}
DOCUMENT = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "basePath": "/a/b", "paths": {"/x": {"get": MOCK}}}


def documents_are_read_as_their_parameters_say():
    def paths(api):
        return sorted(one["path"] for one in CLIENT.get_resources(restApiId=api["id"])["items"])

    body = json.dumps(DOCUMENT)
    for base, expected in (("ignore", ["/", "/x"]), ("prepend", ["/", "/a", "/a/b", "/a/b/x"]),
                           ("split", ["/", "/b", "/b/x"])):
        equal(base, paths(CLIENT.import_rest_api(body=body, parameters={"basepath": base})), expected)
    one = CLIENT.import_rest_api(body=body, parameters={"endpointConfigurationTypes": "PRIVATE"})
    equal("types", one["endpointConfiguration"], {"types": ["PRIVATE"], "ipAddressType": "dualstack"})
    bad("Cannot create an api with multiple Endpoint Types.", "import_rest_api", body=body,
        parameters={"endpointConfigurationTypes": "EDGE,REGIONAL"})
    bad("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE", "import_rest_api", body=body,
        parameters={"endpointConfigurationTypes": "NONE"})
    bad("Invalid OpenAPI input.", "import_rest_api", body="{")
    bad("Invalid OpenAPI input.", "put_rest_api", restApiId=one["id"], body="")
    bad("Unable to build importer with provided input.", "import_documentation_parts", restApiId=one["id"], body="{")
    CLIENT.put_rest_api(restApiId=one["id"], mode="merge", body=json.dumps(
        {**DOCUMENT, "paths": {"/y": {"get": MOCK}}, "x-amazon-apigateway-binary-media-types": ["a/b"]}))
    equal("merged", paths(one), ["/", "/x", "/y"])
    over = CLIENT.put_rest_api(restApiId=one["id"], mode="overwrite", body=body)
    equal("overwritten", (paths(one), "binaryMediaTypes" in over), (["/", "/x"], False))


def a_test_comes_from_nowhere():
    api = Api("tested")
    CLIENT.put_integration(**api.get, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    CLIENT.put_integration_response(**api.get, statusCode="200", responseTemplates={
        "application/json": "$context.identity.sourceIp $context.identity.userAgent $context.stage $context.domainPrefix"})
    tested = CLIENT.test_invoke_method(**api.get, headers={"User-Agent": "me"})
    equal("identity", tested["body"], "test-invoke-source-ip me test-invoke-stage testPrefix")


CLAIMS = (
    values_are_listed_in_awss_order,
    members_of_the_model_are_required_and_restricted,
    wrong_json_is_told,
    what_is_not_there_is_told_by_its_noun,
    mappings_are_between_what_is_declared,
    what_is_used_is_not_deleted,
    names_are_unique_where_they_must_be,
    plans_are_patched_as_their_page_says,
    a_file_replaces_the_keys_that_it_names,
    settings_of_a_stage_have_their_limits,
    a_stage_with_a_canary_takes_no_other_deployment,
    what_remains_is_a_number_of_a_key_in_a_plan,
    tags_and_counts_have_limits,
    numbers_are_kept_that_can_be_read_again,
    what_is_one_of_some_words_stays_one_of_them,
    what_is_full_says_when_to_come_back,
    what_is_not_kept_is_refused_by_its_name,
    a_domain_name_has_one_owner,
    a_base_path_is_one_segment,
    private_names_are_told_apart_by_their_identifiers,
    every_arn_takes_tags,
    a_clone_has_what_is_not_said_anew,
    policies_are_written_out_and_told_as_the_inside_of_a_text,
    documents_are_read_as_their_parameters_say,
    a_test_comes_from_nowhere,
)
for claim in CLAIMS:
    claim()
for fault in faults:
    print(fault)
print(", ".join(f"{number} {what}" for what, number in counts.items()))
sys.exit(bool(faults))
