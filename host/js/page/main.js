// The page: one instance, and the forms that ask and change it.
import { imdsOf, ImdsError } from "../core.js";
import { LAST, timeBy } from "../clock.js";
import { milliseconds } from "../duration.js";
import { complete } from "./completion.js";
import { modules } from "./modules.js";
import { offer } from "./suggestions.js";

const Imds = imdsOf((name) => modules.get(name));
const $ = (id) => document.getElementById(id);
const BEGIN = {
  "instance-type": "m7g.large",
  "tags": { "Name": "web-1" },
  "metadata-options": { "http-tokens": "optional", "instance-metadata-tags": "enabled" },
};
const TOKEN = "X-aws-ec2-metadata-token";
const ASKED_SHOWN = 50;

const NOT_IN_FORCE = "The description as it stands there is wrong and not in force.";

let ahead = 0;
const clock = () => Math.min(Date.now() + ahead, LAST);
// With one secret, tokens outlive a change of the description.
const tokenSecret = crypto.getRandomValues(new Uint8Array(32));
let imds = new Imds(BEGIN, { clock, tokenSecret });
/** Whether the text of the description is what is served. */
let isInForce = true;
/** The outcome of the answer that is shown. */
let shown;
const { schema } = imds;

// What comes behind the last time of a `Date` never comes.
const at = (date) => (Number.isNaN(Number(date)) ? "never" : date.toISOString().replace(/\.\d+Z$/, "Z"));
const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });
const placed = ({ field, message, help, position }) =>
  [field, position && `line ${position.line}, column ${position.column}`, message, help].filter(Boolean).join(": ");

/** Does what may be refused, and shows in that list why it was. False where it was. */
function attempt(list, act) {
  let problems = [];
  try {
    act();
  } catch (error) {
    if (!(error instanceof ImdsError || error instanceof RangeError || error instanceof TypeError)) throw error;
    problems = error.problems ?? [{ field: "", message: error.message }];
  }
  $(list).replaceChildren(...problems.map((problem) => element("li", placed(problem))));
  return problems.length === 0;
}

function show() {
  const { state, lifecycle, instanceId, metadataOptions, happenings } = imds.status;
  $("status").textContent = `${instanceId} is ${state}, ${lifecycle}`;
  $("required").checked = metadataOptions.httpTokens === "required";
  $("happenings").replaceChildren(...happenings.map((it) => element("li", `${at(it.at)} ${it.what}`)));
  $("now").textContent = at(imds.now);
  // It was none because the instance did not run.
  if (shown === "not-running" && state === "running") clear();
}

/** All that follows from the description. */
function showAll() {
  show();
  list();
  const warnings = imds.warnings.map(({ name, ...warning }) => `warning: ${placed(warning)} [${name}]`);
  $("warnings").replaceChildren(...warnings.map((text) => element("li", text)));
}

function clear() {
  shown = undefined;
  for (const id of ["outcome", "not-in-force", "head", "body"]) $(id).textContent = "";
}

function write(description) {
  $("description").value = JSON.stringify(description, null, 2);
}

/** The instance anew, of what stands there. */
function read() {
  $("change-problems").replaceChildren();
  isInForce = attempt("problems", () => {
    imds = new Imds($("description").value, { clock, tokenSecret });
    showAll();
  });
  if (isInForce) $("not-in-force").textContent = "";
  else $("warnings").replaceChildren();
}

function change(edit) {
  attempt("change-problems", () => {
    // It would take the place of what is being written.
    if (!isInForce) throw new TypeError(`${NOT_IN_FORCE} Correct it first, or press Reset`);
    imds.edit(edit);
    write(imds.description);
    showAll();
  });
  // Of a box that was refused.
  show();
}

/** Another instance, which runs and hides nothing: what there is to ask, without a trace among what was asked. */
function guide() {
  const open = { ...imds.description, "faults": [], "metadata-options": {}, "state": "running" };
  const made = new Imds(open, { clock });
  if (made.status.state === "running") return made;
  // The clock has stopped or terminated it.
  const { timeline, "spot-interruption": interruption, ...lasting } = open;
  return new Imds(lasting, { clock });
}

function list() {
  const asked = guide();
  const listing = (path) => {
    const { status, text } = asked.answer({ path });
    return status === 200 ? text.split("\n") : [];
  };
  const path = $("path").value;
  const versions = listing("/");
  const version = path.split("/")[1];
  $("version").replaceChildren(...versions.map((name) => element("option", name)));
  $("version").value = versions.includes(version) ? version : "";
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  if (!/^\/[!-~]*$/.test(folder)) return;
  $("paths").replaceChildren(...listing(folder).map((name) => {
    const option = document.createElement("option");
    option.value = folder + name.replace(/=.*$/, "/");
    return option;
  }));
}

function fields() {
  return $("fields").value.split("\n").filter((line) => line.trim()).map((line) => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new TypeError(`a header field is a name, a colon and a value: ${line}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** How a fault has an answer delivered, in a sentence; none where none does. */
function faultOf({ delivery, outcome }) {
  if (!delivery || outcome === "not-running") return "";
  const told = {
    delayed: `the answer comes after ${delivery.ms / 1000} s`, cut: "the body is cut: it is shorter than its head says",
    closed: "the connection is closed without an answer", withheld: "nothing is sent until the client gives up",
  };
  return `A fault of the description: ${told[delivery.kind]}.`;
}

function ask(request) {
  let answer;
  attempt("request-problems", () => { answer = imds.answer(request()); });
  if (!answer) return undefined;
  shown = answer.outcome;
  const { reason, remedy } = imds.explain(answer.outcome);
  const isSent = !["closed", "withheld"].includes(answer.delivery?.kind);
  const isGood = isSent && answer.status === 200;
  const strong = element("strong", isSent ? `${answer.status} ${answer.reason}` : "No answer");
  const fault = faultOf(answer);
  // What would have been answered is not why nothing is.
  const why = fault && !isSent ? [] : [`${reason}.`, answer.status === 200 ? "" : remedy];
  $("outcome").replaceChildren(strong, `: ${[...why, fault].filter(Boolean).join(" ")}`);
  $("outcome").className = isGood ? "" : "refused";
  $("not-in-force").textContent = isInForce ? "" : `${NOT_IN_FORCE} This is answered by the one before.`;
  $("head").textContent = isSent ? new TextDecoder().decode(answer.head).trimEnd() : "";
  $("body").textContent = isSent ? answer.text : "";
  const { at: time, method, path, status, sessionVersion, outcome } = imds.requests.at(-1);
  const row = document.createElement("tr");
  const version = { one: "IMDSv1", two: "IMDSv2" }[sessionVersion] ?? "";
  const delivered = fault ? `${outcome}, ${answer.delivery.kind}` : outcome;
  const told = [at(time), `${method} ${path}`, isSent ? status : "", version, delivered];
  row.append(...told.map((text) => element("td", text)));
  $("asked").prepend(row);
  while ($("asked").children.length > ASKED_SHOWN) $("asked").lastChild.remove();
  return answer;
}

function getToken() {
  const ttl = [["X-aws-ec2-metadata-token-ttl-seconds", "21600"]];
  const answer = ask(() => ({ method: "PUT", path: "/latest/api/token", headers: ttl }));
  if (answer?.outcome !== "token-issued") return;
  const isOther = (line) => line.trim() && !line.toLowerCase().startsWith(`${TOKEN.toLowerCase()}:`);
  const others = $("fields").value.split("\n").filter(isOther);
  $("fields").value = [...others, `${TOKEN}: ${answer.text}`].join("\n");
}

function move(by) {
  attempt("clock-problems", () => {
    const moved = ahead + milliseconds(by);
    timeBy(Date.now, moved);
    ahead = moved;
    showAll();
  });
}

/** The description of when the page was loaded. */
function reset() {
  write(BEGIN);
  read();
}

$("request").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(() => ({ method: $("method").value, path: $("path").value, headers: fields() }));
});
$("token").addEventListener("click", getToken);
$("path").addEventListener("input", list);
$("version").addEventListener("change", () => {
  const rest = $("path").value.split("/").slice(2).join("/");
  $("path").value = `/${$("version").value}/${rest}`;
  list();
  $("request").requestSubmit();
});
$("required").addEventListener("change", () => {
  change({ "metadata-options": { "http-tokens": $("required").checked ? "required" : "optional" } });
});
$("interrupt").addEventListener("click", () => change({ operation: { interrupt: { action: "terminate" } } }));
$("stop").addEventListener("click", () => change({ operation: "stop" }));
$("start").addEventListener("click", () => change({ operation: "start" }));
$("reset").addEventListener("click", reset);
$("clock").addEventListener("submit", (event) => {
  event.preventDefault();
  move($("by").value);
});
for (const button of document.querySelectorAll("[data-by]")) {
  button.addEventListener("click", () => move(button.dataset.by));
}
$("description").addEventListener("input", read);
offer($("description"), $("suggestions"), (text, caret) => complete(schema, text, caret));
setInterval(show, 1000);

write(BEGIN);
showAll();
$("request").requestSubmit();
document.documentElement.dataset.ready = "";
