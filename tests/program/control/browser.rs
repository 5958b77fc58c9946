//! The page in a browser.

use super::browsers::{Browser, CTRL, SHIFT};
use super::*;

/// The secrets that the page has anywhere.
const CANARIES: &str = "[...new Set(document.documentElement.outerHTML.match(/CANARY[A-Z]+/g))]";

const TEXT: &str = "document.getElementById";

/// Tests of the same names for each browser.
macro_rules! in_each_browser {
    ($($test:ident)*) => {
        mod chromium {
            use super::Browser;
            $(#[test] fn $test() { if let Some(browser) = Browser::chromium(stringify!($test)) { super::$test(browser); } })*
        }
        mod firefox {
            use super::Browser;
            $(
                #[test]
                #[ignore = "a minute: cargo test --workspace --test program -- --ignored firefox"]
                fn $test() { if let Some(browser) = Browser::firefox(stringify!($test)) { super::$test(browser); } }
            )*
        }
    };
}

in_each_browser! {
    the_page_shows_and_changes_an_instance
    at_a_phones_width_and_by_keyboard_alone_everything_is_reached
    what_cannot_be_undone_is_asked_about_first
    a_secret_is_shown_to_who_asks_for_it_and_hidden_again
    the_box_completes_what_the_schema_has_by_keyboard_alone
    pages_of_elsewhere_get_nothing_in_a_browser
}

fn the_page_shows_and_changes_an_instance(mut browser: Browser) {
    let description = File::new(
        &format!("{}.toml", browser.name),
        "instance-lifecycle = 'spot'\nuser-data = 'CANARYDATA'\ntags = { Name = '<b>web</b>', password = 'CANARYTAG' }\n\
         [metadata-options]\ninstance-metadata-tags = 'enabled'\n",
    );
    let controlled = Controlled::start(&["--instance", description.path.to_str().unwrap()]);
    let id = controlled.shown()["identity"]["instanceId"].as_str().unwrap().to_owned();
    browser.open(&controlled.place);
    browser.wait(&format!("{TEXT}('name').textContent.startsWith({id:?})"));
    browser.wait(&format!("{TEXT}('list').innerText.includes('running')"));
    // Names and values are texts, not markup.
    assert_eq!(browser.value(&format!("{TEXT}('facts').innerText.includes('<b>web</b>')")), true);

    // A real client, while the page waits for requests.
    controlled
        .served
        .request("GET /latest/meta-data/local-ipv4 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: old-sdk\r\n\r\n");
    controlled.served.request("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for shown in ["GET /latest/meta-data/local-ipv4", "old-sdk", "Metadata is read-only"] {
        browser.wait(&format!("{TEXT}('requests').innerText.includes({shown:?})"));
    }
    browser.wait(&format!("{TEXT}('usage').innerText.includes('Version 1: 2 answered')"));

    // An interruption.
    let on_axis = "[...document.querySelectorAll('#axis g')].some((it) => it.textContent.includes('spot notice'))";
    assert_eq!(browser.value(on_axis), false);
    assert_eq!(browser.value(&format!("{TEXT}('events').innerText.includes('spot')")), false);
    browser.click("[data-operation=interrupt]");
    browser.wait(&format!("{TEXT}('events').innerText.includes('spot interruption: terminate')"));
    browser.wait(on_axis);
    assert!(controlled.get("/latest/meta-data/spot/instance-action").contains("\"action\":\"terminate\""));

    // The clock goes to what comes.
    browser.click("#pause");
    browser.wait(&format!("{TEXT}('pace').textContent.includes('stands')"));
    browser.value(&format!("{TEXT}('to').value = '+90s'"));
    browser.click("#move button");
    browser.wait(&format!(
        "{TEXT}('events').innerText.includes('in 29s') || {TEXT}('events').innerText.includes('in 30s')"
    ));

    // A switch, with the service at once.
    browser.click("[data-option=http-tokens]");
    browser.wait(&format!("{TEXT}('said').textContent.includes('http-tokens = required')"));
    assert!(controlled.get("/latest/meta-data/").starts_with("HTTP/1.1 401 "));

    // A wrong change, at its place.
    browser.value(&format!(
        "{TEXT}('change').value = '{{\\n  \"metadata-options\": {{\"http-tokens\": \"optoinal\"}}\\n}}'"
    ));
    browser.click("#editor button");
    browser.wait(&format!("{TEXT}('problems').innerText.includes('line 2, column 39')"));
    let at = browser.value(&format!("{TEXT}('change').value.slice({TEXT}('change').selectionStart).split('\"')[1]"));
    assert_eq!(at, "optoinal");
    browser.value(&format!("{TEXT}('change').value = '{{\"tags\": {{\"Name\": \"web-2\"}}}}'"));
    browser.click("#editor button");
    browser.wait(&format!("{TEXT}('facts').innerText.includes('web-2')"));

    // What the box can begin with, each of which the instance takes; at first that nothing is to come.
    let samples = browser.value("document.querySelectorAll('#samples option').length").as_u64().unwrap();
    assert!(samples > 5, "{samples}");
    for sample in (1..samples).rev() {
        browser.value(&format!(
            "{TEXT}('samples').selectedIndex = {sample}; {TEXT}('samples').dispatchEvent(new Event('change')); \
             {TEXT}('said').textContent = ''"
        ));
        browser.click("#editor button");
        browser.wait(&format!("{TEXT}('said').textContent !== ''"));
        let said = browser.value(&format!("{TEXT}('said').textContent + {TEXT}('problems').innerText"));
        assert!(said.as_str().unwrap().starts_with("done; revision "), "{sample}: {said}");
    }
    // A fault is removed.
    browser.wait(&format!("{TEXT}('faults').innerText.includes('kind=')"));
    browser.click("#faults button");
    browser.wait(&format!("{TEXT}('faults').innerText.includes('none')"));

    // The tree; no secret is in it, nor anywhere in the page, until somebody asks for it.
    browser.click("#items details:nth-of-type(1) > summary");
    browser.wait(&format!("{TEXT}('items').innerText.includes('instance-identity/')"));
    browser
        .value("[...document.querySelectorAll('#items button')].find((it) => it.textContent === 'user-data').click()");
    browser.wait(&format!("{TEXT}('body').textContent.includes('holds a secret')"));
    assert_eq!(browser.value(CANARIES), json!([]));

    // Loaded again it shows the same one, by its address.
    let mut urls = browser.urls();
    browser.value("window.isBefore = true");
    browser.reload();
    browser.wait(&format!("!window.isBefore && {TEXT}('facts').innerText.includes('web-1')"));

    assert_eq!(browser.value("document.querySelectorAll('script').length"), 1);
    let complaints = browser.complaints();
    // The console names each answer above 399: the secret, and the wrong change.
    let unexpected = complaints.iter().filter(|it| !it.contains("status of 403") && !it.contains("status of 422"));
    assert_eq!(unexpected.count(), 0, "{complaints:?}");
    let place = format!("{}/", controlled.place);
    urls.extend(browser.urls());
    assert!(urls.len() > 5, "{urls:?}");
    for url in urls {
        assert!(url.starts_with(&place) || url == "data:,", "{url}");
    }
}

fn at_a_phones_width_and_by_keyboard_alone_everything_is_reached(mut browser: Browser) {
    let long = "a".repeat(120);
    let file = File::new(
        &format!("{}.toml", browser.name),
        format!(
            "instance-lifecycle = 'spot'\ntags = {{ Name = '{long}', password = 'x' }}\nuser-data = 'x'\n\
             spot-interruption.time = '+1h'\n[[faults]]\nkind = 'delay'\npaths = ['/{long}']\n\
             [[faults]]\nkind = 'cut'\nshare = 0.1\npaths = ['/x']\n"
        ),
    );
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap()]);
    let (path, agent) = ("/services".repeat(15), "old-sdk/1.0 ".repeat(12));
    controlled.served.request(&format!("GET /latest{path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\n\r\n"));
    browser.be_a_phone();
    browser.open(&controlled.place);
    browser.wait(&format!(
        "{TEXT}('requests').innerText.includes('/services/') && {TEXT}('faults').innerText.includes('cut')"
    ));
    browser.wait(&format!("{TEXT}('items').innerText.includes('user-data')"));
    browser.value(&format!("{TEXT}('change').value = '{{\"tag\": {{}}, \"Name\": \"{long}\"}}'"));
    browser.click("#editor button");
    browser.wait(&format!("{TEXT}('problems').innerText.includes('column 2')"));
    // Nothing is wider than the window but what scrolls by itself.
    let narrow = "innerWidth <= 500 && document.documentElement.scrollWidth === document.documentElement.clientWidth";
    assert_eq!(browser.value(narrow), true);

    // Forth and back: each control has the focus in its turn, where it is to be seen.
    let reachable = "[...document.querySelectorAll('button, input, select, textarea, summary')]\
                     .filter((it) => it.offsetParent !== null && it.tabIndex >= 0)";
    let all = browser.value(&format!("{reachable}.length")).as_u64().unwrap();
    assert!(all > 30, "{all}");
    let left = format!("{reachable}.filter((it) => !it.dataset.seen).map((it) => it.outerHTML)");
    // A browser may scroll a moment later.
    let is_in_sight = "(() => { const it = document.activeElement; it.dataset.seen = 'yes'; const box = it.getBoundingClientRect(); \
                       const header = document.querySelector('header').getBoundingClientRect().bottom; \
                       return it.matches('body, .skip') || (box.bottom > header && box.top < innerHeight); })()";
    for (modifiers, begin) in
        [(0, "document.querySelector('.skip')"), (SHIFT, "[...document.querySelectorAll('summary')].at(-1)")]
    {
        browser.value(&format!("{reachable}.forEach((it) => delete it.dataset.seen); {begin}.focus()"));
        // Some more can have it: what scrolls. No further than to the last, behind which a browser has its own.
        for _ in 0..all + 20 {
            browser.wait(is_in_sight);
            if browser.value(&left) == json!([]) {
                break;
            }
            browser.press_with(modifiers, "Tab");
        }
        assert_eq!(browser.value(&left), json!([]), "{modifiers}");
    }

    // What is done by a button leaves the focus where it was.
    browser.value("document.querySelector('#faults button').focus()");
    browser.press("Enter");
    browser.wait("document.querySelectorAll('#faults button').length === 1");
    assert_eq!(browser.value("document.activeElement.textContent"), "Remove");
    browser.press("Enter");
    browser.wait(&format!("{TEXT}('faults').innerText.includes('none')"));
    assert_eq!(browser.value("document.activeElement.id"), "faults");
}

fn what_cannot_be_undone_is_asked_about_first(mut browser: Browser) {
    let guests = super::many::Guests::new(&format!("{}-guests", browser.name), &[("db", ""), ("web", "")]);
    let controlled = guests.serve();
    browser.open(&controlled.place);
    browser.wait(&format!("{TEXT}('list').innerText.includes('web') && !{TEXT}('instance').hidden"));
    browser.wait("location.hash === '#/db'");
    let state = |key: &str| {
        let answer = controlled.ask("GET", &format!("/v1/instances/{key}"), HOST, "");
        if answer.status == 200 { answer.json()["state"].as_str().unwrap().to_owned() } else { "gone".to_owned() }
    };
    // By keyboard: Enter on what has the focus then, and Escape, are a no.
    let ask = |browser: &mut Browser, button: &str| {
        browser.value(&format!("document.querySelector('{button}').focus()"));
        browser.press("Enter");
        browser.wait(&format!("{TEXT}('sure').open"));
        assert_eq!(browser.value("document.activeElement.textContent"), "Cancel");
    };
    let terminate = "[data-operation=terminate]";
    for no in ["Enter", "Escape"] {
        ask(&mut browser, terminate);
        browser.press(no);
        browser.wait(&format!("!{TEXT}('sure').open"));
        assert_eq!(browser.value("document.activeElement.dataset.operation"), "terminate");
    }
    assert_eq!(state("db"), "running");
    ask(&mut browser, terminate);
    browser.press("Tab");
    browser.press("Enter");
    browser.wait(&format!("{TEXT}('said').textContent.startsWith('terminate: done')"));
    assert_eq!((state("db"), state("web")), ("terminated".to_owned(), "running".to_owned()));

    ask(&mut browser, "#remove");
    browser.press("Escape");
    assert_eq!(state("db"), "terminated");
    ask(&mut browser, "#remove");
    browser.press("Tab");
    browser.press("Enter");
    browser.wait(&format!("location.hash === '#/web' && !{TEXT}('instance').hidden"));
    browser.wait(&format!("!{TEXT}('list').innerText.includes('db')"));
    assert_eq!((state("db"), state("web")), ("gone".to_owned(), "running".to_owned()));

    // And one more, which is no other that is there.
    for (key, said) in [("new", "new is added"), ("web", "there is such an instance")] {
        browser.value(&format!("{TEXT}('key').focus()"));
        browser.write(key);
        browser.press("Enter");
        browser.wait(&format!("{TEXT}('said').textContent.includes('{said}')"));
    }
    assert_eq!(state("new"), "running");
    browser.wait(&format!("{TEXT}('list').innerText.includes('new') && {TEXT}('count').textContent === '2'"));

    // A server of one has no others.
    let one = Controlled::start(&[]);
    browser.open(&one.place);
    browser.wait(&format!("location.origin === {:?} && {TEXT}('list').innerText.includes('running')", one.place));
    assert_eq!(
        browser.value(&format!("[{TEXT}('add'), {TEXT}('remove')].every((it) => it.offsetParent === null)")),
        true
    );
}

fn a_secret_is_shown_to_who_asks_for_it_and_hidden_again(mut browser: Browser) {
    let description = File::new(
        &format!("{}.toml", browser.name),
        "user-data = 'CANARYDATA'\ntags = { Name = 'web', password = 'CANARYTAG' }\n\
         metadata-options.instance-metadata-tags = 'enabled'\nextra-entries = { 'meta-data/mine' = 'CANARYENTRY' }\n",
    );
    let controlled = Controlled::start(&["--log", "all", "--instance", description.path.to_str().unwrap()]);
    browser.open(&controlled.place);
    for name in ["tag password", "user data", "entry meta-data/mine"] {
        browser.wait(&format!("document.querySelector('[aria-label=\"Show {name}\"]')"));
    }
    assert_eq!(browser.value(CANARIES), json!([]));
    // One, and only one.
    for (name, canary) in
        [("tag password", "CANARYTAG"), ("user data", "CANARYDATA"), ("entry meta-data/mine", "CANARYENTRY")]
    {
        browser.click(&format!("[aria-label=\"Show {name}\"]"));
        browser.wait(&format!("document.querySelector('[aria-label=\"Hide {name}\"]')"));
        assert_eq!(browser.value(CANARIES), json!([canary]));
    }
    browser.click("[aria-label='Hide entry meta-data/mine']");
    assert_eq!(browser.value(CANARIES), json!([]));

    // In the tree, until another item is looked at.
    browser.wait(&format!("{TEXT}('items').innerText.includes('user-data')"));
    let look = |name| {
        format!("[...document.querySelectorAll('#items button')].find((it) => it.textContent === '{name}').click()")
    };
    browser.value(&look("user-data"));
    browser.wait(&format!("{TEXT}('body').textContent.includes('holds a secret')"));
    browser.value("document.querySelector('#show button').focus()");
    browser.press("Enter");
    browser.wait(&format!("{TEXT}('body').textContent === 'CANARYDATA'"));
    browser.value(&look("user-data"));
    assert_eq!(browser.value(CANARIES), json!([]));
    // Nor does it stay where the page is left.
    browser.wait("document.querySelector('#show button')");
    browser.click("#show button");
    browser.wait(&format!("{TEXT}('body').textContent === 'CANARYDATA'"));
    browser.value("window.dispatchEvent(new Event('pagehide'))");
    assert_eq!(browser.value(CANARIES), json!([]));

    // Nothing has it but the answer.
    let mut told = ["/v1/instance", "/v1/requests", "/v1/usage", "/v1/get?path=/latest/user-data", "/metrics"]
        .map(|path| controlled.ask("GET", path, HOST, "").body)
        .concat();
    told += &controlled.served.end_of_log();
    assert!(told.contains("(hidden)") && !told.contains("CANARY"), "{told}");
}

fn the_box_completes_what_the_schema_has_by_keyboard_alone(mut browser: Browser) {
    let controlled = Controlled::start(&[]);
    browser.open(&controlled.place);
    browser.wait("!document.getElementById('instance').hidden");
    let change = "document.getElementById('change')";
    browser.value(&format!("{change}.value = '{{\\n  \"tags\": {{}}\\n}}'"));
    browser.value(&format!("{change}.focus(); {change}.setSelectionRange(14, 14)"));
    let options = "[...document.querySelectorAll('#offered [role=option]')]";
    let chosen = format!("document.getElementById({change}.getAttribute('aria-activedescendant'))");

    // All fields but the one that is there, each with a sentence.
    browser.press_with(CTRL, " ");
    browser.wait(&format!("{options}.length > 40"));
    let names = browser.value(&format!("{options}.map((it) => it.firstChild.textContent)"));
    for (name, is_listed) in [("metadata-options", true), ("operation", true), ("tags", false), ("at", false)] {
        assert_eq!(names.as_array().unwrap().contains(&json!(name)), is_listed, "{name}: {names}");
    }
    assert_eq!(browser.value(&format!("{chosen}.getAttribute('aria-selected')")), "true");
    browser.press("Escape");
    assert_eq!(browser.value("document.getElementById('offered').hidden"), true);

    // As one writes; the comma that was missing comes with it.
    browser.write("\"meta");
    browser.wait(&format!("{options}.length === 1"));
    let text = browser.value(&format!("{chosen}.textContent"));
    assert_eq!(text, "metadata-options The options of the metadata service.");
    browser.press("Enter");
    browser.wait(&format!("{options}.some((it) => it.textContent.startsWith('http-tokens '))"));
    for _ in 0..3 {
        browser.press("ArrowDown");
    }
    assert_eq!(browser.value(&format!("{chosen}.firstChild.textContent")), "http-tokens");
    browser.press("Tab");
    // Its values.
    browser.wait(&format!("{options}.map((it) => it.textContent).join() === 'optional,required'"));
    browser.press("ArrowUp");
    browser.press("Enter");
    let written = "{\n  \"tags\": {}, \"metadata-options\": {\"http-tokens\": \"required\"}\n}";
    assert_eq!(browser.value(&format!("{change}.value")), written);

    // Where nothing is listed, Tab goes on; and what was written is taken.
    assert_eq!(browser.value("document.activeElement.id"), "change");
    browser.press_with(CTRL, "Enter");
    browser.wait("document.getElementById('said').textContent.startsWith('done; revision 2')");
    assert!(controlled.get("/").starts_with("HTTP/1.1 401 "));
    browser.press("Tab");
    assert_eq!(browser.value("document.activeElement.textContent"), "Apply");

    // In an entry of a timeline, in the middle of a word.
    browser.value(&format!("{change}.value = '{{\"timeline\": [{{\"sxx\": 1}}]}}'"));
    browser.value(&format!("{change}.focus(); {change}.setSelectionRange(17, 17)"));
    browser.press("t");
    browser.wait(&format!("{options}.some((it) => it.firstChild.textContent === 'state')"));
    let listed = browser.value(&format!("{options}.map((it) => it.firstChild.textContent)"));
    let place = listed.as_array().unwrap().iter().position(|name| name == "state").unwrap();
    (0..place).for_each(|_| browser.press("ArrowDown"));
    browser.press("Enter");
    assert_eq!(browser.value(&format!("{change}.value")), "{\"timeline\": [{\"state\": 1}]}");
    assert_eq!(browser.complaints(), [""; 0]);
}

fn pages_of_elsewhere_get_nothing_in_a_browser(mut browser: Browser) {
    let (controlled, other) = (Controlled::start(&[]), Controlled::start(&[]));
    let token = super::page::token(&controlled);
    // One of no origin, and one of this machine, which is of the same site.
    for page in ["data:text/html,<p>elsewhere", &format!("{}/health", other.place)] {
        browser.open(page);
        browser.wait(&format!("location.href.startsWith({:?})", page.split('<').next().unwrap()));
        for options in [
            json!({}),
            json!({"mode": "no-cors"}),
            json!({"headers": {"X-Imds-Page-Token": token}}),
            json!({"method": "PATCH", "body": r#"{"operation": "stop"}"#,
                   "headers": {"X-Imds-Page-Token": token, "Content-Type": "application/json"}}),
            json!({"method": "POST", "mode": "no-cors", "body": r#"{"operation": "stop"}"#}),
        ] {
            let got = browser.value(&format!(
                "fetch('{}/v1/instance', {options}).then((it) => it.text()).catch(() => '')",
                controlled.place
            ));
            assert_eq!(got, "", "{page} {options}");
        }
    }
    assert_eq!(controlled.shown()["revision"], 1);
    assert_eq!(controlled.shown()["state"], "running");
}
