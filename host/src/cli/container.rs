// `imds run --container`: a command that gets credentials as a container does.

use std::net::{Ipv4Addr, SocketAddr};

use clap::{Args, ValueEnum};
use imds_host::{Control, Description};
use serde_json::{Value, json};
use tokio::process::Command;

use super::environment::Endpoint;
use super::failure::WrongUse;

#[derive(Args)]
pub struct ContainerFlag {
    /// Let the command get credentials as a container does, too: as a task of ECS, or as a pod of EKS. Which, SDKs ask
    /// before the service. They are the instance's, or the first of container-credentials in the description
    #[arg(long, value_name = "ecs|eks", value_enum, num_args = 0..=1, default_missing_value = "ecs", require_equals = true, hide_possible_values = true)]
    container: Option<Agent>,
}

/// Whose agent delivers them.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Agent {
    Ecs,
    Eks,
}

/// The field of a description.
const FIELD: &str = "container-credentials";

/// A container of which the description says nothing: it has the credentials of the
/// instance, under a secret of this run. It has no debug form.
#[derive(Clone)]
pub struct Container {
    agent: Agent,
    secret: String,
}

/// What SDKs know of a container by.
const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

impl ContainerFlag {
    /// The container, if there is to be one.
    pub fn container(&self) -> anyhow::Result<Option<Container>> {
        let Some(agent) = self.container else { return Ok(None) };
        let [high, low] = [random()?, random()?];
        Ok(Some(Container { agent, secret: format!("{high:016x}{low:016x}") }))
    }
}

fn random() -> anyhow::Result<u64> {
    getrandom::u64().map_err(anyhow::Error::from)
}

impl Container {
    /// Puts it into a description that has none.
    pub fn set(&self, description: &mut Description) {
        if stated(&description.to_json()).is_empty() {
            let entry = match self.agent {
                Agent::Ecs => json!({ "credentials-id": self.secret }),
                Agent::Eks => json!({ "authorization-token": self.secret }),
            };
            description.set_json(&format!("/{FIELD}"), &json!([entry]).to_string(), "--container");
        }
    }

    /// Where its agent is on a real machine.
    pub fn address(&self) -> SocketAddr {
        let last = match self.agent {
            Agent::Ecs => 2,
            Agent::Eks => 23,
        };
        (Ipv4Addr::new(169, 254, 170, last), 80).into()
    }

    /// Sets what a container has in its environment, as the description states it.
    pub fn apply(&self, command: &mut Command, endpoint: Endpoint<'_>, control: &Control) -> anyhow::Result<()> {
        let entries = stated(&control.description()?.to_json());
        let entry = entries.iter().find(|entry| entry["credentials-id"].is_string() == (self.agent == Agent::Ecs));
        let Some(entry) = entry else {
            let field =
                if self.agent == Agent::Ecs { "credentials-id" } else { "authorization-token and no credentials-id" };
            return Err(WrongUse(format!("--container: no entry of {FIELD} in the description has {field}")).into());
        };
        for inherited in [RELATIVE_URI, FULL_URI, TOKEN, TOKEN_FILE] {
            command.env_remove(inherited);
        }
        let path = match self.agent {
            Agent::Ecs => format!("/v2/credentials/{}", entry["credentials-id"].as_str().unwrap_or_default()),
            Agent::Eks => "/v1/credentials".to_owned(),
        };
        match (endpoint, self.agent) {
            (Endpoint::Told(url), _) => command.env(FULL_URI, format!("{url}{path}")),
            // An address of which every SDK knows.
            (Endpoint::LinkLocal, Agent::Ecs) => command.env(RELATIVE_URI, path),
            (Endpoint::LinkLocal, Agent::Eks) => command.env(FULL_URI, format!("http://{}{path}", self.address().ip())),
        };
        if let Some(token) = entry["authorization-token"].as_str() {
            command.env(TOKEN, token);
        }
        Ok(())
    }
}

/// The entries that a description states, JSON text.
fn stated(description: &str) -> Vec<Value> {
    // What it is not, the service finds.
    let description: Value = serde_json::from_str(description).unwrap_or_default();
    description[FIELD].as_array().cloned().unwrap_or_default()
}
