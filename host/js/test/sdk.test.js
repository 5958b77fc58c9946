import assert from "node:assert/strict";
import { test } from "node:test";
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { Imds } from "imds-component";

test("the AWS SDK finds credentials, with tokens required", async () => {
  const imds = new Imds({ "metadata-options": { "http-tokens": "required" } });
  const server = await imds.serve();
  process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = server.url;
  try {
    const { accessKeyId } = await fromInstanceMetadata()();
    assert.match(accessKeyId, /^ASIA/);
    assert.equal(imds.requests[0].outcome, "token-issued");
  } finally {
    await imds.close();
  }
});
