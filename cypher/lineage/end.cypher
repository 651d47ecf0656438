// answers: Say of communities that a run no longer found what became of them.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> id STRING and written STRING, id and run of the community; event STRING died, merged or split; into LIST<STRING> ids of where its accounts are now
// mode: write
// index: community_id_run
UNWIND $rows AS row
MATCH (c:Community {id: row.id, run: row.written})
SET c.ended = row.event, c.ended_in = $run, c.ended_into = row.into
