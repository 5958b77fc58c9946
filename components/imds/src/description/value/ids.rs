//! Ids, names and ARNs of AWS.

use super::Line;
use crate::description::problem::shown;

/// Ids of EC2 resources: a prefix, then lower-case letters, digits and hyphens.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal,)*) => { texts! { $(
        $(#[$doc])*
        $name {
            concat!("^", $prefix, "[0-9a-z-]+$"),
            concat!("expected an id that begins with `", $prefix, "`, such as ", $prefix, "0123456789abcdef0"),
            |text| text.strip_prefix($prefix).is_some_and(is_id),
            |text| {
                let meant = text.trim().to_ascii_lowercase();
                let is_id = meant.strip_prefix($prefix).is_some_and(is_id);
                is_id.then(|| format!("did you mean \"{}\"? EC2 writes ids in lower case", shown(&meant)))
            }
        }
    )* } };
}

ids! {
    /// The id of an instance.
    InstanceId = "i-",
    /// The id of an AMI.
    ImageId = "ami-",
    /// The id of a kernel image.
    KernelId = "aki-",
    /// The id of a RAM disk image.
    RamdiskId = "ari-",
    /// The id of a reservation.
    ReservationId = "r-",
    /// The id of a network interface.
    NetworkInterfaceId = "eni-",
    /// The id of a subnet.
    SubnetId = "subnet-",
    /// The id of a VPC.
    VpcId = "vpc-",
    /// The id of a security group.
    GroupId = "sg-",
    /// The id of a Dedicated Host.
    HostId = "h-",
    /// The id of a maintenance event.
    InstanceEventId = "instance-event-",
}

texts! {
    /// An account: 12 digits.
    AccountId {
        "^[0-9]{12}$",
        "expected an account id of 12 digits, in quotes",
        |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
    }
    /// The name of an IAM role or instance profile.
    IamName {
        "^[0-9A-Za-z_+=,.@-]{1,128}$",
        "expected a name of IAM: 1 to 128 letters, digits and + = , . @ _ -",
        |text| (1..=128).contains(&text.len()) && text.bytes().all(is_iam) && text != "." && text != ".."
    }
    /// The ARN of a role.
    RoleArn {
        "^arn:[a-z-]+:iam::[0-9]{12}:role/[^\\x00-\\x1f\\x7f]+$",
        "expected the ARN of a role, such as arn:aws:iam::123456789012:role/web",
        |text| match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "iam", "", account, role] => {
                account.parse::<AccountId>().is_ok()
                    && role.strip_prefix("role/").is_some_and(|name| name.parse::<Line>().is_ok())
            }
            _ => false,
        }
    }
    /// The ARN of an instance profile.
    InstanceProfileArn {
        "^arn:[a-z-]+:iam::[0-9]{12}:instance-profile/[^\\x00-\\x1f\\x7f]+$",
        "expected the ARN of an instance profile, such as arn:aws:iam::123456789012:instance-profile/web",
        |text| match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "iam", "", account, profile] => {
                account.parse::<AccountId>().is_ok()
                    && profile.strip_prefix("instance-profile/").is_some_and(|name| name.parse::<Line>().is_ok())
            }
            _ => false,
        }
    }
}

pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

fn is_iam(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}
