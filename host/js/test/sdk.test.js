import assert from "node:assert/strict";
import { test } from "node:test";
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
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
