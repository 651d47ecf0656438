// Schema: what identifies nodes, and what is looked up.
CREATE CONSTRAINT account_key IF NOT EXISTS FOR (a:Account) REQUIRE a.key IS UNIQUE;
CREATE CONSTRAINT account_n IF NOT EXISTS FOR (a:Account) REQUIRE a.n IS UNIQUE;
CREATE CONSTRAINT graph_id IF NOT EXISTS FOR (g:Graph) REQUIRE g.id IS UNIQUE;
CREATE CONSTRAINT run_id IF NOT EXISTS FOR (r:Run) REQUIRE r.id IS UNIQUE;
CREATE CONSTRAINT run_idempotency_key IF NOT EXISTS FOR (r:Run) REQUIRE r.idempotency_key IS UNIQUE;
CREATE CONSTRAINT current_id IF NOT EXISTS FOR (c:Current) REQUIRE c.id IS UNIQUE;
CREATE CONSTRAINT community_id_run IF NOT EXISTS FOR (c:Community) REQUIRE (c.id, c.run) IS UNIQUE;
CREATE CONSTRAINT run_file IF NOT EXISTS FOR (f:RunFile) REQUIRE (f.run, f.part, f.seq) IS UNIQUE;
CREATE INDEX account_v IF NOT EXISTS FOR (a:Account) ON (a.v);
CREATE INDEX account_handle IF NOT EXISTS FOR (a:Account) ON (a.handle);
CREATE INDEX follows_v IF NOT EXISTS FOR ()-[f:FOLLOWS]-() ON (f.v);
CREATE INDEX run_state IF NOT EXISTS FOR (r:Run) ON (r.state);
CREATE INDEX community_run IF NOT EXISTS FOR (c:Community) ON (c.run);
CREATE INDEX run_file_run IF NOT EXISTS FOR (f:RunFile) ON (f.run);
CREATE INDEX member_of_run IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.run);
CALL db.awaitIndexes(300);
