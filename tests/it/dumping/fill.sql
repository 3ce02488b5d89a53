-- Rows in all 22 tables, with the values that are easily lost on their way through a file.
insert into organizations (id, name, slug, description, created_at, updated_at) values
    ('10000000-0000-0000-0000-000000000001', E'Tab\there, \\backslash\\, "quotes"', 'one', '', '2020-02-29 23:59:59.999999+14', 'infinity'),
    ('10000000-0000-0000-0000-000000000002', E'\\N', 'two', null, '-infinity', '0044-03-15 12:00:00+00 BC');

insert into users (id, email, username, password_hash, first_name, last_name, account_status, erased_at, last_login_ip, org_id, bio, created_at, updated_at) values
    ('00000000-0000-0000-0000-00000000000a', 'a@x.org', E'\\.', '$argon2id$secret-hash', '', E'Zoë\u00A0𝄞 Ω\u0301', 'active', null, '::ffff:10.0.0.1', '10000000-0000-0000-0000-000000000001', E'line\nbreak\r\nand \\n and \t\x01\x7F', 'infinity', '2021-03-28 01:30:00+00'),
    ('00000000-0000-0000-0000-00000000000b', 'b@x.org', 'b', null, ' ', E'\\\\', 'suspended', null, '10.0.0.0/8', null, '', now(), now()),
    ('00000000-0000-0000-0000-00000000000c', 'c@x.org', 'c', null, '', '', 'erased', '-infinity', '2001:db8::/32', '10000000-0000-0000-0000-000000000002', null, now(), now());

update organizations set owner_id = '00000000-0000-0000-0000-00000000000a', updated_at = updated_at where slug = 'one';
insert into organization_members (organization_id, user_id, role)
select '10000000-0000-0000-0000-000000000001', id, 'admin' from users where email < 'c';

insert into roles (name, display_name, description, is_system_role) values ('own', E'\tOwn', E'\n', true);
insert into permissions (name, resource_type, action) values ('create_billing', 'billing', 'create');
insert into roles_permissions select r.id, p.id from roles r, permissions p where (r.name, p.name) = ('own', 'create_billing');
insert into user_roles (user_id, role_id, scope, org_id, assigned_by)
select '00000000-0000-0000-0000-00000000000a', id, 'org', '10000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-00000000000b' from roles where name = 'own';
insert into consent_scopes (user_id, scope_type) values ('00000000-0000-0000-0000-00000000000a', 'analytics');
insert into entitlements (user_id, feature, metadata) values ('00000000-0000-0000-0000-00000000000a', 'cohort_seat', '{"a": 1.10, "b": "\u00e9\\n\t", "c": [null, {}], "": ""}');
insert into mfa_methods (user_id, method_type, secret_ciphertext, secret_key_id, backup_code_hashes) values
    ('00000000-0000-0000-0000-00000000000a', 'totp', '\x', '', '{}'),
    ('00000000-0000-0000-0000-00000000000b', 'backup_codes', null, null, array[sha256('\x00'), sha256('\x5c2e')]);
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, ip_address)
values ('00000000-0000-0000-0000-00000000000a', 'email', 'login', sha256('\x0a'), 'infinity', '127.0.0.1/8');
insert into user_identities (user_id, provider, provider_sub) values ('00000000-0000-0000-0000-00000000000a', 'saml', E'\\N');
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, risk_score, expires_at)
values ('00000000-0000-0000-0000-00000000000a', '', sha256('\x0b'), 0.1, 'infinity'),
       ('00000000-0000-0000-0000-00000000000b', '', sha256('\x0c'), 1.17549435e-38, 'infinity');
insert into device_trust (user_id, device_name, device_type, device_fingerprint) values ('00000000-0000-0000-0000-00000000000a', '', 'desktop', 'NULL');
insert into policies (name, effect, resource, actions) values ('p', 'deny', 'r', array['', 'NULL', E'a"b\\c{},\n', E'\t']);
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, scopes, allowed_ips)
values ('k', 'partner', '123456789012', sha256('\x0d'), '00000000-0000-0000-0000-00000000000a', '{}', '{10.0.0.1,::/0}');
insert into webhook_endpoints (id, name, url, signing_secret_ciphertext, secret_key_id, retry_backoff)
values ('20000000-0000-0000-0000-000000000001', '', 'https://x.org', '\x00ff5c0a09', 'k', 1.1000000000000001);
insert into webhook_deliveries (endpoint_id, event_type, payload, response_body)
values ('20000000-0000-0000-0000-000000000001', 'e', '{"n": 123456789012345678901234567890.5}', E'\\.\n\\.');
insert into audit_logs (user_id, api_key_id, actor_type, actor_identifier, action, resource_type, resource_id)
select '00000000-0000-0000-0000-00000000000a', (select id from api_keys), 'user', 'a', 'login', 'user', n::text from generate_series(1, 12) n;
insert into audit_logs (actor_type, actor_identifier, action, resource_type) values ('system', '', 'purge', '');
insert into data_exports (user_id, subject_ref, export_type, data_categories) values ('00000000-0000-0000-0000-00000000000a', 's', 'full', '{}');
insert into data_erasures (user_id, subject_ref, erasure_type) values (null, 's', 'full');
insert into progress (user_id, content_type, content_id, score)
values ('00000000-0000-0000-0000-00000000000a', '', E'\r', 0.1::float8 + 0.2), ('00000000-0000-0000-0000-00000000000b', '', '', 5e-324);
