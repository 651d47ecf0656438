// answers: The files of one published part of a run that is done.
// parameter: run STRING the run's id
// parameter: part STRING the part's name
// column: seq INTEGER number of the file, from 0
// column: files INTEGER how many files the part has
// column: bytes BYTES lines, each with its newline
// column: sha256 STRING SHA-256 of the bytes in hex
// column: lines INTEGER number of lines
// mode: read
// index: run_id
// index: run_file
MATCH (:Run {id: $run, state: 'done'})
MATCH (f:RunFile {run: $run, part: $part})
WHERE f.seq >= 0
RETURN f.seq AS seq, f.files AS files, f.bytes AS bytes, f.sha256 AS sha256, f.lines AS lines
ORDER BY seq
