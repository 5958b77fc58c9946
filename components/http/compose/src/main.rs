//! `imds-compose ADAPTER CORE OUTPUT` writes the adapter with the core inside.
//! `imds-compose` alone judges what `components/http/build.sh` builds in.

use std::env;
use std::error::Error;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use imds_core::{Instance, Problem, Settings};

const INSTANCE: &str = "IMDS_HTTP_INSTANCE";
const SECRET: &str = "IMDS_HTTP_TOKEN_SECRET";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => judge(),
        [adapter, core, output] => {
            std::fs::write(output, imds_compose::composed(Path::new(adapter), Path::new(core))?)?;
            Ok(())
        }
        _ => Err("usage: imds-compose [ADAPTER CORE OUTPUT]".into()),
    }
}

/// Fails where the files that are built would refuse every request.
fn judge() -> Result<(), Box<dyn Error>> {
    let of = |name: &str| match env::var(name) {
        Ok(text) if text.trim().is_empty() => Err(format!("{name} is empty; did the command that makes it fail?")),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name} is no UTF-8")),
    };
    let (instance, secret) = (of(INSTANCE)?, of(SECRET)?);
    let is_without_secret = secret.is_none();
    let token_secret = secret.map_or_else(|| vec![0; 32], String::into_bytes);
    let description = instance.unwrap_or_else(|| "{}".to_owned());
    let settings = Settings { token_secret, ..Settings::default() };
    Instance::open(&description, settings).map_err(|problems| told(&problems))?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    let status = imds_core::status(&description, now_ms, None).map_err(|problems| told(&problems))?;
    if is_without_secret && status.metadata_options.http_tokens == "required" {
        eprintln!("warning: tokens are required, and without {SECRET} anybody can make them");
    }
    Ok(())
}

fn told(problems: &[Problem]) -> String {
    let told = |problem: &Problem| match problem.field.as_str() {
        // The settings have no other.
        "" => format!("{SECRET} or {INSTANCE}: {}", problem.message),
        field => format!("{INSTANCE}: {field}: {}", problem.message),
    };
    problems.iter().map(told).collect::<Vec<_>>().join("\n")
}
