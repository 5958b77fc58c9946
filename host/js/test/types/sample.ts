// What a program in TypeScript writes. `types.test.js` checks and runs it.
import { Imds, ImdsError, type Answer, type Outcome } from "imds-component";

async function main(): Promise<void> {
  await using imds = new Imds({ "instance-type": "m7g.large" }, { clock: new Date("2026-10-01T00:00:00Z") });
  const { status, text, outcome }: Answer = imds.answer({ path: "/latest/meta-data/instance-type" });
  const named: Outcome = outcome;
  imds.advance("1m30s");
  try {
    imds.edit({ "instance-tipe": "t3.micro" });
  } catch (error) {
    if (!(error instanceof ImdsError)) throw error;
    console.log(error.problems[0]?.help);
  }
  await using server = await imds.serve({ port: 0 });
  const response = await fetch(`${server.url}/latest/meta-data/`);
  console.log(status, text, named, imds.now.toISOString(), response.status, imds.requests.length, imds.status.state);
}


await main();
