import assert from "node:assert/strict";
import { test } from "node:test";
import { Imds } from "imds-component";
import { complete } from "../page/completion.js";
import { placeAt } from "../page/json_place.js";

const { schema } = new Imds();
/** What is offered where `|` stands. */
function offered(text) {
  const caret = text.indexOf("|");
  const whole = text.replace("|", "");
  const { from, to, items } = complete(schema, whole, caret);
  return items.map(({ label, insert }) => ({ label, text: whole.slice(0, from) + insert + whole.slice(to) }));
}
const labels = (text) => offered(text).map(({ label }) => label);

test("names are offered that the object does not have", () => {
  assert.ok(labels("{|").includes("tags"));
  assert.ok(!labels('{"tags": {}, |').includes("tags"));
  assert.deepEqual(labels('{"metadata-options": {"http-t|'), ["http-tokens"]);
  assert.ok(labels('{"network-interfaces": [{}, {|').includes("mac-address"));
  assert.ok(labels('{"timeline": [{"at": "+1m", |').includes("spot-interruption"), "a change has all fields");
  assert.ok(labels('{"placement": {"re|": "x"}}').includes("region"));
  assert.deepEqual(labels('{"tags": {|'), []);
});

test("values are offered, the default first", () => {
  assert.deepEqual(labels('{"metadata-options": {"http-tokens": |'), ["optional", "required"]);
  assert.deepEqual(labels('{"spot-interruption": {"action": "h|"}'), ["hibernate"]);
  assert.deepEqual(labels('{"metadata-options": |'), ["{}"]);
  assert.deepEqual(labels('{"network-interfaces": |'), ["[]"]);
  assert.deepEqual(labels('{"instance-type": |'), []);
});

test("a completion takes the place of what was written", () => {
  assert.equal(offered('{"stat|').at(0).text, '{"state": ');
  assert.equal(offered('{stat|\n  "tags": {}}').at(0).text, '{"state": \n  "tags": {}}');
  assert.equal(offered('{"stat|": "running"}').at(0)?.text, '{"state": "running"}');
  assert.equal(offered('{"state": "ru|nning"}').length, 0, "nothing is left to complete");
  assert.equal(offered('{"state": "st|"}').at(0).text, '{"state": "stopped"}');
});

test("nothing is offered where nothing can stand", () => {
  for (const text of ['{"state" |', '{"state": "running" |', '{"state": "running"}|', '{"state": {"x": |']) {
    assert.deepEqual(labels(text), [], text);
  }
});

test("no text is too broken to be read", () => {
  const pieces = ['{', '}', '[', ']', ':', ',', '"', '\\', 'a', '\n', '"x"', "1"];
  for (let number = 0; number < 12 ** 4; number += 1) {
    const text = [0, 1, 2, 3].map((digit) => pieces[Math.floor(number / 12 ** digit) % 12]).join("");
    const place = placeAt(text, text.length);
    if (place) assert.ok(place.from <= text.length && place.to <= text.length && place.from <= place.to, text);
    complete(schema, text, text.length);
  }
});
