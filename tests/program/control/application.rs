//! `imds ctl` at the control of an application elsewhere: TLS, the secret, and what of
//! it is said where. What the control answers is tried with the component itself, among
//! the tests of Spin.

use std::net::TcpListener;

use super::*;
use crate::certificates::Folder;

/// Wrong use ends with 2 before anything is asked.
#[test]
fn the_secret_goes_to_urls_alone_and_never_in_the_clear() {
    let folder = Folder::new("application");
    fs::write(folder.path.join("secret"), "a secret of operators\n").unwrap();
    fs::write(folder.path.join("empty"), "\n").unwrap();
    let url = "http://127.0.0.1:1/imds-control";
    for (arguments, words) in [
        (
            &["--control", "http://imds.example.com/imds-control", "--token-file", "secret", "show"][..],
            "this machine alone",
        ),
        (&["--control", "https://a:b@imds.example.com/", "--token-file", "secret", "show"], "--token-file"),
        (&["--control", url, "show"], "IMDS_CONTROL_TOKEN_FILE"),
        (&["--control", url, "--token-file", "empty", "show"], "no line of printable ASCII"),
        (&["--control", url, "--token-file", "missing", "show"], "cannot read missing"),
        (&["--control", "127.0.0.1:1340", "--token-file", "secret", "show"], "--token-file is for"),
        (&["remove"], "imds ctl --instance KEY remove"),
    ] {
        let output = ctl_in(&folder, arguments);
        let errors = text(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(words), "{arguments:?}: {errors}");
        assert!(!errors.contains("a secret of operators"));
    }
    let output = ctl_in(&folder, &["--control", url, "--token-file", "secret", "show"]);
    let errors = text(&output.stderr);
    assert!(
        output.status.code() == Some(1) && errors.contains("cannot reach http://127.0.0.1:1/imds-control"),
        "{errors}"
    );
    // Of the file itself it warns: whoever reads it may change instances.
    fs::set_permissions(folder.path.join("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(
        text(&ctl_in(&folder, &["--control", url, "--token-file", "secret", "show"]).stderr).contains("chmod go-rw")
    );
}

#[test]
fn a_description_can_be_put_to_a_listener_too() {
    let file = File::new("control-put.toml", "instance-type = 'm7g.large'\n");
    let controlled = Controlled::start(&[]);
    assert_eq!(controlled.told(&["put", file.path.to_str().unwrap()]), "revision 2\n");
    assert!(controlled.get("/latest/meta-data/instance-type").ends_with("m7g.large"));
    let refused = controlled.ctl(&["put", file.path.to_str().unwrap(), "--revision", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    fs::write(&file.path, "instance-type = 3\n").unwrap();
    let errors = text(&controlled.ctl(&["put", file.path.to_str().unwrap()]).stderr);
    assert!(errors.contains("control-put.toml:1:17"), "{errors}");
}

/// The route is easily forgotten, and the keys are not known by heart.
#[test]
fn a_wrong_url_or_key_is_met_with_the_right_one() {
    let folder = Folder::new("application-wrong");
    fs::write(folder.path.join("secret"), "a secret of operators\n").unwrap();
    let many = r#"{"error": "the variable `callers` maps requests to many"}"#;
    let missing = r#"{"error": "the store has no key `instances/a`"}"#;
    let elsewhere = r#"{"error": "Spin has its own clock"}"#;
    for (page, arguments, words) in [
        (many, &["show"][..], Some("(404 Not Found)\nhelp: imds ctl --instance KEY …, for one")),
        (missing, &["--instance", "a", "show"], Some("(404 Not Found)\nhelp: imds ctl list shows")),
        (elsewhere, &["clock"], None),
    ] {
        let url = format!("http://127.0.0.1:{}/imds-control", serve(&[(404, page)]));
        let output = ctl_in(&folder, &[&["--control", &url, "--token-file", "secret"], arguments].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        match words {
            Some(words) => assert!(errors.contains(words), "{errors}"),
            None => assert!(!errors.contains("help"), "{errors}"),
        }
    }
    let place = format!("127.0.0.1:{}", serve(&[(404, ""), (404, "")]));
    let help = format!("for Spin add the route: http://{place}/imds-control");
    for (control, has_help) in [(format!("http://{place}"), true), (place, false)] {
        let errors = text(&ctl_in(&folder, &["--control", &control, "show"]).stderr);
        assert!(errors.contains("no control listener of imds") && errors.contains(&help) == has_help, "{errors}");
    }
}

#[test]
fn a_list_is_all_pages_of_it() {
    let folder = Folder::new("application-list");
    fs::write(folder.path.join("secret"), "a secret of operators\n").unwrap();
    let port = serve(&[
        (200, r#"{"all": 2, "instances": [{"key": "a", "revision": 7, "bytes": 2}], "next": "a"}"#),
        (200, r#"{"all": 2, "instances": [{"key": "b", "revision": 8, "bytes": 3}]}"#),
        (200, r#"{"removed": true}"#),
    ]);
    let url = format!("http://127.0.0.1:{port}/imds-control");
    let ask = |arguments: &[&str]| {
        text(&ctl_in(&folder, &[&["--control", &url, "--token-file", "secret"], arguments].concat()).stdout)
    };
    let list: Value = serde_json::from_str(&ask(&["list", "--json"])).unwrap();
    let instances = json!([{ "key": "a", "revision": 7, "bytes": 2 }, { "key": "b", "revision": 8, "bytes": 3 }]);
    assert_eq!(list, json!({ "all": 2, "instances": instances }));
    assert_eq!(ask(&["--instance", "a", "remove"]), "removed a; its callers get 403 within a second\n");
}

#[cfg(feature = "tls")]
#[test]
fn a_server_that_does_not_speak_tls_is_called_so() {
    let folder = Folder::new("application-no-tls");
    fs::write(folder.path.join("secret"), "a secret of operators\n").unwrap();
    tls::certificate(&folder, "ours");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/imds-control", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let output = ctl_in(&folder, &["--control", &url, "--token-file", "secret", "--ca-file", "ours.pem", "show"]);
    let errors = text(&output.stderr);
    let words = format!("cannot reach {url}: the server does not speak TLS; for this machine use http://");
    assert!(errors.contains(&words), "{errors}");
}

#[cfg(feature = "tls")]
#[test]
fn over_https_the_secret_goes_to_whom_a_certificate_vouches_for() {
    let folder = Folder::new("application-tls");
    fs::write(folder.path.join("secret"), "a secret of operators\n").unwrap();
    for name in ["ours", "another"] {
        tls::certificate(&folder, name);
    }
    let page = r#"{"all": 1, "instances": [{"key": "a", "revision": 7, "bytes": 2}]}"#;
    let (port, heads) = tls::serve(&folder, page);
    let ask = |host: &str, roots: &[&str]| {
        let url = format!("https://{host}:{port}/ops/imds");
        let arguments = [&["--control", &url, "--token-file", "secret"], roots, &["list"]].concat();
        ctl_in(&folder, &arguments)
    };
    for host in ["localhost", "127.0.0.1"] {
        let output = ask(host, &["--ca-file", "ours.pem"]);
        assert_eq!(text(&output.stdout), "a        2 bytes  revision 7\n", "{}", text(&output.stderr));
        let head = heads.recv_timeout(DEADLINE).unwrap();
        assert!(head.starts_with("GET /ops/imds/v1/instances?limit=1000 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: {host}:{port}\r\n")), "{head}");
        assert!(head.contains("authorization: Bearer a secret of operators\r\n"), "{head}");
    }
    for roots in [&["--ca-file", "another.pem"][..], &[]] {
        let output = ask("localhost", roots);
        let errors = text(&output.stderr);
        // A machine without any root certificates is told to have some.
        assert!(errors.contains("certificate") && !output.status.success(), "{errors}");
    }
    assert_eq!(ask("localhost", &["--ca-file", "secret"]).status.code(), Some(2));
    assert!(heads.try_recv().is_err(), "nobody else got the secret");
}

fn ctl_in(folder: &Folder, arguments: &[&str]) -> Output {
    let mut imds = Command::new(IMDS);
    imds.arg("ctl").args(arguments).current_dir(&folder.path).stdin(Stdio::null());
    imds.output().unwrap()
}

/// Gives these answers in HTTP, one a connection, and then none.
fn serve(answers: &[(u16, &'static str)]) -> u16 {
    let answers = answers.to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for ((status, body), stream) in answers.iter().zip(listener.incoming()) {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = reader.get_mut().write_all((head + body).as_bytes());
        }
    });
    port
}

#[cfg(feature = "tls")]
mod tls {
    use std::sync::Arc;
    use std::sync::mpsc::Receiver;

    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

    use super::*;

    /// Makes a certificate of this machine and its key.
    pub fn certificate(folder: &Folder, name: &str) {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-subj", "/CN=imds", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]).current_dir(&folder.path);
        assert!(openssl.output().unwrap().status.success());
    }

    /// Answers every request in the same way, and gives the heads of those that came.
    pub fn serve(folder: &Folder, page: &'static str) -> (u16, Receiver<String>) {
        let certificate = CertificateDer::from_pem_file(folder.path.join("ours.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.path.join("ours.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, heads) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                let mut head = String::new();
                // Who does not trust the certificate sends no head.
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
                if head.is_empty() {
                    continue;
                }
                let length = page.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}");
                let _ = reader.get_mut().write_all(answer.as_bytes());
                let _ = sender.send(head);
            }
        });
        (port, heads)
    }
}
