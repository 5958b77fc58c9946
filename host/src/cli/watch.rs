// When the files that describe instances change.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Waits for changes of files.
pub struct Watch {
    paths: Vec<PathBuf>,
    seen: Stamps,
}

/// What changes with a file, in the order of the names.
type Stamps = Vec<(PathBuf, Option<Stamp>)>;

/// A copy can have the size and the time of modification of the file that it
/// replaces, so the system's own account counts too.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    #[cfg(unix)]
    node: Node,
}

/// Which file it is, and when it last changed, a time that nobody can set.
#[cfg(unix)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct Node {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

/// Soon enough for a person who saved a file.
const PAUSE: Duration = Duration::from_millis(300);

/// Of a directory with very many files; so the looks take a small share of the
/// time.
const PAUSE_FOR_EACH_LOOK: u32 = 20;

impl Watch {
    /// Files, and directories with the files in them, as they are now.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let seen = look(&paths);
        Self { paths, seen }
    }

    /// Ends when something changed, and stayed as it is from one look to the next:
    /// who writes a file in parts is not to be read in between.
    pub async fn changed(&mut self) {
        let mut pause = PAUSE;
        let mut last = self.seen.clone();
        loop {
            sleep(pause).await;
            let (paths, started) = (self.paths.clone(), Instant::now());
            let Ok(now) = spawn_blocking(move || look(&paths)).await else { continue };
            pause = PAUSE.max(started.elapsed() * PAUSE_FOR_EACH_LOOK);
            if now == last && now != self.seen {
                self.seen = now;
                return;
            }
            last = now;
        }
    }
}

fn look(paths: &[PathBuf]) -> Stamps {
    paths
        .iter()
        .flat_map(|path| files(path))
        .map(|file| (stamp(&file), file))
        .map(|(stamp, file)| (file, stamp))
        .collect()
}

/// A file, or all files in a directory.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

fn stamp(file: &Path) -> Option<Stamp> {
    let file = fs::metadata(file).ok()?;
    Some(Stamp {
        modified: file.modified().ok(),
        bytes: file.len(),
        #[cfg(unix)]
        node: node(&file),
    })
}

#[cfg(unix)]
fn node(file: &fs::Metadata) -> Node {
    use std::os::unix::fs::MetadataExt;
    Node { device: file.dev(), inode: file.ino(), changed: (file.ctime(), file.ctime_nsec()) }
}
