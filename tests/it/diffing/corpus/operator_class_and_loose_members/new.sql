create operator family fam using hash;
create function h(text) returns int language internal immutable strict as 'hashtext';
create operator class th for type text using hash family fam as operator 1 =, function 1 h(text);
alter operator family fam using hash add operator 1 = (text, name), function 1 (text, name) hashtext(text);
