"""Every operation that is promised is done, with every member that its input has, and answers as the model says.

Arguments: the admin listener's URL and the list of operations. Prints counts, and each fault.
"""

import json
import os
import sys

URL, OPERATIONS = sys.argv[1:]
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIDOPERATIONS", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE="/dev/null", AWS_MAX_ATTEMPTS="1",
)

import boto3
from botocore.exceptions import ClientError

from model import undocumented

CLIENT = boto3.client("apigateway", endpoint_url=URL)
PROMISED = {
    one["operation"] for one in json.load(open(OPERATIONS))["operations"]
    if one["service"] == "apigateway" and (one["tier"] in "AB" or one["group"] in ("documentation", "sdk"))
}
# What is refused, and why.
REFUSED = {"TestInvokeAuthorizer": "authorizers are not run", "GetSdk": "SDKs are not generated"}
UNTRIED = {
    "CreateAuthorizer": {"jwtConfiguration"},  # Authorizers of type JWT are refused by their type.
    "CreateDomainName": {"certificateBody", "certificatePrivateKey", "certificateChain"},  # Refused by name.
    "TestInvokeMethod": {"clientCertificateId"},  # Refused by name.
}
FUNCTION = ("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:us-east-1:123456789012:function:f/invocations")
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/b"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/a"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}]})
done, given, faults = {}, {}, []


def answered(http_response, parsed, model, **_):
    shape = model.output_shape
    if http_response.status_code >= 300:
        return
    done[model.name] = done.get(model.name, 0) + 1
    if http_response.status_code != model.http.get("responseCode", 200):
        faults.append(f"{model.name}: answered {http_response.status_code}")
    if shape is not None and http_response.content and not shape.serialization.get("payload"):
        told = undocumented(json.loads(http_response.content), shape)
        faults.extend(f"{model.name}: {at} {what}" for at, what in told)


CLIENT.meta.events.register("after-call.apigateway", answered)


def call(operation, **parameters):
    model = CLIENT.meta.service_model.operation_model(operation)
    given.setdefault(operation, set()).update(parameters)
    name = next(method for method, api in CLIENT.meta.method_to_api_mapping.items() if api == operation)
    try:
        return getattr(CLIENT, name)(**parameters)
    except ClientError as error:
        if operation not in REFUSED or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            faults.append(f"{operation}: {error}")
        return {}


def patch(*operations):
    keys = ("op", "path", "value", "from")
    return {"patchOperations": [{k: v for k, v in zip(keys, one) if v is not None} for one in operations]}


def definition(api):
    call("UpdateRestApi", **api, **patch(("replace", "/name", "n"), ("add", "/binaryMediaTypes/image~1png"),
                                         ("replace", "/minimumCompressionSize", "10"), ("remove", "/description")))
    root = call("GetResources", **api, embed=["methods"], limit=5)["items"][0]["id"]
    made = call("CreateResource", **api, parentId=root, pathPart="{id}")["id"]
    call("GetResource", **api, resourceId=made, embed=["methods"])
    call("UpdateResource", **api, resourceId=made, **patch(("replace", "/pathPart", "{name}")))
    spare = call("CreateResource", **api, parentId=root, pathPart="spare")["id"]
    call("DeleteResource", **api, resourceId=spare)
    model = {**api, "modelName": "Pet"}
    call("CreateModel", **api, name="Pet", description="d", schema='{"type": "object"}', contentType="application/json")
    call("GetModel", **model, flatten=True)
    call("GetModels", **api, limit=5)
    call("UpdateModel", **model, **patch(("replace", "/description", "e")))
    call("GetModelTemplate", **model)
    validator = call("CreateRequestValidator", **api, name="v", validateRequestBody=True, validateRequestParameters=True)["id"]
    own = {**api, "requestValidatorId": validator}
    call("GetRequestValidator", **own)
    call("GetRequestValidators", **api, limit=5)
    call("UpdateRequestValidator", **own, **patch(("replace", "/name", "w")))
    authorizer = call("CreateAuthorizer", **api, name="a", type="REQUEST", authType="custom", authorizerUri=FUNCTION,
                      authorizerCredentials="arn:aws:iam::123456789012:role/r", identitySource="method.request.header.A",
                      authorizerResultTtlInSeconds=60)["id"]
    own = {**api, "authorizerId": authorizer}
    call("CreateAuthorizer", **api, name="b", type="COGNITO_USER_POOLS", identitySource="method.request.header.A",
         identityValidationExpression=".*", providerARNs=["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a"])
    call("GetAuthorizer", **own)
    call("GetAuthorizers", **api, limit=5)
    call("UpdateAuthorizer", **own, **patch(("replace", "/authorizerResultTtlInSeconds", "0")))
    call("TestInvokeAuthorizer", **own, headers={"A": "x"}, pathWithQueryString="/", body="", stageVariables={"a": "b"},
         additionalContext={"a": "b"}, multiValueHeaders={"A": ["x"]})
    return made, validator, authorizer


def method(api, resource, validator, authorizer):
    at = {**api, "resourceId": resource, "httpMethod": "POST"}
    call("PutMethod", **at, authorizationType="CUSTOM", authorizerId=authorizer, apiKeyRequired=True, operationName="o",
         requestParameters={"method.request.querystring.q": True, "method.request.path.name": True},
         requestModels={"application/json": "Pet"}, requestValidatorId=validator)
    call("UpdateMethod", **at, **patch(("replace", "/authorizationType", "COGNITO_USER_POOLS")))
    call("UpdateMethod", **at, **patch(("replace", "/authorizationType", "NONE"), ("replace", "/apiKeyRequired", "false")))
    call("PutMethod", **{**at, "httpMethod": "GET"}, authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer,
         authorizationScopes=["a/b"])
    call("DeleteMethod", **{**at, "httpMethod": "GET"})
    call("PutMethodResponse", **at, statusCode="200", responseParameters={"method.response.header.h": True},
         responseModels={"application/json": "Pet"})
    call("PutMethodResponse", **at, statusCode="404")
    call("GetMethodResponse", **at, statusCode="200")
    call("UpdateMethodResponse", **at, statusCode="200", **patch(("add", "/responseModels/text~1plain", "Empty")))
    call("DeleteMethodResponse", **at, statusCode="404")
    link = call("CreateVpcLink", name="l", description="d", targetArns=[BALANCER], tags={"a": "b"})["id"]
    call("PutIntegration", **at, type="HTTP_PROXY", integrationHttpMethod="POST", uri="http://example.com/{name}",
         connectionType="VPC_LINK", connectionId=link, passthroughBehavior="NEVER", contentHandling="CONVERT_TO_TEXT",
         timeoutInMillis=1000, cacheNamespace="n", cacheKeyParameters=["method.request.path.name"],
         requestParameters={"integration.request.path.name": "method.request.path.name"},
         tlsConfig={"insecureSkipVerification": True}, integrationTarget=BALANCER)
    call("PutIntegration", **at, type="AWS_PROXY", integrationHttpMethod="POST", uri=FUNCTION,
         credentials="arn:aws:iam::123456789012:role/r", responseTransferMode="BUFFERED")
    call("PutIntegration", **at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    call("GetIntegration", **at)
    call("UpdateIntegration", **at, **patch(("replace", "/passthroughBehavior", "WHEN_NO_TEMPLATES")))
    call("PutIntegrationResponse", **at, statusCode="200", selectionPattern="2..", contentHandling="CONVERT_TO_TEXT",
         responseParameters={"method.response.header.h": "'x'"}, responseTemplates={"application/json": "{}"})
    call("PutIntegrationResponse", **at, statusCode="404", selectionPattern="404")
    call("GetIntegrationResponse", **at, statusCode="200")
    call("UpdateIntegrationResponse", **at, statusCode="200", **patch(("replace", "/selectionPattern", "")))
    call("DeleteIntegrationResponse", **at, statusCode="404")
    call("GetMethod", **at)
    call("TestInvokeMethod", **at, pathWithQueryString="/x?q=1", body="{}", headers={"A": "b"}, stageVariables={"a": "b"},
         multiValueHeaders={"Content-Type": ["application/json"]})
    call("GetVpcLink", vpcLinkId=link)
    call("GetVpcLinks", limit=5)
    call("UpdateVpcLink", vpcLinkId=link, **patch(("replace", "/name", "m")))
    call("DeleteVpcLink", vpcLinkId=link)
    spare = {**at, "httpMethod": "PUT"}
    call("PutMethod", **spare, authorizationType="NONE")
    call("PutIntegration", **spare, type="MOCK")
    call("DeleteIntegration", **spare)
    call("DeleteMethod", **spare)


def documentation(api, stage):
    response = {**api, "responseType": "THROTTLED"}
    call("PutGatewayResponse", **response, statusCode="420", responseTemplates={"application/json": "{}"},
         responseParameters={"gatewayresponse.header.h": "'x'"})
    call("GetGatewayResponse", **response)
    call("GetGatewayResponses", **api, limit=5)
    call("UpdateGatewayResponse", **response, **patch(("replace", "/statusCode", "429")))
    call("DeleteGatewayResponse", **response)
    part = call("CreateDocumentationPart", **api, properties='{"description": "d"}', location={"type": "API"})["id"]
    own = {**api, "documentationPartId": part}
    call("GetDocumentationPart", **own)
    call("GetDocumentationParts", **api, type="API", nameQuery="n", path="/", limit=5, locationStatus="DOCUMENTED")
    call("UpdateDocumentationPart", **own, **patch(("replace", "/properties", '{"description": "e"}')))
    call("DeleteDocumentationPart", **own)
    document = {"openapi": "3.0.1", "info": {"title": "t", "version": "1", "description": "d"}, "paths": {}}
    call("ImportDocumentationParts", **api, mode="overwrite", failOnWarnings=True, body=json.dumps(document))
    version = {**api, "documentationVersion": "1"}
    call("CreateDocumentationVersion", **version, description="d", stageName=stage["stage"])
    call("GetDocumentationVersion", **version)
    call("GetDocumentationVersions", **api, limit=5)
    call("UpdateDocumentationVersion", **version, **patch(("replace", "/description", "e")))


def stages(api):
    deployment = call("CreateDeployment", **api, stageName="one", stageDescription="s", description="d",
                      cacheClusterEnabled=True, cacheClusterSize="0.5", variables={"a": "b"}, tracingEnabled=True)["id"]
    call("CreateDeployment", **api, stageName="one", canarySettings={
        "percentTraffic": 1, "stageVariableOverrides": {"a": "c"}, "useStageCache": True})
    call("GetDeployment", **api, deploymentId=deployment, embed=["apisummary"])
    call("GetDeployments", **api, limit=5)
    call("UpdateDeployment", **api, deploymentId=deployment, **patch(("replace", "/description", "e")))
    two = {**api, "stageName": "two"}
    CLIENT.create_documentation_part(**api, properties='{"description": "d"}', location={"type": "MODEL", "name": "Pet"})
    CLIENT.create_documentation_version(**api, documentationVersion="0")
    call("CreateStage", **two, deploymentId=deployment, description="d", cacheClusterEnabled=True, cacheClusterSize="1.6",
         variables={"a": "b"}, documentationVersion="0", tracingEnabled=True, tags={"a": "b"}, canarySettings={
             "percentTraffic": 1, "deploymentId": deployment, "stageVariableOverrides": {"a": "c"}, "useStageCache": True})
    call("GetStage", **two)
    call("GetStages", **api, deploymentId=deployment)
    certificate = call("GenerateClientCertificate", description="d", tags={"a": "b"})["clientCertificateId"]
    settings = [
        ("metrics/enabled", "true"), ("logging/dataTrace", "true"), ("logging/loglevel", "INFO"),
        ("throttling/burstLimit", "1"), ("throttling/rateLimit", "1.5"), ("caching/enabled", "true"),
        ("caching/ttlInSeconds", "5"), ("caching/dataEncrypted", "true"),
        ("caching/requireAuthorizationForCacheControl", "true"),
        ("caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
    ]
    logs = {"destinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:g", "format": "$context.requestId"}
    members = [("description", "e"), ("cacheClusterSize", "0.5"), ("cacheClusterEnabled", "false"),
               ("clientCertificateId", certificate), ("tracingEnabled", "false"), ("variables/c", "d")]
    call("UpdateStage", **two, **patch(
        *(("replace", f"/{path}/{name}", value) for path in ("*/*", "~1{name}/POST") for name, value in settings),
        *(("replace", f"/accessLogSettings/{name}", value) for name, value in logs.items()),
        *(("replace", f"/{name}", value) for name, value in members), ("remove", "/canarySettings")))
    call("GetClientCertificate", clientCertificateId=certificate)
    call("GetClientCertificates", limit=5)
    call("UpdateClientCertificate", clientCertificateId=certificate, **patch(("replace", "/description", "e")))
    call("UpdateStage", **two, **patch(("replace", "/clientCertificateId", "")))
    call("DeleteClientCertificate", clientCertificateId=certificate)
    call("FlushStageCache", **two)
    call("FlushStageAuthorizersCache", **two)
    for kind in ("oas30", "swagger"):
        for accepts in ("application/json", "application/yaml"):
            call("GetExport", **two, exportType=kind, accepts=accepts, parameters={"extensions": "integrations,authorizers"})
    call("GetSdk", **two, sdkType="javascript", parameters={"a": "b"})
    call("GetSdkType", id="javascript")
    call("GetSdkTypes", limit=5)
    return {"apiId": api["restApiId"], "stage": "two"}


def plans(stage):
    key = call("CreateApiKey", name="k", description="d", enabled=True, generateDistinctId=True, value="v" * 20,
               stageKeys=[{"restApiId": stage["apiId"], "stageName": stage["stage"]}], customerId="c", tags={"a": "b"})["id"]
    call("GetApiKey", apiKey=key, includeValue=True)
    call("GetApiKeys", nameQuery="k", customerId="c", includeValues=True, limit=5)
    call("UpdateApiKey", apiKey=key, **patch(("replace", "/enabled", "false")))
    call("ImportApiKeys", body=f"name,key\nimported,{'i' * 20}\n", format="csv", failOnWarnings=True)
    rate = {"rateLimit": 1.5, "burstLimit": 2}
    plan = {"usagePlanId": call("CreateUsagePlan", name="p", description="d", throttle=rate, tags={"a": "b"}, quota={
        "limit": 5, "offset": 1, "period": "MONTH"}, apiStages=[{**stage, "throttle": {"/{name}/POST": rate}}])["id"]}
    at = {**plan, "keyId": key}
    call("CreateUsagePlanKey", **at, keyType="API_KEY")
    call("GetUsagePlan", **plan)
    call("GetUsagePlans", keyId=key, limit=5)
    call("UpdateUsagePlan", **plan, **patch(("replace", "/quota/limit", "9")))
    call("GetUsagePlanKey", **at)
    call("GetUsagePlanKeys", **plan, limit=5, nameQuery="k")
    call("UpdateUsage", **at, **patch(("replace", "/remaining", "5")))
    call("GetUsage", **at, startDate="2026-01-01", endDate="2026-01-31", limit=5)
    call("DeleteUsagePlanKey", **at)
    call("UpdateUsagePlan", **plan, **patch(("remove", "/apiStages", f"{stage['apiId']}:{stage['stage']}")))
    call("DeleteUsagePlan", **plan)
    call("DeleteApiKey", apiKey=key)


def domains(stage):
    name = {"domainName": "operations.tld"}
    call("CreateDomainName", **name, regionalCertificateArn=CERTIFICATE, regionalCertificateName="n", tags={"a": "b"},
         endpointConfiguration={"types": ["REGIONAL"], "ipAddressType": "dualstack"}, securityPolicy="TLS_1_2",
         mutualTlsAuthentication={"truststoreUri": "s3://b/k", "truststoreVersion": "v"},
         ownershipVerificationCertificateArn=CERTIFICATE, routingMode="BASE_PATH_MAPPING_ONLY")
    call("CreateDomainName", domainName="edge.operations.tld", certificateName="n", certificateArn=CERTIFICATE)
    private = call("CreateDomainName", domainName="private.operations.tld", certificateArn=CERTIFICATE, policy=POLICY,
                   endpointConfiguration={"types": ["PRIVATE"]}, endpointAccessMode="STRICT",
                   securityPolicy="SecurityPolicy_TLS13_1_3_2025_09")
    own = {key: private.get(key) for key in ("domainName", "domainNameId")}
    call("GetDomainName", **own)
    call("GetDomainNames", limit=5, resourceOwner="SELF")
    call("UpdateDomainName", **own, **patch(("replace", "/managementPolicy", POLICY)))
    call("CreateBasePathMapping", **own, basePath="b", restApiId=stage["apiId"], stage=stage["stage"])
    call("GetBasePathMapping", **own, basePath="b")
    call("GetBasePathMappings", **own, limit=5)
    call("UpdateBasePathMapping", **own, basePath="b", **patch(("replace", "/basePath", "c")))
    call("DeleteBasePathMapping", **own, basePath="c")
    source = {"accessAssociationSource": "vpce-a", "accessAssociationSourceType": "VPCE"}
    arn = private.get("domainNameArn")
    association = call("CreateDomainNameAccessAssociation", domainNameArn=arn, **source, tags={"a": "b"})
    association = {"domainNameAccessAssociationArn": association.get("domainNameAccessAssociationArn")}
    call("GetDomainNameAccessAssociations", limit=5, resourceOwner="SELF")
    call("RejectDomainNameAccessAssociation", **association, domainNameArn=arn)
    again = call("CreateDomainNameAccessAssociation", domainNameArn=arn, **source)
    call("DeleteDomainNameAccessAssociation", domainNameAccessAssociationArn=again.get("domainNameAccessAssociationArn"))
    call("DeleteDomainName", **own)


def main():
    made = call("CreateRestApi", name="n", description="d", version="1", binaryMediaTypes=["a/b"], minimumCompressionSize=1,
                apiKeySource="HEADER", endpointConfiguration={"types": ["REGIONAL"], "ipAddressType": "ipv4"}, policy=POLICY,
                tags={"a": "b"}, disableExecuteApiEndpoint=False, securityPolicy="TLS_1_2", endpointAccessMode="BASIC")
    clone = call("CreateRestApi", name="c", cloneFrom=made["id"])["id"]
    api = {"restApiId": made["id"]}
    call("GetRestApi", **api)
    call("GetRestApis", limit=5)
    method(api, *definition(api))
    stage = stages(api)
    documentation(api, stage)
    plans(stage)
    domains(stage)
    call("GetAccount")
    call("UpdateAccount", **patch(("replace", "/cloudwatchRoleArn", "arn:aws:iam::123456789012:role/r")))
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{made['id']}"
    call("TagResource", resourceArn=arn, tags={"c": "d"})
    call("GetTags", resourceArn=arn, limit=5)
    call("UntagResource", resourceArn=arn, tagKeys=["c"])
    document = json.dumps({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "basePath": "/v1", "paths": {}})
    call("ImportRestApi", failOnWarnings=True, parameters={"basepath": "prepend"}, body=document)
    call("PutRestApi", restApiId=clone, mode="overwrite", failOnWarnings=True, parameters={"basepath": "ignore"}, body=document)
    spare = CLIENT.create_model(**api, name="Spare", contentType="application/json", schema="{}")["name"]
    call("DeleteModel", **api, modelName=spare)
    spare = CLIENT.create_request_validator(**api, name="spare")["id"]
    call("DeleteRequestValidator", **api, requestValidatorId=spare)
    spare = CLIENT.create_authorizer(**api, name="spare", type="TOKEN", authorizerUri=FUNCTION,
                                     identitySource="method.request.header.A")["id"]
    call("DeleteAuthorizer", **api, authorizerId=spare)
    call("DeleteStage", **api, stageName="two")
    call("DeleteDocumentationVersion", **api, documentationVersion="1")
    call("DeleteDeployment", **api, deploymentId=CLIENT.create_deployment(**api)["id"])
    call("DeleteRestApi", **api)
    faults.extend(f"{name}: not done" for name in sorted(PROMISED - done.keys() - REFUSED.keys()))
    faults.extend(f"{name}: done, and listed as refused" for name in sorted(done.keys() & REFUSED.keys()))
    for name in sorted(done):
        members = CLIENT.meta.service_model.operation_model(name).input_shape.members.keys()
        # Pages have their own tests.
        untried = members - given.get(name, set()) - UNTRIED.get(name, set()) - {"position"}
        faults.extend(f"{name}: {member} was not given" for member in sorted(untried))
    for fault in faults:
        print(fault)
    print(f"{len(PROMISED & done.keys())} of {len(PROMISED)} operations are done")
    return bool(faults)


sys.exit(main())
