//! The component that this one is composed with.

#![allow(missing_docs)]

spin_sdk::wit_bindgen::generate!({
    inline: "
        package imds:spin;

        world adapter {
            import imds:service/metadata@0.1.0;
        }
    ",
    path: "../../wit",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});

pub use imds::service::metadata;
