//! What this repository is about goes here.
