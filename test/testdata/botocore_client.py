"""An application on botocore that has never heard of tegata."""

import os

import botocore.session

session = botocore.session.get_session()
print(session.create_client("sts").get_caller_identity()["Arn"])
answer = session.create_client("bedrock-runtime").converse_stream(
    modelId=os.environ["BEDROCK_MODEL_ID"],
    messages=[{"role": "user", "content": [{"text": "hello"}]}],
    inferenceConfig={"maxTokens": 512},
)
for event in answer["stream"]:
    if "contentBlockDelta" in event:
        print(event["contentBlockDelta"]["delta"]["text"], end="")
    if "messageStop" in event:
        print("\nstop: " + event["messageStop"]["stopReason"])
