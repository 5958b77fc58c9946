//! `imds completions` and `imds man`: what packages of the program bring along.

use super::*;

/// What a user types most, and a flag that only `serve` and `run` have.
const OFFERED: [&str; 4] = ["serve", "ctl", "wait", "scenario-speed"];

#[test]
fn completions_offer_commands_and_flags_in_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = imds(&["completions", shell]);
        assert!(output.status.success(), "{shell}: {}", text(&output.stderr));
        let script = text(&output.stdout);
        for offered in OFFERED {
            assert!(script.contains(offered), "{shell} does not offer {offered}");
        }
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_a_command_and_a_flag() {
    let script = text(&imds(&["completions", "bash"]).stdout);
    let tried = format!(
        "{script}\nCOMP_WORDS=(imds sc); COMP_CWORD=1; _imds imds sc imds; echo \"${{COMPREPLY[@]}}\"\n\
         COMP_WORDS=(imds wait --end); COMP_CWORD=2; _imds imds --end wait; echo \"${{COMPREPLY[@]}}\""
    );
    match Command::new("bash").args(["-c", &tried]).output() {
        Err(error) => skipped(&format!("completions in bash: {error}")),
        Ok(output) => assert_eq!(text(&output.stdout), "scenarios schema\n--endpoint\n", "{}", text(&output.stderr)),
    }
}

#[test]
fn a_shell_without_completions_is_wrong_use() {
    let output = imds(&["completions", "cmd"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("[possible values: bash, elvish, fish, powershell, zsh]"));
}

#[test]
fn man_writes_a_page_for_each_command_that_help_shows() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("man");
    let _ = fs::remove_dir_all(&folder);
    let output = imds(&["man", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut pages: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    for page in ["imds.1", "imds-serve.1", "imds-run.1", "imds-ctl.1", "imds-ctl-interrupt.1", "imds-wait.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} is not among {pages:?}");
    }
    assert!(!pages.iter().any(|name| name.contains("completions") || name == "imds-man.1"), "{pages:?}");
    let page = fs::read_to_string(folder.join("imds-serve.1")).unwrap();
    assert!(page.contains(".SH OPTIONS") && page.contains("http\\-tokens"), "{page}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = File::new("no-folder", "");
    let below = file.path.join("man1");
    let output = imds(&["man", below.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(below.to_str().unwrap()), "{}", text(&output.stderr));
}
