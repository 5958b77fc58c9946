//! Says how large the stack is, which stands at the beginning of the memory.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // An engine clears the memory of each instance, and each request has one. The
    // linker's own 1 MiB cost more than reading a description. The deepest JSON that is
    // read, 127 levels with an option of the variables over it, fits.
    println!("cargo::rustc-link-arg=-zstack-size={}", 128 << 10);
}
