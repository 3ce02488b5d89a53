-- Gives an organization an owner, who then can't be deleted before the organization is handed over.

-- Nullable, because organizations that already exist have none. Restrict, because cascade would delete the organization and
-- all its members, keys and grants with one person, and set null would leave it to nobody without anyone noticing.
alter table organizations
    add column owner_id uuid,
    add constraint organizations_owner_id_fkey foreign key (owner_id) references users (id) on delete restrict;

create index organizations_owner_id_idx on organizations (owner_id);

comment on column organizations.owner_id is
    'Answers for the organization, and is also an admin in organization_members. Null: nobody yet.';
