"""What keys may still use of their plan's quota: set, listed page by page, kept, forgotten with the key.

Arguments: the admin listener's URL, `change` or `check`, and a file. `change` sets what remains to the keys of some
plans and writes down what the gateway says then; `check` sees whether it still does.
"""

import datetime
import json
import os
import sys

URL, TASK, FILE = sys.argv[1:]
os.environ.update(
    AWS_ACCESS_KEY_ID="AKIDUSAGE", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE="/dev/null", AWS_MAX_ATTEMPTS="1",
)

import boto3

CLIENT = boto3.client("apigateway", endpoint_url=URL)
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
KEYS = 30


def plan(name, **quota):
    made = CLIENT.create_usage_plan(name=name, **({"quota": quota} if quota else {}))["id"]
    return {"usagePlanId": made}


def key(own, name):
    made = CLIENT.create_api_key(name=name, enabled=True)["id"]
    CLIENT.create_usage_plan_key(**own, keyId=made, keyType="API_KEY")
    return made


def remain(own, key, *values):
    patch = [{"op": "replace", "path": "/remaining", "value": value} for value in values]
    return CLIENT.update_usage(**own, keyId=key, patchOperations=patch)


def usage(own, first, last, **more):
    days = {"startDate": (TODAY + datetime.timedelta(first)).isoformat(),
            "endDate": (TODAY + datetime.timedelta(last)).isoformat()}
    answer = CLIENT.get_usage(**own, **days, **more)
    assert (answer["usagePlanId"], answer["startDate"], answer["endDate"]) == (own["usagePlanId"], *days.values()), answer
    return answer["items"]


def days_are_pairs():
    own = plan("days", limit=100, period="DAY")
    one, other = key(own, "one"), key(own, "other")
    untouched = [[0, 100]] * 4
    assert usage(own, -2, 1) == {one: untouched, other: untouched}
    answer = remain(own, one, "70", "50")
    today = TODAY.isoformat()
    assert (answer["startDate"], answer["endDate"], answer["items"]) == (today, today, {one: [[0, 50]]}), answer
    assert usage(own, -2, 1) == {one: [[0, 100], [0, 100], [0, 50], [0, 100]], other: untouched}
    assert usage(own, 0, 0, keyId=one) == {one: [[0, 50]]}
    # More than the quota is an extension, nothing is a lock.
    assert remain(own, one, "5000")["items"] == {one: [[0, 5000]]}
    assert remain(own, one, "0")["items"] == {one: [[0, 0]]}
    assert remain(own, one)["items"] == {one: [[0, 0]]}, "a call that changes nothing says how it is"
    return own


def periods_hold_what_was_set():
    for period, length in (("WEEK", 7), ("MONTH", 31)):
        own = plan(period, limit=100, period=period)
        one = key(own, period)
        remain(own, one, "7")
        pairs = usage(own, -length, length)[one]
        assert pairs[:length] == [[0, 100]] * length, "days before it was set are as they were"
        last = pairs[length:].count([0, 7])
        assert 1 <= last <= length and pairs[length:] == [[0, 7]] * last + [[0, 100]] * (length + 1 - last), pairs
        quota = CLIENT.update_usage_plan(**own, patchOperations=[{"op": "replace", "path": "/quota/limit", "value": "3"}])
        assert quota["quota"]["limit"] == 3 and usage(own, 0, length)[one][-1] == [0, 3]
        assert usage(own, 0, 0)[one] == [[0, 7]], "what was set for this period stays"
    own = plan("offset", limit=100, offset=4, period="WEEK")
    one = key(own, "offset")
    assert usage(own, -7, 7)[one][7] == [0, 96] and usage(own, -7, 7)[one][::14] == [[0, 100], [0, 100]]
    return own


def keys_come_in_pages():
    own = plan("pages", limit=9, period="MONTH")
    keys = [key(own, f"page {n}") for n in range(KEYS)]
    pages = list(CLIENT.get_paginator("get_usage").paginate(
        **own, startDate=TODAY.isoformat(), endDate=TODAY.isoformat(), PaginationConfig={"PageSize": 7}))
    assert [len(page["items"]) for page in pages] == [7, 7, 7, 7, 2], pages
    assert {name for page in pages for name in page["items"]} == set(keys)
    assert len(usage(own, 0, 0)) == 25
    return own


def keys_that_leave_are_forgotten():
    own = plan("leaving", limit=9, period="MONTH")
    gone, deleted, stays = key(own, "gone"), key(own, "deleted"), key(own, "stays")
    for one in (gone, deleted, stays):
        remain(own, one, "1")
    CLIENT.delete_usage_plan_key(**own, keyId=gone)
    CLIENT.delete_api_key(apiKey=deleted)
    assert usage(own, 0, 0) == {stays: [[0, 1]]}
    CLIENT.create_usage_plan_key(**own, keyId=gone, keyType="API_KEY")
    assert usage(own, 0, 0, keyId=gone) == {gone: [[0, 9]]}
    return own


def without_a_quota_nothing_is_counted():
    own = plan("none")
    key(own, "none")
    assert usage(own, -1, 1) == {}
    return own


def main():
    if TASK == "change":
        made = [claim() for claim in (days_are_pairs, periods_hold_what_was_set, keys_come_in_pages,
                                      keys_that_leave_are_forgotten, without_a_quota_nothing_is_counted)]
        told = {"today": TODAY.isoformat(), "usage": [[own, usage(own, -3, 3)] for own in made]}
        json.dump(told, open(FILE, "w"))
        print(f"{len(made)} plans are as they should be")
        return
    told = json.load(open(FILE))
    days = (datetime.date.fromisoformat(told["today"]) - TODAY).days
    for own, before in told["usage"]:
        after = usage(own, days - 3, days + 3)
        assert after == before, (own, before, after)
    print(f"{len(told['usage'])} plans are as they were")


main()
