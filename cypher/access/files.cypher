// answers: All published files of a run, in no particular order.
// parameter: run STRING the run's id
// column: part STRING the part's name
// column: seq INTEGER number of the file, from 0
// column: bytes BYTES lines, each with its newline
// mode: read
// index: run_file_run
MATCH (f:RunFile {run: $run})
RETURN f.part AS part, f.seq AS seq, f.bytes AS bytes
