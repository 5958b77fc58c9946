//! What a description says that can be served and cannot be real.

mod faults;
mod instance;
mod limits;
mod network;
mod plausible;
mod reported;
mod timeline;

use imds_core::plausibility::RULES;
use imds_core::{Warning, warnings};

use crate::purity::pinned;

/// A time after the default launch, 2026-09-30T20:26:40Z.
const NOW_MS: u64 = 1_790_800_000_000;

fn of(description: &str) -> Vec<Warning> {
    warnings(description, NOW_MS).unwrap_or_else(|problems| panic!("{description}: {problems:?}"))
}

#[track_caller]
fn assert_warning(description: &str, name: &str, field: &str, message: &str) {
    let found = of(description);
    let [warning] = &found[..] else { panic!("{description}: {found:#?}") };
    let problem = &warning.problem;
    assert_eq!((warning.name, problem.field.as_str(), problem.message.as_str()), (name, field, message));
}

#[track_caller]
fn assert_none(description: &str) {
    assert_eq!(of(description), [], "{description}");
}

/// The page is made from the rules; `BLESS=1` writes it.
#[test]
fn the_page_lists_all_rules() {
    let mut page = PAGE.to_owned();
    for rule in RULES {
        let cell = |text: &str| text.replace('|', "\\|");
        page.push_str(&format!("| `{}` | {} | {} |\n", rule.name, cell(rule.what), cell(rule.why)));
    }
    page.push_str(ON_SPIN);
    pinned("../docs/warnings.md", &page);
}

const PAGE: &str = "\
# Warnings

A description that is wrong is refused. One that is right in itself may still say what no instance of EC2 has, or what
cannot happen: that is served as described, and a warning says so. Warnings change no answer.

- `imds check` prints them and succeeds; with `--strict` it fails with 2. It takes descriptions, directories of
  descriptions and JSON Lines (`NAME.jsonl`). With `--json` it prints one document for editors and pipelines: for each
  path `source`, `valid`, `problems` and `warnings`, each with `field` (a JSON Pointer), `message`, `help`, `line`,
  `column` or `set-by`, and a warning with its `name`. The exit status is the same.
- `imds serve` and `imds run` print them at every start to standard error, behind the lines that say where the service
  is; a reload prints those that there were not before. With `--log-format json` each is
  [an object on a line](operations.md).
- `imds ctl edit`, `imds ctl fault` and `imds ctl reset` print those that the change brings, and
  [the control listener](control.md) gives them as `warnings`.
- In the library `Runtime::warnings` and `Control::warnings` give them.

A description silences a warning by name for good, the flag `--allow-warning NAME` (`-A NAME`) of `check`, `serve` and
`run` for one run. A name that no warning has is an error:

```toml
allow-warnings = [\"tags-not-shown\"]
```

At most five warnings of a name are given for a description, and the last of them says how many more there are. Of many
descriptions the first with warnings are shown, and all are counted by name; at a start the first 1000 are looked at, by
`imds check` all.

What counts as past is what was over when the description begins to be served. Regions and families of instance types
are those of 2026: newer ones get a warning, and are served all the same.

| name | what is said | why it cannot be |
| --- | --- | --- |
";

const ON_SPIN: &str = "
On Spin only, [the control](control.md#on-spin) has two more. They are about the application's variables, so
`allow-warnings` does not silence them.

| name | what is said | why |
| --- | --- | --- |
| `not-served` | an instance that no caller gets | the variable `callers` maps no request to its key |
| `set-by-variable` | a metadata option that is not served as described | a variable of the application sets it, over every description |
";
