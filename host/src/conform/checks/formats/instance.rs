//! Items of the instance as a whole.

use super::super::super::judge::{CAPTURE, GUIDE, each, each_entry, each_line, shown};
use super::super::super::{Check, Evidence, Stop, Subject, forms, items, json};
use super::{form, of_case};

pub const CHECKS: &[Check] = &[
    form(
        "format-of-ami-ids",
        Evidence::Recorded,
        "`ami-id` and each line of `ancestor-ami-ids` are `ami-` and 8 or 17 hexadecimal digits.",
        CAPTURE,
        |subject| {
            let items = ["meta-data/ami-id", "meta-data/ancestor-ami-ids"];
            each_line(subject, &items, "ami- and 8 or 17 hexadecimal digits", |line| forms::is_id("ami", line))
        },
    ),
    form(
        "format-of-the-instance-id",
        Evidence::Recorded,
        "`instance-id` is `i-` and 17 hexadecimal digits, or 8 for an old instance.",
        CAPTURE,
        |subject| {
            let expected = "i- and 17 or 8 hexadecimal digits";
            each(subject, &["meta-data/instance-id"], expected, |text| forms::is_id("i", text))
        },
    ),
    form(
        "format-of-the-reservation-id",
        Evidence::Recorded,
        "`reservation-id` is `r-` and 17 hexadecimal digits, or 8 for an old reservation.",
        CAPTURE,
        |subject| {
            let expected = "r- and 17 or 8 hexadecimal digits";
            each(subject, &["meta-data/reservation-id"], expected, |text| forms::is_id("r", text))
        },
    ),
    form(
        "format-of-kernel-and-ram-disk",
        Evidence::Documented,
        "`kernel-id` is `aki-` and hexadecimal digits, and `ramdisk-id` is `ari-` and hexadecimal digits.",
        GUIDE,
        |subject| {
            let expected = "aki- or ari- and 8 or 17 hexadecimal digits";
            each_entry(subject, &["meta-data/kernel-id", "meta-data/ramdisk-id"], |entry| {
                let prefix = if entry.name() == "kernel-id" { "aki" } else { "ari" };
                let text = entry.text();
                if forms::is_id(prefix, &text) { Ok(()) } else { Err(entry.asked.broken(expected, shown(&text))) }
            })
        },
    ),
    form(
        "format-of-numbers",
        Evidence::Recorded,
        "Indices and numbers consist of decimal digits only.",
        CAPTURE,
        |subject| {
            let items = [
                "meta-data/ami-launch-index",
                "meta-data/placement/partition-number",
                "meta-data/network/interfaces/macs/*/device-number",
                "meta-data/network/interfaces/macs/*/network-card",
            ];
            each(subject, &items, "decimal digits", forms::is_decimal)
        },
    ),
    form(
        "format-of-the-ami-manifest-path",
        Evidence::Recorded,
        "`ami-manifest-path` is `(unknown)`, or the path of a manifest in S3.",
        CAPTURE,
        |subject| {
            let is_good = |text: &str| text == "(unknown)" || text.ends_with(".xml");
            each(subject, &["meta-data/ami-manifest-path"], "(unknown), or a path that ends with .xml", is_good)
        },
    ),
    of_case("autoscaling-state-is-one-of-eight", |subject| {
        const STATES: [&str; 8] = [
            "Detached",
            "InService",
            "Standby",
            "Terminated",
            "Warmed:Hibernated",
            "Warmed:Running",
            "Warmed:Stopped",
            "Warmed:Terminated",
        ];
        each(subject, &["meta-data/autoscaling/target-lifecycle-state"], "one of eight words", |text| {
            STATES.contains(&text)
        })
    }),
    form(
        "format-of-hibernation-configured",
        Evidence::Recorded,
        "`hibernation/configured` is `true` or `false`.",
        "transcripts of 2020 to 2022, t2.micro and t3.micro",
        |subject| {
            each(subject, &["meta-data/hibernation/configured"], "true or false", |text| {
                matches!(text, "true" | "false")
            })
        },
    ),
    form(
        "format-of-the-instance-action",
        Evidence::Documented,
        "`instance-action` is `none`, `shutdown` or `bundle-pending`.",
        GUIDE,
        |subject| {
            each(subject, &["meta-data/instance-action"], "none, shutdown or bundle-pending", |text| {
                matches!(text, "none" | "shutdown" | "bundle-pending")
            })
        },
    ),
    form(
        "format-of-the-life-cycle",
        Evidence::Documented,
        "`instance-life-cycle` is `on-demand`, `spot`, `scheduled` or `capacity-block`.",
        GUIDE,
        |subject| {
            let expected = "on-demand, spot, scheduled or capacity-block";
            each(subject, &["meta-data/instance-life-cycle"], expected, |text| {
                matches!(text, "on-demand" | "spot" | "scheduled" | "capacity-block")
            })
        },
    ),
    form(
        "format-of-the-instance-type",
        Evidence::Recorded,
        "`instance-type` is a family, a dot and a size.",
        CAPTURE,
        |subject| each(subject, &["meta-data/instance-type"], "a family, a dot and a size", forms::is_instance_type),
    ),
    form(
        "format-of-the-place",
        Evidence::Recorded,
        "`placement/` has a region, a zone and a zone id in the form of EC2's, and a Dedicated Host by its id.",
        CAPTURE,
        the_place,
    ),
    of_case("profile-follows-the-virtualization", |subject| {
        let expected = "default-hvm or default-paravirtual";
        each(subject, &["meta-data/profile"], expected, |text| matches!(text, "default-hvm" | "default-paravirtual"))
    }),
    form(
        "format-of-the-services",
        Evidence::Recorded,
        "`services/domain` is a domain, and `services/partition` is `aws` or begins with `aws-`.",
        CAPTURE,
        the_services,
    ),
    form(
        "format-of-the-system",
        Evidence::Recorded,
        "`system` is `nitro`, `xen-on-nitro` or `xen`.",
        "capture of 2026-09, t3.nano; dumps of a t2.micro",
        |subject| {
            each(subject, &["meta-data/system"], "nitro, xen-on-nitro or xen", |text| {
                matches!(text, "nitro" | "xen-on-nitro" | "xen")
            })
        },
    ),
    of_case("metrics-vhostmd-is-an-xml-declaration", |subject| {
        const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
        each(subject, &["meta-data/metrics/vhostmd"], DECLARATION, |text| text == DECLARATION)
    }),
    form(
        "format-of-product-codes",
        Evidence::Documented,
        "Each line of `product-codes` is a code of letters and digits.",
        GUIDE,
        |subject| {
            let is_code = |line: &str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_alphanumeric());
            each_line(subject, &["meta-data/product-codes"], "letters and digits, a code a line", is_code)
        },
    ),
    form(
        "format-of-the-monitoring",
        Evidence::Documented,
        "`fws/instance-monitoring` is `enabled` or `disabled`.",
        GUIDE,
        |subject| {
            each(subject, &["dynamic/fws/instance-monitoring"], "enabled or disabled", |text| {
                matches!(text, "enabled" | "disabled")
            })
        },
    ),
    of_case("tag-sets-is-one-compact-object", |subject| {
        let expected = "one JSON object of texts, without spaces";
        each_entry(subject, &["meta-data/tag-sets/instance"], |entry| {
            let text = entry.text();
            let is_good = json::Fields::of(&text)
                .is_some_and(|fields| fields.0.iter().all(|(_, value)| value.is_string()) && !json::has_space(&text));
            if is_good { Ok(()) } else { Err(entry.asked.broken(expected, shown(&text))) }
        })
    }),
    form(
        "format-of-elastic-associations",
        Evidence::Inferred,
        "An elastic GPU or accelerator is a JSON object whose one field names the version of its format.",
        "EC2 user guide of 2023; aws/amazon-ec2-metadata-mock",
        |subject| {
            let items = ["meta-data/elastic-gpus/associations/*", "meta-data/elastic-inference/associations/*"];
            each(subject, &items, "a JSON object with version_2018_04_12", |text| {
                json::Fields::of(text).is_some_and(|fields| fields.names() == ["version_2018_04_12"])
            })
        },
    ),
    of_case("public-key-ends-with-its-name-and-a-line-end", public_key),
    form(
        "items-have-no-line-end",
        Evidence::Recorded,
        "No item except the public key ends with a line end.",
        CAPTURE,
        no_line_end,
    ),
];

fn the_place(subject: &Subject<'_>) -> Result<(), Stop> {
    let items = ["region", "availability-zone", "availability-zone-id", "host-id"];
    each_entry(
        subject,
        &items.map(|name| format!("meta-data/placement/{name}")).each_ref().map(String::as_str),
        |entry| {
            let text = entry.text();
            let (expected, is_good) = match entry.name() {
                "region" => ("a region such as us-east-1", forms::is_region(&text)),
                "availability-zone" => ("a zone such as us-east-1a", forms::is_zone(&text)),
                "host-id" => ("h- and 17 or 8 hexadecimal digits", forms::is_id("h", &text)),
                _ => {
                    let is_good = text.split_once('-').is_some_and(|(region, place)| {
                        region.ends_with(|c: char| c.is_ascii_digit()) && !place.is_empty() && forms::is_plain(&text)
                    });
                    ("the id of a zone such as use1-az6", is_good)
                }
            };
            if is_good { Ok(()) } else { Err(entry.asked.broken(expected, shown(&text))) }
        },
    )
}

fn the_services(subject: &Subject<'_>) -> Result<(), Stop> {
    each_entry(subject, &["meta-data/services/domain", "meta-data/services/partition"], |entry| {
        let text = entry.text();
        let (expected, is_good) = match entry.name() {
            "domain" => ("a domain such as amazonaws.com", forms::is_host_name(&text) && text.contains('.')),
            _ => ("aws, or aws- and more", text == "aws" || (text.starts_with("aws-") && forms::is_plain(&text))),
        };
        if is_good { Ok(()) } else { Err(entry.asked.broken(expected, shown(&text))) }
    })
}

fn public_key(subject: &Subject<'_>) -> Result<(), Stop> {
    let keys = subject.latest()?.find("meta-data/public-keys");
    let listed: Vec<&str> = keys.map(|keys| keys.names()).unwrap_or_default();
    each_entry(subject, &["meta-data/public-keys/*/openssh-key"], |entry| {
        let number = entry.path.split('/').nth(2).unwrap_or_default();
        let name = listed.iter().find_map(|name| name.strip_prefix(number)?.strip_prefix('='));
        let text = entry.text();
        let is_good = text.strip_suffix('\n').is_some_and(|key| {
            let mut parts = key.splitn(3, ' ');
            let kind = parts.next().is_some_and(|kind| kind.starts_with("ssh-") || kind.starts_with("ecdsa-"));
            let key = parts.next().is_some_and(|key| key.starts_with("AAAA"));
            kind && key && parts.next().is_some_and(|comment| name.is_none_or(|name| name == comment))
        });
        if is_good {
            return Ok(());
        }
        let end = if text.ends_with('\n') { "" } else { ", without LF at its end" };
        let got = format!("{}{end}", shown(&text));
        Err(entry.asked.broken("type, key, the name that is listed, and LF", got))
    })
}

fn no_line_end(subject: &Subject<'_>) -> Result<(), Stop> {
    let is_other =
        |path: &str| items::since(path).is_none() || path.ends_with("/openssh-key") || path.contains("/tags/");
    each_entry(subject, &["meta-data/*", "meta-data/*/*", "meta-data/*/*/*", "meta-data/network/*/*/*/*"], |entry| {
        if is_other(&entry.path) || !entry.text().ends_with('\n') {
            return Ok(());
        }
        Err(entry.asked.broken("a value without a line end", "one with LF at its end"))
    })
}
