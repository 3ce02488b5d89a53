-- Takes the owner from organizations; who owned what is lost, memberships stay.

drop index organizations_owner_id_idx;

alter table organizations
    drop constraint organizations_owner_id_fkey,
    drop column owner_id;
