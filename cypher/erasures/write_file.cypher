// answers: Replaces the bytes of a published file, where they are still the ones that were read.
// parameter: run STRING the run's id
// parameter: part STRING the part's name
// parameter: seq INTEGER number of the file
// parameter: before STRING SHA-256 in hex of the bytes that were read
// parameter: bytes BYTES lines, each with its newline
// parameter: sha256 STRING SHA-256 of them in hex
// column: written INTEGER 1 where they were replaced
// mode: write
// index: run_file
MATCH (f:RunFile {run: $run, part: $part, seq: $seq})
SET f.lock = 1
WITH f WHERE f.sha256 = $before
SET f.bytes = $bytes, f.sha256 = $sha256
REMOVE f.lock
RETURN count(f) AS written
