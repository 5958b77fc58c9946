//! The names of all rules, with what each looks for and why that cannot be.

use crate::description::problem::{Problem, shown};
use crate::description::spelling;

/// A rule of what is plausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which `allow-warnings` silences it.
    pub name: &'static str,
    /// What is reported.
    pub what: &'static str,
    /// Why it cannot be real, or cannot happen.
    pub why: &'static str,
}

macro_rules! rules {
    ($($id:ident = $name:literal: $what:literal, $why:literal;)*) => {
        $(pub(super) const $id: Rule = Rule { name: $name, what: $what, why: $why };)*

        /// All rules, in the order of their names.
        ///
        /// ```
        /// assert!(imds_core::plausibility::RULES.iter().any(|rule| rule.name == "unknown-instance-type"));
        /// ```
        pub const RULES: &[Rule] = &[$($id),*];
    };
}

rules! {
    ACCESS_KEY_FORM = "access-key-form": "an access key id of a role that does not begin with `ASIA`",
        "what a role gets is temporary, and ids of temporary keys begin so; `AKIA` begins a user's own key, which no instance is given";
    ADDRESS_KIND = "address-kind": "a private address that no host has, or a public one that is private",
        "EC2 gives interfaces no loopback, link-local or multicast addresses, and public addresses are routed on the internet";
    ADDRESS_OUTSIDE_SUBNET = "address-outside-subnet": "an address or a delegated prefix that is in no block of its subnet",
        "EC2 takes addresses from the subnet's blocks";
    ARCHITECTURE_MISMATCH = "architecture-mismatch": "an architecture that the instance type does not have",
        "EC2 refuses to launch the AMI on it";
    BLOCK_SIZE = "block-size": "a block of addresses that is larger or smaller than EC2 allows",
        "IPv4 blocks of VPCs and subnets have 16 to 28 fixed bits, IPv6 blocks of VPCs 44 to 60 and of subnets 44 to 64; delegated prefixes have 28 and 80";
    CHANGE_NEVER_HAPPENS = "change-never-happens": "an entry of the timeline behind the termination",
        "nothing happens any more to an instance that is terminated";
    CHANGE_OF_NOTHING = "change-of-nothing": "an entry of the timeline that leaves all as it is",
        "what it states was so before";
    CREDENTIALS_IN_THE_PAST = "credentials-in-the-past": "credentials that have ended",
        "EC2 replaces them before they end; an SDK refuses them or warns";
    DIFFERING_BLOCKS = "differing-blocks": "a subnet or a VPC that has other blocks at another interface",
        "both belong to one network, which has its blocks once";
    DUPLICATE_DEVICE = "duplicate-device": "a device that two mappings name",
        "one device is attached under one name";
    EQUAL_NAMES = "equal-names": "a name or an id that is there twice where EC2 has it once",
        "a group is attached once, its name is its own in a VPC, and ids are given once";
    EVENT_IN_THE_PAST = "event-in-the-past": "a maintenance event that is active after its end",
        "EC2 completes or cancels it then";
    FAULT_MATCHES_NOTHING = "fault-matches-nothing": "a fault with a path that the service does not have",
        "nobody asks for it, so that the fault never applies";
    FAULT_NEVER_STRIKES = "fault-never-strikes": "a fault that is over, or that has no share or no time",
        "no request can come in it";
    FAULT_SHADOWED = "fault-shadowed": "a fault behind one that affects all that it would affect",
        "of several faults that affect a request, the first counts";
    FAULT_UNKNOWN_METHOD = "fault-unknown-method": "a fault with a method that HTTP does not have",
        "no client sends it, so that the fault never applies";
    GUESSABLE_CONTAINER_SECRET = "guessable-container-secret": "a short `credentials-id` or `authorization-token` of a container that gets real credentials",
        "any client that guesses it gets them; a UUID, or 22 random characters, cannot be guessed";
    ID_FORM = "id-form": "an id that EC2 could not have made",
        "behind their prefix, ids have 8 or 17 digits of hexadecimal numbers in lower case";
    INTERRUPTION_IN_THE_PAST = "interruption-in-the-past": "a spot interruption that is over while the instance runs",
        "the instance would be gone";
    LAUNCH_IN_THE_FUTURE = "launch-in-the-future": "a launch time that is still to come",
        "the instance runs, so that it was launched";
    MULTICAST_MAC = "multicast-mac": "a MAC address of a group, or of zeros",
        "an interface has an address of its own: the last bit of the first byte is 0";
    OVERLAPPING_BLOCKS = "overlapping-blocks": "blocks of two subnets, of one VPC, or delegated prefixes that overlap",
        "EC2 gives each address once";
    PROFILE_OF_ANOTHER_ACCOUNT = "profile-of-another-account": "an instance profile whose ARN has another account or partition",
        "an instance gets profiles of the account that owns it";
    REAL_CREDENTIALS_WITHOUT_TOKEN = "real-credentials-without-token": "optional tokens where a role has a `credentials-source`",
        "anyone who gets software on the instance to ask one address gets real credentials; tokens are required there unless the description says otherwise";
    RESERVED_ADDRESS = "reserved-address": "an address that EC2 keeps for itself in a subnet whose block is stated",
        "the first four addresses and the last one are the network's, the router's, the DNS server's, and kept for later and for broadcasts";
    SUBNET_OUTSIDE_VPC = "subnet-outside-vpc": "a subnet's block that is in no block of its VPC",
        "EC2 cuts subnets out of the VPC's blocks";
    TAGS_NOT_SHOWN = "tags-not-shown": "tags while `instance-metadata-tags` is disabled all the time",
        "they are not shown, as on EC2, where this is off unless it is enabled";
    UNKNOWN_INSTANCE_TYPE = "unknown-instance-type": "an instance type of a family or a size that is not known here",
        "it is misspelt, or newer than this program";
    UNKNOWN_REGION = "unknown-region": "a region that is not known here",
        "it is misspelt, or newer than this program";
    UNKNOWN_WARNING = "unknown-warning": "a name in `allow-warnings` that no warning has",
        "it is misspelt, or a newer program's";
    UNKNOWN_ZONE = "unknown-zone": "a zone that its region does not have",
        "a region's zones have the letters from `a` on, in most of them up to `c`";
    ZONE_ID_OF_ANOTHER_REGION = "zone-id-of-another-region": "a zone id that does not begin with its region's name in short",
        "the id of a zone of us-east-1 begins with `use1-`";
}

/// What is said of a name that no warning has.
pub(super) fn unknown_name(name: &str) -> Problem {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let problem = Problem::at("/allow-warnings", format!("no warning has the name `{}`", shown(name)));
    problem.help(match spelling::nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a warning's name stands in brackets behind its message".to_owned(),
    })
}
