-- Tables and columns whose names are keywords of Mermaid, or hold what it does not read as a name.

create table "u" (id int primary key);
create table "one" (id int primary key, "PK" int references "u");
create table "many" (id int primary key, "fk" int references "one");
create table "only" (id int primary key, "Uk" int references "many");
create table "to" (id int primary key, "uk-x" int references "only");
create table "optionally" (id int primary key, "1st" int references "to");
create table "zero" (id int primary key, "it's ""x""" int references "optionally");
create table "end" (id int primary key, "a\b" int references "zero");
create table "style" (id int primary key, "ü" int references "end");
create table "class" (id int primary key, "x,y" int references "style");
create table "classDef" (id int primary key, "a.b" int references "class");
create table "subgraph" (id int primary key, "~t~" int references "classDef");
create table "erDiagram" (id int primary key, "end" int references "subgraph");
create table "o" (id int primary key, "{" int references "erDiagram");
create table "x" (id int primary key, "}" int references "o");
create table "2fa" (id int primary key, "日本" int references "x");
create table "Größe" (id int primary key, "*" int references "2fa");
create table "direction TB" (id int primary key, "`c`" int references "Größe");
create table "the direction  lr x" (id int primary key, """" int references "direction TB");
create table "50% ""off"" \" (id int primary key, "pk" int references "the direction  lr x");
create table "a b" (id int primary key, "PK" int references "50% ""off"" \");
create table "title" (id int primary key, "fk" int references "a b");
create table "accTitle: x" (id int primary key, "Uk" int references "title");
create table "1" (id int primary key, "uk-x" int references "accTitle: x");
create table "0+" (id int primary key, "1st" int references "1");
create table "日本" (id int primary key, "it's ""x""" int references "0+");
create table "__proto__" (id int primary key, "a\b" int references "日本");
create table "constructor" (id int primary key, "ü" int references "__proto__");
create table "a.b" (id int primary key, "x,y" int references "constructor");
create table "x;y" (id int primary key, "a.b" int references "a.b");
create table "`tick`" (id int primary key, "~t~" int references "x;y");
create table "{" (id int primary key, "end" int references "`tick`");
create table "}" (id int primary key, "{" int references "{");
create table "[a]" (id int primary key, "}" int references "}");
create table "<b>" (id int primary key, "日本" int references "[a]");
create table "#1" (id int primary key, "*" int references "<b>");
create table "all columns" (
    "pk" numeric(10, 2)[],
    "PK" numeric(10, 2)[],
    "fk" numeric(10, 2)[],
    "Uk" numeric(10, 2)[],
    "uk-x" numeric(10, 2)[],
    "1st" numeric(10, 2)[],
    "it's ""x""" numeric(10, 2)[],
    "a\b" numeric(10, 2)[],
    "ü" numeric(10, 2)[],
    "x,y" numeric(10, 2)[],
    "a.b" numeric(10, 2)[],
    "~t~" numeric(10, 2)[],
    "end" numeric(10, 2)[],
    "{" numeric(10, 2)[],
    "}" numeric(10, 2)[],
    "日本" numeric(10, 2)[],
    "*" numeric(10, 2)[],
    "`c`" numeric(10, 2)[],
    """" numeric(10, 2)[]
);
create type pk as enum ('a');
alter table u add column pk pk;
