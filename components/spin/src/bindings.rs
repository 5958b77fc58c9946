//! The component that this one is composed with.

// What is generated passes pointers over the adapter's border.
#![allow(missing_docs, unsafe_code)]

wit_bindgen::generate!({
    inline: "
        package imds:spin;

        world adapter {
            import imds:service/metadata@0.2.0;
        }
    ",
    path: "../../wit",
    generate_all,
});

pub use imds::service::metadata;
