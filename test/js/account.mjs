// Runs errands by the AWS SDK for JavaScript: one line of JSON on stdin for
// each, with service, operation and input; one on stdout with what came of it.
import { createInterface } from "node:readline";

// names are those of packages that are called otherwise than their service.
const names = { logs: "cloudwatch-logs", secretsmanager: "secrets-manager" };
const clients = new Map();

async function clientOf(service) {
  if (!clients.has(service)) {
    const module = await import(`@aws-sdk/client-${names[service] ?? service}`);
    const name = Object.keys(module).find((key) => key.endsWith("Client") && !key.startsWith("_") && key !== "Client");
    clients.set(service, { module, client: new module[name]({ maxAttempts: 1 }) });
  }
  return clients.get(service);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { Service, Operation, Input } = JSON.parse(line);
  const { module, client } = await clientOf(Service);
  try {
    const { $metadata, ...answer } = await client.send(new module[`${Operation}Command`](JSON.parse(Input)));
    console.log(JSON.stringify({ answer }));
  } catch (error) {
    console.log(JSON.stringify({ code: error.name, message: error.message }));
  }
}
