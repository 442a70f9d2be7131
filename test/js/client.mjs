// An application on the AWS SDK for JavaScript that has never heard of tegata.
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { MetadataService } from "@aws-sdk/ec2-metadata-service";

const byDefault = await new STSClient({}).send(new GetCallerIdentityCommand({}));
console.log(byDefault.Arn);

const explicit = new STSClient({ credentials: fromInstanceMetadata({ timeout: 1000, maxRetries: 0 }) });
console.log((await explicit.send(new GetCallerIdentityCommand({}))).Arn);

console.log(await new MetadataService().request("/latest/meta-data/instance-id", {}));

const answer = await new BedrockRuntimeClient({}).send(
  new ConverseStreamCommand({
    modelId: process.env.BEDROCK_MODEL_ID,
    messages: [{ role: "user", content: [{ text: "hello" }] }],
    inferenceConfig: { maxTokens: 512 },
  }),
);
for await (const event of answer.stream) {
  if (event.contentBlockDelta) process.stdout.write(event.contentBlockDelta.delta.text);
  if (event.messageStop) console.log(`\nstop: ${event.messageStop.stopReason}`);
}
