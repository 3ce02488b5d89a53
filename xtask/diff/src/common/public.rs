//! The rights to the schema `public`. A catalogue says how they differ from those that the server gives it with the database,
//! though it may have another owner by then.

use catalogue::{Grant, Kind, Object, Rights, Role};

pub(super) fn is_public(object: &Object) -> bool {
    object.address.kind == Kind::Schema && object.address.name == "public"
}

/// What `create schema public` gives to an owner alone.
pub(super) fn rights_when_made(owner: &Role) -> Rights {
    let own = ["CREATE", "USAGE"].map(|privilege| grant(privilege, owner, owner));
    compared(own.into(), owner)
}

/// The rights after another role became the owner: all that the old one had and granted is the new one's.
pub(super) fn handed_over(rights: &Rights, before: &Role, after: &Role) -> Rights {
    let revoked = |it: &Grant| {
        rights
            .0
            .iter()
            .any(|revoked| revoked.revoked && revoked.role == it.role && revoked.privilege == it.privilege)
    };
    let mut all: Vec<Grant> = usual().into_iter().filter(|it| !revoked(it)).collect();
    let granted = rights.0.iter().filter(|it| !it.revoked);
    all.extend(granted.map(|it| Grant { by: it.by.clone().or(Some(before.clone())), ..it.clone() }));
    for grant in &mut all {
        if grant.role == *before {
            grant.role = after.clone();
        }
        grant.by = grant.by.take().map(|by| if by == *before { after.clone() } else { by });
    }
    compared(all, after)
}

/// All rights as they differ from the usual ones.
fn compared(all: Vec<Grant>, owner: &Role) -> Rights {
    let by = |grant: &Grant| grant.by.clone().filter(|by| by != owner);
    let usual = usual();
    let gone = usual.iter().filter(|it| !all.contains(it));
    let mut rights: Vec<Grant> = gone.map(|it| Grant { revoked: true, by: by(it), ..it.clone() }).collect();
    for grant in all.iter().filter(|it| !usual.contains(it)) {
        let grant = Grant { by: by(grant), ..grant.clone() };
        if !rights.contains(&grant) {
            rights.push(grant);
        }
    }
    Rights(rights)
}

/// What the server gives with the database.
fn usual() -> Vec<Grant> {
    let owner = Role::Named("pg_database_owner".to_owned());
    [("CREATE", &owner), ("USAGE", &owner), ("USAGE", &Role::Public)]
        .map(|(privilege, role)| grant(privilege, role, &owner))
        .into()
}

fn grant(privilege: &str, role: &Role, by: &Role) -> Grant {
    Grant {
        privilege: privilege.to_owned(),
        role: role.clone(),
        grantable: false,
        by: Some(by.clone()),
        revoked: false,
    }
}
