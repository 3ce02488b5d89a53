//! Makes a catalogue of the sheets: numbers become names, and what several system catalogues say of an object is put together.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::{
    Catalogue, Grant, Need, Object, Reading, Strength,
    address::{Address, identifier},
    classes::{PG_ATTRDEF, PG_CAST, PG_CLASS, PG_EXTENSION, PG_PROC, PG_TYPE},
    context::{Context, Id},
    error::Error,
    kind::{Kind, Naming},
    kinds::{Body, Foreign, Head},
    oid::Oid,
    raw::{
        Collated, Collations, Comments, Edges, Keywords, Labels, Members, OperatorClasses, Parts,
        Rights as Granted, Roles, ServerSchemas,
    },
    sheet::{Row, rows},
};

/// A row whose head has been read.
struct Found<'s> {
    id: Id,
    on: Oid,
    owner: Oid,
    address: Arc<Address>,
    rest: Row<'s>,
}

impl Catalogue {
    /// The catalogue of a reading, without some schemas and some tables, `schema.table`: the ledgers. Their owner is the role
    /// that migrates, which appears as a symbol; without them it is the role that read.
    ///
    /// # Errors
    /// If the reading is not one of [`crate::script`].
    pub fn read(reading: &Reading, leave_out: &[&str]) -> Result<Catalogue, Error> {
        build(reading, leave_out)
    }
}

fn build(reading: &Reading, leave_out: &[&str]) -> Result<Catalogue, Error> {
    let mut sheets = reading.sheets();
    let mut next = || sheets.next().ok_or(Error::Incomplete);
    let mut cx = Context::default();
    let keywords = Keywords::rows(next()?)?.into_iter().map(|it| it.word).collect();
    let mut me = None;
    for role in Roles::rows(next()?)? {
        me = if role.is_me { Some(role.oid) } else { me };
        cx.roles.insert(role.oid, role.name);
    }
    cx.schemas = ServerSchemas::rows(next()?)?.into_iter().map(|it| (it.oid, it.name)).collect();
    let members: HashMap<(Oid, Oid), Oid> =
        Members::rows(next()?)?.into_iter().map(|it| ((it.class, it.object), it.extension)).collect();
    cx.collated =
        Collated::rows(next()?)?.into_iter().map(|it| ((it.relation, it.number), it.collation)).collect();
    cx.collations = Collations::rows(next()?)?.into_iter().map(|it| (it.oid, it.name)).collect();
    for class in OperatorClasses::rows(next()?)? {
        cx.operator_classes.insert(class.oid, (class.name, class.default));
    }
    let (comments, labels) = (Comments::rows(next()?)?, Labels::rows(next()?)?);
    let (rights, edges) = (Granted::rows(next()?)?, Edges::rows(next()?)?);
    let parts = parts(Parts::rows(next()?)?, &edges);

    let mut found: Vec<Found<'_>> = Vec::new();
    for &kind in Kind::ALL {
        for mut row in rows(next()?) {
            let head = Head::read(&mut row, &cx)?;
            if kind == Kind::Schema && leave_out.contains(&head.name.as_str()) {
                cx.migrator = Some(head.owner);
                cx.schemas_left_out.insert(head.oid, head.name);
            } else if kind == Kind::Table && is_left_out(&head, &cx, leave_out) {
                cx.migrator.get_or_insert(head.owner);
                note_left_out(kind, head, &mut cx);
            } else if let Some((id, address)) = locate(kind, &head, &cx, &members, &parts) {
                if kind == Kind::Schema {
                    cx.schemas.insert(head.oid, head.name.clone());
                }
                let address = Arc::new(address);
                cx.objects.insert(id, address.clone());
                found.push(Found { id, on: head.on, owner: head.owner, address, rest: row });
            } else if kind.catalogue() == PG_CLASS {
                note_left_out(kind, head, &mut cx);
            }
        }
    }
    cx.migrator = cx.migrator.or(me);

    let mut objects: HashMap<Id, Object> = HashMap::with_capacity(found.len());
    for Found { id, on, owner, mut address, mut rest } in found {
        let whose = matches!(address.kind, Kind::DefaultPrivileges | Kind::UserMapping);
        if whose {
            let name = format!("of {} {}", cx.role(owner), address.name);
            address = Arc::new(Address { name, ..Address::clone(&address) });
            cx.objects.insert(id, address.clone());
        }
        let body = address.kind.decode(&mut rest, &cx, on)?;
        let owner = (owner != 0 && !whose).then(|| cx.role(owner));
        objects.insert(id, Object::new(Address::clone(&address), owner, body));
    }
    let whole = Wholes { cx: &cx, members: &members, parts: &parts };
    // What an extension's own objects have is its business.
    let is_ours = |class: Oid, object: Oid| !members.contains_key(&(class, object));
    for comment in comments.into_iter().filter(|it| is_ours(it.class, it.object)) {
        if let Some(object) =
            whole.id(comment.class, comment.object, comment.sub).and_then(|id| objects.get_mut(&id))
        {
            object.comment = Some(comment.text);
        }
    }
    for label in labels.into_iter().filter(|it| is_ours(it.class, it.object)) {
        if let Some(object) =
            whole.id(label.class, label.object, label.sub).and_then(|id| objects.get_mut(&id))
        {
            object.labels.0.push(label.label);
        }
    }
    let foreign = grant(rights, &cx, &whole, &mut objects);
    connect(edges, &cx, &whole, &mut objects);

    let all = objects.into_values().chain(foreign.into_values());
    let all = all.map(|mut object| {
        object.sort();
        object
    });
    Ok(Catalogue::new(reading.major(), keywords, all))
}

/// Where an object belongs. `None`: it is an extension's, temporary, or in a schema that is left out.
fn locate(
    kind: Kind,
    head: &Head,
    cx: &Context,
    members: &HashMap<(Oid, Oid), Oid>,
    parts: &HashMap<(Oid, Oid), Id>,
) -> Option<(Id, Address)> {
    let class = kind.catalogue();
    if members.contains_key(&(class, head.oid)) || parts.contains_key(&(class, head.oid)) {
        return None;
    }
    let schema = match head.schema {
        0 => String::new(),
        oid => cx.schemas.get(&oid)?.clone(),
    };
    let on = || {
        let relation = cx.objects.get(&(PG_CLASS, head.on, 0));
        relation.or_else(|| cx.objects.get(&(PG_TYPE, head.on, 0)))
    };
    let address = if kind.naming() == Naming::Part {
        let whole = on()?;
        Address { kind, schema: whole.schema.clone(), name: whole.name.clone(), part: head.name.clone() }
    } else {
        if head.on != 0 {
            on()?;
        }
        Address { kind, schema, name: head.name.clone(), part: head.part.clone() }
    };
    Some(((class, head.oid, head.sub), address))
}

/// Whether a table is left out. What is part of it finds no table then, and is left out too.
fn is_left_out(table: &Head, cx: &Context, leave_out: &[&str]) -> bool {
    let schema = cx.schemas.get(&table.schema);
    schema.is_some_and(|schema| leave_out.contains(&&*format!("{schema}.{}", table.name)))
}

/// Notes a relation, or a column of one, that is left out.
fn note_left_out(kind: Kind, head: Head, cx: &mut Context) {
    let schema = cx.schemas.get(&head.schema).or_else(|| cx.schemas_left_out.get(&head.schema));
    let schema = schema.cloned().unwrap_or_default();
    let (name, part) = if kind.is_part() { (String::new(), head.name) } else { (head.name, String::new()) };
    cx.left_out.insert((head.oid, head.sub), Address { kind, schema, name, part });
}

/// Finds the object that a row of a catalogue belongs to.
struct Wholes<'c> {
    cx: &'c Context,
    members: &'c HashMap<(Oid, Oid), Oid>,
    parts: &'c HashMap<(Oid, Oid), Id>,
}

/// The rows that are parts of an object, each with that object.
fn parts(parts: Vec<Parts>, edges: &[Edges]) -> HashMap<(Oid, Oid), Id> {
    let whole = |it: &Parts| (it.whole_class, it.whole, i16::try_from(it.sub).unwrap_or_default());
    // A range brings functions and a cast of its own.
    let of_range = edges
        .iter()
        .filter(|it| it.sort == 'i' && it.needed_class == PG_TYPE && [PG_PROC, PG_CAST].contains(&it.class));
    let of_range = of_range.map(|it| ((it.class, it.object), (PG_TYPE, it.needed, 0)));
    parts.iter().map(|it| ((it.class, it.object), whole(it))).chain(of_range).collect()
}

impl Wholes<'_> {
    fn id(&self, class: Oid, object: Oid, sub: i32) -> Option<Id> {
        let mut id = (class, object, i16::try_from(sub).ok()?);
        // An array of a table's rows is two steps away from the table.
        for _ in 0..3 {
            if self.cx.objects.contains_key(&id) {
                return Some(id);
            }
            if let Some(extension) = self.members.get(&(id.0, id.1)) {
                return Some((PG_EXTENSION, *extension, 0));
            }
            id = match self.parts.get(&(id.0, id.1)) {
                Some(whole) => *whole,
                // A column of an index, of a sequence.
                None if id.2 != 0 => (id.0, id.1, 0),
                None => return None,
            };
        }
        None
    }
}

/// Adds what was granted and revoked. Returns the objects of the server and of extensions whose rights were changed.
fn grant(
    rights: Vec<Granted>,
    cx: &Context,
    whole: &Wholes<'_>,
    objects: &mut HashMap<Id, Object>,
) -> BTreeMap<Address, Object> {
    let mut foreign: BTreeMap<Address, Object> = BTreeMap::new();
    for it in rights {
        let grant = Grant {
            privilege: it.privilege,
            role: cx.role(it.grantee),
            grantable: it.grantable,
            by: (it.grantor != it.owner).then(|| cx.role(it.grantor)),
            revoked: it.revoked,
        };
        if let Some(identity) = it.identity.filter(|_| !cx.objects.contains_key(&(it.class, it.object, 0))) {
            let address =
                Address { kind: Kind::Foreign, schema: String::new(), name: identity, part: String::new() };
            let new = || Object::new(address.clone(), None, Body::Foreign(Foreign {}));
            foreign.entry(address.clone()).or_insert_with(new).rights.0.push(grant);
        } else {
            // The functions of a range and its multirange have rights too, which `pg_dump` leaves out.
            let Some(id) = whole.id(it.class, it.object, it.sub) else { continue };
            let Some(object) = objects.get_mut(&id) else { continue };
            if (id.0, id.1) == (it.class, it.object) || object.address.kind == Kind::CompositeType {
                object.rights.0.push(grant);
            }
        }
    }
    foreign
}

/// Adds the edges.
fn connect(edges: Vec<Edges>, cx: &Context, whole: &Wholes<'_>, objects: &mut HashMap<Id, Object>) {
    let mut seen = HashSet::with_capacity(edges.len());
    for it in edges {
        let Some(id) = whole.id(it.class, it.object, it.sub) else { continue };
        let Some(needed) = whole.id(it.needed_class, it.needed, it.needed_sub) else { continue };
        // The server has an edge for each place in a query.
        let of_default = it.class == PG_ATTRDEF;
        if id == needed || !seen.insert((id, needed, of_default, it.sort == 'x')) {
            continue;
        }
        let Some(address) = cx.objects.get(&needed) else { continue };
        let Some(object) = objects.get_mut(&id) else { continue };
        if it.sort == 'x' {
            object.extensions.0.push(identifier(&address.name));
        }
        // A table of a publication goes away with the table; the publication does not.
        let is_of_part = whole.parts.contains_key(&(it.class, it.object));
        let strength = match it.sort {
            'i' if !is_of_part => Strength::Internal,
            _ if is_of_part => Strength::Normal,
            'n' => Strength::Normal,
            _ => Strength::Automatic,
        };
        object.needs.push(Need { on: address.clone(), strength, of_default });
    }
}
