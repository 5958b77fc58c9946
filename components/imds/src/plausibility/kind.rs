//! The instance type, and what follows from it.

use super::Judge;
use super::rules::{ARCHITECTURE_MISMATCH, UNKNOWN_INSTANCE_TYPE};
use crate::description::problem::{Problem, shown};
use crate::description::spelling;
use crate::facts::families;

impl Judge<'_> {
    pub(super) fn kind(&mut self) {
        let (family, size) = families::parts(&self.facts.instance_type);
        let problem = match families::named(family) {
            Some(known) => {
                self.architecture(known);
                (!families::is_size(size)).then(|| unknown_size(family, size))
            }
            None => Some(unknown_family(family, size)),
        };
        if let Some(problem) = problem {
            self.warn(&UNKNOWN_INSTANCE_TYPE, problem);
        }
    }

    fn architecture(&mut self, family: families::Family) {
        let architecture = self.facts.architecture;
        if family.architectures.is_empty() || family.architectures.contains(&architecture) {
            return;
        }
        let known: Vec<&str> = family.architectures.iter().map(|architecture| architecture.as_str()).collect();
        let message = format!(
            "{} instances have the architecture {}, not {}",
            family.name,
            known.join(" or "),
            architecture.as_str()
        );
        let pointer = self.stated(["/architecture".to_owned(), "/instance-type".to_owned()]);
        let help = match self.states("/architecture") {
            true => "leave `architecture` out: it follows from the instance type",
            false => "set `architecture`",
        };
        self.warn(&ARCHITECTURE_MISMATCH, Problem::at(pointer, message).help(help));
    }
}

fn unknown_family(family: &str, size: &str) -> Problem {
    let message = format!("no family of instance types called `{}` is known here", shown(family));
    let names: Vec<&str> = families::all().map(|family| family.name).collect();
    let near = spelling::nearest(family, &names).filter(|_| families::is_size(size));
    Problem::at("/instance-type", message).help(match near {
        Some(near) => format!("did you mean `{near}.{size}`? {IF_NEWER}"),
        None => format!("a type is a family and a size, such as m7g.large. {IF_NEWER}"),
    })
}

fn unknown_size(family: &str, size: &str) -> Problem {
    let message = match size {
        "" => format!("an instance type is a family and a size; `{family}` is a family"),
        size => format!("instance types have no size called `{}`", shown(size)),
    };
    let near = spelling::nearest(size, &["nano", "micro", "small", "medium", "large", "xlarge", "metal"]);
    Problem::at("/instance-type", message).help(format!("did you mean `{family}.{}`?", near.unwrap_or("large")))
}

const IF_NEWER: &str = "If it is newer than this program: allow-warnings = [\"unknown-instance-type\"]";
