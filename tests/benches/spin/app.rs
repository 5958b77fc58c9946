//! Applications: built, and served by `spin up`.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The manifests of the applications that are compared.
pub struct Built {
    pub adapter: PathBuf,
    pub adapter_0_2: PathBuf,
    pub minimal: PathBuf,
    pub minimal_0_2: PathBuf,
    pub get: PathBuf,
}

impl Built {
    /// Builds them, those of the adapter as `spin.toml` says.
    pub fn make(spin: &Path) -> Built {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = std::fs::read_to_string(root.join("spin.toml")).expect("spin.toml can be read");
        let built = Command::new(spin).arg("build").current_dir(&root).status().expect("Spin starts");
        assert!(built.success(), "spin build");
        shell(&root, &rustc("imds-spin-wasi-0-2", ""));
        let own = |name: &str| root.join("target/imds-component/wasm32-wasip2/component").join(name);
        let minimal = |name: &str, features: &str| {
            shell(&root, &rustc("imds-minimal", &format!("--no-default-features --features {features}")));
            let wasm = tmp(&format!("spin-bench-{name}.wasm"));
            std::fs::copy(own("imds_minimal.wasm"), &wasm).expect("a file can be copied");
            let text = format!(
                "spin_manifest_version = 2\n[application]\nname = \"{name}\"\n\
                 [[trigger.http]]\nroute = \"/...\"\ncomponent = \"minimal\"\n\
                 [component.minimal]\nsource = {wasm:?}\nkey_value_stores = [\"default\"]\n"
            );
            written(&format!("spin-bench-{name}.toml"), &text)
        };
        // What is relative to `spin.toml` in it, from elsewhere.
        let absolute = manifest.replace("\"target/", &format!("\"{}/target/", root.display()));
        Built {
            adapter: written("spin-bench-adapter.toml", &absolute),
            adapter_0_2: written(
                "spin-bench-adapter-0-2.toml",
                &absolute.replace("/imds_spin.wasm", "/imds_spin_wasi_0_2.wasm"),
            ),
            minimal: minimal("minimal", "wasi-http-0-3"),
            minimal_0_2: minimal("minimal-0-2", "wasi-http-0-2"),
            get: minimal("get", "get"),
        }
    }
}

fn rustc(package: &str, features: &str) -> String {
    format!(
        "cargo rustc --locked --package {package} --lib --profile component --crate-type cdylib \
         --target wasm32-wasip2 --target-dir target/imds-component {features}"
    )
}

fn shell(root: &Path, command: &str) {
    let status = Command::new("sh").args(["-c", command]).current_dir(root).status().expect("a shell starts");
    assert!(status.success(), "{command}");
}

fn tmp(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn written(name: &str, text: &str) -> PathBuf {
    std::fs::write(tmp(name), text).expect("a file can be written");
    tmp(name)
}

/// An application that is served.
pub struct App {
    process: Child,
    pub address: SocketAddr,
    state: PathBuf,
}

impl App {
    /// Serves it on a free port.
    pub fn start(spin: &Path, manifest: &Path, arguments: &[&str]) -> App {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free");
        let state = tmp(&format!("spin-bench-{}", address.port()));
        let mut command = Command::new(spin);
        command.arg("up").arg("--from").arg(manifest).arg("--listen").arg(address.to_string());
        command.arg("--state-dir").arg(&state).arg("--quiet").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("Spin starts");
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "Spin listens within a minute");
            std::thread::yield_now();
        }
        App { process, address, state }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Spin ends what it started when it is asked to end.
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.state);
    }
}
