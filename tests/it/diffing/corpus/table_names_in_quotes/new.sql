create schema "My Schema";
create table "My Schema"."user" ("order" int primary key, "a""b" text, between int, value int);
create index "select" on "My Schema"."user" ("a""b", between);
create view "My Schema"."group" as select "order" as "all" from "My Schema"."user";
