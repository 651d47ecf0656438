// answers: Write published files of a run, or write them again.
// parameter: run STRING the run's id
// parameter: rows LIST<MAP> files: part STRING, seq INTEGER from 0, files INTEGER of the part, bytes BYTES, sha256 STRING of them in hex, lines INTEGER
// column: written INTEGER files written
// mode: write
// index: run_file
UNWIND $rows AS row
MERGE (f:RunFile {run: $run, part: row.part, seq: row.seq})
SET f.files = row.files, f.bytes = row.bytes, f.sha256 = row.sha256, f.lines = row.lines
RETURN count(f) AS written
