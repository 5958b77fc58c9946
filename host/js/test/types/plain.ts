// What needs no types but those of the package.
import { Imds } from "imds-component";

export async function plain(): Promise<string | null> {
  const imds = new Imds({}, { allowedHosts: [] });
  const server = await imds.serve({ port: 0 });
  const { headers } = imds.answer({ path: "/latest/", headers: { "X-aws-ec2-metadata-token": undefined } });
  const type: string | null = headers.get("Content-Type");
  // @ts-expect-error: a text or nothing, whatever `Headers` is
  const wrong: number = headers.get("Content-Type");
  await server.close();
  return wrong > 0 ? null : type;
}
