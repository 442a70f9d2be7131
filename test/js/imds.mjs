// What an application asks the AWS SDK for JavaScript about its instance.
import { fromInstanceMetadata, fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { MetadataService } from "@aws-sdk/ec2-metadata-service";

const service = new MetadataService();
console.log("token:", (await service.fetchMetadataToken()).length);

// Everything below a directory, but credentials and signatures.
async function walk(directory) {
  for (const name of (await service.request(directory, {})).split("\n")) {
    if (name === "security-credentials/" || (directory.endsWith("/instance-identity/") && name !== "document")) continue;
    const [index, key] = name.split("=");
    if (key) await walk(`${directory}${index}/`);
    else if (name.endsWith("/")) await walk(directory + name);
    else console.log(`${directory}${name}:`, JSON.stringify(await service.request(directory + name, {})));
  }
}
await walk("/latest/meta-data/");
await walk("/latest/dynamic/");
console.log("user data:", JSON.stringify(await service.request("/latest/user-data", {})));
await service.request("/latest/meta-data/no-such-thing", {}).then(
  (text) => console.log("absent:", text),
  (error) => console.log("absent:", error.message),
);

const instance = await fromInstanceMetadata({ timeout: 1000, maxRetries: 0 })();
const chain = await fromNodeProviderChain()();
console.log("role:", Object.keys(instance).sort().join(" "));
console.log("the same credentials:", instance.accessKeyId === chain.accessKeyId && instance.sessionToken === chain.sessionToken);
