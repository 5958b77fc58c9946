//! `imds serve --control --instances`: many instances, each changed while the others
//! are served.

use super::*;

/// Files that describe instances, in a directory of their own; removed when dropped.
pub struct Guests {
    path: PathBuf,
}

impl Guests {
    pub fn new(name: &str, all: &[(&str, &str)]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let guests = Self { path };
        all.iter().for_each(|(key, toml)| guests.describe(key, toml));
        guests
    }

    fn describe(&self, key: &str, toml: &str) {
        fs::write(self.path.join(format!("{key}.toml")), toml).unwrap();
    }

    /// Serves them under control.
    pub fn serve(&self) -> Controlled {
        Controlled::start(&["--instances", self.path.to_str().unwrap(), "--caller", "header:X-Guest"])
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// What the caller with a key gets.
fn get(controlled: &Controlled, key: &str, path: &str) -> (u16, String) {
    let answer =
        controlled.served.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Guest: {key}\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    // A stopped instance answers nothing.
    let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    (status, body.to_owned())
}

const TYPE: &str = "/latest/meta-data/instance-type";

#[test]
fn each_is_looked_at_and_changed_while_the_others_are_served() {
    let guests = Guests::new("control-many", &[("web", "instance-type = 'm7g.large'\n"), ("db", "")]);
    let controlled = guests.serve();
    let list = controlled.told(&["list"]);
    let lines: Vec<_> = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!((lines.len(), lines[0][0], lines[1][0]), (2, "db", "web"));
    assert_eq!(lines[1][2..], ["m7g.large", "running", "revision", "1"]);
    let id = lines[1][1];

    // By its key and by its id.
    assert!(controlled.told(&["--instance", id, "show"]).contains(&format!("{id}, m7g.large")));
    assert_eq!(controlled.told(&["--instance", "web", "get", "meta-data/instance-type"]), "m7g.large\n");
    assert_eq!(controlled.told(&["--instance", "db", "get", "meta-data/instance-type"]), "t3.micro\n");
    let errors = text(&controlled.ctl(&["get", "meta-data/instance-type"]).stderr);
    assert!(errors.contains("there are 2 instances") && errors.contains("imds ctl --instance KEY"), "{errors}");
    controlled.told(&["--instance", "web", "interrupt"]);
    assert_eq!(get(&controlled, "web", "/latest/meta-data/spot/instance-action").0, 200);
    assert_eq!(get(&controlled, "db", "/latest/meta-data/spot/instance-action").0, 404);
    controlled.told(&["--instance", "db", "edit", "metadata-options.http-tokens=required"]);
    assert_eq!((get(&controlled, "db", "/").0, get(&controlled, "web", "/").0), (401, 200));

    // Each has a clock, a journal and a revision of its own.
    controlled.told(&["--instance", "web", "clock", "+2m"]);
    assert_eq!(get(&controlled, "web", "/").0, 0, "it is terminated");
    let of = |key: &str, path: &str| controlled.ask("GET", &format!("/v1/instances/{key}{path}"), HOST, "").json();
    assert_eq!((of("web", "")["revision"].as_u64(), of("db", "")["revision"].as_u64()), (Some(2), Some(2)));
    assert_eq!((&of("web", "")["state"], &of("db", "")["state"]), (&json!("terminated"), &json!("running")));
    assert_eq!((&of("web", "/clock")["system"], &of("db", "/clock")["system"]), (&json!(false), &json!(true)));
    assert_eq!(of("db", "/requests")["requests"].as_array().unwrap().len(), 2);
    assert_eq!(of("db", "/usage")["MetadataNoTokenRejected"], 1);
    assert!(controlled.told(&["--instance", "db", "explain"]).contains("401"));
    // That of all moves all, each by as much.
    controlled.told(&["clock", "2026-10-01T00:00:00Z", "--speed", "0.001"]);
    let now = |key: &str| of(key, "/clock")["now"].as_str().unwrap()[..16].to_owned();
    assert_eq!((&*now("db"), &*now("web")), ("2026-10-01T00:00", "2026-10-01T00:02"));
}

#[test]
fn instances_come_and_go() {
    let guests = Guests::new("control-many-come", &[("web", "")]);
    let file = File::new("control-many-new.toml", "instance-type = 'm7g.large'\n");
    let controlled = guests.serve();
    // The only one needs no name.
    assert_eq!(controlled.shown()["revision"], 1);
    assert_eq!(get(&controlled, "new", TYPE).0, 403);
    assert_eq!(controlled.told(&["--instance", "new", "put", file.path.to_str().unwrap()]), "revision 1\n");
    assert_eq!(get(&controlled, "new", TYPE), (200, "m7g.large".to_owned()));
    assert!(controlled.ask("GET", "/metrics", HOST, "").body.contains("imds_instances 2\n"));
    // From then on nobody knows which is meant.
    let errors = text(&controlled.ctl(&["show"]).stderr);
    assert!(errors.contains("there are 2 instances") && errors.contains("imds ctl --instance KEY"), "{errors}");
    let errors = text(&controlled.ctl(&["--instance", "nwe", "stop"]).stderr);
    assert!(errors.contains("no instance has the key or the id nwe") && errors.contains("imds ctl list"), "{errors}");

    let only_new = format!("{JSON}If-None-Match: *\r\n");
    assert_eq!(controlled.ask("PUT", "/v1/instances/new", &only_new, "{}").status, 412);
    let only_old = format!("{JSON}If-Match: *\r\n");
    assert_eq!(controlled.ask("PUT", "/v1/instances/other", &only_old, "{}").status, 412);
    let no_key = controlled.ask("PUT", "/v1/instances/a%20b", JSON, "{}");
    assert!(no_key.status == 400 && no_key.body.contains("1 to 253 visible ASCII characters"), "{}", no_key.body);

    // By its id too.
    let id = controlled.ask("GET", "/v1/instances/new", HOST, "").json()["identity"]["instanceId"].clone();
    let removed = controlled.told(&["--instance", id.as_str().unwrap(), "remove"]);
    assert_eq!(removed, "removed new; its callers get 403 from now on\n");
    assert_eq!((get(&controlled, "new", TYPE).0, get(&controlled, "web", TYPE).0), (403, 200));
    assert_eq!(controlled.shown()["state"], "running");
}

#[test]
fn files_that_are_read_again_change_what_they_describe_otherwise_than_before() {
    let guests = Guests::new("control-many-again", &[("a", ""), ("b", ""), ("c", ""), ("d", "")]);
    let controlled = guests.serve();
    for key in ["a", "b"] {
        controlled.told(&["--instance", key, "edit", "tags.Name=edited"]);
    }
    assert_eq!(controlled.ask("PUT", "/v1/instances/own", JSON, "{}").status, 201);
    controlled.told(&["--instance", "c", "remove"]);
    guests.describe("b", "instance-type = 'm7g.large'\n");
    fs::remove_file(guests.path.join("d.toml")).unwrap();
    kill(&controlled.served.child, "HUP");
    controlled.served.line_with("imds: warning: the edits of b are gone, since its description changed");
    let line = controlled.served.line_with(" again: ");
    assert!(line.ends_with("3 instances; 1 removed, 1 replaced (b), 1 as edited (a)"), "{line}");
    let keys: Vec<_> = controlled.told(&["list"]).lines().map(|line| line[..3].trim().to_owned()).collect();
    assert_eq!(keys, ["a", "b", "own"]);
    let name = |key: &str| {
        controlled.ask("GET", &format!("/v1/instances/{key}"), HOST, "").json()["description"]["tags"].clone()
    };
    assert_eq!((name("a"), name("b")), (json!({ "Name": "edited" }), Value::Null));
    assert_eq!(get(&controlled, "b", TYPE), (200, "m7g.large".to_owned()));

    // A wrong one changes nothing.
    guests.describe("a", "instnace-type = 'm7g.large'\n");
    let refused = controlled.ctl(&["reset"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert_eq!(name("a"), json!({ "Name": "edited" }));
    // One by itself is what its file says, and so is one that was removed.
    guests.describe("a", "");
    let reset = controlled.told(&["--instance", "a", "reset"]);
    assert!(reset.ends_with("again; edits are undone\nrevision 3\n"), "{reset}");
    assert_eq!(name("a"), Value::Null);
    controlled.told(&["--instance", "c", "reset"]);
    assert_eq!(get(&controlled, "c", TYPE).0, 200);
    let own = text(&controlled.ctl(&["--instance", "own", "reset"]).stderr);
    assert!(own.contains("no file describes own"), "{own}");
}

#[test]
fn a_thousand_are_added_and_listed() {
    let guests = Guests::new("control-thousand", &[("web", "")]);
    let controlled = guests.serve();
    for number in 0..1000 {
        let path = format!("/v1/instances/vm-{number:04}");
        assert_eq!(controlled.ask("PUT", &path, JSON, "{}").status, 201, "{path}");
    }
    let page = controlled.ask("GET", "/v1/instances?limit=1000", HOST, "").json();
    assert_eq!((&page["all"], page["instances"].as_array().unwrap().len()), (&json!(1001), 1000));
    assert_eq!(page["next"], "vm-0999");
    let rest = controlled.ask("GET", "/v1/instances?after=vm-0999", HOST, "").json();
    assert_eq!((&rest["instances"][0]["key"], rest.get("next")), (&json!("web"), None));
    // ctl joins all pages.
    assert_eq!(controlled.told(&["list"]).lines().count(), 1001);
    let id = page["instances"][777]["instance-id"].as_str().unwrap();
    assert_eq!(controlled.ask("GET", &format!("/v1/instances/{id}/clock"), HOST, "").status, 200);
    assert_eq!(get(&controlled, "vm-0777", "/latest/meta-data/instance-id"), (200, id.to_owned()));
}

#[test]
fn no_secret_of_an_instance_is_told() {
    let toml = "user-data = 'CANARYDATA'\ntags = { db-password = 'CANARYTAG' }\n";
    let guests = Guests::new("control-many-canary", &[("web", toml), ("db", "")]);
    let controlled = guests.serve();
    assert_eq!(get(&controlled, "web", "/latest/user-data"), (200, "CANARYDATA".to_owned()));
    let mut told = String::new();
    for path in ["", "/web", "/web/requests", "/web/usage", "/web/clock", "/web/get?path=/latest/user-data"] {
        told += &controlled.ask("GET", &format!("/v1/instances{path}"), HOST, "").body;
    }
    let put = r#"{"user-data": "CANARYDATA", "instance-id": "i-1"}"#;
    told += &controlled.ask("PUT", "/v1/instances/db", JSON, put).body;
    told += &controlled.ask("PUT", "/v1/instances/db", JSON, &put[..40]).body;
    assert!(told.contains("(hidden)") && told.contains("instance-id"), "{told}");
    // Nor does the page get one: not everybody who reaches the listener is a caller of the instance.
    let fields = format!("{JSON}{}", super::page::of_page(&controlled));
    let answer = controlled.ask("POST", "/v1/instances/web/secret", &fields, r#"{"path": "/latest/user-data"}"#);
    assert!(answer.status == 403 && answer.body.contains("its own callers"), "{}", answer.body);
    told += &answer.body;
    told += &controlled.served.end_of_log();
    assert!(!told.contains("CANARY"), "{told}");
}
