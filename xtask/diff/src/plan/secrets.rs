//! Changes that no comparison of catalogues shows, because a password is a part of them.

use catalogue::{Body, Kind, Object};

use super::Plan;

impl Plan<'_> {
    pub(super) fn account_secrets(&mut self) {
        for kind in [Kind::UserMapping, Kind::Subscription] {
            for after in self.new.catalogue.of_kind(kind) {
                let Some(before) = self.old.get(&after.address) else { continue };
                if let Some(attribute) = changed(before, after) {
                    self.change(before, after, attribute);
                }
            }
        }
    }
}

/// The attribute that is another one, if both are known and nothing else shows it.
fn changed(old: &Object, new: &Object) -> Option<&'static str> {
    match (&old.body, &new.body) {
        (Body::UserMapping(old), Body::UserMapping(new)) => {
            let known = old.values.0.as_ref().zip(new.values.0.as_ref());
            (old.options == new.options && known.is_some_and(|(old, new)| old != new)).then_some("options")
        }
        (Body::Subscription(old), Body::Subscription(new)) => {
            let known = old.connection.0.as_ref().zip(new.connection.0.as_ref());
            known.is_some_and(|(old, new)| old != new).then_some("connection")
        }
        _ => None,
    }
}
