create type r as range (subtype = float8, subtype_diff = float8mi);
create type s as range (subtype = text, collation = "C");
