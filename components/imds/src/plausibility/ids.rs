//! Ids of EC2 and IAM.

use super::Judge;
use super::rules::{ACCESS_KEY_FORM, ID_FORM};
use crate::description::json::Json;
use crate::description::problem::{Problem, shown};

/// Where a description has ids of EC2's form, with their prefixes; `*` stands for
/// each entry of a list. A test finds one that is missing here.
pub(super) const IDS: [(&[&str], &str); 18] = [
    (&["instance-id"], "i-"),
    (&["image-id"], "ami-"),
    (&["kernel-id"], "aki-"),
    (&["ramdisk-id"], "ari-"),
    (&["ancestor-ami-ids", "*"], "ami-"),
    (&["reservation-id"], "r-"),
    (&["subnet-id"], "subnet-"),
    (&["vpc-id"], "vpc-"),
    (&["placement", "host-id"], "h-"),
    (&["security-groups", "*", "group-id"], "sg-"),
    (&["network-interfaces", "*", "network-interface-id"], "eni-"),
    (&["network-interfaces", "*", "subnet-id"], "subnet-"),
    (&["network-interfaces", "*", "vpc-id"], "vpc-"),
    (&["network-interfaces", "*", "groups", "*", "group-id"], "sg-"),
    (&["events", "*", "instance-event-id"], "instance-event-"),
    (&["elastic-gpu-associations", "*", "elastic-gpu-id"], "egpu-"),
    (&["iam-instance-profile", "id"], "AIPA"),
    (&["elastic-inference-accelerator-associations", "*", "elastic-inference-accelerator-id"], "eia-"),
];

const ACCESS_KEYS: [&str; 2] = ["credentials", "credentials-without-token"];

impl Judge<'_> {
    pub(super) fn ids(&mut self) {
        let document = self.document;
        for (path, prefix) in IDS {
            each_text(document, path, String::new(), &mut |pointer, id| {
                if !is_id(id, prefix) {
                    let message = format!("`{}` is no id that EC2 makes", shown(id));
                    let help = format!("expected {}", form(prefix));
                    self.warn(&ID_FORM, Problem::at(pointer, message).help(help));
                }
            });
        }
        for field in ACCESS_KEYS {
            let pointer = format!("/iam-instance-profile/{field}/access-key-id");
            if self.text(&pointer).is_some_and(|key| !key.starts_with("ASIA")) {
                // Without the key, which may be a real one.
                let problem = Problem::at(pointer, "a role's access key id begins with `ASIA`");
                self.warn(&ACCESS_KEY_FORM, problem.help("`AKIA` begins a user's own key, which no instance is given"));
            }
        }
    }
}

/// Calls `seen` for each text at a path, with its pointer.
fn each_text(value: &Json, path: &[&str], pointer: String, seen: &mut impl FnMut(String, &str)) {
    match (path, value) {
        ([], Json::String(text)) => seen(pointer, text),
        (["*", rest @ ..], Json::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                each_text(item, rest, format!("{pointer}/{index}"), seen);
            }
        }
        ([name, rest @ ..], Json::Object(fields)) => {
            for (_, value) in fields.iter().filter(|(field, _)| field == name) {
                each_text(value, rest, format!("{pointer}/{name}"), seen);
            }
        }
        _ => {}
    }
}

fn is_id(id: &str, prefix: &str) -> bool {
    let is_hexadecimal = |rest: &str| rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_of_iam = |rest: &str| rest.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9'));
    id.strip_prefix(prefix).is_some_and(|rest| match prefix {
        // Source: IAM user guide, "IAM identifiers", whose ids have 21 characters.
        "AIPA" => rest.len() == 17 && is_of_iam(rest),
        // Recorded in client libraries' tests.
        "eia-" => rest.len() == 32 && is_hexadecimal(rest),
        _ => matches!(rest.len(), 8 | 17) && is_hexadecimal(rest),
    })
}

fn form(prefix: &str) -> String {
    match prefix {
        "AIPA" => "`AIPA` and 17 capitals and digits, such as AIPAABCDEFGHIJKLMN234".to_owned(),
        "eia-" => "`eia-` and 32 hexadecimal digits in lower case".to_owned(),
        _ => format!(
            "`{prefix}` and 17 hexadecimal digits in lower case (8 in old ids), such as {prefix}0123456789abcdef0"
        ),
    }
}
