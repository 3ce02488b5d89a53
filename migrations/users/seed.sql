-- Seeds the 7 roles, 55 permissions and 112 grants that every installation starts from, and reverts edits of them.
--
-- Other rows in these tables belong to the installation and stay. Grants that people added to the roles below stay too, unless
-- the transaction has set seed.prune to on. Rows that are right already are not written, so a second run changes nothing.

insert into roles as kept
    (name, display_name, description, is_system_role)
values
    ('admin',            'Admin',                  'Runs the whole platform: roles, policies, tenants and secrets.',        true),
    ('program_director', 'Program Director',       'Runs programmes, cohorts and tracks, assigns mentors, sees analytics.', true),
    ('mentor',           'Mentor',                 'Guides assigned learners and reviews their portfolios.',                true),
    ('student',          'Student',                'Learns: own profile, portfolio, profiling and mentorship.',             true),
    ('finance',          'Finance',                'Handles billing and invoices, sees no other learner data.',             true),
    ('sponsor_admin',    'Sponsor/Employer Admin', 'Manages sponsored users, sees their profiles where they consented.',    true),
    ('analyst',          'Analyst',                'Reads analytics, no personal data.',                                    true)
on conflict (name) do update set
    display_name   = excluded.display_name,
    description    = excluded.description,
    is_system_role = excluded.is_system_role
where
    (kept.display_name, kept.description, kept.is_system_role)
    is distinct from (excluded.display_name, excluded.description, excluded.is_system_role);

-- One block, since the grants of admin are the catalogue itself; a temporary table would show among the changed rows.
do $seed$
declare
    -- Name, resource type, action, description.
    catalogue constant text[] := array[
        ['create_user',          'user',         'create', 'Create a user'],
        ['read_user',            'user',         'read',   'See a user'],
        ['update_user',          'user',         'update', 'Change a user'],
        ['delete_user',          'user',         'delete', 'Delete a user'],
        ['list_users',           'user',         'list',   'List users'],
        ['manage_users',         'user',         'manage', 'Administer users'],
        ['create_organization',  'organization', 'create', 'Create an organization'],
        ['read_organization',    'organization', 'read',   'See an organization'],
        ['update_organization',  'organization', 'update', 'Change an organization'],
        ['delete_organization',  'organization', 'delete', 'Delete an organization'],
        ['list_organizations',   'organization', 'list',   'List organizations'],
        ['manage_organizations', 'organization', 'manage', 'Administer organizations'],
        ['create_cohort',        'cohort',       'create', 'Create a cohort'],
        ['read_cohort',          'cohort',       'read',   'See a cohort'],
        ['update_cohort',        'cohort',       'update', 'Change a cohort'],
        ['delete_cohort',        'cohort',       'delete', 'Delete a cohort'],
        ['list_cohorts',         'cohort',       'list',   'List cohorts'],
        ['manage_cohorts',       'cohort',       'manage', 'Administer cohorts'],
        ['create_track',         'track',        'create', 'Create a track'],
        ['read_track',           'track',        'read',   'See a track'],
        ['update_track',         'track',        'update', 'Change a track'],
        ['delete_track',         'track',        'delete', 'Delete a track'],
        ['list_tracks',          'track',        'list',   'List tracks'],
        ['manage_tracks',        'track',        'manage', 'Administer tracks'],
        ['create_portfolio',     'portfolio',    'create', 'Create a portfolio'],
        ['read_portfolio',       'portfolio',    'read',   'See a portfolio'],
        ['update_portfolio',     'portfolio',    'update', 'Change a portfolio'],
        ['delete_portfolio',     'portfolio',    'delete', 'Delete a portfolio'],
        ['list_portfolios',      'portfolio',    'list',   'List portfolios'],
        ['manage_portfolios',    'portfolio',    'manage', 'Administer portfolios'],
        ['read_profiling',       'profiling',    'read',   'See profiling results'],
        ['update_profiling',     'profiling',    'update', 'Answer or correct profiling'],
        ['list_profiling',       'profiling',    'list',   'List profiling results'],
        ['create_mentorship',    'mentorship',   'create', 'Start a mentorship'],
        ['read_mentorship',      'mentorship',   'read',   'See a mentorship'],
        ['update_mentorship',    'mentorship',   'update', 'Change a mentorship'],
        ['list_mentorship',      'mentorship',   'list',   'List mentorships'],
        ['read_analytics',       'analytics',    'read',   'See a report'],
        ['list_analytics',       'analytics',    'list',   'List reports'],
        ['read_billing',         'billing',      'read',   'See billing data'],
        ['update_billing',       'billing',      'update', 'Change billing data'],
        ['manage_billing',       'billing',      'manage', 'Administer billing'],
        ['create_invoice',       'invoice',      'create', 'Issue an invoice'],
        ['read_invoice',         'invoice',      'read',   'See an invoice'],
        ['update_invoice',       'invoice',      'update', 'Change an invoice'],
        ['list_invoices',        'invoice',      'list',   'List invoices'],
        ['create_api_key',       'api_key',      'create', 'Issue an API key'],
        ['read_api_key',         'api_key',      'read',   'See an API key'],
        ['revoke_api_key',       'api_key',      'delete', 'Revoke an API key'],
        ['list_api_keys',        'api_key',      'list',   'List API keys'],
        ['create_webhook',       'webhook',      'create', 'Create a webhook'],
        ['read_webhook',         'webhook',      'read',   'See a webhook'],
        ['update_webhook',       'webhook',      'update', 'Change a webhook'],
        ['delete_webhook',       'webhook',      'delete', 'Delete a webhook'],
        ['list_webhooks',        'webhook',      'list',   'List webhooks']
    ];
    grantee text;
    granted text[];
    unknown text;
begin
    -- One that was renamed is known by what it allows, and gets its name back.
    update permissions as kept
    set name = catalogue[i][1]
    from generate_subscripts(catalogue, 1) as i
    where (kept.resource_type, kept.action) = (catalogue[i][2], catalogue[i][3])
        and kept.name not in (select catalogue[j][1] from generate_subscripts(catalogue, 1) as j)
        and not exists (select from permissions as other where other.name = catalogue[i][1]);

    insert into permissions as kept
        (name, resource_type, action, description)
    select catalogue[i][1], catalogue[i][2], catalogue[i][3], catalogue[i][4]
    from generate_subscripts(catalogue, 1) as i
    on conflict (name) do update set
        resource_type = excluded.resource_type,
        action        = excluded.action,
        description   = excluded.description
    where
        (kept.resource_type, kept.action, kept.description)
        is distinct from (excluded.resource_type, excluded.action, excluded.description);

    for grantee, granted in
        values
            ('admin', array(select catalogue[i][1] from generate_subscripts(catalogue, 1) as i)),
            ('program_director', array[
                'read_user', 'list_users',
                'read_organization', 'list_organizations',
                'create_cohort', 'read_cohort', 'update_cohort', 'list_cohorts', 'manage_cohorts',
                'create_track', 'read_track', 'update_track', 'list_tracks', 'manage_tracks',
                'read_portfolio', 'list_portfolios',
                'read_profiling', 'list_profiling',
                'create_mentorship', 'read_mentorship', 'update_mentorship', 'list_mentorship',
                'read_analytics', 'list_analytics'
            ]),
            ('mentor', array[
                'read_user',
                'read_portfolio', 'update_portfolio',
                'read_profiling',
                'create_mentorship', 'read_mentorship', 'update_mentorship',
                'read_analytics'
            ]),
            ('student', array[
                'read_user', 'update_user',
                'read_portfolio', 'create_portfolio', 'update_portfolio',
                'read_profiling', 'update_profiling',
                'read_mentorship'
            ]),
            ('finance', array[
                'read_billing', 'update_billing', 'manage_billing',
                'create_invoice', 'read_invoice', 'update_invoice', 'list_invoices'
            ]),
            ('sponsor_admin', array[
                'read_user', 'list_users',
                'read_organization', 'update_organization',
                'read_portfolio', 'list_portfolios',
                'read_profiling', 'list_profiling'
            ]),
            ('analyst', array[
                'read_analytics', 'list_analytics'
            ])
    loop
        if not exists (select from roles where name = grantee) then
            raise exception 'seed grants to unknown role "%"', grantee;
        end if;

        -- An inner join alone would drop a misspelt name without a word.
        select string_agg(format('"%s"', listed.name), ', ' order by listed.name)
        into unknown
        from unnest(granted) as listed (name)
        where not exists (select from permissions where permissions.name = listed.name);

        if unknown is not null then
            raise exception 'seed grants unknown permission % to role "%"', unknown, grantee;
        end if;

        insert into roles_permissions (role_id, permission_id)
        select roles.id, permissions.id
        from roles
        join permissions on permissions.name = any (granted)
        where roles.name = grantee
        on conflict do nothing;

        if current_setting('seed.prune', true) = 'on' then
            delete from roles_permissions
            using roles, permissions
            where roles_permissions.role_id = roles.id
                and roles_permissions.permission_id = permissions.id
                and roles.name = grantee
                and permissions.name <> all (granted);
        end if;
    end loop;
end
$seed$;
