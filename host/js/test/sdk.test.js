import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHttp, fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { Imds } from "imds-component";

test("the AWS SDK finds credentials, with tokens required", async () => {
  const imds = new Imds({ "metadata-options": { "http-tokens": "required" } });
  const server = await imds.serve();
  Object.assign(process.env, server.env);
  try {
    const { accessKeyId, expiration } = await fromInstanceMetadata()();
    assert.match(accessKeyId, /^ASIA/);
    assert.ok(expiration > new Date());
    assert.deepEqual(imds.requests.map(({ outcome }) => outcome), ["token-issued", "found", "found"]);
    assert.ok(imds.requests.every(({ sessionVersion }) => sessionVersion === "two"));
  } finally {
    await imds.close();
  }
});

test("the AWS SDK finds the credentials of a task of ECS and of a pod of EKS", async () => {
  const imds = new Imds({
    "metadata-options": { "http-tokens": "required" },
    "container-credentials": [{ "credentials-id": "task" }, { "authorization-token": "of-the-pod" }],
  });
  const server = await imds.serve();
  const at = (path, more) => fromHttp({ awsContainerCredentialsFullUri: `${server.url}${path}`, maxRetries: 0, ...more })();
  try {
    const ofTheTask = await at("/v2/credentials/task");
    imds.advance("7h");
    const later = await at("/v2/credentials/task");
    assert.match(ofTheTask.accessKeyId, /^ASIA/);
    assert.notEqual(later.accessKeyId, ofTheTask.accessKeyId);
    const ofThePod = await at("/v1/credentials", { awsContainerAuthorizationToken: "of-the-pod" });
    assert.equal(ofThePod.accessKeyId, later.accessKeyId, "both have the role of the instance");
    await assert.rejects(at("/v1/credentials", { awsContainerAuthorizationToken: "of-another" }), /400/);
    assert.ok(imds.requests.every(({ path }) => !path.includes("task")));
  } finally {
    await imds.close();
  }
});
