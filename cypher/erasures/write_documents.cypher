// answers: Writes what is said in words on some nodes, where it is still what was read.
// parameter: rows LIST<MAP> node INTEGER its id, name STRING of a property, before and after: what was and what is to be
// column: written INTEGER how many properties were written
// mode: write
UNWIND $rows AS row
MATCH (x) WHERE id(x) = row.node
WITH x, row WHERE x[row.name] = row.before
SET x[row.name] = row.after
RETURN count(*) AS written
