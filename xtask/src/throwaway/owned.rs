//! Schemas of which it is known which app made each object: as the migrations make them.

use std::collections::{HashMap, HashSet};

use ::tests::scratch::Scratch;
use catalogue::{Address, Catalogue};
use diff::Rename;
use migrations::{MigrationId, Project, Session, Settings, Target, schema::Reader};

/// Who made an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    /// The app, by its position in the manifest.
    pub(crate) app: usize,
    /// The migration; `None` if a schema file made it.
    pub(crate) migration: Option<MigrationId>,
}

/// A schema with the makers of its objects.
pub(crate) struct Owned {
    pub(crate) schema: Catalogue,
    makers: HashMap<Address, Maker>,
}

impl Owned {
    pub(super) fn new(schema: Catalogue) -> Owned {
        Owned { schema, makers: HashMap::new() }
    }

    /// A schema whose objects belong to these apps, whatever made them.
    pub(crate) fn assigned(schema: Catalogue, app: impl Fn(&Address) -> usize) -> Owned {
        let maker = |address: &Address| (address.clone(), Maker { app: app(address), migration: None });
        let makers = schema.objects().map(|object| maker(&object.address)).collect();
        Owned { schema, makers }
    }

    /// Who made an object, or else the whole that it is a part of. `None`: it was there from the beginning.
    pub(crate) fn maker(&self, address: &Address) -> Option<&Maker> {
        let whole = || self.schema.table_of(address).and_then(|table| self.makers.get(&table.address));
        self.makers.get(address).or_else(whole)
    }

    /// The same after renames, which made this schema.
    pub(crate) fn renamed(&self, schema: Catalogue, renames: &[Rename]) -> Owned {
        let makers = self
            .makers
            .iter()
            .map(|(address, maker)| (diff::renamed(address.clone(), renames), maker.clone()));
        Owned { schema, makers: makers.collect() }
    }

    /// Takes the schema that a maker has changed.
    pub(super) fn advance(&mut self, schema: Catalogue, maker: &Maker) {
        let now: HashSet<&Address> = schema.objects().map(|object| &object.address).collect();
        self.makers.retain(|address, _| now.contains(address));
        for address in now {
            if self.schema.get(address).is_none() {
                self.makers.insert(address.clone(), maker.clone());
            }
        }
        self.schema = schema;
    }
}

/// A throwaway database with all migrations of a project, and what each app's made.
pub(crate) struct Replayed {
    pub(crate) session: Session,
    pub(crate) reader: Reader,
    /// The schema before the first migration.
    pub(crate) empty: Catalogue,
    pub(crate) made: Owned,
}

impl Replayed {
    /// Applies all migrations to an empty database.
    pub(crate) async fn open(project: &Project, scratch: &Scratch) -> anyhow::Result<Replayed> {
        let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
        let mut reader = Reader::connect(&scratch.options(), &project.left_out()).await?;
        let empty = reader.read().await?;
        let mut made = Owned::new(empty.clone());
        let mut migrations = project.migrations.iter().peekable();
        while let Some(migration) = migrations.next() {
            if migrations.peek().is_some_and(|next| next.id.app == migration.id.app) {
                continue;
            }
            session.migrate(project, &Target::Migration(migration.id.clone()), &mut |_| {}).await?;
            let app = position(project, &migration.id.app);
            made.advance(reader.read().await?, &Maker { app, migration: Some(migration.id.clone()) });
        }
        Ok(Replayed { session, reader, empty, made })
    }

    /// Closes both connections.
    pub(crate) async fn close(self) -> Owned {
        self.reader.close().await;
        self.session.close().await;
        self.made
    }
}

/// The position of an app in the manifest.
pub(crate) fn position(project: &Project, name: &str) -> usize {
    project.apps.iter().position(|app| app.name == name).unwrap_or_default()
}
