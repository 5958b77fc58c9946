// The box in which the description is changed, and what is wrong with a change, at
// its place.

const SAMPLES = {
  "a tag": { tags: { Name: "web-1" } },
  "tokens required": { "metadata-options": { "http-tokens": "required" } },
  "a stop in 5 minutes": { timeline: [{ at: "+5m", state: "stopped" }] },
  "a fault: every third request refused": { faults: [{ kind: "refuse", share: 0.3 }] },
  "a fault: a slow token": { faults: [{ kind: "delay", delay: "2s", paths: ["/latest/api/token"] }] },
  "no interruption, nothing to come": { "spot-interruption": false, timeline: false },
};

/** Where a line and a column are in a text; columns count characters, not units. */
function offset(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

function problem(text, { field, message, help, line, column }) {
  const parts = [element("strong", { className: "bad" }, message), field ? ` (${field.slice(1).replaceAll("/", ".")})` : ""];
  if (line !== undefined) {
    const place = offset(text, line, column);
    const shown = text.split("\n")[line - 1] ?? "";
    const go = () => {
      $("change").focus();
      $("change").setSelectionRange(place, place + 1);
    };
    parts.push(element("button", { type: "button", onclick: go }, `line ${line}, column ${column}`));
    const before = [...shown].slice(0, column - 1).map((character) => (character === "\t" ? "\t" : " ")).join("");
    parts.push(element("pre", {}, `${String(line).padStart(3)} | ${shown}\n    | ${before}^`));
  }
  if (help) parts.push(element("div", {}, `help: ${help}`));
  return element("div", {}, ...parts.flatMap((part) => [part, " "]));
}

async function apply() {
  const body = $("change").value;
  $("problems").replaceChildren();
  $("change").removeAttribute("aria-invalid");
  try {
    const { revision, warnings = [] } = await ask(path(""), { method: "PATCH", body });
    say(`done; revision ${revision}`, "good");
    $("problems").append(...warnings.map((warning) =>
      element("p", { className: "warn" }, `warning: ${warning.message} [${warning.name}]${warning.help ? `; ${warning.help}` : ""}`)));
  } catch (error) {
    if (!(error instanceof Refused)) return complain(error);
    say("nothing was changed", "bad");
    $("change").setAttribute("aria-invalid", "true");
    const told = error.problems.length ? error.problems.map((each) => problem(body, each)) : [element("p", { className: "bad" }, error.message)];
    $("problems").append(...told);
    $("problems").querySelector("button")?.click();
    return undefined;
  }
  await refresh();
  return relist();
}

$("samples").append(element("option", { value: "" }, "…"), ...Object.keys(SAMPLES).map((name) => element("option", {}, name)));
$("samples").addEventListener("change", (event) => {
  const sample = SAMPLES[event.target.value];
  if (sample) $("change").value = JSON.stringify(sample, null, 2);
});
$("editor").addEventListener("submit", (event) => {
  event.preventDefault();
  apply();
});
$("change").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    apply();
  }
});
