//! The credential endpoints of containers: of an ECS task, of an EKS pod.

use super::Credentials;
use super::value::{CredentialsId, RoleArn, Secret};

entries! {
    /// Credentials that a container gets from the agent of its service.
    ContainerCredentials {
        /// For a task of ECS: the last part of `/v2/credentials/ID`. Any client that knows it gets the
        /// credentials.
        #[serde(default)]
        @[secret]
        credentials_id: Option<CredentialsId>,
        /// For a pod of EKS (Pod Identity): what `Authorization` must be at `/v1/credentials`. With `credentials-id`: what
        /// it must be at the path of that id.
        #[serde(default)]
        authorization_token: Option<Secret>,
        /// The role. Default: that of the instance, with its credentials.
        #[serde(default)]
        role_arn: Option<RoleArn>,
        /// The credentials of `role-arn`. Default: made up, new ones every six hours.
        #[serde(default)]
        credentials: Option<Credentials>,
    }
}
