//! The component that this one is composed with.

// What is generated passes pointers over the component's border.
#![allow(missing_docs, unsafe_code)]

spin_sdk::wit_bindgen::generate!({
    inline: "
        package imds:spin-control;

        world control {
            import imds:service/metadata@0.2.0;
        }
    ",
    path: "../../../wit",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});

pub use imds::service::metadata;
