// The socket of a connection in the kernel's table, and the process that has it open.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use imds_host::shown;
use procfs::FromBufReadSI as _;
use procfs::net::TcpNetEntries;
use procfs::process::FDTarget;

use super::Process;

pub struct Finder {
    /// Of IPv4 and IPv6, opened once: a table stays that of the network in which it was opened.
    tables: Vec<File>,
    /// Those found last, with the sockets by which they were.
    recent: VecDeque<(u64, Process)>,
    budget: Budget,
}

/// Clients ask again, and some keep a connection open.
const RECENT: usize = 16;

/// For the search through all processes, which takes milliseconds where there are hundreds.
const SEARCH: Duration = Duration::from_millis(200);

impl Finder {
    pub fn open() -> Option<Self> {
        let tables = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];
        let tables: Vec<File> = tables.into_iter().filter_map(|table| File::open(table).ok()).collect();
        let finder = Self { tables, recent: VecDeque::new(), budget: Budget::new(Instant::now()) };
        (!finder.tables.is_empty()).then_some(finder)
    }

    pub fn find(&mut self, peer: SocketAddr, local: SocketAddr) -> Option<Process> {
        if !self.budget.permits(Instant::now()) {
            return None;
        }
        let socket = self.tables.iter_mut().find_map(|table| socket(table, peer, local))?;
        let process = match self.recent.iter().position(|(of, _)| *of == socket) {
            Some(known) => self.recent.remove(known)?.1,
            None => self.holder(socket, Instant::now() + SEARCH)?,
        };
        self.recent.push_front((socket, process.clone()));
        self.recent.truncate(RECENT);
        Some(process)
    }

    /// The process that has a socket open. Clients are young as a rule, or have asked
    /// before.
    fn holder(&self, socket: u64, until: Instant) -> Option<Process> {
        let own = std::process::id();
        let mut pids: Vec<u32> =
            fs::read_dir("/proc").ok()?.filter_map(|entry| number(&entry.ok()?.file_name())).collect();
        pids.sort_unstable_by(|one, other| other.cmp(one));
        let before = self.recent.iter().map(|(_, process)| process.pid);
        let mut candidates = before.chain(pids).filter(|pid| *pid != own).take_while(|_| Instant::now() < until);
        candidates.find(|pid| has_open(*pid, socket).unwrap_or(false)).and_then(described)
    }
}

fn number(name: &std::ffi::OsStr) -> Option<u32> {
    name.to_str()?.parse().ok()
}

/// The inode of the socket whose own address is `own`, and which is connected to `other`.
fn socket(table: &mut File, own: SocketAddr, other: SocketAddr) -> Option<u64> {
    // From there on the kernel makes it anew.
    table.seek(SeekFrom::Start(0)).ok()?;
    let mut text = String::new();
    table.read_to_string(&mut text).ok()?;
    // Of thousands, only those with both ports are worth more than a look. Addresses are for
    // the library: they are written in the order of the processor's bytes.
    let [own_port, other_port] = [own, other].map(|address| format!(":{:04X} ", address.port()));
    let (head, lines) = text.split_once('\n')?;
    let candidates = lines.lines().filter(|line| line.contains(&own_port) && line.contains(&other_port));
    let text = [head].into_iter().chain(candidates).collect::<Vec<_>>().join("\n");
    let entries = TcpNetEntries::from_buf_read(text.as_bytes(), procfs::current_system_info());
    let TcpNetEntries(entries) = entries.ok()?;
    let is = |one: SocketAddr, other: SocketAddr| {
        one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
    };
    let entry = entries.iter().find(|entry| is(entry.local_address, own) && is(entry.remote_address, other))?;
    // A socket that nobody has open any more has none.
    (entry.inode != 0).then_some(entry.inode)
}

/// Whether a process of this user has a socket open; none where it has ended or is another user's.
fn has_open(pid: u32, socket: u64) -> Option<bool> {
    let mut files = procfs::process::Process::new(pid.try_into().ok()?).ok()?.fd().ok()?;
    Some(files.any(|file| file.is_ok_and(|file| matches!(file.target, FDTarget::Socket(inode) if inode == socket))))
}

fn described(pid: u32) -> Option<Process> {
    let process = procfs::process::Process::new(pid.try_into().ok()?).ok()?;
    let arguments = process.cmdline().unwrap_or_default();
    let is_file = |path: &str| Path::new("/proc").join(pid.to_string()).join("cwd").join(path).is_file();
    let command = match command(&arguments, is_file) {
        Some(command) => command,
        None => process.stat().ok()?.comm,
    };
    Some(Process { pid, command: shown::user_agent(&command) })
}

/// The program, and the script that it runs. Programs can write anything into their
/// command lines, so no more than a first word counts as the program's name.
fn command(arguments: &[String], is_file: impl Fn(&str) -> bool) -> Option<String> {
    let name = |path: &str| Path::new(path).file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let program = name(arguments.first()?.split_whitespace().next()?)?;
    let script = arguments.get(1).filter(|script| !script.starts_with('-') && is_file(script));
    Some(match script.and_then(|script| name(script)) {
        Some(script) => format!("{program} {script}"),
        None => program,
    })
}

/// How often is looked up: so often at once, and so often a second after that. A flood
/// of requests costs no more.
struct Budget {
    left: f64,
    since: Instant,
}

const AT_ONCE: f64 = 100.0;
const PER_SECOND: f64 = 20.0;

impl Budget {
    fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, since: now }
    }

    fn permits(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        (self.left, self.since) = ((self.left + passed * PER_SECOND).min(AT_ONCE), now);
        let is_permitted = self.left >= 1.0;
        if is_permitted {
            self.left -= 1.0;
        }
        is_permitted
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn of_a_command_line_the_program_and_its_script_are_shown() {
        for (arguments, wanted) in [
            (&["/usr/bin/python3", "./agent.py", "--password", "hunter2"][..], "python3 agent.py"),
            (&["curl", "-H", "Authorization: hunter2"], "curl"),
            (&["curl", "http://me:hunter2@host/"], "curl"),
            (&["psql: me hunter2"], "psql:"),
            (&["sh", "-c", "curl hunter2"], "sh"),
        ] {
            let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            assert_eq!(command(&arguments, |path| path == "./agent.py").as_deref(), Some(wanted));
        }
        assert_eq!(command(&[], |_| true), None);
        assert_eq!(command(&[String::new()], |_| true), None);
    }

    #[test]
    fn a_flood_is_looked_up_so_often_and_no_more() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut permitted = |after| (0..1000).filter(|_| budget.permits(start + Duration::from_secs(after))).count();
        assert_eq!([permitted(0), permitted(0), permitted(1), permitted(3600)], [100, 0, 20, 100]);
    }

    /// This process is not its own client, so a socket of its own is found and it is not.
    #[test]
    fn a_connection_is_found_while_it_is_open_and_no_other_one() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let local = listener.local_addr().unwrap();
            let client = TcpStream::connect(local).unwrap();
            let peer = client.local_addr().unwrap();
            let mut finder = Finder::open().unwrap();
            let found = |finder: &mut Finder| finder.tables.iter_mut().find_map(|table| socket(table, peer, local));
            let inode = found(&mut finder).unwrap();
            assert_eq!(has_open(std::process::id(), inode), Some(true));
            assert_eq!(finder.find(peer, local), None);
            drop(client);
            assert_ne!(found(&mut finder), Some(inode));
        }
    }
}
