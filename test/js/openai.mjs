// An application on OpenAI's SDK that has never heard of Bedrock, and the
// gateway that it is pointed at. Usage: node openai.mjs TEGATA
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import OpenAI from "openai";

const tegata = process.argv[2];
const data = mkdtempSync(join(tmpdir(), "tegata-openai-"));
const apiKey = execFileSync(tegata, ["client", "add", "node", "--data", data], { encoding: "utf8" }).trim();
const gateway = spawn(tegata, ["serve", "--addr", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "ignore", "pipe"] });
const ended = new Promise((resolve) => gateway.once("exit", resolve));
const log = [];

async function address() {
  for await (const line of createInterface({ input: gateway.stderr })) {
    log.push(line);
    const found = /http:\/\/[0-9.:]+/.exec(line);
    if (found) return found[0];
  }
  throw new Error("the gateway did not start:\n" + log.join("\n"));
}

const base = await address();
gateway.stderr.on("data", (text) => log.push(String(text)));
gateway.stderr.resume();
const client = new OpenAI({ baseURL: base + "/v1", apiKey, maxRetries: 0 });
const model = "anthropic.claude-sonnet-4-6";
const question = (content) => [{ role: "user", content }];

const models = await client.models.list();
console.log("models:", models.data.some((m) => m.id === "jp." + model && m.callable));

const whole = await client.chat.completions.create({ model, messages: question("repeat after me: 手形") });
console.log("whole:", whole.choices[0].message.content, whole.model, whole.choices[0].finish_reason);

const stream = client.chat.completions.stream({
  model,
  messages: question("repeat after me: piece by piece to the end"),
  stream_options: { include_usage: true },
});
let pieces = 0;
stream.on("content", () => pieces++);
const streamed = await stream.finalChatCompletion();
console.log("streamed:", streamed.choices[0].message.content, pieces > 1, streamed.usage.total_tokens > 0);

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const messages = question("Use the tool: what is the weather in Tokyo?");
const asked = await client.chat.completions.stream({ model, messages, tools: [weather] }).finalChatCompletion();
const call = asked.choices[0].message.tool_calls[0];
console.log("tool:", call.function.name, "city" in JSON.parse(call.function.arguments), asked.choices[0].finish_reason);
messages.push(asked.choices[0].message, { role: "tool", tool_call_id: call.id, content: "rain of frogs" });
const after = await client.chat.completions.create({ model, messages, tools: [weather] });
console.log("result:", after.choices[0].message.content.includes("rain of frogs"), after.choices[0].finish_reason);

const metric = async (name) => {
  const text = await (await fetch(base + "/metrics", { headers: { Authorization: "Bearer " + apiKey } })).text();
  return text.split("\n").some((line) => line === name);
};
const long = await client.chat.completions.create({ model, messages: question("explain at length"), stream: true });
for await (const chunk of long) if (chunk.choices[0]?.delta.content) break; // leaves, and so cancels
let left = false;
for (let i = 0; i < 500 && !left; i++) {
  left = await metric('tegata_streams_ended_total{how="client_gone"} 1');
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log("cancelled:", left);

for (const [name, wrong] of Object.entries({
  "dead model": () => client.chat.completions.create({ model: "anthropic.claude-3-sonnet-20240229-v1:0", messages: question("hi") }),
  "wrong key": () => new OpenAI({ baseURL: base + "/v1", apiKey: "tgk_no", maxRetries: 0 }).models.list(),
  "two answers": () => client.chat.completions.create({ model, messages: question("hi"), n: 2 }),
})) {
  const error = await wrong().then(() => ({}), (e) => e);
  console.log(name + ":", error.constructor.name, error.status, error.code, error.param);
}

gateway.kill("SIGTERM");
console.log("ended:", await ended);
console.log("key in the log:", log.join("\n").includes(apiKey));
rmSync(data, { recursive: true });
