//! The audit log. Its rows can never be changed, so they may not name a person: they hold ids of people, and of a change
//! only the names of its fields.

use serde_json::{Value, json};
use sqlx::{PgConnection, Type};
use uuid::Uuid;

use crate::Result;

/// Who acts.
#[derive(Debug, Clone)]
pub struct Actor {
    kind: ActorType,
    /// Stays valid after the actor was deleted, and is not an address.
    identifier: String,
    user: Option<Uuid>,
    api_key: Option<Uuid>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

/// The kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ActorType {
    /// A person who is signed in.
    User,
    /// A program with a key.
    ApiKey,
    /// A job of this system.
    System,
    /// A person who is not signed in.
    Anonymous,
}

impl Actor {
    /// A person who is signed in.
    pub fn user(id: Uuid) -> Actor {
        Actor { user: Some(id), ..Actor::new(ActorType::User, id.to_string()) }
    }

    /// A program with a key.
    pub fn api_key(id: Uuid) -> Actor {
        Actor { api_key: Some(id), ..Actor::new(ActorType::ApiKey, id.to_string()) }
    }

    /// A job of this system, by its name.
    pub fn system(job: &str) -> Actor {
        Actor::new(ActorType::System, job.to_owned())
    }

    /// A person who is not signed in.
    pub fn anonymous() -> Actor {
        Actor::new(ActorType::Anonymous, "anonymous".to_owned())
    }

    fn new(kind: ActorType, identifier: String) -> Actor {
        Actor { kind, identifier, user: None, api_key: None, ip: None, user_agent: None, request_id: None }
    }

    /// The address that the request came from.
    #[must_use]
    pub fn from_ip(self, ip: std::net::IpAddr) -> Actor {
        Actor { ip: Some(ip.to_string()), ..self }
    }

    /// The name that the client gives itself.
    #[must_use]
    pub fn with_user_agent(self, user_agent: &str) -> Actor {
        // Postgres refuses a zero byte in text, and a client must not be able to prevent its line in the log.
        Actor { user_agent: Some(user_agent.replace('\0', "")), ..self }
    }

    /// Joins the lines of one request.
    #[must_use]
    pub fn with_request_id(self, request_id: &str) -> Actor {
        Actor { request_id: Some(request_id.replace('\0', "")), ..self }
    }

    /// The person, if the actor is one.
    pub fn user_id(&self) -> Option<Uuid> {
        self.user
    }

    pub(crate) fn ip(&self) -> Option<&str> {
        self.ip.as_deref()
    }

    pub(crate) fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// The same request after its sender was identified.
    pub(crate) fn known_as(&self, id: Uuid) -> Actor {
        match self.kind {
            ActorType::Anonymous => {
                Actor { kind: ActorType::User, identifier: id.to_string(), user: Some(id), ..self.clone() }
            }
            _ => self.clone(),
        }
    }
}

/// One line of the log.
#[derive(Debug)]
pub(crate) struct Entry {
    action: &'static str,
    resource_type: &'static str,
    resource_id: Option<Uuid>,
    changes: Value,
    metadata: Value,
    result: &'static str,
}

impl Entry {
    pub(crate) fn new(action: &'static str, resource_type: &'static str, id: Uuid) -> Entry {
        Entry {
            action,
            resource_type,
            resource_id: Some(id),
            changes: json!({}),
            metadata: json!({}),
            result: "success",
        }
    }

    /// An attempt that was refused, perhaps on something that does not exist.
    pub(crate) fn failed(action: &'static str, resource_type: &'static str, id: Option<Uuid>) -> Entry {
        Entry { resource_id: id, result: "failure", ..Entry::new(action, resource_type, Uuid::nil()) }
    }

    /// What changed, without anything that names a person.
    pub(crate) fn changes(self, changes: Value) -> Entry {
        Entry { changes, ..self }
    }

    pub(crate) fn metadata(self, metadata: Value) -> Entry {
        Entry { metadata, ..self }
    }
}

/// Writes a line. The caller does it in the transaction of the change.
pub(crate) async fn record(conn: &mut PgConnection, actor: &Actor, entry: Entry) -> Result<()> {
    sqlx::query!(
        "insert into audit_logs
             (user_id, api_key_id, actor_type, actor_identifier, action, resource_type, resource_id,
              ip_address, user_agent, request_id, changes, metadata, result)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::inet, $9, $10, $11, $12, $13)",
        actor.user,
        actor.api_key,
        actor.kind as ActorType,
        actor.identifier,
        entry.action,
        entry.resource_type,
        entry.resource_id.map(|id| id.to_string()),
        actor.ip,
        actor.user_agent,
        actor.request_id,
        entry.changes,
        entry.metadata,
        entry.result,
    )
    .execute(conn)
    .await?;
    Ok(())
}
