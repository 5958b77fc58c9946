// `imds ctl get`.

use std::process::ExitCode;

use clap::Args;
use imds_host::shown;

use super::super::failure::WrongUse;
use super::super::get::absolute;
use super::super::print::{to_stderr, to_stdout};
use super::client::{Ask, Client, encoded};

/// Show what the service answers at a path, without counting as a request: `imds ctl get meta-data/instance-id`
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Item {
    /// What to ask for: below /latest, or from the root with a slash before it. Without it, what there is
    #[arg(value_name = "PATH")]
    path: Option<String>,

    /// Show the head of the answer alone
    #[arg(long)]
    head: bool,

    /// As without a token (version 1)
    #[arg(long)]
    version1: bool,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl get meta-data/instance-id
  imds ctl get --version1 meta-data/       would a request without a token be refused?

Neither usage and metrics nor throttles and faults count it. It shows no secret: imds get asks the service itself.

Exit status: 0 if the service has it; 1 if it refuses or has nothing there, or if it is secret.";

impl Item {
    pub fn print(self, client: &Client, json: bool) -> anyhow::Result<ExitCode> {
        if client.is_of_an_application() {
            let wrong = "get is for a listener of imds serve; ask an application itself: imds get --endpoint URL PATH";
            return Err(WrongUse(wrong.to_owned()).into());
        }
        let path = self.path.as_deref().map_or_else(|| Ok("/latest/".to_owned()), absolute)?;
        let query = format!("/v1/get?path={}&version1={}&head={}", encoded(&path), self.version1, self.head);
        let answer = match client.ask(Ask::get(&query)) {
            Ok(answer) => answer,
            Err(error) => {
                if let Some(refusal) = client.refusal().filter(|_| json) {
                    to_stdout(&refusal, "the answer")?;
                }
                return Err(error);
            }
        };
        let text = |name: &str| answer.body[name].as_str().unwrap_or_default();
        let is_found = answer.body["status"] == 200;
        if json {
            to_stdout(&answer.raw, "the answer")?;
        } else if self.head {
            to_stdout(&format!("{}\n", shown::lines(&text("head").trim_end().replace("\r\n", "\n"))), "the head")?;
        } else if is_found {
            to_stdout(&format!("{}\n", shown::lines(text("body"))), "the answer")?;
        }
        if is_found {
            return Ok(ExitCode::SUCCESS);
        }
        match answer.body["status"].as_u64() {
            Some(status) => to_stderr(&format!("imds: {path}: {status} {}", text("reason"))),
            None => to_stderr(&format!("imds: {path}: no client gets an answer ({})", text("outcome"))),
        }
        Ok(ExitCode::FAILURE)
    }
}
