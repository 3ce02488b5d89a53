-- Statements that the schema must accept, each below what makes it a borderline case.
-- A statement begins at the margin and continues in indented lines. Braces hold placeholders for ids of fixture.sql.

-- An address and a name of 254 characters.
insert into users (email, username) values (repeat('a', 248) || '@x.org', repeat('a', 254));

-- Values in the optional columns.
insert into users (email, username, phone_number, language, country)
    values ('n@x.org', 'n', '0712345678', 'sw-KE', 'KE');

-- A complete erasure.
update users
    set account_status = 'erased', erased_at = now(), bio = null, phone_number = null, email = 'erased-1@erased.invalid'
    where id = {ada};

-- New labels for a system role.
update roles set display_name = 'Pupil', description = 'x' where name = 'student';

-- Deleting a system role that was demoted first; its grants are deleted too.
do $$ begin
    update roles set is_system_role = false where name = 'finance';
    delete from roles where name = 'finance';
    end $$;

-- Creating, renaming and deleting a role that is no system role.
do $$ begin
    insert into roles (name, display_name) values ('custom', 'Custom');
    update roles set name = 'other' where name = 'custom';
    delete from roles where name = 'other';
    end $$;

-- Granting a revoked role again.
do $$ begin
    update user_roles set revoked_at = now() where user_id = {ada};
    insert into user_roles (user_id, role_id, scope, org_id)
        select user_id, role_id, scope, org_id from user_roles where user_id = {ada};
    end $$;

-- The same role in another scope.
insert into user_roles (user_id, role_id, scope, track_key)
    values ({ada}, (select id from roles where name = 'student'), 'track', 't1');

-- Withdrawing a consent, which keeps granted_at.
update consent_scopes set granted = false, revoked_at = now() where user_id = {ada};

-- A consent that the user refused from the start.
insert into consent_scopes (user_id, scope_type, revoked_at) values ({ada}, 'marketing', now());

-- Redeeming a backup code.
update mfa_methods set backup_code_hashes = array_remove(backup_code_hashes, sha256('1'))
    where user_id = {ada} and sha256('1') = any (backup_code_hashes);

-- No backup codes left.
update mfa_methods set backup_code_hashes = '{}' where user_id = {ada};

-- The same subject of another tenant.
insert into user_identities (user_id, provider, issuer, provider_sub) values ({bob}, 'saml', 'tenant-2', 'sub-1');

-- A code used at the last attempt.
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, attempts, used_at)
    values ({ada}, 'email', 'login', sha256('z'), now() + interval '1 hour', 10, now());

-- The highest risk score.
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at, risk_score)
    values ({ada}, 'fp', sha256('s2'), now() + interval '1 day', 1);

-- Trusting a revoked device again.
do $$ begin
    update device_trust set revoked_at = now() where user_id = {ada};
    insert into device_trust (user_id, device_name, device_type, device_fingerprint)
        values ({ada}, 'laptop', 'desktop', 'fp');
    end $$;

-- A second version of a policy.
do $$ begin
    update policies set active = false where name = 'p';
    insert into policies (name, version, effect, resource, actions) values ('p', 2, 'deny', 'portfolio', '{read}');
    end $$;

-- A service key without an owner.
insert into api_keys (name, key_type, key_prefix, key_hash) values ('n', 'service', 'key_abcdefgh', sha256('n'));

-- A service key with an owner.
insert into api_keys (name, key_type, key_prefix, key_hash, organization_id)
    values ('n', 'service', 'key_abcdefgh', sha256('n'), {acme});

-- An action that no list declares.
insert into audit_logs (actor_type, actor_identifier, action, resource_type)
    values ('anonymous', 'x', 'mfa_enroll', 'user');

-- A delivery at the last attempt.
insert into webhook_deliveries (endpoint_id, event_type, payload, status, delivered_at, attempt_count, response_status)
    values ({endpoint}, 'a', '{}', 'delivered', now(), 3, 204);

-- A closed full erasure beside an open one.
insert into data_erasures (user_id, subject_ref, erasure_type, status) values ({ada}, 's', 'full', 'cancelled');

-- A partial erasure beside an open full one.
insert into data_erasures (user_id, subject_ref, erasure_type) values ({ada}, 's', 'partial');

-- Deleting all users, who own no organization any more; audit rows stay.
do $$ begin update organizations set owner_id = null; delete from users; end $$;

-- Deleting an organization with its members, grants, keys and endpoints.
delete from organizations;

-- A completed course.
insert into progress (user_id, content_type, content_id, score, completion_percentage, status, completed_at)
    values ({ada}, 'course', 'c2', 0, 100, 'completed', now());
