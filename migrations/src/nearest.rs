//! The most similar name, for errors about one that does not exist.

/// A part of a name must have this many characters to be recognized.
const SHORTEST_PART: usize = 3;

/// The name that is most similar to the one that was typed, if any is similar enough.
pub(crate) fn closest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = typed.chars().count();
    let mut whole = known.iter().filter(|name| length >= SHORTEST_PART && name.contains(typed));
    if let (Some(only), None) = (whole.next(), whole.next()) {
        return Some(only);
    }
    let limit = length.max(3) / 3;
    let scored = known.iter().map(|name| (strsim::osa_distance(typed, name), *name));
    scored
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The same as the end of a sentence.
pub(crate) fn suggestion(typed: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    closest(typed, &known).map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_is_not() {
        assert_eq!(closest("order", &["billing", "orders"]), Some("orders"));
        assert_eq!(closest("odrers", &["billing", "orders"]), Some("orders"));
        assert_eq!(closest("0001_inital", &["0001_initial"]), Some("0001_initial"));
        assert_eq!(closest("profile", &["billing", "orders"]), None);
    }

    #[test]
    fn a_name_without_its_number_is_enough_where_only_one_has_it() {
        assert_eq!(closest("add_due", &["0001_initial", "0002_add_due_date"]), Some("0002_add_due_date"));
        assert_eq!(closest("add", &["0002_add_due_date", "0003_add_tax"]), None);
        assert_eq!(closest("", &["0001_initial"]), None);
    }
}
