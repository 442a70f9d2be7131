// What an application asks the AWS SDK for JavaScript about its instance.
import { fromInstanceMetadata, fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { MetadataService } from "@aws-sdk/ec2-metadata-service";

const service = new MetadataService();
console.log("token:", (await service.fetchMetadataToken()).length);
for (const name of ["instance-id", "placement/region", "security-groups", "public-keys/"]) {
  console.log(`${name}:`, JSON.stringify(await service.request(`/latest/meta-data/${name}`, {})));
}
console.log("user data:", JSON.stringify(await service.request("/latest/user-data", {})));
console.log("instance of the document:", JSON.parse(await service.request("/latest/dynamic/instance-identity/document", {})).instanceId);
await service.request("/latest/meta-data/no-such-thing", {}).then(
  (text) => console.log("absent:", text),
  (error) => console.log("absent:", error.message),
);

const instance = await fromInstanceMetadata({ timeout: 1000, maxRetries: 0 })();
const chain = await fromNodeProviderChain()();
console.log("role:", Object.keys(instance).sort().join(" "));
console.log("the same credentials:", instance.accessKeyId === chain.accessKeyId && instance.sessionToken === chain.sessionToken);
