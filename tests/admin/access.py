"""Calls of boto3 with right and wrong signatures. Arguments: the admin listener's URL and the credentials file."""

import datetime
import json
import os
import sys
import time
import urllib.request

import boto3
import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError

URL, FILE = sys.argv[1:]
ONE = {"aws_access_key_id": "AKIDONE", "aws_secret_access_key": "secret/one+"}
TWO = {"aws_access_key_id": "AKIDTWO", "aws_secret_access_key": "secret-two", "aws_session_token": "token/two=="}


def client(keys, region="eu-west-1"):
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("apigateway", endpoint_url=URL, region_name=region, config=config, **keys)


def names(keys, region="eu-west-1"):
    return [api["name"] for api in client(keys, region).get_rest_apis()["items"]]


def refusal(call):
    try:
        call()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status, error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it was not refused")


def refused(call, code, words):
    got = refusal(call)
    assert got[:2] == (403, code) and words in got[2], got


def changed(keys, **values):
    return {**keys, **values}


def state_is_of_the_account_and_the_region():
    client(ONE).create_rest_api(name="one-ä", tags={"a b": "c/d?"})
    client(TWO).create_rest_api(name="two")
    assert names(ONE) == ["one-ä"] and names(TWO) == ["two"]
    assert names(ONE, "us-west-2") == []
    # A path with characters that are encoded twice in what is signed.
    arn = f"arn:aws:apigateway:eu-west-1::/restapis/{client(ONE).get_rest_apis()['items'][0]['id']}"
    assert client(ONE).get_tags(resourceArn=arn)["tags"] == {"a b": "c/d?"}


def wrong_signatures_are_refused():
    mismatch = "The Canonical String for this request should have been\n'GET\n/restapis\n"
    refused(lambda: names(changed(ONE, aws_secret_access_key="no")), "InvalidSignatureException", mismatch)
    token = "The security token included in the request is invalid."
    refused(lambda: names(changed(ONE, aws_access_key_id="AKIDNONE")), "UnrecognizedClientException", token)
    refused(lambda: names(changed(TWO, aws_session_token="no")), "UnrecognizedClientException", token)
    refused(lambda: names(changed(ONE, aws_session_token="more")), "UnrecognizedClientException", token)

    def another_region(request, **_):
        request.context.setdefault("signing", {})["region"] = "Mars"

    elsewhere = client(ONE)
    elsewhere.meta.events.register("before-sign.apigateway.*", another_region)
    refused(elsewhere.get_rest_apis, "InvalidSignatureException", "scoped to a valid region, not 'Mars'.")

    def another_service(request, **_):
        request.context.setdefault("signing", {})["signing_name"] = "s3"

    elsewhere = client(ONE)
    elsewhere.meta.events.register("before-sign.apigateway.*", another_service)
    refused(elsewhere.get_rest_apis, "InvalidSignatureException", "scoped to correct service: 'apigateway'.")


def refusals_are_counted_and_have_an_id():
    def counted():
        with urllib.request.urlopen(f"{URL}/metrics") as page:
            lines = page.read().decode().splitlines()
        name = 'ringgate_management_calls_total{operation="GetRestApis",outcome="InvalidSignatureException"} '
        return sum(int(line[len(name):]) for line in lines if line.startswith(name))

    before = counted()
    try:
        names(changed(ONE, aws_secret_access_key="no"))
    except ClientError as error:
        assert len(error.response["ResponseMetadata"]["RequestId"]) == 36, error.response
    assert counted() == before + 1


def arns_are_of_the_own_account_and_region():
    name = client(TWO).create_domain_name(domainName="two.tld", endpointConfiguration={"types": ["PRIVATE"]})
    arn = name["domainNameArn"]
    client(TWO).tag_resource(resourceArn=arn, tags={"a": "b"})
    assert client(TWO).get_tags(resourceArn=arn)["tags"] == {"a": "b"}
    account = arn.split(":")[4]
    for wrong in (arn.replace("eu-west-1", "us-west-2"), arn.replace(account, "999999999999"), arn + "x",
                  arn.replace("apigateway", "lambda"), "arn:aws:apigateway:eu-west-1::/restapis", "x"):
        status, _, message = refusal(lambda: client(TWO).tag_resource(resourceArn=wrong, tags={"a": "c"}))
        assert status in (400, 404) and message, wrong
    client(TWO).untag_resource(resourceArn=arn, tagKeys=["a"])
    assert client(TWO).get_tags(resourceArn=arn)["tags"] == {}
    client(TWO).delete_domain_name(domainName="two.tld")


def the_trail_is_looked_up_with_the_client_of_cloudtrail():
    trail = boto3.client("cloudtrail", endpoint_url=URL, region_name="eu-west-1", **TWO)
    own = client(TWO)
    ids = [own.create_api_key(name=f"looked up {n}")["ResponseMetadata"]["RequestId"] for n in range(5)]
    own.get_api_keys()

    def found(key, value, **more):
        pages = trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)
        return [[event["EventId"] for event in page["Events"]] for page in pages]

    paged = found("EventName", "CreateApiKey", PaginationConfig={"PageSize": 2})
    assert paged == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]], paged
    assert found("EventId", ids[2]) == [[ids[2]]]
    assert found("ReadOnly", "true") == [[]]
    assert sum(found("AccessKeyId", TWO["aws_access_key_id"]), [])[:5] == ids[::-1]
    assert found("AccessKeyId", ONE["aws_access_key_id"]) == [[]]
    event = trail.lookup_events(MaxResults=1)["Events"][0]
    record = json.loads(event["CloudTrailEvent"])
    assert event["Username"] == "AKIDTWO", event
    assert record["userIdentity"]["type"] == "IAMUser" and record["requestID"] == ids[4], record
    now = datetime.datetime.now(datetime.timezone.utc)
    assert trail.lookup_events(StartTime=now + datetime.timedelta(hours=1))["Events"] == []
    for wrong in ({"NextToken": "x"}, {"StartTime": now, "EndTime": now - datetime.timedelta(1)},
                  {"LookupAttributes": [{"AttributeKey": "ResourceType", "AttributeValue": "x"}]}):
        status, code, message = refusal(lambda: trail.lookup_events(**wrong))
        assert status == 400 and code.startswith("Invalid") and message, (code, message)


def a_skewed_clock_is_refused():
    real = botocore.auth.get_current_datetime
    for minutes, words in ((-6, "Signature expired: "), (6, "Signature not yet current: ")):
        off = datetime.timedelta(minutes=minutes)
        botocore.auth.get_current_datetime = lambda *args, off=off, **kwargs: real(*args, **kwargs) + off
        refused(lambda: names(ONE), "InvalidSignatureException", words)
    botocore.auth.get_current_datetime = real


def a_changed_file_is_read_again():
    def write(text):
        with open(FILE + ".new", "w") as file:
            file.write(text)
        os.chmod(FILE + ".new", 0o600)
        os.replace(FILE + ".new", FILE)

    def eventually(check):
        deadline = time.monotonic() + 15
        while not check():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)

    before = open(FILE).read()
    write(before.replace("secret/one+", "another"))
    another = changed(ONE, aws_secret_access_key="another")

    def is_good(keys):
        try:
            return names(keys) == ["one-ä"]
        except ClientError:
            return False

    eventually(lambda: is_good(another))
    assert not is_good(ONE)
    write("no INI")
    time.sleep(1.2)
    assert is_good(another)


state_is_of_the_account_and_the_region()
wrong_signatures_are_refused()
refusals_are_counted_and_have_an_id()
arns_are_of_the_own_account_and_region()
the_trail_is_looked_up_with_the_client_of_cloudtrail()
a_skewed_clock_is_refused()
a_changed_file_is_read_again()
print("done")
