// Schema: names that people give to communities are kept by the community's id. Memberships are found by way of their
// community, which may belong to several runs, and no longer by a run of their own.
CREATE CONSTRAINT community_name_id IF NOT EXISTS FOR (n:CommunityName) REQUIRE n.id IS UNIQUE;
DROP INDEX member_of_run IF EXISTS;
CALL db.awaitIndexes(300);
