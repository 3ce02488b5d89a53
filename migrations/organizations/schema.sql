-- What the tables of this app should be: organizations and their members.

create table organizations (
    id          uuid        not null default gen_random_uuid(),
    name        text        not null,
    slug        text        not null,
    org_type    text        not null default 'sponsor',
    description text,
    logo_url    text,
    website     text,
    country     text,
    status      text        not null default 'active',
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    owner_id    uuid,

    constraint organizations_pkey primary key (id),
    constraint organizations_slug_key unique (slug),
    -- Restrict, because cascade would delete the organization and all its members, keys and grants with one person, and set
    -- null would leave it without an owner, and no one would notice.
    constraint organizations_owner_id_fkey foreign key (owner_id) references users (id) on delete restrict,
    constraint organizations_name_check check (btrim(name) <> ''),
    constraint organizations_slug_check check (length(slug) <= 50 and slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    constraint organizations_org_type_check check (org_type in ('sponsor', 'employer', 'partner')),
    constraint organizations_logo_url_check check (logo_url ~ '^https?://'),
    constraint organizations_website_check check (website ~ '^https?://'),
    constraint organizations_country_check check (country ~ '^[A-Z]{2}$'),
    constraint organizations_status_check check (status in ('active', 'inactive'))
);

create index organizations_owner_id_idx on organizations (owner_id);

create trigger organizations_touch_updated_at
    before update on organizations
    for each row execute function touch_updated_at();

comment on table organizations is
    'Sponsors, employers and partners. Deleting one deletes its members, role grants, keys and endpoints; '
    'users only lose the link.';
comment on column organizations.slug is
    'Name in URLs: lower-case words joined by single hyphens.';
comment on column organizations.country is
    'ISO 3166-1 alpha-2.';
comment on column organizations.owner_id is
    'Answers for the organization, and is also an admin in organization_members. Null: nobody yet.';

create table organization_members (
    id              uuid        not null default gen_random_uuid(),
    organization_id uuid        not null,
    user_id         uuid        not null,
    role            text        not null default 'member',
    joined_at       timestamptz not null default now(),

    constraint organization_members_pkey primary key (id),
    constraint organization_members_organization_id_user_id_key unique (organization_id, user_id),
    constraint organization_members_organization_id_fkey
        foreign key (organization_id) references organizations (id) on delete cascade,
    constraint organization_members_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint organization_members_role_check check (role in ('admin', 'member', 'viewer'))
);

create index organization_members_user_id_idx on organization_members (user_id);

comment on table organization_members is
    'Who belongs to which organization. Not the same as users.org_id (a user''s primary organization).';
comment on column organization_members.role is
    'Standing within the organization; what a user may do on the platform is in user_roles.';
