//! The app `users`: accounts and their life, roles, sessions.

mod account;
mod credentials;
mod erasure;
mod lifecycle;
mod password_change;
mod registration;
mod roles;
mod sessions;
mod status;
mod superuser;

pub(crate) use account::require_active;
pub use account::{User, find_by_email, find_by_id};
pub use credentials::{SignIn, sign_in};
pub use erasure::{Erasure, erase};
pub use lifecycle::{activate, suspend};
pub use password_change::change_password;
pub use registration::{Registration, register, try_names};
pub use roles::{Scope, grant_role, permissions_of, revoke_role};
pub use sessions::{
    Device, Opened, Rotation, Session, live_sessions, open_session, revoke_session, rotate_session,
};
pub use status::AccountStatus;
pub use superuser::{ADMIN, create_superuser};
