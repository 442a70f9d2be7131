"""Runs files of cases against one endpoint: run.py ENDPOINT FILE...

The cases of the first file come before all others, which run side by side and
each in its order. One line of JSON for each case: its file and name, the error
code with status and text, or the members that it asks for. An argument
${name.path} stands for a member of an earlier case's answer, and `as` signs
with keys that one gave. ${now.Milliseconds}, ${now.Before}, ${now.After} and what a
provider of identities in this process has made, ${issuer....}, are there from the
start.

With REFUSE=yes, the first successful case of each operation is tried before by
the user who may do nothing.
"""
import json
import os
import re
import sys
import threading
import time

import botocore.config
import botocore.eventstream
import botocore.exceptions
import botocore.session
import issuer
import yaml

CONFIG = botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False)
NOBODY = "${her key.AccessKey}"


def look_up(value, path):
    for part in path.split("."):
        if isinstance(value, (str, bytes)):
            try:
                value = json.loads(value)
            except ValueError:
                return None
        if value is None:
            return None
        if isinstance(value, list):
            i = int(part)
            value = value[i] if -len(value) <= i < len(value) else None
        else:
            value = value.get(part)
    return value


def member(name, answers):
    """Finds NAME.PATH. A name may hold points, a path of another name not."""
    for end in range(len(name)):
        if name[end] == "." and name[:end] in answers:
            return look_up(answers[name[:end]], name[end + 1 :])
    return None


def fill(value, answers):
    """Puts what earlier answers hold for each ${name.path}."""
    if isinstance(value, dict):
        return {k: fill(v, answers) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, answers) for v in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{([^}]+)\}", value)
    if whole:
        return member(whole[1], answers)
    return re.sub(r"\$\{([^}]+)\}", lambda m: str(member(m[1], answers)), value)


def settled(value):
    """A value of which all has come: streams are read to their end."""
    if isinstance(value, botocore.eventstream.EventStream):
        return list(value)
    if hasattr(value, "read"):
        return value.read()
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items()}
    return value


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


class Runner:
    """Runs the cases of one file with its own clients, since a session is for one thread."""

    def __init__(self, file, endpoint, keys, answers):
        self.file, self.endpoint, self.keys, self.answers = file, endpoint, keys, dict(answers)
        self.session, self.clients, self.refused = botocore.session.get_session(), {}, set()

    def client(self, service, keys):
        which = service, *sorted((k, v) for k, v in keys.items() if isinstance(v, str))
        if which not in self.clients:
            self.clients[which] = self.session.create_client(
                service, endpoint_url=self.endpoint, region_name="us-west-2", config=CONFIG,
                aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys.get("SessionToken"))
        return self.clients[which]

    def ask(self, case, keys):
        service, operation = case["call"].split(".")
        try:
            return settled(self.client(service, keys)._make_api_call(operation, fill(case.get("with", {}), self.answers))), None
        except botocore.exceptions.ClientError as e:
            message = e.response["Error"].get("Message", "")
            encoded = re.search(r"Encoded authorization failure message: (\S+)", message)
            return {"Encoded": encoded and encoded[1]}, {
                "code": e.response["Error"]["Code"], "message": message, "status": e.response["ResponseMetadata"]["HTTPStatusCode"]}
        except Exception as e:  # what no service answers, such as HTML
            return {}, {"code": type(e).__name__, "message": str(e)[:200], "status": 0}

    def run(self, case):
        want = fill(case["want"], self.answers)
        keys = fill(case["as"], self.answers) if "as" in case else self.keys
        if os.environ.get("REFUSE") and "answer" in want and case["call"] not in self.refused and NOBODY in self.answers["known"]:
            self.refused.add(case["call"])
            _, refusal = self.ask(case, fill(NOBODY, self.answers))
            self.tell({"refuses": case["call"], **(refusal or {})})
        self.answers[case["name"]], refusal = self.ask(case, keys or self.keys)
        self.tell({"name": case["name"], "want": want.get("answer"), **(refusal or {
            "answer": {path: look_up(self.answers[case["name"]], path) for path in want.get("answer", {})}})})

    def tell(self, outcome):
        print(json.dumps({"file": os.path.basename(self.file).removesuffix(".yaml"), **outcome}, default=plain) + "\n", end="", flush=True)

    def run_all(self):
        with open(self.file) as f:
            cases = yaml.load(f, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for case in cases:
            self.run(case)


def main(endpoint, first, *others):
    own = botocore.session.get_session().get_credentials().get_frozen_credentials()
    keys = {"AccessKeyId": own.access_key, "SecretAccessKey": own.secret_key, "SessionToken": own.token}
    known = {"known": [], "now": {"Milliseconds": int(time.time() * 1000), "Before": time.time() - 7200, "After": time.time() + 3600}, "issuer": issuer.start("https://localhost:8443")}
    prelude = Runner(first, endpoint, keys, known)
    prelude.run_all()
    prelude.answers["known"] = [NOBODY]
    threads = [threading.Thread(target=Runner(file, endpoint, keys, prelude.answers).run_all) for file in others]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


main(*sys.argv[1:])
