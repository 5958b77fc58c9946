//! Extra entries: their paths, and what they cannot replace.

use super::*;

#[test]
fn the_path_of_an_extra_entry_that_is_none_gets_the_right_one() {
    let in_every = |below: &str, path: &str| {
        format!(
            "did you mean `{below}`, in every version? `{path}`, without a slash before it, is in this version only"
        )
    };
    for (path, help) in [
        ("/meta-data/x", "did you mean `meta-data/x`? The path has no slash before or behind it".to_owned()),
        ("meta-data/x/", "did you mean `meta-data/x`? The path has no slash before or behind it".to_owned()),
        ("/latest/meta-data/x", in_every("meta-data/x", "latest/meta-data/x")),
        ("http://169.254.169.254/latest/meta-data/x", in_every("meta-data/x", "latest/meta-data/x")),
        ("/2021-03-23/dynamic/x", in_every("dynamic/x", "2021-03-23/dynamic/x")),
        (
            "2020-01-01/meta-data/x",
            "`2020-01-01` is no version of the service; `meta-data/x` is in every version".to_owned(),
        ),
        ("rack", "did you mean `meta-data/rack`?".to_owned()),
        ("latest/user-data", "user data is not an entry: it is the field `user-data` of the instance".to_owned()),
    ] {
        assert_problem(
            &format!(r#"{{"extra-entries": {{"{path}": "x"}}}}"#),
            &format!("/extra-entries/{}", path.replace('/', "~1")),
            "expected a path of at most 512 bytes such as meta-data/fabric/rack or, in one version only, 2009-04-04/meta-data/mac",
            Some(&help),
        );
    }
    // One under a version is right, and one that nothing can be made of has no help.
    assert_eq!(problems(r#"{"extra-entries": {"2021-03-23/meta-data/x": "x"}}"#), []);
    assert_eq!(problems(r#"{"extra-entries": {"a%41": "x"}}"#)[0].help, None);
}

#[test]
fn an_entry_for_one_version_hides_no_folder_that_another_makes() {
    let entries = r#""2009-04-04/meta-data/fabric": "x", "meta-data/fabric/rack": "r17""#;
    assert_problem(
        &format!(r#"{{"extra-entries": {{{entries}}}}}"#),
        "/extra-entries/2009-04-04~1meta-data~1fabric",
        "`meta-data/fabric` is a folder, an entry cannot replace it",
        None,
    );
}

#[test]
fn an_entry_does_not_look_like_a_key_pair() {
    assert_problem(
        r#"{"extra-entries": {"meta-data/public-keys/1=second": "x"}}"#,
        "/extra-entries/meta-data~1public-keys~11=second",
        "in `public-keys/` a name with `=` lists a key pair, which answers under the number before it",
        None,
    );
}

#[test]
fn entries_deep_down_are_opened_soon() {
    let deep = "/x".repeat(245);
    let entries: Vec<String> = (0..1024).map(|number| format!("\"meta-data{deep}/{number}\": \"\"")).collect();
    let start = std::time::Instant::now();
    assert_eq!(problems(&format!("{{\"extra-entries\": {{{}}}}}", entries.join(","))), []);
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}

#[test]
fn an_extra_entry_cannot_replace_a_folder_or_lie_below_an_item() {
    let with = |path: &str| problems(&format!(r#"{{"extra-entries": {{"{path}": "x"}}}}"#));
    assert_eq!(with("meta-data/fabric/rack"), []);
    assert_eq!(with("meta-data/network")[0].message, "`meta-data/network` is a folder, an entry cannot replace it");
    assert_eq!(with("meta-data/ami-id/x")[0].message, "`meta-data/ami-id` is an item, nothing can be below it");
    assert_eq!(with("2009-04-04/meta-data/mac"), []);
    for wrong in
        ["meta-data", "user-data", "api/token", "meta-data//x", "meta-data/../x", "2009-04-05/meta-data/mac", ""]
    {
        assert!(!with(wrong).is_empty(), "{wrong}");
    }
}
