//! What is attached to an instance besides its network.

use super::value::{Line, Segment, VirtualName};
use super::words::VolumeAttachment;

entries! {
    /// A volume besides the root volume.
    BlockDeviceMapping {
        /// The device, `/dev/sdf`.
        device_name: Line,
        /// `ephemeral0` and so on for an instance store volume, `swap` for a swap device. They are shown as stated, also
        /// on an instance type without an instance store, as on Xen where the AMI maps them. Default: an EBS volume.
        #[serde(default)]
        virtual_name: Option<VirtualName>,
        /// attaching: shown from the next start on, and attached then. detaching: shown until the next start, with which
        /// it is gone. Default attached.
        #[serde(default)]
        attachment: VolumeAttachment,
    }

    /// An Elastic GPU.
    ElasticGpuAssociation {
        /// The id.
        elastic_gpu_id: Segment,
        /// Default eg1.medium.
        #[serde(default)]
        elastic_gpu_type: Option<Line>,
    }

    /// An Elastic Inference accelerator.
    ElasticInferenceAcceleratorAssociation {
        /// The id.
        elastic_inference_accelerator_id: Segment,
        /// Default eia1.medium.
        #[serde(default)]
        elastic_inference_accelerator_type: Option<Line>,
    }
}
