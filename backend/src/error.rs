//! Errors in the words of the domain. Constraint names are the interface to the schema; the text of a database error is
//! not parsed.

use thiserror::Error;

use crate::{password, users::AccountStatus};

/// A result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Another account has this address; case does not matter.
    #[error("this e-mail address is taken")]
    EmailTaken,
    /// Another account has this name; case does not matter.
    #[error("this username is taken")]
    UsernameTaken,
    /// It is not an e-mail address.
    #[error("this is not an e-mail address")]
    EmailInvalid,
    /// It is empty, too long, or has invisible characters.
    #[error("a username has 1 to 254 characters, without control characters or blanks at its ends")]
    UsernameInvalid,
    /// The password is weak, or could not be hashed.
    #[error(transparent)]
    Password(#[from] password::Error),

    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// The account exists and its status forbids this.
    #[error("the account is {0}")]
    Status(AccountStatus),
    /// There is no such role.
    #[error("there is no role of this name")]
    NoSuchRole,
    /// The user holds the role there already.
    #[error("the user has this role there already")]
    RoleHeld,
    /// The user doesn't hold the role there.
    #[error("the user does not have this role there")]
    RoleNotHeld,
    /// It would end before it begins.
    #[error("this has expired already")]
    Expired,
    /// No session with this id is open.
    #[error("there is no such open session")]
    NoSuchSession,
    /// It is none of the four kinds of devices.
    #[error("a device is mobile, tablet, desktop or unknown")]
    DeviceInvalid,

    /// There is no such organization.
    #[error("there is no such organization")]
    NoSuchOrganization,
    /// Another organization has this slug.
    #[error("this slug is taken")]
    SlugTaken,
    /// It isn't lower-case words joined by single hyphens, 50 characters at most.
    #[error("a slug is at most 50 characters: lower-case words, joined by hyphens")]
    SlugInvalid,
    /// It is blank.
    #[error("an organization needs a name")]
    NameInvalid,
    /// The user is a member already.
    #[error("the user is a member already")]
    MemberAlready,
    /// The user is no member.
    #[error("the user is not a member")]
    NotMember,
    /// The owner stays, as an admin, until the organization has another owner.
    #[error("the user owns the organization; hand it over first")]
    IsOwner,
    /// The organization has another owner, perhaps since a moment ago.
    #[error("the user does not own the organization")]
    NotOwner,
    /// The organization would have no admin.
    #[error("the user is the last admin of the organization")]
    LastAdmin,

    /// The percentage is not between 0 and 100, or the score is negative.
    #[error("a percentage is 0 to 100, a score a finite number from 0")]
    ProgressInvalid,

    /// It breaks a constraint of the schema that has no variant here.
    #[error("the database refused it: it breaks the constraint {0}")]
    Refused(String),
    /// The query failed; the cause is for logs.
    #[error("the query failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        let Some(constraint) = error.as_database_error().and_then(|error| error.constraint()) else {
            return Error::Database(error);
        };
        match constraint {
            "users_email_key" => Error::EmailTaken,
            "users_username_key" => Error::UsernameTaken,
            "users_email_check" => Error::EmailInvalid,
            "users_username_check" => Error::UsernameInvalid,
            "user_roles_live_key" => Error::RoleHeld,
            "user_roles_expires_at_check" => Error::Expired,
            "user_roles_org_id_fkey" | "organization_members_organization_id_fkey" => {
                Error::NoSuchOrganization
            }
            "user_sessions_device_type_check" => Error::DeviceInvalid,
            "organizations_slug_key" => Error::SlugTaken,
            "organizations_slug_check" => Error::SlugInvalid,
            "organizations_name_check" => Error::NameInvalid,
            "organization_members_organization_id_user_id_key" => Error::MemberAlready,
            "progress_completion_percentage_check" | "progress_score_check" => Error::ProgressInvalid,
            other => Error::Refused(other.to_owned()),
        }
    }
}
