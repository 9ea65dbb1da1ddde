"""Calls of boto3 with right and wrong signatures. Arguments: the admin listener's URL and the credentials file."""

import datetime
import os
import sys
import time

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
a_skewed_clock_is_refused()
a_changed_file_is_read_again()
print("done")
