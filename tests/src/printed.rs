//! What a guest has printed, and a note of it for other test processes.

use crate::run::Outcome;
use std::fs;
use std::path::Path;

/// All that a guest prints, and its exit status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Printed {
    code: i32,
    stdout: String,
    /// Nothing, as a rule.
    pub stderr: String,
}

impl Printed {
    /// Of a run.
    pub fn by(outcome: &Outcome) -> Self {
        Printed {
            code: outcome.code(),
            stdout: outcome.stdout.clone(),
            stderr: outcome.stderr.clone(),
        }
    }

    /// The first line that differs.
    pub fn difference(&self, expected: &Printed) -> String {
        let mut lines = self.stdout.lines();
        let mut wanted = expected.stdout.lines();
        loop {
            match (lines.next(), wanted.next()) {
                (None, None) => return format!("exit {}, not {}", self.code, expected.code),
                (line, wanted) if line != wanted => return format!("{line:?}, not {wanted:?}"),
                _ => {}
            }
        }
    }

    /// As it was noted in `record`.
    pub fn found(record: &Path) -> Option<Self> {
        let text = fs::read_to_string(record).ok()?;
        let mut parts = text.splitn(3, '\0');
        let code = parts.next()?.parse().ok()?;
        Some(Printed { code, stdout: parts.next()?.to_owned(), stderr: parts.next()?.to_owned() })
    }

    /// Under a name of its own first: another test may be noting the same right now.
    pub fn note(&self, record: &Path) {
        let temporary = record.with_extension(format!("{}", std::process::id()));
        let text = format!("{}\0{}\0{}", self.code, self.stdout, self.stderr);
        fs::write(&temporary, text)
            .and_then(|()| fs::rename(&temporary, record))
            .expect("a note beside the guest");
    }
}
