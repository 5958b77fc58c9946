//! Every case on every way in, each a test of its own: `cases::WAY::CASE`. A case
//! is called like its file in `tests/cases`, with `_` for `-`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::case::{self, Case};
use crate::play::{play, sent};
use crate::spin::{Spin, program, up};
use crate::ways::{Component, Native, Socket, Way};

// The build script's macro `a_test_of_each_case`.
include!(concat!(env!("OUT_DIR"), "/cases.rs"));

mod native {
    a_test_of_each_case!(crate::ways::Native::open);
}

mod component {
    a_test_of_each_case!(crate::ways::Component::open);
}

mod socket {
    a_test_of_each_case!(crate::ways::Socket::open);
}

mod spin {
    a_test_of_each_case!(crate::spin::Spin::wasi_0_3);
}

mod spin_wasi_0_2 {
    a_test_of_each_case!(crate::spin::Spin::wasi_0_2);
}

mod http {
    a_test_of_each_case!(crate::spin::Spin::http);
}

/// Plays one case on one way in. The build script makes calls of this.
fn hold<W: Way>(name: &str, open: impl Fn(&str) -> W) {
    let case = Case::named(name);
    let mut way = open(&case.description);
    let is_exception = way.exceptions().contains(&name);
    match play(&case, &mut way) {
        Ok(_) if is_exception => panic!("{name} holds on this way, so that it is no exception"),
        Ok(0) => skipped(&format!("{name}: this way carries none of its exchanges")),
        Ok(_) => {}
        Err(_) if is_exception => say(&format!("EXCEPTION: {name}: docs/http.md tells why")),
        Err(why) => panic!("{why}"),
    }
}

/// One process for all cases that hold in it: it starts slowly.
#[test]
fn spin_up() {
    let Some(program) = program::find() else {
        return skipped("no Spin program of version 4.1 or later is on the path");
    };
    let cases = case::all();
    // All are in one store, each under a key of its own.
    let holds_under_a_key = |case: &Case| play(case, &mut Native::open_for("0", &case.description)).is_ok();
    let cases: Vec<&Case> = cases.iter().filter(|case| up::is_steady(case) && holds_under_a_key(case)).collect();
    let spin = up::SpinUp::start(&program, &cases);
    let played = cases.iter().map(|case| play(case, &mut spin.way(&case.description)));
    let wrong: Vec<String> = played.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {} cases went wrong:\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let whole = spin.answers_in_one_piece(200);
    assert!(whole >= 180, "{whole} of 200 answers came in one piece");
}

/// A way that cannot carry a tenth of the exchanges is none.
#[test]
fn every_way_carries_nearly_all_exchanges() {
    let ways: [(&str, Box<dyn Way>); 6] = [
        ("native", Box::new(Native::open(""))),
        ("component", Box::new(Component::open(""))),
        ("socket", Box::new(Socket::open(""))),
        ("spin", Box::new(Spin::wasi_0_3(""))),
        ("spin_wasi_0_2", Box::new(Spin::wasi_0_2(""))),
        ("http", Box::new(Spin::http(""))),
    ];
    let cases = case::all();
    for (name, way) in ways {
        let mut exchanges = 0;
        let mut left_out = 0;
        for (case, exchange) in cases.iter().flat_map(|case| case.exchanges().map(move |exchange| (case, exchange))) {
            exchanges += exchange.times;
            // What was kept is a header value, a target or a part of one, like its name.
            if let Err(why) = way.carries(&sent(exchange, &BTreeMap::new())) {
                left_out += exchange.times;
                println!("{name}: {}: {why}", case.place(exchange));
            }
        }
        println!("{name}: {left_out} of {exchanges} left out");
        assert!(left_out * 10 < exchanges, "{name} leaves out {left_out} of {exchanges} exchanges");
    }
}

/// Says why a test cannot run.
fn skipped(why: &str) {
    say(&format!("SKIPPED: {why}"));
}

/// Says something even of tests that pass. Not by a macro: what macros print of these
/// is not shown.
fn say(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error is there");
}
