//! Credentials of containers, as the agents of ECS and EKS deliver them, if their endpoint
//! was given. No report shows the credentials, the path or the token.

use super::super::{Area, Asked, Check, Containers, Failure, Stop, Subject, forms, json, not_applicable};
use crate::engine::Request;

pub const CHECKS: &[Check] = &[
    Check::of_case("container-task-gets-credentials-by-its-id", Area::Containers, |subject| {
        let task = of_task(subject)?;
        credentials(subject, task, &["RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"])
    }),
    Check::of_case("container-task-without-a-known-id-is-refused", Area::Containers, |subject| {
        let task = of_task(subject)?;
        for path in ["/v2/credentials/", "/v2/credentials/00000000-0000-0000-0000-000000000000"] {
            let asked = ask(subject, task, Request::get(path))?;
            let fields = json::Fields::of(&asked.reply.text());
            let names = fields.as_ref().map(json::Fields::names).unwrap_or_default();
            if asked.reply.status != 400 || names != ["code", "message", "HTTPErrorCode"] {
                return Err(broken(&asked, "status 400 with a code and a message in JSON"));
            }
        }
        Ok(())
    }),
    Check::of_case("container-pod-gets-credentials-by-its-token", Area::Containers, |subject| {
        let pod = of_pod(subject)?;
        credentials(subject, pod, &["AccessKeyId", "SecretAccessKey", "Token", "AccountId", "Expiration"])
    }),
    Check::of_case("container-pod-without-a-token-is-refused", Area::Containers, |subject| {
        let pod = of_pod(subject)?;
        let asked = ask(subject, pod, Request::get(pod.path()))?;
        let is_text = asked.reply.field("Content-Type").is_some_and(|kind| kind.starts_with("text/plain"));
        if asked.reply.status == 400 && is_text && has_no_credentials(&asked) {
            return Ok(());
        }
        Err(broken(&asked, "status 400 and a sentence in plain text"))
    }),
    Check::of_case("container-pod-with-another-token-is-refused", Area::Containers, |subject| {
        let pod = of_pod(subject)?;
        let asked = ask(subject, pod, Request::get(pod.path()).with("Authorization", "a-token-of-no-association"))?;
        if asked.reply.status == 400 && has_no_credentials(&asked) {
            return Ok(());
        }
        Err(broken(&asked, "status 400"))
    }),
    Check::of_case("container-paths-are-404-without-containers", Area::Containers, |subject| {
        if subject.containers.is_some() {
            return not_applicable("the endpoint was said to have containers");
        }
        for path in ["/v2/credentials/task", "/v1/credentials"] {
            subject.is_not_found(subject.get(path)?)?;
        }
        Ok(())
    }),
];

/// The endpoint of containers, if one was given.
fn given<'s>(subject: &'s Subject<'_>) -> Result<&'s Containers, Stop> {
    match &subject.containers {
        Some(containers) => Ok(containers),
        None => not_applicable("no endpoint of containers was given"),
    }
}

fn of_task<'s>(subject: &'s Subject<'_>) -> Result<&'s Containers, Stop> {
    let containers = given(subject)?;
    if containers.path().starts_with("/v2/credentials/") {
        Ok(containers)
    } else {
        not_applicable("it is that of a pod")
    }
}

fn of_pod<'s>(subject: &'s Subject<'_>) -> Result<&'s Containers, Stop> {
    let containers = given(subject)?;
    if containers.path() != "/v1/credentials" {
        return not_applicable("it is that of a task");
    }
    if containers.authorization().is_none() {
        return not_applicable("no token of the pod was given");
    }
    Ok(containers)
}

fn ask(subject: &Subject<'_>, containers: &Containers, request: Request) -> Result<Asked, Stop> {
    subject.spend()?;
    let reply = containers.client().exchange(&request)?;
    Ok(Asked { request, reply })
}

/// The path ends with the id that gets the credentials, so it is not shown.
fn broken(asked: &Asked, expected: &str) -> Stop {
    Stop::Broken(Failure {
        request: "GET of the container's credentials".to_owned(),
        expected: expected.to_owned(),
        got: format!("status {} and {} bytes", asked.reply.status, asked.reply.body.len()),
    })
}

fn has_no_credentials(asked: &Asked) -> bool {
    !asked.reply.text().contains("SecretAccessKey")
}

fn credentials(subject: &Subject<'_>, containers: &Containers, names: &[&str]) -> Result<(), Stop> {
    let request = Request::get(containers.path());
    let asked = ask(
        subject,
        containers,
        match containers.authorization() {
            Some(token) => request.with("Authorization", token),
            None => request,
        },
    )?;
    let text = asked.reply.text();
    let is_json = asked.reply.field("Content-Type") == Some("application/json");
    if asked.reply.status != 200 || !is_json {
        return Err(broken(&asked, "status 200 with Content-Type: application/json"));
    }
    let fields = json::Fields::of(&text);
    let is_good = fields.as_ref().is_some_and(|fields| {
        let is_time = fields.text("Expiration").is_some_and(|time| forms::time(time).is_some());
        let are_there = names.iter().all(|name| fields.text(name).is_some_and(|text| !text.is_empty()));
        fields.names() == names && is_time && are_there
    });
    if is_good && !json::has_space(text.trim_end_matches('\n')) {
        return Ok(());
    }
    Err(broken(&asked, &format!("the fields {} in compact JSON", names.join(", "))))
}
