//! `finnp explain`: what a build would do or the last one did, and why.
//! Must not know how it is found out.

use super::answer::Answer;
use super::call::Call;
use super::story;
use crate::error::Result;

/// Tell why jobs would run, or why they ran in the last build
#[derive(clap::Args)]
pub(super) struct Explain {
    /// A stage such as `fold`, or a layer as `finnp show` names it; everything in short if absent
    #[arg(value_name = "STAGE|LAYER")]
    about: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let manifest = call.manifest()?;
        let explanation = call.explain(&manifest, self.about.as_deref())?;
        let text = match self.about {
            Some(_) => story::jobs(&explanation),
            None => story::stages(&explanation),
        };
        Ok(Answer::text(text).with_all(&explanation))
    }
}
