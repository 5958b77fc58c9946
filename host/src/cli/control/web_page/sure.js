// What is asked about before it is done, and what is done then.

/** Takes the answer. */
let answered = () => {};

/** Asks; Escape is a no. */
function isSure(question, verb) {
  const dialog = $("sure");
  answered(false);
  $("question").textContent = question;
  $("yes").textContent = verb;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => { answered = done; });
}

$("sure").addEventListener("click", (event) => {
  if (event.target.type === "button") $("sure").close(event.target.id);
});

// It comes late, and may find the next question.
$("sure").addEventListener("close", () => $("sure").open || answered($("sure").returnValue === "yes"));

async function terminate() {
  const question = `Terminate ${chosen}? It answers nobody then, and cannot be started: "imds ctl reset" brings it back.`;
  if (await isSure(question, "Terminate")) change(JSON.stringify({ operation: "terminate" }), "terminate: done");
}

$("remove").addEventListener("click", async () => {
  const key = chosen;
  if (!(await isSure(`Remove ${key}? Its callers get 403 then.`, "Remove"))) return;
  try {
    await ask(path(""), { method: "DELETE", body: "{}" });
    chosen = undefined;
    leave.abort();
    history.replaceState(null, "", "#");
    $("instance").hidden = true;
    say(`${key} is removed`, "good");
    await list();
    $("filter").focus();
  } catch (error) {
    complain(error);
  }
});

$("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = $("key").value.trim();
  try {
    await ask(`/v1/instances/${encodeURIComponent(key)}`, { method: "PUT", body: "{}", isNew: true });
    $("key").value = "";
    choose(key);
    say(`${key} is added`, "good");
    list();
  } catch (error) {
    complain(error);
  }
});
