//! The conformance suite: one binary, so that it is linked once.
//!
//! `case` reads the files in `tests/cases`, `ways` are the ways in, `play` puts
//! one to the other, and `cases` has a test of each pair. The other modules test
//! what no single exchange shows.

mod attack;
mod busy;
mod capture;
mod case;
mod cases;
mod clients;
mod conform;
mod conformance;
mod core_abi;
mod crawl;
mod credentials;
mod description;
mod edits;
mod fuel;
mod heads;
mod http;
mod identity;
mod in_process;
mod isolation;
mod load;
mod order;
mod play;
mod purity;
mod replay_log;
mod rooms;
mod shell;
mod shown;
mod speed;
mod spin;
mod supply_chain;
mod timeline;
mod tokens;
mod warnings;
mod ways;
mod wire;
