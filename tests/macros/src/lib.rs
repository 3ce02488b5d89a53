//! The attribute `#[tests::test]`. It reads tokens by itself, because `syn` would take longer to build than all else here.

use proc_macro::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

/// Runs an async function as a test on a database of its own, as `tests::with_database` does.
///
/// The function takes `&tests::TestDatabase`, and returns nothing or a `Result` with any error. Words in parentheses choose
/// another database: `empty`, `unseeded`, `recycled` or `at = "app/0001_name"`, and `project = "folder"` before any of these.
#[proc_macro_attribute]
pub fn test(words: TokenStream, function: TokenStream) -> TokenStream {
    match recipe(words).and_then(|recipe| expand(&recipe, function.clone())) {
        Ok(test) => test,
        // With the unchanged function, so that an editor still understands it.
        Err(problem) => [problem.into_error(), function].into_iter().collect(),
    }
}

/// What is wrong with the source, and where.
struct Problem {
    at: Span,
    sentence: &'static str,
}

impl Problem {
    /// `::core::compile_error! { "sentence" }`, reported at the place.
    fn into_error(self) -> TokenStream {
        let mut text = Literal::string(self.sentence);
        text.set_span(self.at);
        let mut body = Group::new(Delimiter::Brace, TokenTree::from(text).into());
        body.set_span(self.at);
        let mut tokens: TokenStream = "::core::compile_error!".parse().unwrap_or_default();
        tokens.extend([TokenTree::from(body)]);
        tokens.into_iter().map(|token| spanned(token, self.at)).collect()
    }
}

fn spanned(mut token: TokenTree, span: Span) -> TokenTree {
    token.set_span(span);
    token
}

const WORDS: &str =
    "expected `empty`, `unseeded`, `recycled`, `at = \"app/0001_name\"` or `project = \"folder\"`";

/// The database that the words in parentheses choose, as an expression.
fn recipe(words: TokenStream) -> Result<String, Problem> {
    let mut project = "::tests::Project::default()".to_owned();
    let mut content = None;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let problem = Problem { at: word.span(), sentence: WORDS };
        if content.is_some() {
            return Err(Problem {
                sentence: "one test has one database, and it is chosen already",
                ..problem
            });
        }
        match word.to_string().as_str() {
            plain @ ("empty" | "unseeded" | "recycled") => content = Some(format!("{plain}()")),
            "at" => content = Some(format!("at({})", text(&mut words, problem)?)),
            "project" => project = format!("::tests::project({})", text(&mut words, problem)?),
            _ => return Err(problem),
        }
        match words.next() {
            Some(TokenTree::Punct(comma)) if comma.as_char() == ',' => {}
            Some(other) => return Err(Problem { at: other.span(), sentence: "expected a comma" }),
            None => break,
        }
    }
    Ok(format!("{project}.{}", content.unwrap_or_else(|| "seeded()".to_owned())))
}

/// The rest of `word = "text"`.
fn text(words: &mut impl Iterator<Item = TokenTree>, problem: Problem) -> Result<String, Problem> {
    match (words.next(), words.next()) {
        (Some(TokenTree::Punct(equals)), Some(TokenTree::Literal(text)))
            if equals.as_char() == '=' && text.to_string().starts_with('"') =>
        {
            Ok(text.to_string())
        }
        _ => Err(problem),
    }
}

/// A plain test of the same name and attributes, with the function inside.
fn expand(recipe: &str, function: TokenStream) -> Result<TokenStream, Problem> {
    let mut attributes = TokenStream::new();
    let mut rest = function.into_iter().peekable();
    while let Some(TokenTree::Punct(hash)) = rest.peek()
        && hash.as_char() == '#'
    {
        attributes.extend(rest.by_ref().take(2));
    }
    let inner: TokenStream = rest.collect();
    let mut tokens = inner.clone().into_iter();
    let mut is_async = false;
    let (mut place, mut name) = (Span::call_site(), None);
    while let Some(token) = tokens.next() {
        place = token.span();
        match token.to_string().as_str() {
            "async" => is_async = true,
            "fn" => {
                name = tokens.next();
                break;
            }
            _ => {}
        }
    }
    let Some(TokenTree::Ident(name)) = name else {
        return Err(Problem { at: place, sentence: "#[tests::test] goes on an async function" });
    };
    if !is_async {
        return Err(Problem { at: place, sentence: "a test that is handed a database is an `async fn`" });
    }
    match tokens.next() {
        Some(TokenTree::Group(arguments)) if arguments.stream().is_empty() => {
            let sentence = "the test takes its database: write `db: &tests::TestDatabase`";
            return Err(Problem { at: arguments.span(), sentence });
        }
        Some(TokenTree::Group(arguments)) if arguments.delimiter() == Delimiter::Parenthesis => {}
        other => {
            let at = other.map_or(name.span(), |token| token.span());
            return Err(Problem { at, sentence: "a test has no type parameters" });
        }
    }
    Ok(test_around(recipe, attributes, &name, inner))
}

/// `#[::core::prelude::v1::test] attributes fn name() { function  recipe.run(async |db| outcome(name(db).await)) }`.
fn test_around(recipe: &str, attributes: TokenStream, name: &Ident, function: TokenStream) -> TokenStream {
    let mut body = function;
    let call = format!("{recipe}.run(async |db| ::tests::service::outcome({name}(db).await));");
    // Errors in what the function returns are shown at its name.
    body.extend(
        call.parse::<TokenStream>()
            .unwrap_or_default()
            .into_iter()
            .map(|token| respanned(token, name.span())),
    );
    let mut test: TokenStream = "#[::core::prelude::v1::test]".parse().unwrap_or_default();
    test.extend(attributes);
    test.extend([
        TokenTree::from(Ident::new("fn", Span::call_site())),
        TokenTree::from(name.clone()),
        TokenTree::from(Group::new(Delimiter::Parenthesis, TokenStream::new())),
        TokenTree::from(Group::new(Delimiter::Brace, body)),
    ]);
    test
}

/// The same token, and all within it, at another place.
fn respanned(token: TokenTree, span: Span) -> TokenTree {
    let token = match token {
        TokenTree::Group(group) => {
            let within = group.stream().into_iter().map(|token| respanned(token, span)).collect();
            Group::new(group.delimiter(), within).into()
        }
        other => other,
    };
    spanned(token, span.resolved_at(Span::mixed_site()).located_at(span))
}
