// Schema: the first candidates of all communities are found by their rank, without a look at each member.
CREATE INDEX member_of_rank IF NOT EXISTS FOR ()-[m:MEMBER_OF]-() ON (m.rank);
CALL db.awaitIndexes(300);
