// The keys that sign identity documents: where the user keeps them, and
// `imds certificates`.

mod certificates;
mod kept;
mod key_file;

pub use self::certificates::Certificates;
pub use self::kept::kept;
pub use self::key_file::read_or_make;
