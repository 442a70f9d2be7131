"""Runs the cases of a file against one endpoint: run.py CASES ENDPOINT

One line of JSON for each case: its name, the error code with status and text
or the members that it asks for. An argument ${name.path} stands for a member
of an earlier case's answer, and `as` signs with keys that one gave.
"""
import json
import re
import sys
import time

import botocore.config
import botocore.exceptions
import botocore.session
import yaml

RETRIES = botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False)


def look_up(value, path):
    for part in path.split("."):
        if value is None:
            return None
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part)
    return value


def fill(value, answers):
    """Puts what earlier answers hold for each ${name.path}."""
    if isinstance(value, dict):
        return {k: fill(v, answers) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, answers) for v in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{([^.}]+)\.([\w.]+)\}", value)
    if whole:
        return look_up(answers.get(whole[1], {}), whole[2])
    return re.sub(r"\$\{([^.}]+)\.([\w.]+)\}", lambda m: str(look_up(answers.get(m[1], {}), m[2])), value)


def plain(value):
    """A value as JSON has it; streams are read."""
    if hasattr(value, "read"):
        return value.read().decode()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def run(case, endpoint, answers):
    service, operation = case["call"].split(".")
    keys = fill(case.get("as", {}), answers)
    session = botocore.session.get_session()
    client = session.create_client(
        service,
        endpoint_url=endpoint,
        region_name=case.get("region", "us-west-2"),
        aws_access_key_id=keys.get("AccessKeyId"),
        aws_secret_access_key=keys.get("SecretAccessKey"),
        aws_session_token=keys.get("SessionToken"),
        config=RETRIES,
    )
    try:
        answer = client._make_api_call(operation, fill(case.get("with", {}), answers))
    except botocore.exceptions.ClientError as e:
        return {"code": e.response["Error"]["Code"], "message": e.response["Error"].get("Message", ""),
                "status": e.response["ResponseMetadata"]["HTTPStatusCode"]}
    except Exception as e:  # what no service answers, such as HTML
        return {"code": type(e).__name__, "message": str(e)[:200], "status": 0}
    answer.pop("ResponseMetadata", None)
    answers[case["name"]] = plain(answer)
    return {"answer": {path: look_up(answers[case["name"]], path) for path in case.get("want", {}).get("answer", {})}}


def main(cases, endpoint):
    answers = {}
    with open(cases) as f:
        for case in yaml.safe_load(f):
            time.sleep(case.get("after", 0))
            print(json.dumps({"name": case["name"], **run(case, endpoint, answers)}), flush=True)


main(*sys.argv[1:])
