//! Functions, operators, casts, and the languages and types that they stand on.

use catalogue::{
    AccessMethod, Aggregate, Cast, Conversion, Deparsed, Function, Kind, Language, Operator, OperatorClass,
    OperatorFamily, Transform,
};

use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::{COMPLETE, Facet, Means},
    side::{dollars, literal},
    statement::Sql,
};

impl Managed for Function {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let whole = self.sql_body.0.is_none() || it.makes(COMPLETE, it.object);
        vec![if whole { statement(self, "create", it) } else { stub(self, "create", it) }.into()]
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        if self.sql_body.0.is_none() {
            return Vec::new();
        }
        vec![Facet {
            name: COMPLETE,
            set: vec![statement(self, "create or replace", it).into()],
            unset: Some(vec![stub(self, "create or replace", it).into()]),
            inline: true,
            replaces: true,
            takes: |need| {
                matches!(need.on.kind, Kind::Column | Kind::Function | Kind::Aggregate | Kind::Operator)
            },
            completes: true,
        }]
    }

    fn change(&self, _: &Function, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        const REPLACED: [&str; 15] = [
            "language",
            "body",
            "sql_body",
            "library",
            "volatility",
            "strict",
            "security_definer",
            "leakproof",
            "parallel",
            "cost",
            "rows",
            "support",
            "settings",
            "transforms",
            "arguments",
        ];
        let differing = REPLACED.map(|name| (name, differs(name, from, to)));
        match attribute {
            "sort" | "returns" | "arguments" => Means::Rebuild,
            _ if REPLACED.contains(&attribute) => {
                Means::joint(attribute, &differing, Means::alter(statement(self, "create or replace", to)))
            }
            _ => UNKNOWN,
        }
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("drop routine {}", it.name()).into()]
    }
}

fn differs(attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> bool {
    let value = |it: It<'_, '_>| {
        let attributes = it.object.body.attributes().into_iter();
        attributes
            .filter(|(name, _)| *name == attribute)
            .map(|(_, it)| it.value(catalogue::Scope::Exact))
            .next()
    };
    value(from) != value(to)
}

/// A function with the same arguments and an empty body.
fn stub(body: &Function, verb: &str, it: It<'_, '_>) -> String {
    statement(&Function { sql_body: Deparsed(None), ..body.clone() }, verb, it)
}

fn statement(body: &Function, verb: &str, it: It<'_, '_>) -> String {
    let sort = body.sort.as_deref().unwrap_or("function");
    let word = if sort == "procedure" { sort } else { "function" };
    let arguments = body.arguments.as_deref().unwrap_or_default();
    let mut sql = format!("{verb} {word} {}({arguments})", it.names.whole(it.address()));
    if let Some(returns) = body.returns.as_ref().filter(|_| word == "function") {
        sql += &format!("\nreturns {returns}");
    }
    sql += &format!("\nlanguage {}", it.quoted(&body.language));
    if !body.transforms.is_empty() {
        let types: Vec<String> = body.transforms.iter().map(|it| format!("for type {it}")).collect();
        sql += &format!(" transform {}", types.join(", "));
    }
    for (holds, words) in [
        (sort == "window function", "window"),
        (body.strict, "strict"),
        (body.security_definer, "security definer"),
        (body.leakproof, "leakproof"),
    ] {
        if holds {
            sql += &format!(" {words}");
        }
    }
    for (word, value) in [
        ("", &body.volatility),
        ("parallel ", &body.parallel),
        ("cost ", &body.cost),
        ("rows ", &body.rows),
        ("support ", &body.support),
    ] {
        if let Some(value) = value {
            sql += &format!(" {word}{value}");
        }
    }
    for setting in &body.settings {
        sql += &format!("\n{}", set_clause(setting));
    }
    sql += &match (&body.sql_body.0, &body.library, &body.body) {
        (Some(body), ..) => format!("\n{body}"),
        (None, Some(library), Some(symbol)) => format!("\nas {}, {}", literal(library), literal(symbol)),
        (None, _, body) => format!("\nas {}", dollars(body.as_deref().unwrap_or_default())),
    };
    sql
}

/// `set name to value`. The server keeps a list of names as it quotes names, and anything else as one text.
fn set_clause(setting: &str) -> String {
    const LISTS: [&str; 6] = [
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    ];
    let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
    let value = match LISTS.contains(&name.to_lowercase().as_str()) {
        true => names_in(value).iter().map(|name| literal(name)).collect::<Vec<_>>().join(", "),
        false => literal(value),
    };
    let name: Vec<String> = name.split('.').map(|part| format!("\"{part}\"")).collect();
    format!("set {} to {value}", name.join("."))
}

/// The names in a list of them. A name may be longer in quotes than in a statement, and empty.
fn names_in(list: &str) -> Vec<String> {
    let (mut names, mut quoted, mut chars) = (vec![String::new()], false, list.chars().peekable());
    while let Some(char) = chars.next() {
        match (char, names.last_mut()) {
            ('"', Some(name)) if quoted && chars.next_if_eq(&'"').is_some() => name.push('"'),
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => names.push(String::new()),
            (' ', _) if !quoted => {}
            (_, Some(name)) => name.push(char),
            _ => {}
        }
    }
    names
}

impl Managed for Aggregate {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let arguments = self.arguments.as_deref().unwrap_or("*");
        let mut options = vec![format!("stype = {}", self.state)];
        options.extend(self.options.0.iter().filter_map(|option| {
            let (name, value) = option.split_once('=')?;
            Some(match (name, value) {
                ("finalfunc_extra" | "mfinalfunc_extra", _) => name.to_owned(),
                ("finalfunc_modify" | "mfinalfunc_modify", letter) => {
                    let how = match letter {
                        "r" => "read_only",
                        "s" => "shareable",
                        _ => "read_write",
                    };
                    format!("{name} = {how}")
                }
                ("parallel", "s") => "parallel = safe".to_owned(),
                ("parallel", _) => "parallel = restricted".to_owned(),
                ("sortop", operator) => format!("sortop = operator({})", without_arguments(operator)),
                ("initcond" | "minitcond", value) => format!("{name} = {}", literal(value)),
                _ => format!("{name} = {value}"),
            })
        }));
        if self.ordered_set.as_deref().is_some_and(|it| it.starts_with("hypothetical")) {
            options.push("hypothetical".to_owned());
        }
        let name = it.names.whole(it.address());
        vec![format!("create aggregate {name}({arguments}) ({})", options.join(", ")).into()]
    }

    fn change(&self, _: &Aggregate, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "arguments" | "returns" | "ordered_set" | "state" | "options" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let arguments = self.arguments.as_deref().unwrap_or("*");
        let name = it.names.whole(it.address());
        vec![format!("drop aggregate {name}({arguments})").into()]
    }
}

/// The name of a function or an operator that the server prints with the types of its arguments.
fn without_arguments(text: &str) -> &str {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c == '(' && !quoted
    });
    &text[..end.unwrap_or(text.len())]
}

impl Managed for Operator {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        // A shell is made by the operator that names it.
        let Some(function) = &self.function else { return Vec::new() };
        let mut options = vec![format!("function = {}", without_arguments(function))];
        let operands = it.address().part.trim_start_matches('(').trim_end_matches(')');
        if let Some((left, right)) = operands.split_once(", ") {
            options.extend((left != "NONE").then(|| format!("leftarg = {left}")));
            options.push(format!("rightarg = {right}"));
        }
        for (name, operator) in [("commutator", &self.commutator), ("negator", &self.negator)] {
            if let Some(operator) = operator {
                options.push(format!("{name} = operator({})", without_arguments(operator)));
            }
        }
        for (name, function) in [("restrict", &self.restrict), ("join", &self.join)] {
            options.extend(function.as_ref().map(|function| format!("{name} = {function}")));
        }
        options.extend(self.hashes.then(|| "hashes".to_owned()));
        options.extend(self.merges.then(|| "merges".to_owned()));
        vec![format!("create operator {} ({})", it.names.whole(it.address()), options.join(", ")).into()]
    }

    fn set(&self, attribute: &str, old: Option<&Operator>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let value = match (attribute, old) {
            ("restrict", Some(_)) => &self.restrict,
            ("join", Some(_)) => &self.join,
            _ => return None,
        };
        let value = value.as_deref().unwrap_or("none");
        Some(vec![format!("alter operator {} set ({attribute} = {value})", it.name()).into()])
    }

    fn change(&self, _: &Operator, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "function" | "returns" | "commutator" | "negator" | "hashes" | "merges" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for OperatorFamily {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let members = members(&self.operators.0, &self.functions.0);
        let create = format!("create operator family {}", it.name()).into();
        let add = format!("alter operator family {} add\n    {}", it.name(), members.join(",\n    ")).into();
        if members.is_empty() { vec![create] } else { vec![create, add] }
    }

    fn change(&self, old: &OperatorFamily, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        let alter = format!("alter operator family {}", to.name());
        let (word, old, new) = match attribute {
            "operators" => ("operator", &old.operators.0, &self.operators.0),
            "functions" => ("function", &old.functions.0, &self.functions.0),
            _ => return UNKNOWN,
        };
        let gone = old.iter().filter(|it| !new.contains(it)).map(|it| format!("drop {word} {}", slot(it)));
        let added = new.iter().filter(|it| !old.contains(it)).map(|it| format!("add {word} {it}"));
        Means::Alter(gone.chain(added).map(|it| format!("{alter} {it}").into()).collect())
    }
}

fn members(operators: &[String], functions: &[String]) -> Vec<String> {
    let operators = operators.iter().map(|it| format!("operator {it}"));
    operators.chain(functions.iter().map(|it| format!("function {it}"))).collect()
}

/// The number of a member and the types that it is for: `1 (integer, bigint)`.
fn slot(member: &str) -> String {
    let number = member.split(' ').next().unwrap_or_default();
    let member = member.split(" for order by ").next().unwrap_or_default();
    // An operator has them after its name, and a function before it.
    let types = match member.strip_prefix(number).unwrap_or_default().trim_start() {
        function if function.starts_with('(') => function.split_once(')').map(|(types, _)| &types[1..]),
        operator => operator.rsplit_once('(').map(|(_, types)| types.trim_end_matches(')')),
    };
    format!("{number} ({})", types.unwrap_or_default())
}

impl Managed for OperatorClass {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let name = it.names.whole(it.address());
        let method = it.quoted(it.address().part.trim_start_matches('(').trim_end_matches(')'));
        let default = if self.default { " default" } else { "" };
        let mut members = members(&self.operators.0, &self.functions.0);
        match &self.stored_type {
            Some(stored) => members.push(format!("storage {stored}")),
            // There must be something.
            None if members.is_empty() => members.push(format!("storage {}", self.data_type)),
            None => {}
        }
        let sql = format!(
            "create operator class {name}{default} for type {} using {method} family {} as\n    {}",
            self.data_type,
            self.family,
            members.join(",\n    ")
        );
        vec![sql.into()]
    }

    fn change(&self, _: &OperatorClass, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "data_type" | "family" | "default" | "stored_type" | "operators" | "functions" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Cast {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let how = match (&self.function, self.method.as_deref()) {
            (Some(function), _) => format!("with function {function}"),
            (None, Some("inout")) => "with inout".to_owned(),
            (None, _) => "without function".to_owned(),
        };
        let context = self.context.as_ref().map_or(String::new(), |context| format!(" as {context}"));
        vec![format!("create cast {} {how}{context}", it.name()).into()]
    }

    fn change(&self, _: &Cast, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "function" | "method" | "context" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Conversion {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let default = if self.default { "default " } else { "" };
        let (from, to) = self.encodings.split_once(" to ").unwrap_or((&self.encodings, ""));
        let (from, to) = (literal(from), literal(to));
        let function = &self.function;
        vec![format!("create {default}conversion {} for {from} to {to} from {function}", it.name()).into()]
    }

    fn change(&self, _: &Conversion, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "encodings" | "function" | "default" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Language {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let trusted = if self.trusted { "trusted " } else { "" };
        let mut sql = format!("create {trusted}language {}", it.name());
        for (word, function) in
            [("handler", &self.handler), ("inline", &self.inline), ("validator", &self.validator)]
        {
            if let Some(function) = function {
                sql += &format!(" {word} {function}");
            }
        }
        vec![sql.into()]
    }

    fn change(&self, _: &Language, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "trusted" | "handler" | "inline" | "validator" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Transform {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let parts = [("from", &self.from_sql), ("to", &self.to_sql)].map(|(way, function)| {
            function.as_ref().map(|function| format!("{way} sql with function {function}"))
        });
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        vec![format!("create transform {} ({})", it.name(), parts.join(", ")).into()]
    }

    fn change(&self, _: &Transform, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "from_sql" | "to_sql" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for AccessMethod {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let (name, sort, handler) = (it.name(), &self.sort, &self.handler);
        vec![format!("create access method {name} type {sort} handler {handler}").into()]
    }

    fn change(&self, _: &AccessMethod, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "sort" | "handler" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}
