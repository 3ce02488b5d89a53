-- Rows in all 9 tables, with values that a round trip through a file easily corrupts.
insert into branches (id, name, slug, opened_at, updated_at) values
    ('10000000-0000-0000-0000-000000000001', E'Tab\there, \\backslash\\, "quotes"', 'one', '2020-02-29 23:59:59.999999+14', 'infinity'),
    ('10000000-0000-0000-0000-000000000002', E'\\N', 'two', '-infinity', '0044-03-15 12:00:00+00 BC');

insert into people (id, email, name, status, bio, time_zone, branch_id, created_at, updated_at) values
    ('00000000-0000-0000-0000-00000000000a', 'a@x.org', E'\\.', 'active', E'secret-hash\nbreak\r\nand \\n and \t\x01\x7F', E'Zoë\u00A0𝄞 Ω\u0301', '10000000-0000-0000-0000-000000000001', 'infinity', '2021-03-28 01:30:00+00'),
    ('00000000-0000-0000-0000-00000000000b', 'b@x.org', 'b', 'suspended', '', E'\\\\', null, now(), now()),
    ('00000000-0000-0000-0000-00000000000c', 'c@x.org', ' ', 'new', null, '', '10000000-0000-0000-0000-000000000002', now(), now());

update branches set manager_id = '00000000-0000-0000-0000-00000000000a', updated_at = updated_at where slug = 'one';
insert into staff (branch_id, person_id, duty)
select '10000000-0000-0000-0000-000000000001', id, E'NULL' from people where email < 'c';

insert into roles (name, display_name, description, is_built_in) values ('own', E'\tOwn', E'\n', true);
insert into permissions (name, resource, action) values ('drop_item', 'item', 'drop');
insert into roles_permissions select r.id, p.id from roles r, permissions p where (r.name, p.name) = ('own', 'drop_item');
insert into people_roles select '00000000-0000-0000-0000-00000000000a', id from roles where name = 'own';

insert into events (person_id, action, changes)
select '00000000-0000-0000-0000-00000000000a', 'login', jsonb_build_object('n', n) from generate_series(1, 12) n;
insert into events (action, changes) values ('purge', '{"a": 1.10, "b": "\u00e9\\n\t", "c": [null, {}], "": "", "n": 123456789012345678901234567890.5}');

insert into loans (person_id, barcode, state, fee, metadata) values
    ('00000000-0000-0000-0000-00000000000a', E'\r', 'returned', 0.1::float8 + 0.2, '"\\."'),
    ('00000000-0000-0000-0000-00000000000b', '', 'lent', 5e-324, '{}');
