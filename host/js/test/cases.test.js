// Every case of the repository, on each way in; how many held is told.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { cases, parse } from "./case.js";
import { play } from "./play.js";
import { ways } from "./ways.js";

for (const [way, open] of Object.entries(ways)) {
  describe(`cases ${way}`, () => {
    const counted = { cases: 0, exchanges: 0 };
    for (const told of cases) {
      test(told.name, async () => {
        const { exchanges, wrong } = await play(told, open);
        assert.deepEqual(wrong, [], `the rule does not hold: ${told.rule}`);
        assert.ok(exchanges > 0, "the case has no exchange");
        counted.cases += 1;
        counted.exchanges += exchanges;
      });
    }
    after(() => console.log(`${counted.cases} of ${cases.length} cases held ${way}, in ${counted.exchanges} exchanges`));
  });
}

test("there are cases, and a line that means nothing is none", () => {
  assert.ok(cases.length > 250, `${cases.length} cases`);
  assert.throws(() => parse("x", "# A rule.\nGET /\n< 200\nwhat"), /tests\/cases\/x\.http:4: what is this: what/);
  assert.throws(() => parse("x", "# A rule.\nGET /"), /x\.http:2: a request without an expected status/);
});

test("what is not as expected is found", async () => {
  const wrong = [
    "< 201", "< 200 Fine", "< HTTP/1.1 200 OK", "< Server: other", "< ! server", "<< other", "<* other*", "<~ other",
    "<! ami-id", "<# 3", `<# 341 ${"0".repeat(64)}`, "< closed",
  ];
  for (const expected of wrong) {
    const status = /^< (\d|HTTP|closed)/.test(expected) ? "" : "< 200\n";
    const told = parse("x", `# A rule.\nGET /latest/meta-data/\n${status}${expected}\n`);
    assert.notDeepEqual((await play(told, ways["in process"])).wrong, [], expected);
  }
});
