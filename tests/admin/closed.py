"""What is stored, protects something and is not obeyed yet closes what it protects; what does not protect is served.

Arguments: the admin listener's URL and the data listener's. Prints counts.
"""

import json
import os
import sys
import urllib.error
import urllib.request

URL, DATA = sys.argv[1:]
os.environ.update(AWS_ACCESS_KEY_ID="AKIDCLOSED", AWS_SECRET_ACCESS_KEY="secret", AWS_CONFIG_FILE="/dev/null")

import boto3

CLIENT = boto3.client("apigateway", endpoint_url=URL, region_name="us-east-1")
FUNCTION = ("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:us-east-1:123456789012:function:f/invocations")
POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
POLICY = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}],
})
# What AWS has no such status for says which gateway response it was.
CONFIGURATION_ERROR = 555


class Api:
    def __init__(self, name, method=None, **api):
        made = CLIENT.create_rest_api(name=name, **api)
        self.id, self.root = made["id"], made["rootResourceId"]
        method = {"authorizationType": "NONE", **((method and method(self)) or {})}
        at = {"restApiId": self.id, "resourceId": self.root, "httpMethod": "GET"}
        CLIENT.put_method(**at, **method)
        CLIENT.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        CLIENT.put_method_response(**at, statusCode="200")
        CLIENT.put_integration_response(**at, statusCode="200")
        CLIENT.put_gateway_response(
            restApiId=self.id, responseType="API_CONFIGURATION_ERROR", statusCode=str(CONFIGURATION_ERROR))

    def authorizer(self, **settings):
        return CLIENT.create_authorizer(restApiId=self.id, name="a", **settings)["id"]

    def deploy(self, **stage):
        deployment = CLIENT.create_deployment(restApiId=self.id)["id"]
        CLIENT.create_stage(restApiId=self.id, stageName="s", deploymentId=deployment, **stage)
        return self

    def patch_stage(self, *pairs):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in pairs]
        CLIENT.update_stage(restApiId=self.id, stageName="s", patchOperations=operations)
        return self

    def status(self, **headers):
        return called(f"/restapis/{self.id}/s/_user_request_/", headers)


def called(path, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(DATA + path, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def custom(**settings):
    return lambda api: {"authorizationType": "CUSTOM", "authorizerId": api.authorizer(**settings)}


TOKEN = {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": "method.request.header.Authorization"}
REQUEST = {**TOKEN, "type": "REQUEST"}


def cognito(api):
    authorizer = api.authorizer(
        type="COGNITO_USER_POOLS", providerARNs=[POOL], identitySource="method.request.header.Authorization")
    return {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer}


def unsigned(name, method=None, **api):
    """A call without credentials, and one with what looks like some."""
    deployed = Api(name, method, **api).deploy()
    return {deployed.status(), deployed.status(Authorization="Bearer x", **{"x-api-key": "x" * 20})}


def methods_are_closed():
    rows = {
        "AWS_IAM": unsigned("iam", lambda api: {"authorizationType": "AWS_IAM"}),
        "CUSTOM, TOKEN": unsigned("token", custom(**TOKEN)),
        "CUSTOM, REQUEST": unsigned("request", custom(**REQUEST)),
        "CUSTOM, no TTL": unsigned("fresh", custom(**TOKEN, authorizerResultTtlInSeconds=0)),
        "COGNITO_USER_POOLS": unsigned("cognito", cognito),
        "COGNITO_USER_POOLS with scopes": unsigned("scopes", lambda api: {**cognito(api), "authorizationScopes": ["a/b"]}),
        "apiKeyRequired": unsigned("key", lambda api: {"apiKeyRequired": True}),
        "policy": unsigned("policy", policy=POLICY),
        "policy of a private API": unsigned("private", policy=POLICY, endpointConfiguration={"types": ["PRIVATE"]}),
    }
    # Once a protection is obeyed, whoever comes without credentials is turned away by it.
    open_ones = {name: got for name, got in rows.items() if not got <= {CONFIGURATION_ERROR, 401, 403}}
    assert not open_ones, open_ones
    return f"{len(rows)} protections of a method"


def validators_are_obeyed():
    def validated(api):
        validator = CLIENT.create_request_validator(restApiId=api.id, name="v", validateRequestParameters=True)["id"]
        return {"requestValidatorId": validator, "requestParameters": {"method.request.querystring.q": True}}

    api = Api("validator", validated).deploy()
    got = api.status(), called(f"/restapis/{api.id}/s/_user_request_/?q=1", {})
    assert got == (400, 200), got
    return "1 protection obeyed"


def domains_are_closed():
    api = Api("domains").deploy()
    rows = {
        "mutualTlsAuthentication": {"mutualTlsAuthentication": {"truststoreUri": "s3://bucket/trust.pem"}},
        "policy": {"policy": POLICY},
        "PRIVATE": {"endpointConfiguration": {"types": ["PRIVATE"]}, "policy": POLICY},
        "PRIVATE without a policy": {"endpointConfiguration": {"types": ["PRIVATE"]}},
        "ROUTING_RULE_ONLY": {"routingMode": "ROUTING_RULE_ONLY"},
    }
    for number, (field, settings) in enumerate({"nothing": {}, **rows}.items()):
        name = f"d{number}.closed.tld"
        CLIENT.create_domain_name(domainName=name, **settings)
        CLIENT.create_base_path_mapping(domainName=name, restApiId=api.id, stage="s")
        assert called("/", {"Host": name}) == (403 if settings else 200), field
    # What is set later closes too, and opens again when it is gone.
    for op, status in (("replace", 403), ("replace", 200)):
        value = {"value": "s3://bucket/trust.pem" if status == 403 else ""}
        patch = [{"op": op, "path": "/mutualTlsAuthentication/truststoreUri", **value}]
        CLIENT.update_domain_name(domainName="d0.closed.tld", patchOperations=patch)
        assert called("/", {"Host": "d0.closed.tld"}) == status, status
    closed = Api("endpoint", disableExecuteApiEndpoint=True).deploy()
    assert closed.status() == 403
    return f"{len(rows) + 2} protections of a domain"


def the_rest_is_served():
    limits = [("/*/*/throttling/rateLimit", "1"), ("/*/*/throttling/burstLimit", "1")]
    caching = [("/*/*/caching/enabled", "true"), ("/*/*/caching/ttlInSeconds", "60")]
    own = [("/*/*/caching/requireAuthorizationForCacheControl", "true"), ("/*/*/logging/loglevel", "INFO")]
    served = [
        Api("throttle").deploy().patch_stage(*limits),
        Api("cache").deploy(cacheClusterEnabled=True, cacheClusterSize="0.5").patch_stage(*caching),
        Api("settings").deploy(tracingEnabled=True).patch_stage(*own),
        Api("variables").deploy(variables={"a": "b"}),
        Api("compressed", minimumCompressionSize=0).deploy(),
    ]
    planned = Api("plan").deploy()
    CLIENT.create_usage_plan(
        name="plan", apiStages=[{"apiId": planned.id, "stage": "s"}], throttle={"rateLimit": 1, "burstLimit": 1},
        quota={"limit": 1, "period": "DAY"})
    served.append(planned)
    assert [api.status() for api in served] == [200] * len(served)
    return f"{len(served)} settings served"


for claim in (methods_are_closed, validators_are_obeyed, domains_are_closed, the_rest_is_served):
    print(claim())
