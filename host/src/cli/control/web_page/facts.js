// What the chosen instance is: facts, options, faults, and what an operator does.

/** Fills a list anew only where it says something else. What has the focus keeps it; or
    what stands in its place has it then, or the list. */
function fill(list, key, make) {
  if (list.filledWith === key) return;
  list.filledWith = key;
  const buttons = () => [...list.querySelectorAll("button")];
  const place = buttons().indexOf(document.activeElement);
  list.replaceChildren(...make());
  if (place >= 0) (buttons()[place] ?? buttons().at(-1) ?? list).focus();
}

function showFacts(instance) {
  const facts = { state: instance.state, lifecycle: instance["instance-lifecycle"], revision: instance.revision };
  for (const [name, value] of Object.entries(instance.identity)) {
    if (value !== null) facts[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  for (const [name, value] of Object.entries(instance.description.tags ?? {})) facts[`tag ${name}`] = value;
  const secrets = secretsOf(instance.description);
  for (const name of Object.keys(secrets)) facts[name] = HIDDEN;
  const source = instance.credentials;
  if (source) {
    facts["credentials from"] = source.source;
    facts["credentials end"] = source.end ?? "none yet";
    if (source["last-failure"]) facts["last failure"] = `${source["last-failure"].at}: ${source["last-failure"].reason}`;
  }
  // Of an instance with real credentials, the listener shows no secret.
  const fact = (name, value) => (secrets[name] && !source ? secretFact(name, secrets[name]) : element("dd", {}, String(value)));
  const terms = () => Object.entries(facts).flatMap(([name, value]) => [element("dt", {}, name), fact(name, value)]);
  fill($("facts"), JSON.stringify(facts), terms);
  $("name").textContent = `${instance.identity.instanceId}, ${instance.identity.instanceType}, ${instance.state}`;
  $("description").textContent = JSON.stringify(instance.description, null, 2);
}

function showOptions(options) {
  for (const input of $("options").querySelectorAll("input")) {
    const value = options[input.dataset.option];
    if (input.type === "checkbox") input.checked = value === input.dataset.on;
    else if (document.activeElement !== input) input.value = value;
  }
}

function showFaults(instance) {
  const removed = (index) => {
    const body = JSON.stringify({ faults: instance.faults.filter((_, other) => other !== index) });
    // The list is replaced as a whole: only that which is shown here.
    return change(body, `fault ${index + 1} is removed`, instance.revision);
  };
  const entry = (fault, index) => element("li", {},
    element("code", {}, Object.entries(fault).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ")),
    element("button", { type: "button", "aria-label": `Remove fault ${index + 1}`, onclick: () => removed(index) }, "Remove"));
  const none = () => [element("li", { className: "dim" }, "none; add one below, in Edit")];
  const key = JSON.stringify([instance.revision, instance.faults]);
  fill($("faults"), key, () => (instance.faults.length ? instance.faults.map(entry) : none()));
}

/** Changes the instance by a piece of a description, and shows what it is then. */
async function change(body, done, revision) {
  try {
    const told = await ask(path(""), { method: "PATCH", body, revision });
    const warnings = (told.warnings ?? []).map((warning) => `${warning.message} [${warning.name}]`);
    const text = `${done}; revision ${told.revision}`;
    say(warnings.length ? `${text}. Warning: ${warnings.join("; ")}` : text, warnings.length ? "warn" : "good");
  } catch (error) {
    complain(error);
  }
  await refresh();
  relist();
}

$("operations").addEventListener("click", (event) => {
  const { operation } = event.target.dataset;
  if (operation === undefined) return undefined;
  if (operation === "terminate") return terminate();
  return change(JSON.stringify({ operation: operation === "interrupt" ? { interrupt: {} } : operation }), `${operation}: done`);
});

$("options").addEventListener("change", (event) => {
  const input = event.target;
  const value = input.type === "checkbox" ? (input.checked ? input.dataset.on : input.dataset.off) : Number(input.value);
  const { option } = input.dataset;
  change(JSON.stringify({ "metadata-options": { [option]: value } }), `${option} = ${value}`);
});
