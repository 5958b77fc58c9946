//! `meta-data/iam/` and `meta-data/identity-credentials/`.

use super::Shelf;
use crate::credentials::{InfoDocument, RoleCredentials, Rotation};
use crate::description::Credentials;
use crate::facts::Facts;
use crate::refreshes::Refreshes;
use crate::time::Time;
use crate::tree::Content;

pub fn put(shelf: &mut Shelf, facts: &Facts) {
    // Without a role there is no `iam/`, with a profile or without.
    if let Some((profile, role)) = facts.profile.as_ref().and_then(|profile| Some((profile, profile.role.as_ref()?))) {
        let rotation = role.rotation;
        let info = InfoDocument {
            from: role.from,
            rotation,
            fields: vec![("InstanceProfileArn", profile.arn.clone()), ("InstanceProfileId", profile.id.clone())],
        };
        shelf.put("meta-data/iam/info", "2012-01-12", Content::Info(info));
        let credentials = role.credentials_on(&facts.instance_id);
        let path = format!("meta-data/iam/security-credentials/{}", role.name);
        shelf.put(&path, "2012-01-12", Content::Credentials(Box::new(credentials)));
        shelf.root.refreshed("meta-data/iam/security-credentials", rotation);
    }

    let rotation = Rotation::of_identity(Refreshes::of(&facts.instance_id, facts.launch_time), facts.launch_time);
    let info = InfoDocument { from: Time::EPOCH, rotation, fields: vec![("AccountId", facts.owner_id.clone())] };
    // Recorded from 2018-03-28 on; documented with the date 2018-05-23.
    shelf.put("meta-data/identity-credentials/ec2/info", "2018-05-23", Content::Info(info));
    let credentials = RoleCredentials {
        from: Time::EPOCH,
        rotation,
        instance_id: facts.instance_id.clone(),
        purpose: "identity".to_owned(),
        with_token: Credentials::default(),
        without_token: Credentials::default(),
        failure: None,
        source_failure: None,
    };
    let path = "meta-data/identity-credentials/ec2/security-credentials/ec2-instance";
    shelf.put(path, "2018-05-23", Content::Credentials(Box::new(credentials)));
}
