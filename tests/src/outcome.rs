//! What the function of a `#[tests::test]` may return.

/// What a test function may return: nothing, or a result with any error.
pub trait Outcome {
    /// The same as a result.
    ///
    /// # Errors
    /// If the test failed.
    fn into_result(self) -> anyhow::Result<()>;
}

impl Outcome for () {
    fn into_result(self) -> anyhow::Result<()> {
        Ok(())
    }
}

impl<E: Into<anyhow::Error>> Outcome for Result<(), E> {
    fn into_result(self) -> anyhow::Result<()> {
        self.map_err(Into::into)
    }
}

/// What a test function has returned, as a result; `#[tests::test]` expands to a call of this.
///
/// # Errors
/// If the test failed.
pub fn outcome(outcome: impl Outcome) -> anyhow::Result<()> {
    outcome.into_result()
}
