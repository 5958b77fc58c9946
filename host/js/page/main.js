// The page: one instance, and the forms that ask and change it.
import { imdsOf, ImdsError } from "../core.js";
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

let ahead = 0;
const clock = () => Date.now() + ahead;
// With one secret, tokens outlive a change of the description.
const tokenSecret = crypto.getRandomValues(new Uint8Array(32));
let imds = new Imds(BEGIN, { clock, tokenSecret });
const { schema } = imds;

const at = (date) => date.toISOString().replace(/\.\d+Z$/, "Z");
const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

/** Does what may be refused, and shows why it was. */
function attempt(act) {
  let problems = [];
  try {
    act();
  } catch (error) {
    if (!(error instanceof ImdsError || error instanceof RangeError || error instanceof TypeError)) throw error;
    problems = error.problems ?? [{ field: "", message: error.message }];
  }
  $("problems").replaceChildren(...problems.map(({ field, message, help, position }) =>
    element("li", [field, position && `line ${position.line}`, message, help].filter(Boolean).join(": "))));
}

function show() {
  const { state, lifecycle, instanceId, metadataOptions, happenings } = imds.status;
  $("status").textContent = `${instanceId} is ${state}, ${lifecycle}`;
  $("required").checked = metadataOptions.httpTokens === "required";
  $("happenings").replaceChildren(...happenings.map((it) => element("li", `${at(it.at)} ${it.what}`)));
  $("now").textContent = at(imds.now);
}

function write(description) {
  $("description").value = JSON.stringify(description, null, 2);
}

/** The instance anew, of what stands there. */
function read() {
  attempt(() => {
    imds = new Imds($("description").value, { clock, tokenSecret });
    show();
    list();
  });
}

function change(edit) {
  attempt(() => {
    imds.edit(edit);
    write(imds.description);
    show();
  });
}

/** Another instance, which hides nothing: what there is to ask, without a trace among what was asked. */
function guide() {
  const open = { ...imds.description, "faults": [], "metadata-options": {} };
  return new Imds(open, { clock });
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

function ask(request) {
  let answer;
  attempt(() => { answer = imds.answer(request()); });
  if (!answer) return undefined;
  const { reason, remedy } = imds.explain(answer.outcome);
  const isSent = !["closed", "withheld"].includes(answer.delivery?.kind);
  const strong = element("strong", isSent ? `${answer.status} ${answer.reason}` : "No answer");
  $("outcome").replaceChildren(strong, `: ${reason}. ${answer.status === 200 ? "" : remedy}`);
  $("outcome").className = answer.status === 200 ? "" : "refused";
  $("head").textContent = isSent ? new TextDecoder().decode(answer.head).trimEnd() : "";
  $("body").textContent = isSent ? answer.text : "";
  const { at: time, method, path, status, sessionVersion, outcome } = imds.requests.at(-1);
  const row = document.createElement("tr");
  const version = { one: "IMDSv1", two: "IMDSv2" }[sessionVersion] ?? "";
  const told = [at(time), `${method} ${path}`, isSent ? status : "", version, outcome];
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
  attempt(() => {
    ahead += milliseconds(by);
    show();
    list();
  });
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
show();
list();
$("request").requestSubmit();
document.documentElement.dataset.ready = "";
