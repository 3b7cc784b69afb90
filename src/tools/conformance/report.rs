//! What the runner found, for people and for machines.

use std::fmt;

use serde::Serialize;

use crate::protocol::hex;

/// What a client did wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In a sentence.
    pub why: String,
    /// The byte of the message at which it went wrong, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<usize>,
    /// The whole message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Fault {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), byte: None, message: None }
    }

    pub(super) fn in_message(why: impl Into<String>, byte: usize, message: &[u8]) -> Self {
        // A message far above the limit is known by its start.
        let shown = &message[..message.len().min(200)];
        Self { why: why.into(), byte: Some(byte), message: Some(hex::encode(shown)) }
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As the text says.
    Passed,
    /// Against a MUST.
    Failed,
    /// Against a SHOULD: it works, but not well.
    Warned,
    /// Does not apply to this client.
    Skipped,
}

/// One step of the script.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name, for scripts.
    pub name: String,
    /// What a client must do there.
    pub must: String,
    /// The part of PROTOCOL.md that says so.
    pub part: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// What went wrong, or why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    pub fault: Option<Fault>,
}

/// All steps.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The name that the client gave in Hello.
    pub client: String,
    /// The tier that it asked for.
    pub tier: String,
    /// In the order of the script.
    pub steps: Vec<Step>,
}

impl Report {
    /// True if no step failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.steps.is_empty() && self.count(Verdict::Failed) == 0
    }

    /// How many steps went so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.steps.iter().filter(|step| step.verdict == verdict).count()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Passed => "ok  ",
            Verdict::Failed => "FAIL",
            Verdict::Warned => "warn",
            Verdict::Skipped => "skip",
        };
        write!(f, "{mark}  {:<22} {} (PROTOCOL.md {})", self.name, self.must, self.part)?;
        let Some(fault) = &self.fault else { return Ok(()) };
        write!(f, "\n      {}", fault.why)?;
        if let Some(message) = &fault.message {
            write!(f, "\n      message: {message}")?;
            if let Some(byte) = fault.byte {
                write!(f, "\n               {:>width$}^ byte {byte}", "", width = 2 * byte.min(100))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(
            f,
            "{}: {} passed, {} failed, {} warned, {} skipped (client {:?}, {} tier)",
            if self.passed() { "conforms" } else { "does not conform" },
            self.count(Verdict::Passed),
            self.count(Verdict::Failed),
            self.count(Verdict::Warned),
            self.count(Verdict::Skipped),
            self.client,
            self.tier,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_points_at_its_byte() {
        let step = Step {
            name: "input".into(),
            must: "rows have one value per input field".into(),
            part: "4.2",
            verdict: Verdict::Failed,
            fault: Some(Fault::in_message("the row has 1 value, the schema 3", 3, &[1, 1, 0, 1, 0])),
        };
        let text = step.to_string();
        assert!(text.ends_with("      message: 0101000100\n                     ^ byte 3"), "{text}");
        let report = Report { steps: vec![step], ..Report::default() };
        assert!(!report.passed());
        assert!(!Report::default().passed(), "a run without a step proves nothing");
    }
}
